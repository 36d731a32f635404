"""Real POP3 and IMAP clients."""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import ssl
from typing import Any

from lab.accounts import ALICE, WRONG
from lab.messages import BARE, PLAIN, RICH
from lab.scenarios.base import Catalogue, Stage

pop3 = Catalogue("pop3")
imap = Catalogue("imap")
LIBRARY = "Python's libraries"
IN: dict[str, Any] = {"auth_result": "success", "user": ALICE.name}
ALL: dict[str, Any] = {"from": [*PLAIN.sender, *RICH.sender, *BARE.sender]}
USER = f"{ALICE.name}:{ALICE.password}"


def curl(
    stage: Stage,
    scheme: str,
    path: str,
    *options: str,
    status: tuple[int, ...] = (0,),
    user: str = USER,
) -> None:
    """Run curl."""
    place = f"{scheme}://{stage.address}:{stage.port}/{path}"
    stage.run(
        *("curl", "--silent", "--show-error", "--insecure", "--user", user, *options, place),
        status=status,
    )


@pop3.add("curl, LIST", client="curl", **IN, messages=0, empty_cause="no_message")
def curl_list(stage: Stage) -> None:
    curl(stage, "pop3", "")


@pop3.add("curl, RETR", client="curl", **IN, messages=1, **RICH.wants)
def curl_retr(stage: Stage) -> None:
    curl(stage, "pop3", "2")


@pop3.add("curl, TOP", client="curl", **IN, messages=1, **PLAIN.wants)
def curl_top(stage: Stage) -> None:
    curl(stage, "pop3", "", "--request", "TOP 1 2")


@pop3.add("curl, wrong password", client="curl", auth_result="failure", user=ALICE.name, messages=0)
def curl_wrong(stage: Stage) -> None:
    curl(stage, "pop3", "", user=f"{ALICE.name}:{WRONG}", status=(67,))


@pop3.add("curl, missing message", client="curl", **IN, messages=0, empty_cause="no_message")
def curl_missing(stage: Stage) -> None:
    curl(stage, "pop3", "99", status=(8, 56, 78))


@pop3.add("curl, STLS", client="curl", needs="STLS TLS", starttls="tls")
def curl_stls(stage: Stage) -> None:
    curl(stage, "pop3", "1", "--ssl-reqd")


@pop3.add("curl, implicit TLS", client="curl", serves="pop3s", needs="TLS", service=None)
def curl_implicit(stage: Stage) -> None:
    curl(stage, "pop3s", "1")


def fetchmail(stage: Stage, protocol: str, *options: str, status: tuple[int, ...] = (0,)) -> None:
    """Run fetchmail once."""
    rules = (
        f'poll "{stage.address}" protocol {protocol} service {stage.port} auth password\n'
        f'  user "{ALICE.name}" password "{ALICE.password}" keep fetchall sslproto ""\n'
        f'  mda "/bin/cat > /dev/null" {" ".join(options)}\n'
    )
    file = stage.file("fetchmailrc", rules)
    stage.run(
        *("fetchmail", "-f", file, "--nodetach", "--nosyslog", "--pidfile", f"{stage.home}/pid"),
        *("-i", f"{stage.home}/ids"),
        status=status,
    )


@pop3.add("fetchmail", client="fetchmail", **IN, messages=3, **ALL, subject=None)
def fetchmail_pop3(stage: Stage) -> None:
    fetchmail(stage, "pop3")


@pop3.add("fetchmail, STLS", client="fetchmail", needs="STLS TLS", starttls="tls")
def fetchmail_stls(stage: Stage) -> None:
    fetchmail(stage, "pop3", 'sslproto "TLS1+" no sslcertck')


@imap.add("fetchmail", client="fetchmail", **IN, **ALL)
def fetchmail_imap(stage: Stage) -> None:
    fetchmail(stage, "imap")


