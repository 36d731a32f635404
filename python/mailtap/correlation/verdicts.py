"""Verdict and causes of a session that has a label; docs/explanation/verdicts.md explains each.

The rules are conditions on one record: the session's fields by their names, the label's as `app`
and `label_protocol`, `label_encryption`, `label_carrier` and `label_provenance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from mailtap.accuracy import funnel
from mailtap.correlation.conditions import (
    Above,
    All,
    Condition,
    Differs,
    Either,
    FirstOf,
    Is,
    Not,
    Record,
    Unset,
    bits_of,
    test_of,
)
from mailtap.policy import Expectation, Expectations, Policy, Unsupported
from mailtap.sessions.vocabulary import IMPLICIT_TLS_PORTS, SERVICES, STARTTLS_TAKEN

CONSISTENT = "consistent"
COMPATIBLE = "compatible"
INCONSISTENT = "inconsistent"
UNEXPLAINED = "unexplained"

#: First that holds is the cause. A cause is a bit of the mask by its place here.
CAUSES = (
    "label_port_guess",
    "no_payload",
    "below_threshold",
    "oneway",
    "starttls",
    "implicit_tls",
    "carrier",
    "not_mail",
    "greeting_only",
    "midstream",
    "gap",
    "nonstandard_port",
    "unsupported",
    "conflict",
)

#: Why there was nothing that both could have decoded: the label only repeats what the port or the
#: address says, or the session has too little payload.
NOT_DECODED_BY_BOTH = ("label_port_guess", "no_payload", "below_threshold")

#: The causes of a session in which no mail was recognised. That the label is a guess explains the
#: label and not why no mail was recognised, so it comes last.
_LOSSES = (*(name for name in CAUSES if name not in NOT_DECODED_BY_BOTH), "label_port_guess")

_HAS = ("has_mailfrom", "has_rcptto", "has_from", "has_to")
_HAS_ADDRESSES = Either(*(Is(name, True) for name in _HAS))
_IMPLICIT_TLS = Is("implicit_tls", True)

#: Whether a source of sessions leaves open if there are addresses.
_SAYS_NOTHING = All(Not(_HAS_ADDRESSES), Either(*(Unset(name) for name in _HAS)), Unset("starttls"))

#: What a source doesn't say is not held against a session, but for whether there are addresses.
_STEPS: Mapping[str, Condition] = {
    "labelled": Not(Unset("label_protocol")),
    "matched": All(),
    "payload": Not(All(Is("client_bytes", 0), Is("server_bytes", 0))),
    "effective": Not(Is("effective", False)),
    "recognised": Either(Not(Unset("service")), Is("decode_as", "MAIL")),
    "readable": Either(Not(Either(Is("starttls", *STARTTLS_TAKEN), _IMPLICIT_TLS)), _HAS_ADDRESSES),
    "addresses": _HAS_ADDRESSES,
}

#: What else is found out about a session with its label. All of it is one number, its judgement: a
#: bit each cause by its place, then a bit each of these. To group by a number and to keep it costs
#: less than the texts that it stands for would.
_FOUND = (CONSISTENT, COMPATIBLE, "in_scope", *funnel.STEPS, "begins_with_tls", "says_nothing")

#: What makes a session that agrees differ from plain mail.
FORMS = ("starttls", "implicit_tls", "carrier")


class Judgement(NamedTuple):
    """What a session with a label comes to; `judged_sql` has the same as columns."""

    verdict: str
    causes: int
    in_scope: bool
    funnel_step: str | None
    funnel_loss: str | None


class Judge:
    """The conditions of verdicts and causes under a policy."""

    def __init__(self, policy: Policy) -> None:
        ports = tuple(port for ports in policy.mail_ports.values() for port in ports)
        same_protocol = Not(Differs("service", "label_protocol"))
        self.consistent = All(same_protocol, _expected(policy.expect, lambda e: e.consistent))
        self.compatible = All(same_protocol, _expected(policy.expect, lambda e: e.compatible))
        self.causes = _causes(ports, policy.unsupported)
        #: Sessions that are neither mail, nor labelled mail, nor on a mail port have no say in how
        #: well mail is decoded.
        self.in_scope: Condition = Either(
            Not(Unset("label_protocol")),
            Not(Unset("service")),
            Is("decode_as", "MAIL"),
            Is("server_p", *ports),
        )

    def sql(self) -> str:
        """SQL of a session's judgement, of which `judged_sql` makes the columns."""
        conditions: dict[str, Condition] = {
            **self.causes,
            CONSISTENT: self.consistent,
            COMPATIBLE: self.compatible,
            "in_scope": self.in_scope,
            **_STEPS,
            "begins_with_tls": _IMPLICIT_TLS,
            "says_nothing": _SAYS_NOTHING,
        }
        return " + ".join(
            f"CASE WHEN {conditions[name].sql()} THEN {1 << bit} ELSE 0 END"
            for bit, name in enumerate(_bits())
        )

    def test(self) -> Callable[[Record], Judgement]:
        """The same of one record, as a function."""
        consistent, compatible = test_of(self.consistent), test_of(self.compatible)
        causes = bits_of({1 << bit: self.causes[name] for bit, name in enumerate(CAUSES)})
        in_scope = test_of(self.in_scope)
        step_of = funnel.step_test({name: test_of(step) for name, step in _STEPS.items()})
        loss_of = _funnel_loss_test()

        def judged(record: Record) -> Judgement:
            verdict = INCONSISTENT
            if consistent(record):
                verdict = CONSISTENT
            elif compatible(record):
                verdict = COMPATIBLE
            mask, step = causes(record), step_of(record)
            return Judgement(verdict, mask, in_scope(record), step, loss_of(record, step, mask))

        return judged


