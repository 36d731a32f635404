"""How the mail servers of the field word their SMTP replies."""

from __future__ import annotations

from dataclasses import dataclass

STARTTLS = "STARTTLS"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Reply texts. `{host}` is the server, `{client}` the client's name, `{id}` a queue id."""

    greeting: str
    hello: str
    extensions: tuple[str, ...]
    sender_ok: str
    recipient_ok: str
    data: str
    queued: str
    tls_ready: str
    tls_refused: str
    bye: str
    authenticated: str = "235 2.7.0 Authentication successful"
    not_authenticated: str = "535 5.7.8 Error: authentication failed"
    turned_away: str = "554 5.7.1 {host} ESMTP not accepting messages"


POSTFIX = SmtpServer(
    greeting="220 {host} ESMTP Postfix (Debian/GNU)",
    hello="{host}",
    extensions=("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",
                "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "CHUNKING", "SMTPUTF8"),
    sender_ok="250 2.1.0 Ok",
    recipient_ok="250 2.1.5 Ok",
    data="354 End data with <CR><LF>.<CR><LF>",
    queued="250 2.0.0 Ok: queued as {id}",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_refused="454 4.7.0 TLS not available due to local problem",
    bye="221 2.0.0 Bye",
)  # fmt: skip
EXIM = SmtpServer(
    greeting="220 {host} ESMTP Exim 4.96 Tue, 24 Nov 2026 04:19:33 +0000",
    hello="{host} Hello {client} [192.0.2.77]",
    extensions=(
        "SIZE 52428800",
        "8BITMIME",
        "PIPELINING",
        "AUTH PLAIN LOGIN CRAM-MD5",
        "CHUNKING",
        "SMTPUTF8",
        "HELP",
    ),
    sender_ok="250 OK",
    recipient_ok="250 Accepted",
    data='354 Enter message, ending with "." on a line by itself',
    queued="250 OK id=1rA{id}-0001xy-2K",
    tls_ready="220 TLS go ahead",
    tls_refused="454 TLS currently unavailable",
    bye="221 {host} closing connection",
    authenticated="235 Authentication succeeded",
    not_authenticated="535 Incorrect authentication data",
    turned_away="550 Administrative prohibition",
)
EXCHANGE = SmtpServer(
    greeting="220 {host} Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 04:19:33 +0000",
    hello="{host} Hello [192.0.2.77]",
    extensions=("SIZE 37748736", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "X-ANONYMOUSTLS",
                "AUTH NTLM LOGIN PLAIN",
                "X-EXPS GSSAPI NTLM", "8BITMIME", "BINARYMIME", "CHUNKING", "XRDST"),
    sender_ok="250 2.1.0 Sender OK",
    recipient_ok="250 2.1.5 Recipient OK",
    data="354 Start mail input; end with <CRLF>.<CRLF>",
    queued="250 2.6.0 <{id}@{host}> [InternalId=4711] Queued mail for delivery",
    tls_ready="220 2.0.0 SMTP server ready",
    tls_refused="454 4.7.0 TLS not available",
    bye="221 2.0.0 Service closing transmission channel",
    not_authenticated="535 5.7.3 Authentication unsuccessful",
    turned_away="421 4.3.2 Service not available, closing transmission channel",
)  # fmt: skip
SENDMAIL = SmtpServer(
    greeting="220 {host} ESMTP Sendmail 8.17.1/8.17.1; Tue, 24 Nov 2026 04:19:33 GMT",
    hello="{host} Hello {client} [192.0.2.77], pleased to meet you",
    extensions=(
        "ENHANCEDSTATUSCODES",
        "PIPELINING",
        "8BITMIME",
        "SIZE",
        "DSN",
        "ETRN",
        "AUTH LOGIN PLAIN CRAM-MD5",
        "DELIVERBY",
        "HELP",
    ),
    sender_ok="250 2.1.0 Sender ok",
    recipient_ok="250 2.1.5 Recipient ok",
    data='354 Enter mail, end with "." on a line by itself',
    queued="250 2.0.0 {id} Message accepted for delivery",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_refused="454 4.3.3 TLS not available after start",
    bye="221 2.0.0 {host} closing connection",
    authenticated="235 2.0.0 OK Authenticated",
    not_authenticated="535 5.7.0 authentication failed",
    turned_away="554 {host} ESMTP not accepting messages",
)
QMAIL = SmtpServer(
    greeting="220 {host} ESMTP",
    hello="{host}",
    extensions=("AUTH LOGIN CRAM-MD5 PLAIN", "PIPELINING", "8BITMIME"),
    sender_ok="250 ok",
    recipient_ok="250 ok",
    data="354 go ahead",
    queued="250 ok 1795493973 qp {id}",
    tls_ready="220 ready for tls",
    tls_refused="454 TLS not available: missing certificate",
    bye="221 {host}",
    authenticated="235 ok, go ahead",
    not_authenticated="535 authorization failed",
    turned_away="553 sorry, your mailserver is on a blocklist",
)
LARGE_PROVIDER = SmtpServer(
    greeting="220 {host} ESMTP 5b1f17b1804b1-47790d00da0si123 - gsmtp",
    hello="{host} at your service, [192.0.2.77]",
    extensions=(
        "SIZE 157286400",
        "8BITMIME",
        "AUTH LOGIN PLAIN XOAUTH2",
        "ENHANCEDSTATUSCODES",
        "PIPELINING",
        "CHUNKING",
        "SMTPUTF8",
    ),
    sender_ok="250 2.1.0 OK 5b1f17b1804b1-47790d00da0si123 - gsmtp",
    recipient_ok="250 2.1.5 OK 5b1f17b1804b1-47790d00da0si123 - gsmtp",
    data="354 Go ahead 5b1f17b1804b1-47790d00da0si123 - gsmtp",
    queued="250 2.0.0 OK  1795493973 {id} - gsmtp",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_refused="454 4.7.0 TLS not available, try again later. - gsmtp",
    bye="221 2.0.0 closing connection 5b1f17b1804b1-47790d00da0si123 - gsmtp",
    authenticated="235 2.7.0 Accepted",
    not_authenticated="535 5.7.8 Username and Password not accepted. - gsmtp",
    turned_away="554 5.7.1 Service unavailable; client host blocked",
)
SERVERS = (POSTFIX, EXIM, EXCHANGE, SENDMAIL, QMAIL, LARGE_PROVIDER)
