"""What MailTap finds on this machine, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mailtap.errors import first_line
from mailtap.zeek.installation import ZeekError, find_installation, find_zeek

#: Modules of each extra of the package, and what it is for.
EXTRAS = {
    "live": (
        ("orjson", "prometheus_client", "pyarrow", "starlette", "uvicorn", "websockets"),
        "mailtap live",
    ),
    "arrow": (("pyarrow",), "sessions as Arrow in Python"),
    "ndpi": (("nfstream",), "nDPI's labels: --dpi ndpi, nfstream:INTERFACE"),
    "spark": (("pyspark", "pyarrow"), "mailtap report --engine spark"),
}

#: The bit of CAP_NET_RAW in a process's capabilities (capabilities(7)).
_CAP_NET_RAW = 13

#: Where Zeek serves events with `@load mailtap/live`, and where the guide has the page.
_WEBSOCKET_PORT = 27759
_PAGE_PORT = 8425

_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for. `ok` None: it can't be found out here.

    `remedy` is the command, or the setting, that mends it.
    """

    name: str
    ok: bool | None
    detail: str
    needed_for: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Looks for everything that some command of MailTap needs."""
    yield _python()
    yield _engine()
    for extra in EXTRAS:
        yield _extra(extra)
    yield _java()
    yield from _zeek()
    yield _bindings()
    yield _capture_right()
    yield _sensor_port()
    yield _page_port()
    yield _clock()


def _python() -> Finding:
    return Finding("Python", True, f"{platform.python_version()}, {sys.executable}", "everything")


def _engine() -> Finding:
    needed_for = "mailtap analyze"
    try:
        importlib.import_module("mailtap._engine")
    except ImportError as error:
        remedy = "pip install --force-reinstall mailtap"
        return Finding("embedded engine", False, first_line(error), needed_for, remedy)
    return Finding("embedded engine", True, f"MailTap {version('mailtap')}", needed_for)


def _extra(extra: str) -> Finding:
    modules, needed_for = EXTRAS[extra]
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    name = f"Python packages [{extra}]"
    if missing:
        remedy = f"pip install 'mailtap[{extra}]'"
        return Finding(name, False, f"no {', '.join(missing)}", needed_for, remedy)
    return Finding(name, True, ", ".join(modules), needed_for)


def _java() -> Finding:
    needed_for = "mailtap report --engine spark"
    found = shutil.which("java")
    if found is None:
        remedy = "apt-get install default-jre-headless"
        return Finding("Java", False, "not on PATH", needed_for, remedy)
    return Finding("Java", True, found, needed_for)


def _zeek() -> Iterator[Finding]:
    needed_for = "sensors, mailtap analyze --engine zeek"
    try:
        zeek = find_zeek()
    except ZeekError as error:
        remedy = "install it as https://docs.zeek.org/en/current/install.html says"
        yield Finding("Zeek", False, str(error).partition(":")[0], needed_for, remedy)
        return
    yield Finding("Zeek", True, _output(zeek, "--version") or str(zeek), needed_for)
    try:
        installation = find_installation()
    except ZeekError:
        remedy = "zkg install . (in a clone of MailTap)"
        yield Finding("Zeek package", False, f"not in {zeek}", needed_for, remedy)
        return
    yield Finding("Zeek package", True, f"loads as {installation.scripts}", needed_for)


def _bindings() -> Finding:
    needed_for = "mailtap live --sensor broker://"
    program = shutil.which("zeek-config") or shutil.which("zeek-config", path="/opt/zeek/bin")
    if program is None:
        remedy = "install Zeek's development package, such as zeek-core-dev"
        return Finding("Broker bindings", False, "no zeek-config", needed_for, remedy)
    folder = Path(_output(Path(program), "--python_dir") or "/nonexistent") / "broker"
    if not folder.is_dir():
        remedy = "use ws:// instead, or build Zeek with its Python bindings"
        return Finding("Broker bindings", False, f"not in {folder}", needed_for, remedy)
    return Finding("Broker bindings", True, str(folder), needed_for)


def _capture_right() -> Finding:
    needed_for = "mailtap live --labels nfstream:INTERFACE"
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return Finding("right to capture", None, "no /proc", needed_for)
    capabilities = next(
        (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0
    )
    if capabilities >> _CAP_NET_RAW & 1:
        return Finding("right to capture", True, "CAP_NET_RAW", needed_for)
    remedy = "run it as root, or with AmbientCapabilities=CAP_NET_RAW in a systemd unit"
    return Finding("right to capture", False, "no CAP_NET_RAW", needed_for, remedy)


def _sensor_port() -> Finding:
    name, needed_for = f"port {_WEBSOCKET_PORT}", f"mailtap live --sensor ws://…:{_WEBSOCKET_PORT}"
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", _WEBSOCKET_PORT)) == 0:
            return Finding(name, True, "something listens on 127.0.0.1", needed_for)
    remedy = "on a sensor: @load mailtap/live in local.zeek, then zeekctl deploy"
    return Finding(name, False, "nothing listens on 127.0.0.1", needed_for, remedy)


def _page_port() -> Finding:
    name, needed_for = f"port {_PAGE_PORT}", f"mailtap live --listen 127.0.0.1:{_PAGE_PORT}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PAGE_PORT))
        except OSError as error:
            remedy = "name another port with --listen, or see who has it: ss -ltnp"
            return Finding(name, False, os.strerror(error.errno or 0), needed_for, remedy)
    return Finding(name, True, "free", needed_for)


def _clock() -> Finding:
    needed_for = "matching sessions with labels of other machines"
    program = shutil.which("timedatectl")
    answer = _output(Path(program), "show", "-p", "NTPSynchronized", "--value") if program else None
    if answer not in ("yes", "no"):
        return Finding("clock", None, "timedatectl says nothing", needed_for)
    if answer == "yes":
        return Finding("clock", True, "synchronised", needed_for)
    return Finding("clock", False, "not synchronised", needed_for, "timedatectl set-ntp true")


def _output(program: Path, *arguments: str) -> str | None:
    """The first line that a program prints; None if it fails."""
    try:
        ran = subprocess.run(
            [program, *arguments], capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.strip().partition("\n")[0]
