"""What each rater says about the sessions, counted by the query engine.

Raters are the decoder, by which one it is (`mailtap`, stock `zeek`, a `gateway`), and each label
engine by provenance: a guess by port and what was read in the payload are two raters. The decoder
rates effective sessions, a label engine those that it labelled. An answer is `smtp`, `pop3`,
`imap`, `mail` (a source that doesn't say which) or `other`; what a rater says nothing about is
missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailtap.accuracy import MISSING, Ratings
from mailtap.correlation.engines import QueryEngine
from mailtap.sessions.vocabulary import SERVICES

MAIL, OTHER = "mail", "other"

#: Questions that raters answer with yes or no.
QUESTIONS = (MAIL, *SERVICES)

#: Raters that are compared, those with the most sessions.
MAXIMUM_RATERS = 8

#: Servers beyond which they are put together to so many groups, by the MD5 of their addresses.
MAXIMUM_CLUSTERS = 4_096

#: Provenances of labels that only repeat what the port or the address says.
GUESSED = ("port", "ip")

_DECODERS_ANSWER = (
    "CASE WHEN coalesce(effective, true) THEN "
    f"coalesce(service, CASE WHEN decode_as = 'MAIL' THEN '{MAIL}' ELSE '{OTHER}' END) END"
)

#: What answers are made of.
_ANSWERED = (
    "server_h, server_p, direction, service, effective, decode_as, engine, label_provenance, "
    "label_protocol, coalesce(decoder, 'mailtap') AS decoder"
)

#: Labelled sessions, one with each engine's label; and, where that is one engine, as counted: to
#: join once more would cost as much as all counts.
_LABELS = f"SELECT session_id, {_ANSWERED}, 1 AS n FROM verdicts_by_engine"
_COUNTED = f"SELECT {_ANSWERED}, n FROM servers"


@dataclass(frozen=True)
class Rater:
    """`provenance` is None for a decoder."""

    name: str
    provenance: str | None = None

    def __str__(self) -> str:
        return self.name if self.provenance is None else f"{self.name}/{self.provenance}"

    @property
    def guesses(self) -> bool:
        return self.provenance in GUESSED

    def answer(self) -> str:
        """SQL of its answer in a row of a session and a label; NULL where it isn't its own."""
        if self.provenance is None:
            return f"CASE WHEN decoder = '{self.name}' THEN {_DECODERS_ANSWER} END"
        return (
            f"CASE WHEN engine = '{self.name}' AND label_provenance = '{self.provenance}' "
            f"THEN coalesce(label_protocol, '{OTHER}') END"
        )


@dataclass(frozen=True)
class Answers:
    """Sessions of a server, port and side that all raters say the same about.

    `truth` is what the session is by a server's log; None where nobody knows.
    """

    server: str | None
    port: int | None
    direction: str | None
    given: tuple[str | None, ...]
    n: int = 1
    truth: str | None = None


def find_raters(engine: QueryEngine, *, several_labels: bool) -> tuple[Rater, ...]:
    """Those that rate the labelled sessions, decoders first.

    `several_labels`: a session may have labels of several engines.
    """
    labelled = _LABELS if several_labels else _COUNTED
    rows = engine.rows(
        "SELECT decoder, engine, label_provenance, CAST(sum(n) AS BIGINT) AS n "
        f"FROM ({labelled}) GROUP BY 1, 2, 3"
    )
    sizes: dict[Rater, int] = {}
    for row in rows:
        for rater in (Rater(row["decoder"]), Rater(row["engine"], row["label_provenance"])):
            sizes[rater] = sizes.get(rater, 0) + row["n"]
    most = sorted(sizes, key=lambda rater: (-sizes[rater], str(rater)))[:MAXIMUM_RATERS]
    return tuple(sorted(most, key=lambda rater: (rater.provenance is not None, str(rater))))


def answers_by_session(raters: Sequence[Rater], *, several_labels: bool) -> str:
    """SQL of what the raters say about each labelled session, in columns `r0`, `r1` and so on.

    `several_labels`: a session may have labels of several engines.
    """
    if not several_labels:
        return _answers("session_id, server_h", raters, _LABELS)
    listed = ", ".join(
        f"max({rater.answer()}) AS {name}" for name, rater in _columns(raters).items()
    )
    of_session = "session_id, server_h, server_p, direction"
    return f"SELECT {of_session}, {listed}, 1 AS n FROM ({_LABELS}) GROUP BY {of_session}"


def _answers(key: str, raters: Sequence[Rater], labelled: str) -> str:
    """SQL of the raters' answers in each row of labelled sessions."""
    listed = ", ".join(f"{rater.answer()} AS {name}" for name, rater in _columns(raters).items())
    return f"SELECT {key}, server_p, direction, {listed}, n FROM ({labelled})"


def _columns(raters: Sequence[Rater]) -> dict[str, Rater]:
    return {f"r{place}": rater for place, rater in enumerate(raters)}


def counted_answers(
    engine: QueryEngine, raters: Sequence[Rater], *, several_labels: bool
) -> list[Answers]:
    """The answers about all labelled sessions, counted."""
    (servers,) = engine.rows("SELECT count(DISTINCT server_h) AS n FROM servers")
    server = (
        "substr(md5(server_h), 1, 3)"  # as many groups as MAXIMUM_CLUSTERS
        if servers["n"] > MAXIMUM_CLUSTERS
        else "server_h"
    )
    names = list(_columns(raters))
    listed = ", ".join((f"{server} AS server", "server_p", "direction", *names))
    answers = (
        answers_by_session(raters, several_labels=True)
        if several_labels
        else _answers("server_h", raters, _COUNTED)
    )
    rows = engine.rows(
        f"SELECT {listed}, CAST(sum(n) AS BIGINT) AS n FROM ({answers}) "
        f"GROUP BY {', '.join(map(str, range(1, 4 + len(names))))}"
    )
    found = [
        Answers(
            row["server"],
            row["server_p"],
            row["direction"],
            tuple(row[name] for name in names),
            row["n"],
        )
        for row in rows
    ]
    return sorted(found, key=repr)  # engines differ in the order of groups


def ratings(
    answers: Iterable[Answers], raters: Sequence[Rater], question: str, mail_ports: Iterable[int]
) -> Ratings:
    """What the raters answer to whether a session is mail, or of one protocol.

    Clusters are servers, populations the policy's mail ports.
    """
    ports = {port: place for place, port in enumerate(mail_ports, 1)}
    clusters: dict[str | None, int] = {}
    rows = list(answers)
    return Ratings.of_columns(
        tuple(map(str, raters)),
        [clusters.setdefault(row.server, len(clusters)) for row in rows],
        [[_yes(answer, question) for answer in row.given] for row in rows],
        [row.n for row in rows],
        truth=[_yes(row.truth, question) for row in rows],
        population=[ports.get(row.port or 0, 0) for row in rows],
    )


def _yes(answer: str | None, question: str) -> int:
    if answer is None or (answer == MAIL != question):
        return MISSING
    return int(answer != OTHER if question == MAIL else answer == question)


def by_direction(answers: Iterable[Answers]) -> Mapping[str, list[Answers]]:
    """The answers about sessions of each side that is known."""
    found: dict[str, list[Answers]] = {}
    for row in answers:
        if row.direction is not None:
            found.setdefault(row.direction, []).append(row)
    return found
