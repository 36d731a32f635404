"""Which session of a tap is which session of a server's log. Pure: records in, numbers out.

Where the log has the client's port, address, port and time decide. Where it hasn't, sessions of
the same client at the same time are candidates, and what both sides know is held against each
other: HELO, envelope, message IDs, user, TLS, numbers of commands. Server and tap see sessions
begin in the same order, so the sessions of a client are aligned like two texts (see `alignment`),
and only pairs are taken without which every alignment is worse. The certain pairs show how far the
log usually is behind the tap (see `lag`), with which all are aligned once more. Anything else is
ambiguous and is reported as such, never guessed.

Evidence favours sessions that the tap's decoder understood. So where accuracy is judged, ambiguous
sessions must be counted beside it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailtap.truth.alignment import certain_pairs
from mailtap.truth.evidence import TapSession, agreement
from mailtap.truth.lag import UsualLag, usual_lag
from mailtap.truth.session import TruthSession

#: Seconds by which log and tap may miss each other in time and still be of the same session.
SLACK = 5.0

#: With more candidates than this none is chosen.
MAXIMUM_CANDIDATES = 256

#: Points for two sessions being at the same time, and by how many a pair must be the better one.
SAME_TIME, MARGIN = 3, 2

#: Points for a beginning or an end that is as far behind the tap as is usual in the server's log,
#: and as many off for one that isn't.
USUAL = 2

#: Of two sessions that overlap by more than this part of the shorter one, the order proves nothing.
OVERLAP = 0.5


#: A server's log: its software and host.
_Log = tuple[str, str | None]

#: Pairs of a truth and a tap session by number, with points for their being the same.
Points = Mapping[tuple[int, int], int]


class Certainty(StrEnum):
    """How a pair was found, the surest first."""

    PORT = "port"  # address, port and time
    ALONE = "alone"  # the only sessions of the client at that time, and nothing speaks against it
    ORDER = "order"  # the sessions around it on either side leave no other place
    EVIDENCE = "evidence"  # out of order, but the only best of several candidates, both ways


@dataclass(frozen=True, slots=True)
class Match:
    """The numbers of a truth and a tap session, and the log's start minus the tap's in seconds."""

    truth: int
    tap: int
    certainty: Certainty
    lag: float


@dataclass(frozen=True)
class Matching:
    """Every truth session is in one of the first four, by number.

    matches    pairs. A tap session is in several only where the log's records are parts of sessions
    ambiguous  several candidates fit equally well
    unseen     no candidate, though the tap saw other sessions before and after: lost by the mirror
    outside    before the tap's first session or after its last
    unlogged   numbers of tap sessions that no truth session could be
    """

    matches: tuple[Match, ...]
    ambiguous: tuple[int, ...]
    unseen: tuple[int, ...]
    outside: tuple[int, ...]
    unlogged: tuple[int, ...]


def match(
    truth: Sequence[TruthSession],
    tap: Sequence[TapSession],
    offset: float = 0.0,
    slack: float = SLACK,
) -> Matching:
    """Join the sessions. `offset`: the server's clock minus the tap's, in seconds."""
    search = _Search(truth, tap, offset, slack)
    search.by_port()
    search.by_time()
    return search.result()


class _Search:
    def __init__(
        self,
        truth: Sequence[TruthSession],
        tap: Sequence[TapSession],
        offset: float,
        slack: float,
    ) -> None:
        self._truth, self._tap = truth, tap
        self._offset, self._slack = offset, slack
        self._found: dict[int, Match] = {}
        self._ambiguous: set[int] = set()
        self._taken: set[int] = set()  # tap sessions of which the truth is known
        self._possible: set[int] = set()  # tap sessions that some truth session could be

    def by_port(self) -> None:
        """Join what has the client's port in the log."""
        # Nearly all keys have one session: lists for all of them would cost more than the search.
        first: dict[tuple[str, int], int] = {}
        others: dict[tuple[str, int], list[int]] = {}
        for number, tap in enumerate(self._tap):
            key = tap.client_h, tap.client_p
            if first.setdefault(key, number) != number:
                others.setdefault(key, []).append(number)
        claims: dict[int, int] = {}
        rivals: dict[int, list[int]] = {}
        for number, truth in enumerate(self._truth):
            if truth.client_h is None or truth.client_p is None:
                continue
            client = truth.client_h, truth.client_p
            candidate = first.get(client)
            if candidate is None:
                continue
            if client in others:
                candidate = self._of_several(number, [candidate, *others[client]])
            elif not self._overlap(truth, self._tap[candidate]):
                candidate = None
            if candidate is None:
                continue
            if claims.setdefault(candidate, number) != number:
                rivals.setdefault(candidate, [claims[candidate]]).append(number)
        self._possible.update(claims)
        for candidate, number in claims.items():
            numbers = rivals.get(candidate, [number])
            if len(numbers) > 1 and not all(self._truth[one].part for one in numbers):
                self._ambiguous.update(numbers)
                continue
            for one in numbers:
                self._take(self._pair(one, candidate, Certainty.PORT))

    def _of_several(self, number: int, candidates: list[int]) -> int | None:
        """The one tap session of the same client and port; None for none, or where several fit."""
        truth = self._truth[number]
        near = [one for one in candidates if self._overlap(truth, self._tap[one])]
        if len(near) > 1:
            near = self._of_server(truth, near)
        if len(near) > 1:
            near = self._nearest(truth, near)
        self._possible.update(near)
        if len(near) > 1:
            self._ambiguous.add(number)
        return near[0] if len(near) == 1 else None

    def by_time(self) -> None:
        """Join what has the client's address only."""
        pairs = self._candidates()
        evidence = {
            (number, candidate): SAME_TIME + agreement(self._truth[number], self._tap[candidate])
            for number, near in pairs.items()
            for candidate in near
        }
        lags = self._usual_lags([*self._found.values(), *self._aligned(evidence)])
        points = {pair: value + self._lag_points(*pair, lags) for pair, value in evidence.items()}
        for pair in list(self._aligned(points)):
            self._take(pair)
        self._by_evidence(self._single(evidence), self._single(points))
        self._parts({pair: value for pair, value in evidence.items() if self._truth[pair[0]].part})
        self._ambiguous.update(number for number in pairs if number not in self._found)

    def result(self) -> Matching:
        """All sessions, each in its place."""
        first = min((session.start for session in self._tap), default=0.0) + self._offset
        last = max((session.end for session in self._tap), default=0.0) + self._offset
        unseen: list[int] = []
        outside: list[int] = []
        for number, session in enumerate(self._truth):
            if number in self._found or number in self._ambiguous:
                continue
            seen_then = session.end >= first and session.start <= last
            (unseen if seen_then else outside).append(number)
        free = (n for n in range(len(self._tap)) if n not in self._possible)
        return Matching(
            tuple(self._found[number] for number in sorted(self._found)),
            tuple(sorted(self._ambiguous)),
            tuple(unseen),
            tuple(outside),
            tuple(free),
        )

    def _pair(self, number: int, candidate: int, certainty: Certainty) -> Match:
        lag = self._truth[number].start - self._offset - self._tap[candidate].start
        return Match(number, candidate, certainty, lag)

    def _take(self, pair: Match) -> None:
        self._found[pair.truth] = pair
        if not self._truth[pair.truth].part:
            self._taken.add(pair.tap)

    def _overlap(self, truth: TruthSession, tap: TapSession) -> bool:
        """Whether both were there at the same time, give or take the slack."""
        start, end = truth.start - self._offset, truth.end - self._offset + truth.resolution
        return start <= tap.end + self._slack and end >= tap.start - self._slack

    def _begins_and_ends(self, truth: TruthSession, tap: TapSession) -> bool:
        """Whether one is in the other's time; a whole one at both ends."""
        if not truth.whole:
            return self._overlap(truth, tap)
        start, end = truth.start - self._offset, truth.end - self._offset
        return (
            -truth.resolution - self._slack <= start - tap.start <= self._slack
            and -truth.resolution - self._slack <= end - tap.end <= self._slack
        )

    def _of_server(self, truth: TruthSession, candidates: list[int]) -> list[int]:
        own = [n for n in candidates if self._tap[n].server_h == truth.server_h]
        return own or candidates  # the server's own address may be behind a translation

    def _nearest(self, truth: TruthSession, candidates: list[int]) -> list[int]:
        """The one that begins nearest, where no other begins as near."""
        start = truth.start - self._offset
        away = sorted((abs(self._tap[n].start - start), n) for n in candidates)
        if away[1][0] - away[0][0] > self._slack + truth.resolution:
            return [away[0][1]]
        return candidates

    def _candidates(self) -> dict[int, list[int]]:
        """For each truth session without a port, the tap sessions that it could be."""
        taps: dict[str, list[int]] = defaultdict(list)
        for number, tap in enumerate(self._tap):
            if number not in self._taken:
                taps[tap.client_h].append(number)
        for numbers in taps.values():
            numbers.sort(key=lambda n: self._tap[n].start)
        starts = {h: [self._tap[n].start for n in numbers] for h, numbers in taps.items()}
        longest = max((tap.end - tap.start for tap in self._tap), default=0.0)
        pairs: dict[int, list[int]] = {}
        for number, truth in enumerate(self._truth):
            if truth.client_p is not None or truth.client_h not in taps:
                continue
            end = truth.end - self._offset + truth.resolution + self._slack
            begin = truth.start - self._offset - self._slack - (0 if truth.whole else longest)
            own, times = taps[truth.client_h], starts[truth.client_h]
            first = bisect_left(times, begin - truth.resolution)
            near: list[int] = []
            for at in range(first, len(own)):
                if times[at] > end:
                    break
                if self._begins_and_ends(truth, self._tap[own[at]]):
                    near.append(own[at])
                    if len(near) > MAXIMUM_CANDIDATES:
                        break
            self._possible.update(near)
            if len(near) > MAXIMUM_CANDIDATES:
                self._ambiguous.add(number)
            elif near:
                pairs[number] = near
        return pairs

    def _usual_lags(self, certain: Collection[Match]) -> dict[_Log, tuple[UsualLag, UsualLag]]:
        """How far each log is usually behind the tap, at beginnings and at ends."""
        of_log: dict[_Log, list[Match]] = defaultdict(list)
        for pair in certain:
            if self._truth[pair.truth].whole:
                of_log[_log(self._truth[pair.truth])].append(pair)
        found = {}
        for log, pairs in of_log.items():
            resolution = max(self._truth[pair.truth].resolution for pair in pairs)
            start = usual_lag((pair.lag for pair in pairs), resolution)
            end = usual_lag((self._lag_of_end(pair.truth, pair.tap) for pair in pairs), resolution)
            if start is not None and end is not None:
                found[log] = start, end
        return found

    def _lag_points(
        self, number: int, candidate: int, lags: Mapping[_Log, tuple[UsualLag, UsualLag]]
    ) -> int:
        """Points for a pair by its times; none where it isn't known what is usual."""
        usual = lags.get(_log(self._truth[number]))
        if usual is None or not self._truth[number].whole:
            return 0
        start, end = usual
        return sum(
            USUAL if usually else -USUAL
            for usually in (
                start.holds(self._pair(number, candidate, Certainty.ALONE).lag),
                end.holds(self._lag_of_end(number, candidate)),
            )
        )

    def _lag_of_end(self, number: int, candidate: int) -> float:
        return self._truth[number].end - self._offset - self._tap[candidate].end

    def _aligned(self, points: Points) -> Iterator[Match]:
        """The certain pairs of sessions whose log tells them apart."""
        for group in _components(self._single(points)):
            yield from self._align(group)

    def _single(self, points: Points) -> dict[tuple[int, int], int]:
        """The pairs for which more speaks than against, without parts of sessions."""
        return {
            pair: value
            for pair, value in points.items()
            if value > 0 and not self._truth[pair[0]].part
        }

    def _align(self, points: Points) -> Iterator[Match]:
        """The certain pairs of sessions that have candidates in common."""
        if len(points) == 1:
            ((number, candidate),) = points
            yield self._pair(number, candidate, Certainty.ALONE)
            return
        numbers = sorted({number for number, _ in points}, key=lambda n: self._truth[n].order)
        candidates = sorted({n for _, n in points}, key=lambda n: self._tap[n].start)
        pairs = certain_pairs(numbers, candidates, points, MARGIN)
        exchangeable = self._exchangeable(pairs, points)
        for number, candidate in pairs:
            if number not in exchangeable:
                yield self._pair(number, candidate, Certainty.ORDER)

    def _exchangeable(self, pairs: list[tuple[int, int]], points: Points) -> set[int]:
        """Truth sessions of pairs that differ only in their order, while they overlapped."""
        found = set()
        for at, (number, candidate) in enumerate(pairs):
            for other, its in pairs[at + 1 : at + 1 + MAXIMUM_CANDIDATES]:
                if self._tap[its].start > self._tap[candidate].end:
                    break
                if not _overlap_much(self._tap[candidate], self._tap[its]):
                    continue
                exchanged = points.get((number, its), 0) + points.get((other, candidate), 0)
                if exchanged > points[number, candidate] + points[other, its] - MARGIN:
                    found |= {number, other}
        return found

    def _by_evidence(self, evidence: Points, points: Points) -> None:
        """Take pairs that are out of order, where each is the other's best by the margin, both by
        the evidence alone and with the times.
        """
        best = self._best_of_free(evidence) & self._best_of_free(points)
        for number, candidate in best:
            if evidence[number, candidate] - SAME_TIME >= MARGIN:
                self._take(self._pair(number, candidate, Certainty.EVIDENCE))

    def _best_of_free(self, points: Points) -> set[tuple[int, int]]:
        free = {
            (number, candidate): value
            for (number, candidate), value in points.items()
            if number not in self._found and candidate not in self._taken
        }
        of_truth, of_tap = _ranked(free, 0), _ranked(free, 1)
        return {
            (number, candidate)
            for (number, candidate), value in free.items()
            if _ahead(of_truth[number], of_tap[candidate], value)
        }

    def _parts(self, points: Points) -> None:
        """Take records that are parts of sessions, where one session fits best by the margin."""
        of_truth = _ranked(points, 0)
        for (number, candidate), value in points.items():
            if value - SAME_TIME >= MARGIN and _ahead(of_truth[number], [value], value):
                self._take(self._pair(number, candidate, Certainty.EVIDENCE))


