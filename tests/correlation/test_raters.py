"""What raters say is counted with the verdicts where one engine labelled: as of single sessions."""

from __future__ import annotations

import itertools

from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.pipeline import correlate
from mailtap.policy import load_policy
from mailtap.report.counting import count_judged
from mailtap.report.raters import counted_answers, find_raters
from tables import database, label, session

ANSWERS = itertools.product(
    ({"service": "smtp"}, {"service": None}, {"service": None, "decode_as": "BASE"}),
    ({"effective": True}, {"effective": None}, {"effective": False}),
    ({"decoder": "mailtap"}, {"decoder": None}, {"decoder": "zeek", "direction": None}),
    ({"protocol": "smtp"}, {"protocol": "imap"}, {"protocol": None}),
    ({"provenance": "payload"}, {"provenance": "port"}),
)


def test_answers_as_counted_are_those_of_single_sessions() -> None:
    sessions, labels = [], []
    for number, (*of_session, protocol, provenance) in enumerate(ANSWERS, 1):
        port = 40_000 + number // 2  # some keys come again
        server = f"192.0.2.{number % 7}"
        fields = {name: value for one in of_session for name, value in one.items()}
        start = 1000.0 + 100 * number
        sessions.append(session(number, client_p=port, server_h=server, ts=start, **fields))
        labels.append(
            label(
                number,
                src_port=port,
                dst_ip=server,
                start=start,
                end=start + 10,
                **protocol,
                **provenance,
            )
        )
    engine = DuckDBEngine(database(sessions, labels))
    correlation = correlate(engine, load_policy())
    count_judged(engine, "0")
    assert not correlation.several_engines
    raters = find_raters(engine, several_labels=False)
    assert len(raters) == 4
    assert raters == find_raters(engine, several_labels=True)
    counted = counted_answers(engine, raters, several_labels=False)
    assert counted == counted_answers(engine, raters, several_labels=True)
    assert sum(answers.n for answers in counted) == len(sessions)
