"""What causes and steps mean, in one plain sentence each, for whoever looks at a figure of them."""

from __future__ import annotations

#: Of why labelled sessions were not decoded as mail, or have no addresses. docs/verdicts.md has the
#: exact conditions.
CAUSES = {
    "unmatched": "A label without a session.",
    "ambiguous": "Several labels fit the session and contradict each other.",
    "no_payload": "Neither side sent a byte of payload: there is nothing to decode.",
    "below_threshold": "Too few packets or bytes to hold mail.",
    "label_port_guess": "The label only repeats what the port or the address says.",
    "oneway": "One side was seen, and this decoder needs both.",
    "unsupported": "This decoder is known not to recognise such sessions.",
    "starttls": "The session went to TLS by STARTTLS.",
    "implicit_tls": "TLS from the first byte.",
    "carrier": "Mail inside another protocol: a proxy's tunnel or a VPN.",
    "not_mail": "Another protocol: the payload was looked at and is no mail.",
    "greeting_only": "Only the server's greeting was seen.",
    "midstream": "The beginning of the session was not seen.",
    "gap": "Payload is missing inside the session.",
    "nonstandard_port": "The server's port is none of the mail ports.",
    "conflict": "The decoder and the label name different protocols.",
    "unexplained": "None of the known causes.",
    "not_known": "The source of sessions doesn't say whether there are addresses.",
    "server_side_only": "SMTP seen from the server only, which repeats no addresses.",
    "client_side_only": "POP3 or IMAP seen from the client only: the addresses are the server's.",
    "refused": "The server refused the client, or what it wanted.",
    "hello_only": "The client greeted and left.",
    "login_only": "The client logged in and left.",
    "aborted": "The session broke off before an address.",
    "no_message": "No message was delivered or fetched.",
}

#: Of the funnel.
STEPS = {
    "labelled": "labelled as mail",
    "matched": "the label belongs to one session",
    "payload": "with payload",
    "effective": "enough packets and bytes to decode",
    "recognised": "recognised as mail",
    "readable": "not encrypted before the envelope",
    "addresses": "with addresses",
}
