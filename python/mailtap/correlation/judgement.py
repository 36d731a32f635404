"""Who of decoder and label is wrong about a session, and by which rule, as far as causes show it.

A rule is a cause; the first that holds counts. They stand in another order than the causes: that a
session had nothing to decode comes before everything, and that the payload was looked at before
what the label rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mailtap.correlation import sql
from mailtap.correlation.verdicts import INCONSISTENT, mask_of

LABEL, DECODER, NEITHER, UNDECIDED = "label", "decoder", "neither", "undecided"
BOTH = "both"  # only the servers' logs show that

WRONG = (LABEL, DECODER, NEITHER, UNDECIDED, BOTH)

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


#: What a side is known to have sent, by column; the first that is known is evidence.
SERVER_SENT = (("the server's greeting", "banner"), ("the server's last reply", "last_reply"))
CLIENT_SENT = (
    ("the client's hello", "helo"),
    ("the client's last command", "last_command"),
    ("the client's TLS hello is for", "sni"),
)

#: Columns whose values these lines may have in them: none is shown where one of these is redacted.
QUOTED = frozenset(
    (
        *("client_h", "server_h", "helo", "banner", "last_reply", "sni", "user_name"),
        *("mailfrom", "rcptto"),
    )
)

_TRUTH = ("the server's log says", "truth")
_PROVENANCE = ("the label rests on", "label_provenance")


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
        f"WHEN (causes & {mask_of([cause])}) <> 0 THEN '{wrong}'"
        for cause, (wrong, _) in RULES.items()
    )
    return f"CASE WHEN verdict = '{INCONSISTENT}' THEN CASE {cases} ELSE '{UNDECIDED}' END END"


def wrong_by_truth_sql(truth: str) -> str:
    """The same where the servers' logs say what the session is: `truth` is SQL of a mail protocol,
    `other`, or NULL where they don't. Also over `service`, `decode_as` and `label_protocol`.

    Where each named a part of the session, neither is wrong, whatever it is.
    """
    decoder = "coalesce(service, CASE WHEN decode_as = 'MAIL' THEN 'mail' ELSE 'other' END)"
    decoder_right = f"({decoder} = {truth} OR ({decoder} = 'mail' AND {truth} <> 'other'))"
    label_right = f"(coalesce(label_protocol, 'other') = {truth})"
    by_rule = wrong_sql()
    return (
        f"CASE WHEN {truth} IS NULL OR verdict <> '{INCONSISTENT}' OR {by_rule} = '{NEITHER}' "
        f"THEN {by_rule} "
        f"WHEN {decoder_right} AND {label_right} THEN '{NEITHER}' "
        f"WHEN {decoder_right} THEN '{LABEL}' WHEN {label_right} THEN '{DECODER}' "
        f"ELSE '{BOTH}' END"
    )


def evidence_of(row: Mapping[str, Any], causes: Collection[str], redacted: Collection[str]) -> str:
    """Why that one is wrong: the rule, what the server's log says and the label rests on, and the
    first line of each side that is known. Columns that the row doesn't have are not known.
    """
    rule = rule_of(causes)
    lines = [None if rule is None else RULES[rule][1]]
    for texts in _shown(redacted):
        known = (f"{says}: {row[name]}" for says, name in texts if row.get(name) is not None)
        lines.append(next(known, None))
    return "; ".join(line for line in lines if line is not None)


def evidence_sql(redacted: Collection[str], columns: Mapping[str, str]) -> str:
    """`evidence_of` over `causes` and the columns, for which `columns` has SQL; NULL where decoder
    and label agree.
    """
    causes = columns["causes"]
    rules = " ".join(
        f"WHEN ({causes} & {mask_of([cause])}) <> 0 THEN {sql.literal(why)}"
        for cause, (_, why) in RULES.items()
    )
    lines = [f"CASE {rules} END"]
    for texts in _shown(redacted):
        cases = " ".join(
            f"WHEN {columns[name]} IS NOT NULL "
            f"THEN concat({sql.literal(f'{says}: ')}, {columns[name]})"
            for says, name in texts
        )
        lines.append(f"CASE {cases} END")
    return (
        f"CASE WHEN {columns['verdict']} = '{INCONSISTENT}' "
        f"THEN concat_ws('; ', {', '.join(lines)}) END"
    )


def _shown(redacted: Collection[str]) -> Sequence[Sequence[tuple[str, str]]]:
    """The lines that may be shown: of each the first text whose column is known."""
    provenance = () if _PROVENANCE[1] in redacted else ((_PROVENANCE,),)
    return ((_TRUTH,), *provenance, *(() if QUOTED & set(redacted) else (SERVER_SENT, CLIENT_SENT)))
