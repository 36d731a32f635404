"""The latest sessions and labels: those that may still meet.

Records lie in two generations. When the newer is old or large enough, the older is dropped: memory
is bounded, and a record stays for one full generation at least. What the older has of a flow of
which records came in the newer, too, is carried over: a verdict rests on all records of the flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mailtap.labels.formats import ENDPOINTS
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.batches.normal_form import KEY
from mailtap.live.batches.records import Records
from mailtap.live.batches.sessions import ARROW_TYPES
from mailtap.live.core.by_engine import no_notes
from mailtap.live.core.chunks import NONE, Chunk, Chunks, Found, Notes, Numbers, Part
from mailtap.live.core.servers import server_group
from mailtap.sessions.schema import live_columns

#: Records of one flow that are looked at together, the latest. Whoever uses the same ports over and
#: over again must not make every batch join all with all.
MAXIMUM_OF_A_FLOW = 128

NAT_KEY = tuple(f"nat_{name}" for name in KEY)

#: The columns that identify a label's flow where an engine makes several statements on one.
_FLOW = ("source", *ENDPOINTS, "l4", "start")

#: Of no use to a verdict.
_LEFT_OUT_OF_SESSIONS = {
    *("orig_h", "orig_p", "resp_h", "resp_p", "user_agent", "subject", "seq", "app"),
    *(name for name in live_columns() if name.startswith("label_")),
}
_LEFT_OUT_OF_LABELS = {"name", *ENDPOINTS, "community_id", "packets"}


def _schema(kinds: dict[str, str], left_out: set[str]) -> pa.Schema:
    return pa.schema([(n, ARROW_TYPES[kind]) for n, kind in kinds.items() if n not in left_out])


SESSIONS = _schema(
    live_columns() | {"source": "VARCHAR", "bucket": "BIGINT"}, _LEFT_OUT_OF_SESSIONS
)
LABELS = _schema(LABEL_COLUMNS | {"rank": "INTEGER", "moment": "DOUBLE"}, _LEFT_OUT_OF_LABELS)


class _Generation:
    def __init__(self) -> None:
        self.sessions, self.labels = Chunks(SESSIONS), Chunks(LABELS)


class RecentRecords:
    """Sessions and labels.

    Notes of sessions are `cell`, `label` and `half` of their judgement, those of their verdicts by
    engine (by_engine.py), their `bucket` and the group of their `server`; notes of labels are
    `matched`, whether they are `about_tcp`, the hash of their flow as `statement`, and whether they
    are one of `several` on it. All have `number`, `flow`, the hash of
    their key, and `active`: records of one of their flows came during the newer generation.
    """

    def __init__(self) -> None:
        self._older, self._newer = _Generation(), _Generation()
        self._engines: list[str] = []

    @property
    def engines(self) -> Sequence[str]:
        """Those whose verdicts are noted."""
        return self._engines

    def add_engines(self, engines: Iterable[str]) -> None:
        """Has the verdicts by these engines noted, too."""
        for engine in engines:
            if engine not in self._engines:
                self._engines.append(engine)
                for chunk in self.all_sessions():
                    chunk.notes.update(no_notes(engine, len(chunk)))

    @property
    def largest(self) -> int:
        """Records of the kind of which the newer generation has most."""
        return max(len(self._newer.sessions), len(self._newer.labels))

    def add_sessions(self, sessions: Records) -> Numbers:
        """Adds sessions in normal form; returns their flows."""
        flows = _hashes(sessions, KEY)
        notes: Notes = {"flow": flows, "active": np.zeros(len(sessions), np.bool_)}
        notes |= {name: np.full(len(sessions), NONE) for name in ("cell", "label", "half")}
        notes |= {
            "number": np.array(sessions.values("session_id"), np.int64),
            "bucket": np.array(sessions.values("bucket"), np.int64),
            "server": np.array([*map(server_group, sessions.values("server_h"))], np.int64),
        }
        for engine in self._engines:
            notes |= no_notes(engine, len(sessions))
        kept = sessions.select(SESSIONS.names)
        self._newer.sessions.add(Chunk.of(kept, flows, np.arange(len(kept)), notes))
        return flows

    def add_labels(self, labels: Records) -> Numbers:
        """Adds labels in normal form; returns the flows that they may be of."""
        places, flows = np.arange(len(labels)), _hashes(labels, KEY)
        notes: Notes = {name: np.zeros(len(labels), np.bool_) for name in ("active", "matched")}
        notes |= {"flow": flows, "statement": _hashes(labels, _FLOW)}
        notes["number"] = np.array(labels.values("label_id"), np.int64)
        notes["several"] = np.array(labels.have(["rank"]), np.bool_)
        about_tcp = map(_is_about_tcp, labels.values("is_label"), labels.values("l4"))
        notes["about_tcp"] = np.array([*about_tcp], np.bool_)
        translated = np.flatnonzero(labels.have(NAT_KEY[:1]))
        if len(translated):
            of_translated = _hashes(labels.take(translated.tolist()), NAT_KEY)
            flows = np.concatenate([flows, of_translated])
            places = np.concatenate([places, translated])
        self._newer.labels.add(Chunk.of(labels.select(LABELS.names), flows, places, notes))
        return flows

    def find(self, flows: Numbers, *, active: bool = False) -> tuple[Found, Found]:
        """The sessions and labels by which a verdict may be given on sessions of these flows.

        Those of other flows don't count: sessions alone, and labels alone. `active`: new records
        are of these flows.
        """
        flows = np.unique(flows)
        sessions, labels = (
            [
                Part(chunk, *chunk.find(flows))
                for generation in (self._older, self._newer)
                for chunk in getattr(generation, kind)
            ]
            for kind in ("sessions", "labels")
        )
        if active:
            for part in (*sessions, *labels):
                part.chunk.notes["active"][part.places] = True
        found, labelled = _comparable(Found(sessions), Found(labels))
        return _latest_of_each_flow(found), _latest_of_each_flow(labelled)

    def flows(self, latest: int | None = None) -> Numbers:
        """The flows of all sessions, or of the latest so many."""
        found, wanted = [], latest
        for generation in (self._newer, self._older):
            for chunk in reversed(list(generation.sessions)):
                flows = chunk.notes["flow"]
                found.append(flows if wanted is None else flows[max(0, len(flows) - wanted) :])
                if wanted is not None:
                    wanted -= len(found[-1])
                    if not wanted:
                        break
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def all_sessions(self) -> Iterator[Chunk]:
        for generation in (self._older, self._newer):
            yield from generation.sessions

    def drop_older(self, maximum: int) -> tuple[int, int]:
        """Begins a new generation in the place of the older one. Returns how many of its sessions
        and labels have waited in vain. At most `maximum` records of a kind are carried over, the
        latest.
        """
        dropped, self._older, self._newer = self._older, self._newer, _Generation()
        sessions = _carried(dropped.sessions, maximum)
        labels = _carried(dropped.labels, maximum)
        for part in sessions.parts:
            self._newer.sessions.add(_alone(part))
        for part in labels.parts:
            self._newer.labels.add(_alone(part))
        in_vain = self._unlabelled(dropped, sessions), self._unmatched(dropped, labels)
        for chunk in (*self._older.sessions, *self._older.labels):
            chunk.notes["active"][:] = False
        return in_vain

    def _unlabelled(self, dropped: _Generation, carried: Found) -> int:
        """Sessions without a judgement."""
        waited = sum(int((chunk.notes["cell"] == NONE).sum()) for chunk in dropped.sessions)
        return waited - int((carried.notes("cell") == NONE).sum())

    def _unmatched(self, dropped: _Generation, carried: Found) -> int:
        """Flows with labels of which none could be a session's. One with a later statement still
        waits.
        """
        for part in carried.parts:
            part.chunk.notes["matched"][part.places] = True
        waited = [np.zeros(0, np.int64)]
        for chunk in dropped.labels:
            counts = chunk.notes["about_tcp"] & ~chunk.notes["matched"]
            waited.append(chunk.notes["statement"][counts])
        flows = np.unique(np.concatenate(waited))
        for chunk in self._older.labels:
            later = chunk.notes["several"]
            if len(flows) and later.any():
                flows = flows[~np.isin(flows, chunk.notes["statement"][later])]
        return len(flows)


def tables_of(sessions: Found, labels: Found) -> tuple[pa.Table, pa.Table]:
    """Sessions and labels as the queries take them: with the hash of a label's flow as
    `statement`.
    """
    statements = pa.array(labels.notes("statement"))
    return sessions.table(SESSIONS), labels.table(LABELS).append_column("statement", statements)


def _hashes(records: Records, names: Sequence[str]) -> Numbers:
    """A hash of these columns each record, another one in each process."""
    of_records = zip(*map(records.values, names), strict=True)
    return np.fromiter(map(hash, of_records), np.int64, len(records))


def _is_about_tcp(is_label: bool | None, l4: str | None) -> bool:
    return bool(is_label) and l4 in ("tcp", None)


def _comparable(sessions: Found, labels: Found) -> tuple[Found, Found]:
    """The records of flows that have a session and a label, or two sessions."""
    of_sessions, of_labels = sessions.by, labels.by
    flows, number = np.unique(of_sessions, return_counts=True)
    flows = flows[(number > 1) | np.isin(flows, of_labels)]
    labels = labels.where(np.isin(of_labels, flows))
    for n, part in enumerate(labels.parts):
        places, first = np.unique(part.places, return_index=True)
        labels.parts[n] = Part(part.chunk, places, part.by[first])
    return sessions.where(np.isin(of_sessions, flows)), labels


def _latest_of_each_flow(found: Found) -> Found:
    if len(found) <= MAXIMUM_OF_A_FLOW:
        return found
    flows = found.notes("flow")
    if np.unique(flows, return_counts=True)[1].max() <= MAXIMUM_OF_A_FLOW:
        return found
    order = np.lexsort((-found.notes("number"), flows))
    ordered = flows[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    length = np.diff(np.concatenate([first, [len(ordered)]]))
    kept: npt.NDArray[np.bool_] = np.zeros(len(order), np.bool_)
    kept[order] = np.arange(len(order)) - np.repeat(first, length) < MAXIMUM_OF_A_FLOW
    return found.where(kept)


def _carried(dropped: Chunks, maximum: int) -> Found:
    """Records of flows of which others came, as many as there may be."""
    parts = []
    for chunk in dropped:
        places = np.flatnonzero(chunk.notes["active"])
        parts.append(Part(chunk, places, chunk.notes["flow"][places]))
    found = _latest_of_each_flow(Found(parts))
    if len(found) <= maximum:
        return found
    numbers = found.notes("number")
    return found.where(numbers >= np.partition(numbers, -maximum)[-maximum])


def _alone(part: Part) -> Chunk:
    """The records of a part as a chunk of their own."""
    place = np.full(len(part.chunk), NONE)
    place[part.places] = np.arange(len(part.places))
    places = place[part.chunk.places]
    notes = {name: values[part.places] for name, values in part.chunk.notes.items()}
    notes["active"] = np.zeros(len(part.places), np.bool_)
    return Chunk.of(
        part.chunk.records.take(part.places.tolist()),
        part.chunk.flows[places != NONE],
        places[places != NONE],
        notes,
    )
