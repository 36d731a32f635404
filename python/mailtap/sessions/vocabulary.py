"""The fixed names of records and labels that counts are kept by, in the order they are shown."""

DIRECTIONS = ("c2s", "s2c", "bidirectional")
SERVICES = ("smtp", "pop3", "imap")
DECODE_AS = ("MAIL", "BASE", "SSL", "HTTP")

#: What a label says of encryption, of what carries the mail, and how the engine came to it.
ENCRYPTIONS = ("none", "starttls", "tls", "unknown")
CARRIERS = ("http", "socks", "vpn")
PROVENANCES = ("payload", "port", "ip", "cache", "unknown")

#: From the first step to the furthest.
STARTTLS_STEPS = ("none", "offered", "requested", "refused", "accepted", "tls")

#: Steps after which the session is encrypted, or was meant to be.
STARTTLS_TAKEN = ("requested", "accepted", "tls")

#: From the first to the furthest.
STAGES = (
    "connect",
    "greeting",
    "hello",
    "auth",
    "envelope",
    "data",
    "delivered",
    "retrieved",
    "logout",
)

#: How far a labelled session gets towards its addresses: see accuracy/funnel.py.
FUNNEL_STEPS = (
    "labelled",
    "matched",
    "payload",
    "effective",
    "recognised",
    "readable",
    "addresses",
)

EMPTY_CAUSES = (
    "starttls",
    "server_side_only",
    "client_side_only",
    "refused",
    "greeting_only",
    "hello_only",
    "login_only",
    "aborted",
    "no_message",
)

#: Mail ports on which TLS starts with the first byte (RFC 8314 section 7.3, IANA).
IMPLICIT_TLS_PORTS = (465, 993, 995)

#: What the decoder finds wrong with a session's encryption; docs/guides/findings.md.
FINDINGS = (
    "command_injected",
    "response_injected",
    "starttls_masked",
    "plaintext_after_accept",
    "preauth",
    "referral",
    "cleartext_login",
    "tls_failed",
    "smuggled",
)
