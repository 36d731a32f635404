"""The sessions that are kept in tests/lab/captures, for every test run."""

from __future__ import annotations

from lab.truth import Truth

SMTP = (
    *("one message", "several messages", "RSET between", "pipelining", "STARTTLS", "implicit TLS"),
    *(
        "DATA refused, then a message",
        "final dot refused, then reset",
        "AUTH PLAIN",
        "SSH client at smtp",
    ),
)
POP3 = (
    *(
        "CAPA and QUIT",
        "login and QUIT",
        "RETR of all",
        "missing message",
        "wrong password",
        "STLS",
    ),
    *("unknown command with a password",),
)
IMAP = (
    *("CAPABILITY, login, logout", "FETCH of all", "FETCH of parts", "wrong password", "STARTTLS"),
    *("empty user by literal", "random bytes at imap"),
)
CHOSEN: dict[str, tuple[str, ...]] = {
    "postfix": (
        *SMTP,
        *("chunking, RSET, again", "XCLIENT", "one recipient of three taken", "SMTPUTF8"),
        *(
            "reset within the header",
            "AUTH PLAIN, one NUL",
            "swaks, CRAM-MD5",
            "one message, odd port",
        ),
    ),
    "exim": (*SMTP, "chunking", "421 at MAIL", "msmtp", "curl", "one message, IPv6"),
    "opensmtpd": (
        "one message",
        "rich header",
        "STARTTLS, handshake fails",
        "smtplib, nobody taken",
    ),
    "sendmail": (
        *("one message", "AUTH LOGIN", "password as a command", "STARTTLS", "swaks"),
        *("AUTH after a message, refused",),
    ),
    "dovecot": (
        *POP3,
        *IMAP,
        *("USER, then QUIT", "AUTH OAUTHBEARER", "login and QUIT, odd port", "fetchmail"),
        *("login by LITERAL+", "APPEND refused", "FETCH ENVELOPE and message", "COMPRESS", "IDLE"),
        *("AUTHENTICATE XOAUTH2", "mbsync", "implicit TLS"),
    ),
    "dovecot-apop": ("APOP", "CAPA and QUIT", "PREAUTH", "two recipients, two messages", "poplib"),
    "courier": (*POP3, *IMAP, "APPEND", "getmail"),
    "cyrus": (*POP3, *IMAP, "QRESYNC", "COMPRESS", "mutt", "unknown recipient"),
    "not-mail": (
        *(
            "SSH on a mail port",
            "HTTP on a mail port",
            "random bytes on a mail port",
            "FTP on a mail port",
        ),
    ),
}


def chosen(truth: Truth) -> bool:
    """Whether a session is kept."""
    return truth.scenario in CHOSEN.get(truth.server, ())
