"""Counts of verdicts as they come and change, and the figures made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailtap.accuracy.actions import APART, GUESS
from mailtap.correlation.verdicts import (
    CAUSES,
    COMPATIBLE,
    CONSISTENT,
    INCONSISTENT,
    NOT_DECODED_BY_BOTH,
    UNEXPLAINED,
    first_cause,
    mask_of,
    named_causes,
)
from mailtap.live.core.servers import (
    Condition,
    ServerCell,
    Servers,
    is_any,
    is_of_both,
    is_unexplained,
    of_verdict,
)
from mailtap.report.losses import FunnelCount
from mailtap.report.model import (
    Agreement,
    BothDecoded,
    Counts,
    EngineAgreement,
    MatrixCell,
    Rate,
    SensorAgreement,
    WindowAgreement,
)

#: Sessions that have labels but no verdict: the labels contradict each other, or it is no mail.
AMBIGUOUS = "ambiguous"
OUT_OF_SCOPE = "out_of_scope"

VERDICTS = (CONSISTENT, COMPATIBLE, INCONSISTENT)

#: Different cells that are kept apart. The names of those that come beyond are replaced by `REST`.
MAXIMUM_CELLS = 4_096
REST = "(rest)"

#: Cells of the matrix that are shown, the largest.
MAXIMUM_SHOWN = 200

#: The timeline: its buckets' width in seconds, and how many of them are kept.
BUCKET = 60
BUCKETS = 120


@dataclass(frozen=True)
class Cell:
    """Sessions that are the same as far as the figures go; `causes` is a mask of causes."""

    sensor: str | None
    decode_as: str | None
    app: str | None
    label_provenance: str | None
    verdict: str
    causes: int
    funnel_step: str | None
    funnel_loss: str | None


class Tally:
    """Sessions by cell, and verdicts by bucket of the timeline."""

    def __init__(self) -> None:
        self._cells: Counter[Cell] = Counter()
        # Never forgotten: what is taken away again must come off the cell it was added to.
        self._kept_apart: set[Cell] = set()
        self._timeline: dict[int, Counter[str]] = {}
        self._servers = Servers()
        self._by_engine: Counter[tuple[str, str]] = Counter()

    def add(self, cell: Cell, bucket: int, n: int) -> None:
        """`n` more of a cell, or fewer; they arrived in the bucket (epoch seconds by BUCKET)."""
        if cell not in self._kept_apart:
            if len(self._kept_apart) < MAXIMUM_CELLS:
                self._kept_apart.add(cell)
            else:
                cell = _without_names(cell)
        self._cells[cell] += n
        if not self._cells[cell]:
            del self._cells[cell]
        if bucket not in self._timeline:
            if len(self._timeline) >= BUCKETS and bucket < min(self._timeline):
                return
            self._timeline[bucket] = Counter()
            if len(self._timeline) > BUCKETS:
                del self._timeline[min(self._timeline)]
        self._timeline[bucket][cell.verdict] += n

    def add_servers(self, cell: ServerCell, n: int) -> None:
        """`n` more sessions of servers, or fewer, all of which `add` counts, too."""
        self._servers.add(cell, n)

    def add_by_engine(self, engine: str, verdict: str, n: int) -> None:
        """`n` more sessions, or fewer, that have the verdict by this label engine alone."""
        self._by_engine[engine, verdict] += n

    def add_all(
        self,
        cells: Iterable[tuple[Cell, int, int]],
        servers: Iterable[tuple[ServerCell, int]],
        by_engine: Iterable[tuple[str, str, int]],
    ) -> None:
        """What `add`, `add_servers` and `add_by_engine` take, of a whole batch."""
        for cell, bucket, n in cells:
            self.add(cell, bucket, n)
        for server_cell, n in servers:
            self.add_servers(server_cell, n)
        for engine, verdict, n in by_engine:
            self.add_by_engine(engine, verdict, n)

    def total(self, verdict: str) -> int:
        return sum(n for cell, n in self._cells.items() if cell.verdict == verdict)

    @property
    def decided(self) -> int:
        """Sessions that no longer wait for a label."""
        return self._cells.total()

    def figures(self) -> Figures:
        scored = [(cell, n) for cell, n in self._cells.items() if cell.verdict in VERDICTS]
        overall = _agreement(scored)
        causes = _causes(scored)
        matched = overall.matched

        def share(n: int, is_counted: Condition) -> Rate:
            return self._servers.rate(n, matched, is_counted, is_any)

        return Figures(
            matched=matched,
            ambiguous=self.total(AMBIGUOUS),
            out_of_scope=self.total(OUT_OF_SCOPE),
            consistent=share(overall.consistent, of_verdict(CONSISTENT)),
            compatible=share(overall.compatible, of_verdict(COMPATIBLE)),
            inconsistent=share(overall.inconsistent, of_verdict(INCONSISTENT)),
            unexplained=share(causes[UNEXPLAINED], is_unexplained),
            both_decoded=self._both_decoded(scored),
            labelled=tuple(
                FunnelCount(
                    cell.funnel_step, cell.funnel_loss, cell.decode_as == "BASE", _apart(cell), n
                )
                for cell, n in self._cells.items()
                if cell.funnel_step is not None
            ),
            causes=causes,
            matrix=_matrix(scored),
            by_sensor=_by_sensor(scored),
            by_engine=tuple(
                EngineAgreement(
                    engine,
                    _of_verdicts(
                        Counter({name: self._by_engine[engine, name] for name in VERDICTS})
                    ),
                )
                for engine in sorted({engine for (engine, _), n in self._by_engine.items() if n})
            ),
            timeline=tuple(
                WindowAgreement(float(bucket * BUCKET), float(BUCKET), _of_verdicts(verdicts))
                for bucket, verdicts in sorted(self._timeline.items())
            ),
        )

    def _both_decoded(self, scored: _Scored) -> BothDecoded:
        apart = mask_of(NOT_DECODED_BY_BOTH)
        both = [(cell, n) for cell, n in scored if not cell.causes & apart]
        verdicts = _agreement(both)
        guesses = sum(n for cell, n in scored if _apart(cell) == GUESS)
        matched = verdicts.matched

        def share(n: int, is_counted: Condition) -> Rate:
            return self._servers.rate(n, matched, is_counted, is_of_both)

        return BothDecoded(
            matched=matched,
            port_guesses=guesses,
            too_little=_agreement(scored).matched - guesses - matched,
            consistent=share(verdicts.consistent, of_verdict(CONSISTENT)),
            compatible=share(verdicts.compatible, of_verdict(COMPATIBLE)),
            inconsistent=share(verdicts.inconsistent, of_verdict(INCONSISTENT)),
            unexplained=share(_causes(both)[UNEXPLAINED], is_unexplained),
        )


@dataclass(frozen=True)
class Figures:
    """The part of a snapshot that verdicts make."""

    matched: int
    ambiguous: int
    out_of_scope: int
    consistent: Rate
    compatible: Rate
    inconsistent: Rate
    unexplained: Rate
    both_decoded: BothDecoded
    labelled: tuple[FunnelCount, ...]
    causes: Counts
    matrix: tuple[MatrixCell, ...]
    by_sensor: tuple[SensorAgreement, ...]
    by_engine: tuple[EngineAgreement, ...]
    timeline: tuple[WindowAgreement, ...]


_Scored = Iterable[tuple[Cell, int]]


def _without_names(cell: Cell) -> Cell:
    """The cell as far as the shares, the causes and the funnel need it: there are few of these."""
    return replace(
        cell,
        sensor=REST,
        decode_as="BASE" if cell.decode_as == "BASE" else REST,
        app=REST,
        label_provenance=REST,
        causes=cell.causes & -cell.causes,
    )


def _apart(cell: Cell) -> str | None:
    return next((cause for cause in APART if cell.causes & mask_of([cause])), None)


def _agreement(scored: _Scored) -> Agreement:
    verdicts: Counter[str] = Counter()
    for cell, n in scored:
        verdicts[cell.verdict] += n
    return _of_verdicts(verdicts)


def _of_verdicts(verdicts: Counter[str]) -> Agreement:
    return Agreement(
        sum(verdicts[verdict] for verdict in VERDICTS), *(verdicts[verdict] for verdict in VERDICTS)
    )


def _causes(scored: _Scored) -> Counts:
    causes = dict.fromkeys((*CAUSES, UNEXPLAINED), 0)
    for cell, n in scored:
        if cell.verdict == INCONSISTENT:
            cause = first_cause(cell.verdict, cell.decode_as, named_causes(cell.causes))
            causes[cause or UNEXPLAINED] += n
    return causes


def _matrix(scored: _Scored) -> tuple[MatrixCell, ...]:
    matrix: Counter[tuple[str, str, str]] = Counter()
    for cell, n in scored:
        matrix[cell.app or "", cell.label_provenance or "", cell.decode_as or ""] += n
    return tuple(MatrixCell(*names, n) for names, n in matrix.most_common(MAXIMUM_SHOWN))


def _by_sensor(scored: _Scored) -> tuple[SensorAgreement, ...]:
    sensors: dict[str | None, Counter[str]] = {}
    for cell, n in scored:
        sensors.setdefault(cell.sensor, Counter())[cell.verdict] += n
    largest = sorted(sensors.items(), key=lambda item: -item[1].total())
    return tuple(
        SensorAgreement(sensor, _of_verdicts(verdicts))
        for sensor, verdicts in largest[:MAXIMUM_SHOWN]
    )
