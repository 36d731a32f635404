"""Who is right: raters against a server's own log, and how they agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mailtap

SESSION = {
    "duration": 2.0,
    "direction": "bidirectional",
    "starttls": "none",
    "implicit_tls": False,
    "effective": True,
    "client_pkts": 6,
    "client_bytes": 100,
    "server_pkts": 6,
    "server_bytes": 100,
    "gap_bytes": 0,
    "midstream": False,
}
MAIL = {"service": "smtp", "decode_as": "MAIL", "mailfrom": ["a@example.com"], "helo": "there"}

#: Sessions on a server's port 25 by the client's port: what the decoder made of them.
DECODED: dict[int, dict[str, Any]] = {
    40_000: MAIL,
    40_001: {"decode_as": "BASE"},  # mail, by the log
    40_002: {"decode_as": "BASE"},  # not in the log
    40_003: MAIL,
}


def line(port: int, fields: dict[str, Any]) -> str:
    ends = {"h": ("198.51.100.7", "192.0.2.25"), "p": (port, 25)}
    named = {
        f"{role}_{part}": values[side]
        for part, values in ends.items()
        for side, roles in enumerate((("id.orig", "client"), ("id.resp", "server")))
        for role in roles
    }
    start = 1_000.0 + 10 * (port - 40_000)
    return json.dumps(SESSION | named | {"ts": start, "uid": f"C{port}"} | fields) + "\n"


def connection(second: int, port: int, process: int) -> str:
    def logged(after: int, text: str) -> str:
        minute, rest = divmod(second + after, 60)
        return f"1970-01-01T00:{minute:02}:{rest:02}+00:00 mx postfix/smtpd[{process}]: {text}\n"

    client = f"unknown[198.51.100.7]:{port}"
    return (
        logged(0, f"connect from {client}")
        + logged(1, f"{process}ABC: client={client}")
        + logged(2, f"disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")
    )


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("accuracy")
    sessions, log = folder / "sessions.jsonl", folder / "mail.log"
    sessions.write_text("".join(line(port, fields) for port, fields in DECODED.items()))
    # The last one, on no session's port, was lost by the mirror.
    log.write_text(
        "".join(
            connection(1_000 + 10 * (port - 40_000), port, number)
            for number, port in enumerate((40_000, 40_001, 40_003), 1)
        )
        + connection(1_015, 50_000, 9)
    )
    labels = folder / "labels.csv"
    labels.write_text(
        "src_ip,src_port,dst_ip,dst_port,start,end,app,provenance\n"
        + "".join(
            f"198.51.100.7,{port},192.0.2.25,25,{1_000 + 10 * (port - 40_000)},"
            f"{1_002 + 10 * (port - 40_000)},smtp,payload\n"
            for port in DECODED
        )
    )
    with mailtap.report(
        sessions, labels=[f"dpi={labels}"], truth=[f"{log}:postfix"], keep_sessions=False
    ) as found:
        return found.to_dict()


def test_each_logged_session_is_in_one_place(document: dict[str, Any]) -> None:
    logs = document["accuracy"]["server_logs"]
    assert (logs["sessions"], logs["matched"], logs["by_certainty"]["port"]) == (4, 3, 3)
    assert (logs["unseen"], logs["ambiguous"], logs["outside"]) == (1, 0, 0)
    assert (logs["recognised"], logs["unrecognised"], logs["other_protocol"]) == (2, 1, 0)


def test_raters_have_the_figures_of_the_log(document: dict[str, Any]) -> None:
    accuracy = document["accuracy"]
    assert (accuracy["basis"], accuracy["refused"]) == ("truth", None)
    of_mail = {
        (one["rater"], one["provenance"]): one
        for one in accuracy["raters"]
        if one["of"] == "mail" and one["direction"] is None
    }
    decoder, label = of_mail["mailtap", None], of_mail["dpi", "payload"]
    assert (decoder["sensitivity"]["share"], decoder["sensitivity"]["n"]) == (
        pytest.approx(2 / 3),
        3,
    )
    assert decoder["specificity"]["share"] == decoder["ppv"]["share"] == 1.0
    assert label["sensitivity"]["share"] == 1.0
    assert label["specificity"]["share"] == 0.0
    assert accuracy["prevalence"]["share"] == pytest.approx(3 / 4)


def test_raters_agreement(document: dict[str, Any]) -> None:
    (pair,) = document["agreement"]
    assert (pair["a"], pair["b"], pair["n"]) == ("mailtap", "dpi/payload", 4)
    assert pair["agreeing"] == 0.5
    assert pair["kappa"] == 0.0  # one of the two says the same of all sessions


def test_a_format_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(line(40_000, MAIL))
    with pytest.raises(mailtap.MailTapError, match="qmail is no format of server logs"):
        mailtap.report(tmp_path / "s.jsonl", truth=[f"{tmp_path}/mail.log:qmail"])
