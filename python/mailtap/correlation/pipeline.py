"""From sessions and labels to verdicts: the steps in order, and the tables between them.

`report` runs the pipeline once over everything, in DuckDB or in Spark; live mode runs it over the
flows that a large batch touches (by_flow.py is for small ones). The tables that it reads and makes,
in order:

| table | a row each | made by |
|---|---|---|
| `sessions` | record of a session (sessions/schema.py) | a loader, or live mode |
| `labels` | third-party label (labels/table.py) | a loader, or live mode |
| `halves` | pair of records that are one session: `client_half`, `server_half` | stitch |
| `whole_sessions` | session; two halves are one row, with the smaller of their numbers | stitch |
| `clock_pairs`, `clock_medians`, `clock_estimates` | flow whose key is unique, and the offsets \
of each sensor from each label file that follow from them | clock |
| `clock_offsets` | offset that is applied: `sensor`, `source`, `center` (seconds) | clock |
| `shared_endpoints`, `shared_community_id`, `shared_translated` | key that several labels have, \
and their number | keys |
| `candidates` | session with a label that could be its own | candidates |
| `contested`, `contested_pairs` | candidate that may be one of several | candidates, join |
| `several`, `ambiguous` | session with several candidates; one whose best ones disagree | join |
| `ranked`, `passed_over` | candidate with its rank; one that is not the session's label | join |
| `judged_pairs` | candidate with its judgement in one number, `likeness` and `distance` | join |
| `judged_candidates` | the same with the columns of its judgement, and `chosen` | join |
| `verdicts` | session in scope with its label: those of `judged_candidates` that are both | join |
| `several_by_engine`, `ranked_by_engine`, `ambiguous_by_engine`, `passed_over_by_engine` | the \
same choice among the labels of each engine alone, where several label | join |
| `verdicts_by_engine` | session in scope with the label of each engine | join |

The report counts `judged_candidates` into `counted`, `cube` and `servers` (report/counting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailtap.correlation.clock import ClockOffset, apply_clock_offsets, estimate_clock_offsets
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.join import pair_by_join, pair_by_row
from mailtap.correlation.stitch import stitch
from mailtap.correlation.verdicts import Judge
from mailtap.policy import Policy


@dataclass(frozen=True)
class Correlation:
    """What came of a run.

    `stitched` sessions were put together from two halves; `clocks` are the offsets; `judged` is
    false where there was no label at all, and so no table `verdicts`. Where not `several_engines`
    labelled, `verdicts_by_engine` is the same as `verdicts`.
    """

    stitched: int
    clocks: tuple[ClockOffset, ...] = ()
    judged: bool = True
    several_engines: bool = False


def correlate(
    engine: QueryEngine,
    policy: Policy,
    offsets: Sequence[ClockOffset] | None = None,
    *,
    details: bool = False,
    keep: bool = False,
) -> Correlation:
    """Judges the sessions that have a label in table `labels`.

    `offsets` are those of the clocks; None has them estimated from the same tables. `details`: the
    table `sessions` has the columns for a listing. `keep`: `verdicts` is going to be read more
    than once.
    """
    slack = policy.join.slack
    stitched = stitch(engine, slack, policy.effective, details=details)
    clocks = estimate_clock_offsets(engine, slack) if offsets is None else tuple(offsets)
    differ = apply_clock_offsets(engine, clocks)
    several = pair_by_join(engine, Judge(policy), slack, differ, keep=keep)
    return Correlation(stitched, clocks, several_engines=several)


def judge_own_labels(engine: QueryEngine, policy: Policy, *, details: bool = False) -> Correlation:
    """Judges the sessions that carry a label themselves, as in a gateway's export."""
    stitched = stitch(engine, policy.join.slack, policy.effective, details=details)
    (carried,) = engine.rows("SELECT count(label_is_label) AS labels FROM whole_sessions")
    if not carried["labels"]:
        return Correlation(stitched, judged=False)
    pair_by_row(engine, Judge(policy))
    return Correlation(stitched)


def compare_clocks(engine: QueryEngine, policy: Policy) -> tuple[ClockOffset, ...]:
    """The offsets that `correlate` would find, without a verdict."""
    stitch(engine, policy.join.slack, policy.effective)
    return estimate_clock_offsets(engine, policy.join.slack)
