"""The messages that the laboratory sends and stores, with what their headers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    """A message, and the values that the session record takes from its header."""

    text: str
    sender: tuple[str, ...]
    recipients: tuple[str, ...]
    subject: str | None
    msg_id: str | None

    @property
    def wire(self) -> bytes:
        """With CRLF at line ends, dot-stuffed."""
        lines = self.text.split("\n")
        return "\r\n".join("." + line if line.startswith(".") else line for line in lines).encode()

    @property
    def crlf(self) -> bytes:
        """With CRLF at line ends."""
        return self.text.replace("\n", "\r\n").encode()

    @property
    def wants(self) -> dict[str, Any]:
        """The fields of the session record that come from it."""
        return {
            "from": list(self.sender),
            "to": list(self.recipients),
            "subject": self.subject,
            "msg_id": self.msg_id,
        }


def header_from(*senders: str) -> dict[str, Any]:
    """The field `from` alone."""
    return {"from": list(senders)}


PLAIN = Message(
    """From: Ann Author <ann@example.org>
To: Alice <alice@lab.test>
Subject: First words
Message-ID: <first.1@example.org>
Date: Mon, 02 Nov 2026 10:00:00 +0000

Hello Alice,
this line says MAIL FROM:<nobody@example.org> and means nothing.
QUIT
. is not the end
""",
    ("Ann Author <ann@example.org>",),
    ("Alice <alice@lab.test>",),
    "First words",
    "<first.1@example.org>",
)

BARE = Message(
    """From: ben@example.org
To: alice@lab.test
Date: Mon, 02 Nov 2026 10:01:00 +0000

No subject, no message ID.
""",
    ("ben@example.org",),
    ("alice@lab.test",),
    None,
    None,
)

RICH = Message(
    """Received: from somewhere by somewhere else; Mon, 02 Nov 2026 10:01:00 +0000
From: "Beta, Carl" <carl@example.org>
To: Alice <alice@lab.test>,
 "Bob, the other" <bob@lab.test>,
 undisclosed:;
Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= from
 =?UTF-8?B?S8O2bG4=?=
Message-ID: <rich.3@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"
Date: Mon, 02 Nov 2026 10:02:00 +0000

--part
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

From: inner@example.org
Grüße
--part
Content-Type: message/rfc822

From: Inner <inner@example.org>
To: nobody@example.org
Subject: Inner subject

Inner text
--part--
""",
    ('"Beta, Carl" <carl@example.org>',),
    ("Alice <alice@lab.test>", '"Bob, the other" <bob@lab.test>'),
    "Grüße from Köln",
    "<rich.3@example.org>",
)

LONG = Message(
    "From: Long <long@example.org>\nTo: bob@lab.test\nSubject: Long\n"
    "Message-ID: <long.4@example.org>\n\n"
    + "".join(
        f"Line {number:04} of a longer text, all of it of no importance.\n" for number in range(90)
    ),
    ("Long <long@example.org>",),
    ("bob@lab.test",),
    "Long",
    "<long.4@example.org>",
)