def getmail(stage: Stage, kind: str, extra: str = "") -> None:
    """Run getmail once."""
    for name in ("", "cur", "new", "tmp"):
        stage.clients.own_folder(f"{stage.home}/getmail/{name}")
    rules = (
        f"[retriever]\ntype = {kind}\nserver = {stage.address}\nport = {stage.port}\n"
        f"username = {ALICE.name}\npassword = {ALICE.password}\n{extra}"
        f"[destination]\ntype = Maildir\npath = {stage.home}/getmail/\n"
        "[options]\nread_all = true\ndelete = false\n"
    )
    stage.run("getmail", "--getmaildir", stage.home, "--rcfile", stage.file("getmailrc", rules))


@pop3.add("getmail", client="getmail", **IN, messages=3, **ALL, subject=None)
def getmail_pop3(stage: Stage) -> None:
    getmail(stage, "SimplePOP3Retriever")


@imap.add("getmail", client="getmail", **IN, messages=3, **ALL)
def getmail_imap(stage: Stage) -> None:
    getmail(stage, "SimpleIMAPRetriever", "mailboxes = ('INBOX',)\n")


@pop3.add(
    "poplib",
    client=LIBRARY,
    **IN,
    auth="USER",
    messages=2,
    **RICH.wants | {"from": [*PLAIN.sender, *RICH.sender], "to": list(RICH.recipients)},
)
def library_pop3(stage: Stage) -> None:
    client = poplib.POP3(stage.address, stage.port)
    client.user(ALICE.name)
    client.pass_(ALICE.password)
    client.stat()
    client.list()
    client.retr(1)
    client.top(2, 1)
    client.quit()


