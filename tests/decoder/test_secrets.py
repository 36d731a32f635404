"""No secret of a session is among its facts, wherever it stood and whatever was seen."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversation import C, S, Turn, decode, lost

SECRET = "hunter2Zq9xKt7Vw3"  # noqa: S105


def encodings(secret: str) -> list[str]:
    """The secret as it may stand in a protocol: plain, in hexadecimal, in Base64."""
    found = [secret, secret.encode().hex()]
    for before in range(3):
        text = b64encode(b"x" * before + secret.encode()).decode()
        found.append(
            text[4 if before else 0 : -4]
        )  # the ends depend on the bytes beside the secret
    return found


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


PLAIN = b64(f"\0bob\0{SECRET}")
SMTP = [S("220 mx.example ESMTP"), C("EHLO x.example"), S("250 AUTH PLAIN LOGIN")]
POP3 = [S("+OK ready")]
IMAP = [S("* OK IMAP4rev1 ready")]

DIALOGUES: dict[str, tuple[int, list[Turn]]] = {
    "plain": (25, [*SMTP, C(f"AUTH PLAIN {PLAIN}"), S("235 ok"), C("QUIT")]),
    "plain, then its answer": (25, [*SMTP, C("AUTH PLAIN"), S("334 "), C(PLAIN), S("235 ok")]),
    "plain with one NUL": (
        25,
        [*SMTP, C(f"AUTH PLAIN {b64(f'bob{chr(0)}{SECRET}')}"), S("535 no")],
    ),
    "plain, not encoded": (25, [*SMTP, C(f"AUTH PLAIN bob {SECRET}"), S("501 no")]),
    "login": (
        25,
        [
            *SMTP,
            C("AUTH LOGIN"),
            S("334 VXNlcm5hbWU6"),
            C(b64("bob")),
            S("334 UGFzc3dvcmQ6"),
            C(b64(SECRET)),
            S("235 ok"),
        ],
    ),
    "login with user:password": (
        25,
        [*SMTP, C("AUTH LOGIN"), S("334 "), C(b64(f"bob:{SECRET}")), S("535 no")],
    ),
    "login with user and password": (
        25,
        [*SMTP, C("AUTH LOGIN"), S("334 "), C(b64(f"bob {SECRET}")), S("535 no")],
    ),
    "the password where no login is open": (
        25,
        [*SMTP, C(b64(SECRET)), S(f'500 5.5.1 unrecognized: "{b64(SECRET)}"')],
    ),
    "a server that repeats the line": (
        25,
        [
            *SMTP,
            C(f"AUTH PLAIN {PLAIN}"),
            S(f'500 5.5.1 Command unrecognized: "AUTH PLAIN {PLAIN}"'),
        ],
    ),
    "oauthbearer": (
        25,
        [
            *SMTP,
            C("AUTH OAUTHBEARER " + b64(f"n,,\x01auth=Bearer a={SECRET}\x01\x01")),
            S("535 no"),
        ],
    ),
    "xoauth2 with blanks": (
        25,
        [*SMTP, C("AUTH XOAUTH2 " + b64(f"user=bob auth=Bearer {SECRET}  ")), S("535 no")],
    ),
    "pop3": (110, [*POP3, C("USER bob"), S("+OK"), C(f"PASS {SECRET}"), S("+OK Logged in")]),
    "pop3, both in USER": (110, [*POP3, C(f"USER bob {SECRET}"), S("-ERR")]),
    "pop3, unknown command": (
        110,
        [*POP3, C(f"PASSWD {SECRET}"), S(f"-ERR Unknown command: PASSWD {SECRET}")],
    ),
    "imap": (143, [*IMAP, C(f"a1 LOGIN bob {SECRET}"), S("a1 OK Logged in")]),
    "imap, quoted": (143, [*IMAP, C(f'a1 LOGIN "bob" "{SECRET}"'), S("a1 OK Logged in")]),
    "imap, quote not closed": (143, [*IMAP, C(f'a1 LOGIN "bob {SECRET}'), S("a1 BAD")]),
    "imap, literals": (
        143,
        [
            *IMAP,
            C("a1 LOGIN {3}"),
            S("+ "),
            C(b"bob", f" {{{len(SECRET)}}}"),
            S("+ "),
            C(SECRET),
            S("a1 OK"),
        ],
    ),
    "imap, empty user": (
        143,
        [
            *IMAP,
            C("a1 LOGIN {0}"),
            S("+ "),
            C(f" {{{len(SECRET)}}}"),
            S("+ "),
            C(SECRET),
            S("a1 NO"),
        ],
    ),
    "imap, empty user at once": (
        143,
        [*IMAP, C(f"a1 LOGIN {{0+}}\r\n {{{len(SECRET)}+}}", SECRET), S("a1 NO")],
    ),
    "imap, literals refused": (
        143,
        [
            *IMAP,
            C("a1 LOGIN {3+}", f"bob {{{len(SECRET)}+}}", SECRET),
            S("a1 BAD expected something", f"bob BAD {SECRET}", f"{SECRET} BAD what"),
        ],
    ),
    "imap, literals refused by Courier": (
        143,
        [
            *IMAP,
            C("a1 LOGIN {3+}", f"bob {{{len(SECRET)}+}}", SECRET),
            S(f"{SECRET} NO Error in IMAP command received by server."),
        ],
    ),
    "imap, authenticate": (143, [*IMAP, C("a1 AUTHENTICATE PLAIN"), S("+ "), C(PLAIN), S("a1 OK")]),
}


def shown(turns: list[Turn], port: int, *, midstream: bool = False) -> str:
    return repr(decode(*turns, port=port, midstream=midstream))


def has_secret(text: str) -> bool:
    return any(form.lower() in text.lower() for form in encodings(SECRET))


@pytest.mark.parametrize("name", DIALOGUES)
@pytest.mark.parametrize("view", ["both", "client", "server"])
def test_of_a_whole_dialogue(name: str, view: str) -> None:
    port, turns = DIALOGUES[name]
    seen = [turn for turn in turns if view == "both" or turn.client == (view == "client")]
    for first in range(len(seen)):
        assert not has_secret(shown(seen[first:], port, midstream=first > 0))


def test_the_law_would_find_one() -> None:
    assert has_secret(repr({"user": f"bob:{SECRET}"}))
    assert has_secret(b64(f"\0bob\0{SECRET}"))
    assert has_secret(b64(f"bob\0{SECRET}"))


@given(st.sampled_from(sorted(DIALOGUES)), st.integers(0, 1 << 30))
@example("imap, literals refused by Courier", 258)  # the error that repeats it is cut
def test_of_any_part_of_a_dialogue(name: str, seed: int) -> None:
    random = Random(seed)
    port, turns = DIALOGUES[name]
    seen: list[Turn] = []
    for turn in turns:
        cut = random.randint(0, len(turn.data))
        parts = [Turn(turn.client, turn.data[:cut]), Turn(turn.client, turn.data[cut:])]
        seen += [lost(part, 0) if random.random() < 0.15 and part.data else part for part in parts]
    assert not has_secret(shown(seen, port, midstream=random.random() < 0.3))
