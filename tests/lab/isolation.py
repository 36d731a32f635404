"""Namespaces that hold the laboratory, so that nothing of it touches the machine or outlives it.

The laboratory runs in mount, network and process namespaces of its own: the kernel ends its
processes and drops its mounts and interfaces when its first process ends, for whatever reason.
Each server has a network namespace, and a root that is the machine's with a layer on top (overlayfs
on tmpfs): packages are unpacked, users made and configuration written there.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BRIDGE = "lab0"
HOST_NAME = "mail.lab.test"
RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
"""For /etc/resolv.conf: nobody answers there, and everybody is in /etc/hosts."""
CLIENT_ADDRESS = "192.0.2.1"
CLIENT_ADDRESS6 = "2001:db8::1"
INSIDE = "MAILTAP_LAB_INSIDE"
FRESH = {"dev": "755", "run": "755", "tmp": "1777"}
"""Folders at the root that each server has of its own, empty at first, with their modes."""
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}


def why_not() -> str | None:
    """One sentence on why this machine can't run the laboratory, if it can't."""
    if os.geteuid() != 0:
        return "it needs root, for network namespaces"
    for program in ("unshare", "setpriv", "ip", "apt-get", "dpkg-deb", "openssl"):
        if shutil.which(program) is None:
            return f"it needs the program {program}"
    for place in FRESH:
        if Path(sys.executable).is_relative_to(f"/{place}"):
            return f"each server has a /{place} of its own: use a checkout that is not below it"
    layers = "lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w"
    mount = (
        "mount -t tmpfs lab /mnt && mkdir /mnt/u /mnt/w /mnt/m && "
        f"mount -t overlay overlay -o {layers} /mnt/m"
    )
    link = "ip link add lab0 type bridge && ip link add lab1 type veth peer name lab2"
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", f"{mount} && {link}"],
        capture_output=True,
        text=True,
    )
    if tried.returncode != 0:
        reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"this machine doesn't allow namespaces, overlayfs or veth: {reason}"
    return None


def enter(arguments: list[str]) -> int:
    """Run this program again inside namespaces of its own; its exit status.

    However this process ends, `unshare` ends with it, and with that all that runs inside.
    """
    command = [
        *("setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--mount-proc"),
        *("--mount", "--net", "--uts", "--pid", sys.executable, "-m", "lab", *arguments),
    ]
    return subprocess.run(command, env=os.environ | {INSIDE: "1"}).returncode


def inside() -> bool:
    """Whether this process is the one that `enter` started."""
    return os.environ.get(INSIDE) == "1"


def run(*command: str | Path) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr or done.stdout}")


def prepare(folder: Path) -> None:
    """Make the clients' network and an empty folder in memory for all roots."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # unshare blocks some, and children inherit that
    folder.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", folder)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run")
    socket.sethostname(HOST_NAME)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "link", "set", BRIDGE, "up")
    run("ip", "address", "add", f"{CLIENT_ADDRESS}/24", "dev", BRIDGE)
    run("ip", "address", "add", f"{CLIENT_ADDRESS6}/64", "dev", BRIDGE, "nodad")


@dataclass(frozen=True)
class Root:
    """A root of its own: the machine's files with a layer on top."""

    path: Path

    def file(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file, given by its absolute name inside."""
        path = self.path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def folder(self, name: str, owner: int = 0, group: int = 0, mode: int = 0o755) -> Path:
        """Make a folder, given by its absolute name inside."""
        path = self.path / name.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, owner, group)
        path.chmod(mode)
        return path

    def user(self, name: str, number: int, home: str = "/nonexistent") -> None:
        """Add a user and a group of the same name."""
        for file, line in (
            ("passwd", f"{name}:x:{number}:{number}::{home}:/bin/false"),
            ("shadow", f"{name}:*:20000:0:99999:7:::"),
            ("group", f"{name}:x:{number}:"),
        ):
            path = self.path / "etc" / file
            kept = [old for old in path.read_text().splitlines() if not old.startswith(f"{name}:")]
            path.write_text("\n".join([*kept, line, ""]))


def make_root(folder: Path, name: str) -> Root:
    """A new root below `folder`."""
    base = folder / name
    upper, work, root = base / "upper", base / "work", base / "root"
    for path in (upper, work, root):
        path.mkdir(parents=True)
    options = f"lowerdir=/,upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", options, root)
    run("mount", "-t", "proc", "proc", root / "proc")
    for place, mode in FRESH.items():
        run("mount", "-t", "tmpfs", "-o", f"mode={mode}", "lab", root / place)
    for device, (major, minor) in DEVICES.items():
        os.mknod(root / "dev" / device, 0o020666, os.makedev(major, minor))
        (root / "dev" / device).chmod(0o666)
    (root / "dev/fd").symlink_to("/proc/self/fd")
    (root / "dev/stdin").symlink_to("/proc/self/fd/0")
    (root / "dev/stdout").symlink_to("/proc/self/fd/1")
    (root / "dev/stderr").symlink_to("/proc/self/fd/2")
    (root / "dev/shm").mkdir(mode=0o1777)
    (root / "run/lock").mkdir(mode=0o1777)
    return Root(root)


@dataclass(frozen=True)
class Network:
    """A server's network namespace and its addresses."""

    name: str
    address: str
    address6: str

    @property
    def link(self) -> str:
        """The clients' end of the server's cable, where its packets are recorded."""
        return f"v-{self.name[:12]}"


def address(number: int) -> str:
    """The IPv4 address of a server by its number."""
    return f"192.0.2.{number}"


def make_network(name: str, number: int) -> Network:
    """A network namespace, on the clients' bridge by one cable."""
    network = Network(name, address(number), f"2001:db8::{number:x}")
    run("ip", "netns", "add", name)
    run("ip", "link", "add", network.link, "type", "veth", "peer", "name", "eth0", "netns", name)
    inside = ("ip", "-n", name)
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "set", "eth0", "gso_max_segs", "1")
    run(*inside, "address", "add", f"{network.address}/24", "dev", "eth0")
    run(*inside, "address", "add", f"{network.address6}/64", "dev", "eth0", "nodad")
    run(*inside, "link", "set", "eth0", "up")
    run("ip", "link", "set", network.link, "gso_max_segs", "1", "master", BRIDGE, "up")
    return network


def in_network(network: Network, root: Root) -> list[str]:
    """What to put before a command so that it runs as part of a server."""
    return ["ip", "netns", "exec", network.name, "chroot", str(root.path)]
