"""What isn't mail: other servers on mail ports, and other clients at mail servers."""

from __future__ import annotations

import random

from lab.scenarios.base import Catalogue, Stage

catalogue = Catalogue("ssh")
add = catalogue.add
JUNK = random.Random(11).randbytes(300)


@add("SSH on a mail port", serves="ssh", speaks=None, service=None)
def ssh(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.line()
        talk.send("SSH-2.0-OpenSSH_9.6\r\n")
        talk.octets(100)
        talk.close()


@add("HTTP on a mail port", serves="http", speaks=None, service=None)
def http(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.send("GET / HTTP/1.1\r\nHost: lab.test\r\nUser-Agent: lab\r\n\r\n")
        talk.drain()


@add("random bytes on a mail port", serves="junk", speaks=None, service=None)
def junk(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.send(JUNK)
        talk.octets(400)
        talk.send(JUNK[:50])
        talk.drain()


@add("FTP on a mail port", serves="ftp", speaks="ftp", service=None)
def ftp(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        talk.ask("USER alice", "331")
        talk.ask("PASS guest", "230")
        talk.ask("QUIT", "221")


@add("lines of another protocol", serves="lines", speaks=None, service=None)
def lines(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.line()
        talk.send("get 1\r\n")
        talk.line()
        talk.send("get 2\r\n")
        talk.line()
        talk.close()


def _visit(service: str, words: bytes) -> None:
    name = {b"SSH": "SSH client", b"GET": "HTTP client"}.get(words[:3], "random bytes")

    @add(f"{name} at {service}", serves=service, speaks=service, service=service)
    def visit(stage: Stage) -> None:
        with stage.talk(service) as talk:
            talk.line()
            talk.send(words)
            talk.close()


for _service in ("smtp", "pop3", "imap"):
    _visit(_service, b"SSH-2.0-OpenSSH_9.6\r\n")
    _visit(_service, b"GET / HTTP/1.1\r\nHost: lab.test\r\nUser-Agent: lab\r\n\r\n")
    _visit(_service, JUNK + b"\r\n")
