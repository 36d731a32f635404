"""The verdicts that each label engine alone would give, where several engines label.

A session has the verdict by each engine's own best label, as in a report's `by_engine`. The window
notes it beside the session's judgement, under names made of the engine's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mailtap.live.batches.records import Listed
from mailtap.live.core.chunks import NONE, Notes, Numbers, or_none
from mailtap.live.core.tally import VERDICTS


@dataclass(frozen=True)
class EngineVerdicts:
    """Of sessions by their numbers: the places of their verdicts in `VERDICTS`, and the numbers of
    the labels that these rest on.
    """

    sessions: Numbers
    verdicts: Numbers
    labels: Numbers

    @classmethod
    def of(cls, rows: Sequence[tuple[int, str, int]]) -> EngineVerdicts:
        """Of session, verdict and label each."""
        numbers = np.array(
            [(session, VERDICTS.index(verdict), label) for session, verdict, label in rows],
            np.int64,
        ).reshape(-1, 3)
        return cls(numbers[:, 0], numbers[:, 1], numbers[:, 2])

    def together(self, other: EngineVerdicts) -> EngineVerdicts:
        """With the verdicts on other sessions."""
        return EngineVerdicts(
            np.concatenate([self.sessions, other.sessions]),
            np.concatenate([self.verdicts, other.verdicts]),
            np.concatenate([self.labels, other.labels]),
        )

    def notes(self, engine: str, numbers: Numbers) -> Notes:
        """The notes about the sessions with these numbers, in their order."""
        verdict, label = note_names(engine)
        order = np.argsort(numbers, kind="stable")
        places = order[np.searchsorted(numbers, self.sessions, sorter=order)]
        notes = no_notes(engine, len(numbers))
        notes[verdict][places] = self.verdicts
        notes[label][places] = self.labels
        return notes


#: No verdict on any session.
NO_VERDICTS = EngineVerdicts.of(())


def note_names(engine: str) -> tuple[str, str]:
    """Under what a session's verdict by the engine, and its label, are noted."""
    return f"verdict by {engine}", f"label of {engine}"


def no_notes(engine: str, sessions: int) -> Notes:
    """The notes of so many sessions that the engine has not labelled."""
    return {name: np.full(sessions, NONE) for name in note_names(engine)}


def verdicts_of_rows(rows: pa.Table) -> dict[str, EngineVerdicts]:
    """By engine, of a table of `session_id`, `engine`, `verdict` and `label_id`."""
    verdicts = pc.index_in(rows["verdict"], pa.array(VERDICTS)).cast(pa.int64())
    table = rows.set_column(rows.schema.get_field_index("verdict"), "verdict", verdicts)
    by_engine = {}
    for engine in pc.unique(rows["engine"]).to_pylist():
        own = table.filter(pc.equal(table["engine"], engine))
        by_engine[engine] = EngineVerdicts(
            *(own[name].to_numpy() for name in ("session_id", "verdict", "label_id"))
        )
    return by_engine


def records_of_verdicts(
    engine: str, sessions: Numbers, verdicts: Numbers, labels: Numbers
) -> Listed:
    """As a store keeps them; a session that has no verdict by the engine any more has a NULL."""
    names = (*VERDICTS, None)
    return Listed(
        {
            "session_id": sessions.tolist(),
            "engine": [engine] * len(sessions),
            "verdict": [names[code] for code in verdicts.tolist()],
            "label_id": or_none(labels),
        }
    )


def verdict_changes(engine: str, before: Numbers, after: Numbers) -> list[tuple[str, str, int]]:
    """Engine, verdict, and how many more sessions have it than before."""
    changes: Counter[int] = Counter(after.tolist())
    changes.subtract(before.tolist())
    return [(engine, VERDICTS[code], n) for code, n in changes.items() if code != NONE and n]


def is_final(
    before: Mapping[str, npt.NDArray[np.int64]],
    engine: str,
    labels: Numbers,
    half_is_gone: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """A verdict stays as it is when its label, or the other half of the session, is dropped."""
    verdict, label = note_names(engine)
    gone = ~np.isin(before[label], labels) | half_is_gone
    final: npt.NDArray[np.bool_] = gone & (before[verdict] != NONE)
    return final
