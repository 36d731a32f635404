"""Hosts, people and addresses: documentation names and ranges only (RFC 2606, 5737, 3849)."""

from __future__ import annotations

from random import Random

DOMAINS = (
    "example.com", "example.org", "example.net", "mail.example.com", "corp.example.org",
    "lists.example.net", "acme.example", "globex.example", "initech.test", "umbrella.test",
    "hooli.example", "sub.dept.initech.test",
)  # fmt: skip
PEOPLE = (
    "alice", "bob", "carol.jones", "dave", "erin+news", "frank_m", "grace", "heidi.k", "ivan",
    "judy", "mallory", "no-reply", "billing", "support", "o'brien", "x1234567", "Sales",
    "newsletter-bounces", "root", "postmaster",
)  # fmt: skip
UTF8_PEOPLE = ("jürgen", "用户", "rené", "søren", "иван")
UTF8_DOMAINS = ("bücher.example", "例子.test", "почта.example")
DISPLAY_NAMES = (
    "Alice Jones", "Bob", "Accounts Payable", "Dave van Dyke", "IT Service Desk", "Grace H.",
    "Weekly Newsletter",
)  # fmt: skip
UTF8_DISPLAY_NAMES = ("Jürgen Müller", "René Lefèvre", "Zoë Ångström", "Łukasz Żak")
SUBJECTS = (
    "Minutes of the meeting", "Re: invoice 4711", "Your order has shipped", "Fwd: lunch?",
    "Backup report", "[list] digest, vol 12, issue 3", "Password reset", "Quarterly figures",
    "test", "Out of office",
)  # fmt: skip
UTF8_SUBJECTS = ("Grüße aus Köln", "Résumé du projet", "Zażółć gęślą jaźń", "会議の件")


def domain(rng: Random) -> str:
    return rng.choice(DOMAINS)


def host(rng: Random) -> str:
    return f"{rng.choice(('mx', 'mx1', 'smtp', 'mail', 'gw-3', 'post'))}.{domain(rng)}"


def client_host(rng: Random) -> str:
    """What a client says of itself in its hello."""
    return rng.choice(
        (
            host(rng),
            f"host-{rng.randrange(999)}.{domain(rng)}",
            "localhost",
            f"[192.0.2.{rng.randrange(1, 255)}]",
            f"WIN-{rng.randrange(16**6):06X}",
        )
    )


def address(rng: Random) -> str:
    local = rng.choice(PEOPLE)
    if rng.random() < 0.5:
        local = f"{local}{rng.randrange(1000)}"
    return f"{local}@{domain(rng)}"


def utf8_address(rng: Random) -> str:
    return f"{rng.choice(UTF8_PEOPLE)}{rng.randrange(100)}@{rng.choice(UTF8_DOMAINS)}"


def user(rng: Random) -> str:
    return address(rng) if rng.random() < 0.5 else f"user{rng.randrange(10000)}"


def secret(rng: Random) -> str:
    """A password. It must never appear in any record, so it is easy to look for."""
    return f"s3cr3t-{rng.randrange(16**8):08x}"


def addresses(rng: Random, most: int = 3) -> tuple[str, ...]:
    """One or more different addresses."""
    count = rng.choice((1, 1, 1, 2, most))
    found: dict[str, None] = {}
    while len(found) < count:
        found[address(rng)] = None
    return tuple(found)