def judged_sql(*columns: str, judgement: str = "judgement") -> str:
    """SQL of columns of `Judgement`, all where none is named, over the column of the judgement and,
    for `funnel_loss`, `empty_cause`.
    """
    found = {name: f"(({judgement} & {1 << bit}) <> 0)" for bit, name in enumerate(_bits())}
    step = funnel.step_sql(found)
    losses = " ".join(f"WHEN {found[name]} THEN '{name}'" for name in _LOSSES)
    loss = funnel.cause_sql(
        step,
        unmatched="NULL",
        cause=f"CASE {losses} END",
        encryption=f"CASE WHEN {found['begins_with_tls']} THEN 'implicit_tls' END",
        empty=f"coalesce(empty_cause, CASE WHEN {found['says_nothing']} "
        f"THEN '{funnel.NOT_KNOWN}' END)",
    )
    expressions = {
        "verdict": f"CASE WHEN {found[CONSISTENT]} THEN '{CONSISTENT}' "
        f"WHEN {found[COMPATIBLE]} THEN '{COMPATIBLE}' ELSE '{INCONSISTENT}' END",
        "causes": f"({judgement} & {mask_of_causes()})",
        "in_scope": found["in_scope"],
        "funnel_step": step,
        "funnel_loss": loss,
    }
    return ", ".join(
        f"{expressions[column]} AS {column}" for column in columns or Judgement._fields
    )


def _funnel_loss_test() -> Callable[[Record, str | None, int], str | None]:
    """The loss of one record, by its step and its mask of causes."""
    implicit_tls, says_nothing = test_of(_IMPLICIT_TLS), test_of(_SAYS_NOTHING)
    losses = [(1 << CAUSES.index(name), name) for name in _LOSSES]

    def loss(record: Record, step: str | None, mask: int) -> str | None:
        if step is None or step == funnel.STEPS[-1]:
            return None
        return funnel.cause_of(
            step,
            unmatched=None,
            cause=next((name for bit, name in losses if mask & bit), None),
            encryption="implicit_tls" if implicit_tls(record) else None,
            empty=record["empty_cause"] or (funnel.NOT_KNOWN if says_nothing(record) else None),
        )

    return loss


def mask_of(names: Iterable[str]) -> int:
    """The mask of causes, or of anything else in a judgement."""
    bits = _bits()
    return sum(1 << bits.index(name) for name in names)


def mask_of_causes() -> int:
    """The mask of all causes."""
    return mask_of(CAUSES)


def _bits() -> tuple[str, ...]:
    return (*CAUSES, *_FOUND)


def named_causes(mask: int) -> tuple[str, ...]:
    """The causes of a mask, in order."""
    return tuple(name for bit, name in enumerate(CAUSES) if mask >> bit & 1)


def first_cause(verdict: str, decode_as: str | None, causes: Iterable[str]) -> str | None:
    """The one cause of a session: None where it simply agrees."""
    if verdict == INCONSISTENT:
        return next(iter(causes), UNEXPLAINED)
    if verdict == CONSISTENT and decode_as == "MAIL":
        return None
    return next((cause for cause in causes if cause in FORMS), None)


