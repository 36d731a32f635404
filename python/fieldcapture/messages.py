"""Internet messages (RFC 5322, 2047, 6532): the wire's bytes and the header items in them.

An item of `from_` or `to` is one mailbox as text: encoded words decoded (RFC 2047), folds undone to
one space, quotes and angle brackets as written. A group without members
(`undisclosed-recipients:;`) gives no item.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from quopri import encodestring
from random import Random

from . import names

DATES = (
    "Mon, 23 Nov 2026 09:15:02 +0100",
    "Tue, 24 Nov 2026 04:19:33 +0000",
    "Wed, 25 Nov 2026 22:01:59 -0800",
)
AGENTS = ("Mozilla Thunderbird", "mutt/2.2.12", "Roundcube Webmail/1.6.5", "swaks v20201014.0")
WORDS = (
    "please find attached the report", "we will meet on Monday", "kind regards",
    "as discussed yesterday", "the server will be down for maintenance", "see the numbers below",
    "thank you for your order",
)  # fmt: skip
# Lines of a body that look like something else. They are text, and change nothing.
DECOYS = (
    "From: Decoy <decoy@decoy.example>", "To: <decoy@decoy.example>",
    "MAIL FROM:<decoy@decoy.example>", "RCPT TO:<decoy@decoy.example>", "250 2.1.0 Ok", "QUIT",
    "STARTTLS", "* OK not a greeting", "+OK",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    header: bytes  # up to and with the empty line
    body: bytes
    from_: tuple[str, ...]
    to: tuple[str, ...]
    subject: str
    user_agent: str | None


def encoded_word(text: str, rng: Random) -> str:
    """RFC 2047, in one of both encodings; long texts become two words, whose gap is no text."""
    halves = (
        [text[: len(text) // 2], text[len(text) // 2 :]]
        if len(text) > 8 and rng.random() < 0.5
        else [text]
    )
    return "\r\n ".join(_one_encoded_word(half, rng) for half in halves)


def _one_encoded_word(text: str, rng: Random) -> str:
    charset = "utf-8"
    if rng.random() < 0.3 and all(ord(character) < 256 for character in text):
        charset = "ISO-8859-1"
    raw = text.encode(charset)
    if rng.random() < 0.5:
        return f"=?{charset}?B?{b64encode(raw).decode()}?="
    quoted = encodestring(raw, quotetabs=True).decode().replace("=\n", "")
    quoted = quoted.replace("?", "=3F").replace("_", "=5F").replace("=20", "_").replace(" ", "_")
    return f"=?{charset}?q?{quoted}?="


def _mailbox(address: str, style: str, rng: Random) -> tuple[str, str]:
    """A mailbox as written in a header, and as an item."""
    if style == "encoded":
        name = rng.choice(names.UTF8_DISPLAY_NAMES)
        return f"{encoded_word(name, rng)} <{address}>", f"{name} <{address}>"
    if style == "utf8":
        written = f"{rng.choice(names.UTF8_DISPLAY_NAMES)} <{address}>"
        return written, written
    written = rng.choice(
        (
            address,
            f"{rng.choice(names.DISPLAY_NAMES)} <{address}>",
            f'"{rng.choice(names.DISPLAY_NAMES)}, Dept. 7" <{address}>',
        )
    )
    return written, written


def message(
    rng: Random,
    sender: str,
    recipients: tuple[str, ...],
    style: str = "plain",
    body: bytes | None = None,
    user_agent: bool = True,
) -> Message:
    """A message from `sender` to `recipients`; without recipients its To is an empty group."""
    from_written, from_item = _mailbox(sender, style, rng)
    written_items = [_mailbox(recipient, style, rng) for recipient in recipients]
    fold = ",\r\n " if style == "encoded" or rng.random() < 0.3 else ", "
    to_written = fold.join(written for written, _ in written_items) or "undisclosed-recipients:;"
    subject = rng.choice(names.SUBJECTS if style == "plain" else names.UTF8_SUBJECTS)
    subject_written = encoded_word(subject, rng) if style == "encoded" else subject
    agent = rng.choice(AGENTS) if user_agent and rng.random() < 0.4 else None
    fields = [
        (
            "Received",
            f"from {names.host(rng)} by {names.host(rng)}\r\n\twith ESMTP; {rng.choice(DATES)}",
        ),
        ("From", from_written),
        ("To", to_written),
        ("Subject", subject_written),
        ("Date", rng.choice(DATES)),
        ("Message-ID", f"<{rng.randrange(16**12):012x}@{names.domain(rng)}>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
    ]
    if agent:
        fields.append(("User-Agent", agent))
    if rng.random() < 0.3:
        rng.shuffle(fields)
    if rng.random() < 0.1:
        fields = [(name.lower(), value) for name, value in fields]
    header = "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return Message(
        header.encode(),
        plain_body(rng) if body is None else body,
        (from_item,),
        tuple(item for _, item in written_items),
        subject,
        agent,
    )


def plain_body(rng: Random) -> bytes:
    """Text that no decoder can mistake; now and then long enough to span many segments."""
    lines = rng.choice((1, 3, 8, 20, 200))
    return "".join(f"{rng.choice(WORDS)} {rng.randrange(10**6)}\r\n" for _ in range(lines)).encode()


def decoy_body(rng: Random) -> bytes:
    return "".join(f"{rng.choice(DECOYS)}\r\n" for _ in range(12)).encode()


def dotted_body(rng: Random) -> bytes:
    """Lines that begin with dots, before they are stuffed."""
    lines = [b".", b"..", b".hidden", b"text", b"...", b". ", b"From: nobody"]
    rng.shuffle(lines)
    return b"".join(line + b"\r\n" for line in lines * 3)


def dot_stuffed(text: bytes) -> bytes:
    """RFC 5321 4.5.2: a line that begins with a dot gets one more. `text` is whole lines."""
    stuffed = text.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
