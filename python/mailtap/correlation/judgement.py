"""Who of decoder and label is wrong about a session, and by which rule, as far as causes show it.

A rule is a cause; the first that holds counts. They stand in another order than the causes: that a
session had nothing to decode comes before everything, and that the payload was looked at before
what the label rests on.
"""

from __future__ import annotations

from collections.abc import Collection

from mailtap.correlation.verdicts import CAUSES, INCONSISTENT

LABEL, DECODER, NEITHER, UNDECIDED = "label", "decoder", "neither", "undecided"

WRONG = (LABEL, DECODER, NEITHER, UNDECIDED)

#: Who is wrong where a cause holds, and why.
RULES = {
    "no_payload": (UNDECIDED, "there was no payload to judge by"),
    "below_threshold": (UNDECIDED, "there was too little payload to judge by"),
    "starttls": (NEITHER, "the session went to TLS, and each named a part of it"),
    "implicit_tls": (NEITHER, "what is inside the TLS is not seen"),
    "carrier": (NEITHER, "one named the carrier and the other what it carries"),
    "not_mail": (LABEL, "the payload was looked at from its start and is no mail"),
    "unsupported": (DECODER, "this decoder is known not to recognise such sessions"),
    "oneway": (DECODER, "this decoder needs both sides, and one was seen"),
    "midstream": (DECODER, "the beginning of the session was not seen"),
    "gap": (DECODER, "payload is missing"),
    "label_port_guess": (LABEL, "the label only repeats what the port or the address says"),
    "conflict": (LABEL, "the decoder read commands or replies of another protocol"),
}


def rule_of(causes: Collection[str]) -> str | None:
    """The cause that decides; None where none of them does."""
    return next((cause for cause in RULES if cause in causes), None)


def wrong_of(verdict: str, causes: Collection[str]) -> str | None:
    """Who is wrong; None where they agree."""
    if verdict != INCONSISTENT:
        return None
    rule = rule_of(causes)
    return UNDECIDED if rule is None else RULES[rule][0]


def wrong_sql() -> str:
    """`wrong_of` over the columns `verdict` and `causes`."""
    cases = " ".join(
        f"WHEN (causes & {1 << CAUSES.index(cause)}) <> 0 THEN '{wrong}'"
        for cause, (wrong, _) in RULES.items()
    )
    return f"CASE WHEN verdict = '{INCONSISTENT}' THEN CASE {cases} ELSE '{UNDECIDED}' END END"