def first_cause_sql() -> str:
    """`first_cause` over the columns `verdict`, `decode_as` and `causes`."""

    def first(names: Iterable[str], otherwise: str) -> str:
        cases = " ".join(
            f"WHEN (causes & {1 << CAUSES.index(name)}) <> 0 THEN '{name}'" for name in names
        )
        return f"CASE {cases} ELSE {otherwise} END"

    unexplained = f"'{UNEXPLAINED}'"
    return (
        f"CASE WHEN verdict = '{INCONSISTENT}' THEN {first(CAUSES, unexplained)} "
        f"WHEN verdict = '{CONSISTENT}' AND decode_as = 'MAIL' THEN NULL "
        f"ELSE {first(FORMS, 'NULL')} END"
    )


def _expected(
    expectations: Expectations, values: Callable[[Expectation], tuple[str, ...]]
) -> Condition:
    """Whether decode_as is among the values of the label's expectation.

    A carrier counts before what it carries.
    """

    def branches(
        labels: Condition, field: str, by_value: Mapping[str, Expectation]
    ) -> Iterator[tuple[Condition, Condition]]:
        for value, expectation in by_value.items():
            yield All(labels, Is(field, value)), Is("decode_as", *values(expectation))

    carried, other = Not(Unset("label_carrier")), Unset("label_protocol")
    return FirstOf(
        *branches(carried, "label_carrier", expectations.carrier),
        *branches(other, "label_encryption", expectations.other),
        *branches(Not(other), "label_encryption", expectations.mail),
    )


def _causes(
    mail_ports: tuple[int, ...], unsupported: Mapping[str, tuple[Unsupported, ...]]
) -> dict[str, Condition]:
    plain_ports = tuple(port for port in mail_ports if port not in IMPLICIT_TLS_PORTS)
    # The STARTTLS step is unset where no decoder looked at each side alone: a gateway's export,
    # or Zeek without MailTap.
    looked_at_each_side = Not(Unset("starttls"))
    tls = Is("decode_as", "SSL")
    # TLS explains nothing about a label that says neither mail nor TLS.
    about_mail_or_tls = Either(
        Not(Unset("label_protocol")), Is("label_encryption", "starttls", "tls", "unknown")
    )
    return {
        "label_port_guess": Is("label_provenance", "port", "ip"),
        "no_payload": All(Is("client_bytes", 0), Is("server_bytes", 0)),
        "below_threshold": Is("effective", False),
        "oneway": All(
            Is("direction", "c2s", "s2c"), Unset("service"), Not(looked_at_each_side), Not(tls)
        ),
        "starttls": All(
            about_mail_or_tls,
            Either(
                Is("starttls", *STARTTLS_TAKEN),
                All(tls, Not(Is("implicit_tls", True)), Is("server_p", *plain_ports)),
            ),
        ),
        "implicit_tls": All(
            about_mail_or_tls,
            Either(
                Is("implicit_tls", True),
                All(
                    tls,
                    Unset("implicit_tls"),
                    Either(
                        Is("server_p", *IMPLICIT_TLS_PORTS),
                        All(Is("label_encryption", "tls"), Not(Is("server_p", *plain_ports))),
                    ),
                ),
            ),
        ),
        "carrier": Either(Not(Unset("label_carrier")), Not(Unset("tunnel"))),
        "not_mail": All(
            Unset("service"),
            Not(Is("decode_as", "MAIL")),
            Either(
                Unset("label_protocol"),
                Is("decode_as", "HTTP", "SSL"),
                All(
                    looked_at_each_side,
                    Either(Above("client_bytes", 0), Above("server_bytes", 0)),
                    Not(Is("midstream", True)),
                    Not(Above("gap_bytes", 0)),
                ),
            ),
        ),
        "greeting_only": Either(Is("stage", "greeting"), Is("empty_cause", "greeting_only")),
        "midstream": Is("midstream", True),
        "gap": Above("gap_bytes", 0),
        "nonstandard_port": All(Not(Unset("server_p")), Not(Is("server_p", *mail_ports))),
        "unsupported": All(
            Unset("service"),
            Not(Is("decode_as", "MAIL")),
            Either(
                *(
                    All(Is("decoder", decoder), _is_unsupported(rule))
                    for decoder, rules in unsupported.items()
                    for rule in rules
                )
            ),
        ),
        "conflict": Either(
            Differs("service", "label_protocol"),
            All(
                Unset("label_protocol"),
                Either(Is("service", *SERVICES), Is("decode_as", "MAIL")),
            ),
        ),
    }


def _is_unsupported(rule: Unsupported) -> Condition:
    parts: list[Condition] = [Is("label_protocol", rule.protocol)]
    if rule.directions:
        parts.append(Is("direction", *rule.directions))
    if rule.midstream:
        parts.append(Is("midstream", True))
    return All(*parts)