def _log(session: TruthSession) -> _Log:
    return session.software, session.host


def _overlap_much(one: TapSession, other: TapSession) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > OVERLAP * min(one.end - one.start, other.end - other.start)


def _ranked(points: Points, side: int) -> dict[int, list[int]]:
    """The points of each session of one side, the most first."""
    ranked: dict[int, list[int]] = defaultdict(list)
    for pair, value in points.items():
        ranked[pair[side]].append(value)
    for values in ranked.values():
        values.sort(reverse=True)
    return ranked


def _ahead(mine: list[int], yours: list[int], value: int) -> bool:
    """Whether the pair with this value is the best of both by the margin."""
    return all(
        values[0] == value and (len(values) == 1 or values[1] <= value - MARGIN)
        for values in (mine, yours)
    )


def _components(points: Points) -> Iterator[dict[tuple[int, int], int]]:
    """The pairs in groups that have no session in common."""
    of_truth: dict[int, list[int]] = defaultdict(list)
    of_tap: dict[int, list[int]] = defaultdict(list)
    for number, candidate in points:
        of_truth[number].append(candidate)
        of_tap[candidate].append(number)
    seen: set[int] = set()
    for first in of_truth:
        if first in seen:
            continue
        seen.add(first)
        queue, group = [first], {}
        while queue:
            number = queue.pop()
            for candidate in of_truth[number]:
                group[number, candidate] = points[number, candidate]
                fresh = [n for n in of_tap.pop(candidate, ()) if n not in seen]
                seen.update(fresh)
                queue += fresh
        yield group
