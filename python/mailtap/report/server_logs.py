"""The mail servers' own logs beside the sessions: what each really was, and what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailtap.correlation.engines import QueryEngine, Row
from mailtap.errors import MailTapError
from mailtap.printable import printable
from mailtap.report.model import FieldRecall, Rate, ServerLogs
from mailtap.report.raters import MAIL, OTHER, Answers, Rater, answers_by_session
from mailtap.sessions.vocabulary import STARTTLS_TAKEN
from mailtap.truth import FORMATS, TruthLog, TruthSession, UnreadableLogError
from mailtap.truth.compare import losses, recalls, services
from mailtap.truth.evidence import TapSession
from mailtap.truth.match import SLACK, Certainty, match


class TruthError(MailTapError):
    """Server logs that can't be used; the message is one line that says why."""


@dataclass(frozen=True)
class Truth:
    """The sessions that servers logged, and what is wrong with the logs."""

    sessions: tuple[TruthSession, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_truth(text: str) -> tuple[Path, str | None]:
    """`FILE` or `FILE:FORMAT`. A file whose name has a colon is taken as it is if it exists.

    Raises TruthError.
    """
    path, colon, form = text.rpartition(":")
    if not colon or Path(text).exists():
        return Path(text), None
    if form not in FORMATS:
        raise TruthError(
            f"{printable(text)}: {printable(form)} is no format of server logs; known are "
            f"{', '.join(FORMATS)}"
        )
    return Path(path), form


def read_truth(files: Sequence[tuple[Path, str | None]]) -> Truth:
    """The sessions in logs: files, rotated and compressed ones, journald's export.

    Raises TruthError.
    """
    sessions: list[TruthSession] = []
    warnings: list[str] = []
    for form in dict.fromkeys(form for _, form in files):
        log = TruthLog([path for path, own in files if own == form], form)
        try:
            sessions += log
        except UnreadableLogError as error:
            raise TruthError(str(error)) from None
        except OSError as error:
            named = printable(str(error.filename))
            raise TruthError(f"{named}: {error.strerror}") from None
        warnings += (warning for file in log.files for warning in file.warnings())
    return Truth(tuple(sessions), tuple(warnings))


@dataclass(frozen=True)
class Compared:
    """The answers about the sessions of the logs' time, with their truth, and what was lost."""

    answers: tuple[Answers, ...]
    logs: ServerLogs
    truth_of: dict[int, str]  # by session_id


def compare_with_truth(
    engine: QueryEngine, truth: Truth, raters: Sequence[Rater], *, several_labels: bool
) -> Compared:
    """Matches the sessions of `whole_sessions`, which has details, with those of the logs."""
    first = min((one.start for one in truth.sessions), default=0.0) - SLACK
    last = max((one.end for one in truth.sessions), default=0.0) + SLACK
    rows = engine.rows(
        "SELECT session_id, ts, duration, client_h, client_p, server_h, server_p, direction, "
        "service, decoder, effective, decode_as, starttls, implicit_tls, helo, mailfrom, rcptto, "
        "mailfrom_count, rcptto_count, msg_id, messages, user_name FROM whole_sessions "
        f"WHERE ts <= {last!r} AND ts + coalesce(duration, 0) >= {first!r} "
        "AND client_h IS NOT NULL AND server_h IS NOT NULL ORDER BY ts, session_id"
    )
    tap = [_tap(row) for row in rows]
    matching = match(truth.sessions, tap)
    known = services(truth.sessions, tap, matching)
    labelled = _labelled(engine, raters, several_labels=several_labels)
    answers = tuple(
        Answers(
            row["server_h"],
            row["server_p"],
            row["direction"],
            labelled.get(row["session_id"]) or _decoder_alone(row, raters),
            truth=what,
        )
        for row, what in zip(rows, known, strict=True)
        if what is not None
    )
    lost = losses(truth.sessions, tap, matching)
    certainties = Counter(pair.certainty for pair in matching.matches)
    return Compared(
        answers,
        ServerLogs(
            sessions=len(truth.sessions),
            matched=len(matching.matches),
            by_certainty={str(kind): certainties[kind] for kind in Certainty},
            ambiguous=lost.ambiguous,
            unseen=lost.unseen,
            outside=len(matching.outside),
            unrecognised=lost.unrecognised,
            other_protocol=lost.other_protocol,
            recognised=lost.recognised,
            recall=tuple(
                FieldRecall(
                    one.field,
                    Rate(
                        round((one.figure.share or 0) * one.figure.n),
                        one.figure.share,
                        one.figure.ci95,
                    ),
                    one.figure.n,
                )
                for one in recalls(truth.sessions, tap, matching.matches)
                if one.figure.n
            ),
        ),
        {
            row["session_id"]: what
            for row, what in zip(rows, known, strict=True)
            if what is not None
        },
    )


def _tap(row: Row) -> TapSession:
    known = row["starttls"] is not None
    return TapSession(
        start=row["ts"],
        end=row["ts"] + (row["duration"] or 0),
        client_h=row["client_h"],
        client_p=row["client_p"],
        server_h=row["server_h"],
        server_p=row["server_p"],
        service=row["service"],
        helo=row["helo"],
        mailfrom=tuple(row["mailfrom"] or ()),
        rcptto=tuple(row["rcptto"] or ()),
        mailfrom_count=row["mailfrom_count"],
        rcptto_count=row["rcptto_count"],
        message_ids=() if row["msg_id"] is None else (row["msg_id"],),
        messages=row["messages"],
        user=row["user_name"],
        tls=row["starttls"] in STARTTLS_TAKEN or bool(row["implicit_tls"]) if known else None,
    )


def _labelled(
    engine: QueryEngine, raters: Sequence[Rater], *, several_labels: bool
) -> dict[int, tuple[str | None, ...]]:
    """The answers about sessions that have a label, by session_id."""
    if not any(rater.provenance for rater in raters):
        return {}
    names = [f"r{place}" for place in range(len(raters))]
    rows = engine.rows(
        f"SELECT session_id, {', '.join(names)} "
        f"FROM ({answers_by_session(raters, several_labels=several_labels)})"
    )
    return {row["session_id"]: tuple(row[name] for name in names) for row in rows}


def _decoder_alone(row: Row, raters: Sequence[Rater]) -> tuple[str | None, ...]:
    """The answers about a session without a label: the decoder's."""
    decoder = row["decoder"] or "mailtap"
    answer = row["service"] or (MAIL if row["decode_as"] == "MAIL" else OTHER)
    if row["effective"] is False:
        answer = None
    return tuple(
        answer if rater.provenance is None and rater.name == decoder else None for rater in raters
    )