@pop3.add("poplib, STLS", client=LIBRARY, needs="STLS TLS", starttls="tls")
def library_stls(stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = poplib.POP3(stage.address, stage.port)
    client.stls(context)
    client.user(ALICE.name)
    client.pass_(ALICE.password)
    client.quit()


@pop3.add("openssl s_client", client="openssl", needs="STLS TLS", starttls="tls")
def openssl_pop3(stage: Stage) -> None:
    openssl(stage, "pop3", "QUIT\n")


def openssl(stage: Stage, protocol: str, text: str) -> None:
    """Run openssl s_client with an upgrade."""
    place = f"{stage.address}:{stage.port}"
    stage.run(
        *("openssl", "s_client", "-starttls", protocol, "-connect", place, "-crlf", "-quiet"),
        text=text,
        status=(0, 1),
    )


@imap.add("openssl s_client", client="openssl", needs="STARTTLS TLS", starttls="tls")
def openssl_imap(stage: Stage) -> None:
    openssl(stage, "imap", "a LOGOUT\n")


@imap.add("curl, LIST", client="curl", **IN, messages=0, empty_cause="no_message")
def curl_imap_list(stage: Stage) -> None:
    curl(stage, "imap", "")


@imap.add("curl, message", client="curl", **IN, messages=1, **RICH.wants)
def curl_imap_message(stage: Stage) -> None:
    curl(stage, "imap", "INBOX;MAILINDEX=2")


@imap.add("curl, header", client="curl", **IN, **PLAIN.wants)
def curl_imap_header(stage: Stage) -> None:
    curl(stage, "imap", "INBOX;MAILINDEX=1;SECTION=HEADER")


@imap.add("curl, part", client="curl", **IN, messages=0, empty_cause="no_message")
def curl_imap_part(stage: Stage) -> None:
    curl(stage, "imap", "INBOX;MAILINDEX=2;SECTION=1", status=(0, 78))


@imap.add("curl, SEARCH", client="curl", **IN, messages=0, empty_cause="no_message")
def curl_imap_search(stage: Stage) -> None:
    curl(stage, "imap", "INBOX?ALL")


@imap.add("curl, FETCH ENVELOPE", client="curl", **IN, messages=0, **RICH.wants)
def curl_imap_envelope(stage: Stage) -> None:
    curl(stage, "imap", "INBOX", "--request", "FETCH 2 ENVELOPE")


@imap.add("curl, wrong password", client="curl", auth_result="failure", user=ALICE.name, messages=0)
def curl_imap_wrong(stage: Stage) -> None:
    curl(stage, "imap", "", user=f"{ALICE.name}:{WRONG}", status=(67,))


@imap.add("curl, STARTTLS", client="curl", needs="STARTTLS TLS", starttls="tls")
def curl_imap_tls(stage: Stage) -> None:
    curl(stage, "imap", "INBOX;MAILINDEX=1", "--ssl-reqd")


@imap.add("curl, implicit TLS", client="curl", serves="imaps", needs="TLS", service=None)
def curl_imap_implicit(stage: Stage) -> None:
    curl(stage, "imaps", "INBOX;MAILINDEX=1")


@imap.add("mbsync", client="mbsync", **IN, messages=3, **ALL)
def mbsync(stage: Stage) -> None:
    run_mbsync(stage, "SSLType None", "AuthMechs LOGIN")


@imap.add("mbsync, STARTTLS", client="mbsync", needs="STARTTLS TLS", starttls="tls")
def mbsync_tls(stage: Stage) -> None:
    certificate = stage.file("server.pem", stage.server.certificate.read_text())
    run_mbsync(stage, "SSLType STARTTLS", f"CertificateFile {certificate}")


def run_mbsync(stage: Stage, *settings: str) -> None:
    """Run mbsync once into an empty folder."""
    place = f"{stage.home}/mbsync-{settings[0].partition(' ')[2]}"
    stage.clients.own_folder(place)
    lines = [
        *(
            "IMAPAccount lab",
            f"Host {stage.server.host}",
            f"Port {stage.port}",
            f"User {ALICE.name}",
        ),
        *(f"Pass {ALICE.password}", *settings, "", "IMAPStore far", "Account lab", ""),
        *("MaildirStore near", f"Path {place}/", f"Inbox {place}/inbox", "SubFolders Verbatim", ""),
        *(
            "Channel all",
            "Far :far:",
            "Near :near:",
            "Patterns INBOX",
            "Create Near",
            "SyncState *",
            "",
        ),
    ]
    stage.run("mbsync", "-c", stage.file("mbsyncrc", "\n".join(lines)), "all")


@imap.add("imaplib", client=LIBRARY, **IN, auth="LOGIN", messages=1, **RICH.wants)
def library_imap(stage: Stage) -> None:
    with imaplib.IMAP4(stage.address, stage.port) as client:
        client.login(*USER.split(":"))
        client.select("INBOX")
        client.search(None, "ALL")
        client.fetch("2", "(RFC822)")
        client.fetch("1", "(FLAGS BODYSTRUCTURE)")


@imap.add("imaplib, AUTHENTICATE PLAIN", client=LIBRARY, **IN, auth="PLAIN", messages=0)
def library_plain(stage: Stage) -> None:
    with imaplib.IMAP4(stage.address, stage.port) as client:
        client.authenticate("PLAIN", lambda _: f"\0{ALICE.name}\0{ALICE.password}".encode())
        client.list()


@imap.add(
    "imaplib, wrong password", client=LIBRARY, auth_result="failure", user=ALICE.name, messages=0
)
def library_wrong(stage: Stage) -> None:
    with (
        imaplib.IMAP4(stage.address, stage.port) as client,
        contextlib.suppress(imaplib.IMAP4.error),
    ):
        client.login(ALICE.name, WRONG)


@imap.add("imaplib, STARTTLS", client=LIBRARY, needs="STARTTLS TLS", starttls="tls")
def library_tls(stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4(stage.address, stage.port) as client:
        client.starttls(context)
        client.login(*USER.split(":"))


@imap.add("mutt", client="mutt", **IN)
def mutt(stage: Stage) -> None:
    settings = (
        f'set imap_user={ALICE.name}; set imap_pass="{ALICE.password}"; '
        "set ssl_starttls=no; set ssl_force_tls=no; set imap_authenticators=login; "
        "set folder=~; set header_cache=; set mail_check=600; set imap_keepalive=600; "
        "push <display-message><exit><exit>"
    )
    stage.clients.run_in_terminal(
        stage.home,
        *(
            "mutt",
            "-n",
            "-F",
            "/dev/null",
            "-R",
            "-e",
            settings,
            "-f",
            f"imap://{stage.address}:{stage.port}/INBOX",
        ),
    )
