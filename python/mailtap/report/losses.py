"""The funnel of labelled sessions, why sessions are BASE, and what to do about losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailtap.accuracy.actions import CONFLICT, GUESS, Action, Apart, actions, rule_for
from mailtap.accuracy.funnel import Step, funnel
from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine, Row
from mailtap.policy import Policy
from mailtap.report.counting import JoinCounts
from mailtap.report.model import Base, BaseCause
from mailtap.sessions.redaction import redacted_columns


@dataclass(frozen=True)
class Losses:
    """All of it; nothing where nothing is labelled as mail."""

    funnel: tuple[Step, ...] = ()
    base: Base | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class FunnelCount:
    """Sessions that get to one step of the funnel and are lost there for one cause, if at all."""

    step: str
    loss: str | None
    is_base: bool
    apart: str | None  # one of APART
    n: int
    examples: tuple[str, ...] = ()  # uids


def losses_of(engine: QueryEngine, counts: JoinCounts, policy: Policy) -> Losses:
    """From what `count_judged` made."""
    rows = engine.rows(
        "SELECT funnel_step, funnel_loss, apart, is_base, CAST(sum(n) AS BIGINT) AS n, "
        "min(first_session) AS first_session, max(last_session) AS last_session "
        "FROM funnel_counts GROUP BY funnel_step, funnel_loss, apart, is_base "
        "ORDER BY funnel_step, funnel_loss NULLS LAST, apart NULLS LAST, is_base"
    )
    uids = _uids(engine, rows, policy)
    found = [
        FunnelCount(
            row["funnel_step"],
            row["funnel_loss"],
            row["is_base"],
            row["apart"],
            row["n"],
            _examples(row, uids),
        )
        for row in rows
    ]
    found.append(FunnelCount("labelled", "unmatched", False, None, counts.unmatched_mail))
    found.append(FunnelCount("labelled", "ambiguous", False, None, counts.ambiguous_mail))
    return losses_of_counts(found, policy)


def losses_of_counts(counts: Sequence[FunnelCount], policy: Policy) -> Losses:
    """The same from counts."""
    steps = funnel([(count.step, count.loss, count.n) for count in counts])
    if not steps[0]["n"]:
        return Losses()
    examples: dict[tuple[str, str], list[str]] = {}
    for count in counts:
        if count.loss is not None:
            examples.setdefault((count.step, count.loss), []).extend(count.examples)
    apart = {
        CONFLICT: _apart(count for count in counts if count.apart == CONFLICT),
        GUESS: _apart(count for count in counts if count.apart == GUESS and count.is_base),
    }
    return Losses(
        tuple(steps), base_of(counts, policy), actions(steps, policy.actions, examples, apart)
    )


def _apart(counts: Iterable[FunnelCount]) -> Apart:
    found = list(counts)
    return Apart(
        sum(count.n for count in found), tuple(uid for count in found for uid in count.examples)
    )


def base_of(counts: Iterable[FunnelCount], policy: Policy) -> Base:
    """Why sessions that have one label, of mail, are BASE."""
    labelled = 0
    causes: Counter[tuple[str, str]] = Counter()
    for count in counts:
        labelled += count.n if count.step != "labelled" else 0
        if count.is_base and count.loss is not None and count.step != "labelled":
            causes[count.step, count.loss] += count.n
    found = []
    for (step, cause), n in sorted(causes.items(), key=lambda item: (-item[1], item[0])):
        rule = rule_for(policy.actions, step, cause)
        found.append(
            BaseCause(cause, n, rule.action if rule else None, rule.text if rule else None)
        )
    return Base(labelled, causes.total(), tuple(found))


def _uids(engine: QueryEngine, rows: Iterable[Row], policy: Policy) -> Mapping[int, str]:
    """The uids of the sessions that the rows name as examples."""
    numbers = {row[name] for row in rows for name in ("first_session", "last_session")}
    if not numbers or "uid" in redacted_columns(policy.redact):
        return {}
    found = engine.rows(
        "SELECT session_id, uid FROM whole_sessions "
        f"WHERE session_id IN {sql.literals(sorted(numbers))} AND uid IS NOT NULL"
    )
    return {row["session_id"]: row["uid"] for row in found}


def _examples(row: Row, uids: Mapping[int, str]) -> tuple[str, ...]:
    numbers = dict.fromkeys((row["first_session"], row["last_session"]))
    return tuple(uids[number] for number in numbers if number in uids)
