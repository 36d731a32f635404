"""The funnel over whole sources: the field's figures, every session in one place, and advice."""

from __future__ import annotations

import json
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import mailtap
from fieldcapture.capture import write_capture
from fieldcapture.gateway import write_gateway_export
from fieldcapture.makeup import COLUMNS
from mailtap.report.text import render
from truth_labels import write_labels

#: By make-up of the field capture: sessions, effective, mail, and mail without STARTTLS.
FIELD = {
    "port25": (12_670, 5_775, 5_017, 5_017 - 1_298, 5_017 - 1_298 - 309),
    "mixed": (17_963, 8_343, 6_714, 6_714 - 2_124, 6_714 - 2_124 - 832),
}


#: The field's engine calls every session mail, by the port.
PROTOCOLS = {25: "smtp", 110: "pop3", 143: "imap"}


def sums_are_exact(funnel: list[dict[str, Any]]) -> bool:
    return all(
        step["n"] == following["n"] + sum(loss["n"] for loss in step["lost"])
        for step, following in pairwise(funnel)
    )


@pytest.fixture(scope="module", params=list(FIELD))
def field(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("field")
    capture, truth = folder / "field.pcap", folder / "truth.jsonl"
    write_capture(COLUMNS[request.param](), 1, capture, truth)
    labels = folder / "labels.csv"
    write_labels(truth, labels, PROTOCOLS.__getitem__, "port")
    with mailtap.analyze(capture, labels=[labels], keep_sessions=False) as found:
        return request.param, found.to_dict()


def test_the_field_captures_give_the_field_s_figures(field: Any) -> None:
    name, document = field
    steps = {step["step"]: step["n"] for step in document["funnel"]}
    labelled, *rest = FIELD[name]
    assert steps["labelled"] == steps["matched"] == labelled
    assert [steps[step] for step in ("effective", "recognised", "readable", "addresses")] == rest
    assert sums_are_exact(document["funnel"])


def test_every_loss_of_the_field_captures_has_its_cause(field: Any) -> None:
    _, document = field
    lost = {
        (step["step"], loss["cause"]): loss["n"]
        for step in document["funnel"]
        for loss in step["lost"]
    }
    assert not any("unexplained" in place for place in lost)
    assert lost["recognised", "starttls"] == document["mail"]["starttls"]


def test_base_sessions_are_explained_without_the_label(field: Any) -> None:
    _, document = field
    base = document["base"]
    assert base["sessions"] == document["decode_as"]["BASE"]
    assert sum(cause["n"] for cause in base["causes"]) == base["sessions"]
    assert {cause["cause"] for cause in base["causes"]} == {
        "no_payload",
        "below_threshold",
        "not_mail",
    }
    assert all(cause["text"] for cause in base["causes"])


def test_guesses_are_no_disagreement_but_have_an_action(field: Any) -> None:
    _, document = field
    both = document["consistency"]["both_decoded"]
    assert (both["matched"], both["port_guesses"]) == (0, document["sessions"])
    actions = {action["cause"]: action for action in document["actions"]}
    assert actions["label_port_guess"]["n"] == document["decode_as"]["BASE"]
    assert actions["starttls"]["action"] == "nothing_encrypted"
    assert actions["starttls"]["examples"]


def test_the_gateway_s_export(tmp_path: Path) -> None:
    write_gateway_export(tmp_path / "export.csv")
    made = mailtap.report(tmp_path / "export.csv", keep_sessions=False)
    document = made.to_dict()
    steps = {step["step"]: step for step in document["funnel"]}
    assert steps["labelled"]["n"] == steps["effective"]["n"] == 100_000
    assert steps["recognised"]["n"] == 58_298
    assert steps["addresses"]["n"] == 0
    assert steps["readable"]["lost"] == [{"cause": "not_known", "n": 58_298}]
    actions = {(one["cause"], one["action"], one["n"]) for one in document["actions"]}
    assert ("not_known", "export_session_records", 58_298) in actions
    assert document["base"]["sessions"] == 41_687
    assert sums_are_exact(document["funnel"])
    # A terminal ends with how the report began.
    for terminal in True, False:
        file = StringIO()
        render(made.figures, Console(file=file, force_terminal=terminal, width=200))
        last = file.getvalue().splitlines()[-1]
        assert terminal == ("41,687 of" in last and "are BASE" in last and "at the top" in last)


def session(number: int, **more: object) -> dict[str, object]:
    return {
        "ts": 1000.0 + number,
        "duration": 1.0,
        "uid": f"C{number}",
        "id.orig_h": "198.51.100.7",
        "id.orig_p": 40000 + number,
        "id.resp_h": "192.0.2.25",
        "id.resp_p": 25,
        "client_h": "198.51.100.7",
        "client_p": 40000 + number,
        "server_h": "192.0.2.25",
        "server_p": 25,
        "direction": "c2s",
        "starttls": "none",
        "implicit_tls": False,
        "decode_as": "BASE",
        "effective": True,
        "client_pkts": 6,
        "client_bytes": 100,
        "server_pkts": 0,
        "server_bytes": 0,
        "gap_bytes": 0,
        "midstream": False,
    } | more


MAIL = {"service": "smtp", "decode_as": "MAIL"}
#: What a gateway's bare export has.
BARE: dict[str, object] = {
    "direction": "bidirectional",
    **dict.fromkeys(("starttls", "implicit_tls", "gap_bytes", "midstream")),
}
TROUBLES: dict[str, tuple[dict[str, object], str]] = {
    "no_payload": ({"client_bytes": 0, "effective": False}, "look_for_missing_payload"),
    "below_threshold": ({"effective": False}, "nothing_too_short"),
    "not_mail": ({}, "ask_engine_about_not_mail"),
    "midstream": ({"midstream": True}, "start_before_sessions"),
    "gap": ({"gap_bytes": 50}, "stop_packet_loss"),
    "starttls": (MAIL | {"starttls": "tls", "empty_cause": "starttls"}, "nothing_encrypted"),
    "implicit_tls": (MAIL | {"implicit_tls": True}, "nothing_encrypted"),
    "server_side_only": (MAIL | {"empty_cause": "server_side_only"}, "mirror_client_side"),
    "client_side_only": (MAIL | {"empty_cause": "client_side_only"}, "mirror_server_side"),
    "hello_only": (MAIL | {"empty_cause": "hello_only"}, "nothing_without_message"),
    "oneway": ({"starttls": None}, "look_at_mirror"),
    "nonstandard_port": (BARE | {"server_p": 2525, "id.resp_p": 2525}, "add_port"),
    "unexplained": (BARE, "report_unexplained"),
}


@pytest.mark.parametrize("cause", TROUBLES)
def test_sessions_of_one_trouble_have_its_action(cause: str, tmp_path: Path) -> None:
    fields, action = TROUBLES[cause]
    port = fields.get("server_p", 25)
    lines = [session(number, **fields) for number in range(3)]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows = "".join(
        f"198.51.100.7,{40000 + n},192.0.2.25,{port},{1000 + n},smtp,payload\n" for n in (0, 1, 2)
    )
    heading = "src_ip,src_port,dst_ip,dst_port,start,app,provenance\n"
    (tmp_path / "labels.csv").write_text(heading + rows)
    found = mailtap.report(tmp_path / "s.jsonl", labels=[tmp_path / "labels.csv"]).to_dict()
    assert [(one["cause"], one["action"], one["n"]) for one in found["actions"]] == [
        (cause, action, 3)
    ]
    assert set(found["actions"][0]["examples"]) == {"C0", "C2"}


def test_labels_that_contradict_each_other_have_their_action(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps(session(0)) + "\n")
    heading = "src_ip,src_port,dst_ip,dst_port,start,app,provenance\n"
    rows = (f"198.51.100.7,40000,192.0.2.25,25,1000,{app},payload\n" for app in ("smtp", "imap"))
    (tmp_path / "labels.csv").write_text(heading + "".join(rows))
    found = mailtap.report(tmp_path / "s.jsonl", labels=[tmp_path / "labels.csv"]).to_dict()
    assert [(one["cause"], one["action"]) for one in found["actions"]] == [
        ("ambiguous", "tell_labels_apart")
    ]


CONN = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t"
    "orig_bytes\tresp_bytes\thistory\tmissed_bytes\torig_pkts\tresp_pkts\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\t"
    "count\tcount\tcount\n"
    "1000.0\tC1\t198.51.100.7\t40000\t192.0.2.25\t143\ttcp\t-\t1.0\t100\t100\tShADad\t0\t6\t6\n"
)


@pytest.mark.parametrize(("version", "cause"), [("", "unsupported"), ("99.0", "unexplained")])
def test_what_stock_zeek_does_not_recognise_is_unsupported(
    version: str, cause: str, tmp_path: Path
) -> None:
    (tmp_path / "conn.log").write_text(CONN)
    (tmp_path / "labels.csv").write_text(
        "src_ip,src_port,dst_ip,dst_port,start,app,provenance\n"
        "198.51.100.7,40000,192.0.2.25,143,1000,imap,payload\n"
    )
    policy = tmp_path / "policy.yaml"
    policy.write_text(f'unsupported: {{zeek: {{version: "{version}"}}}}\n')
    found = mailtap.report(
        tmp_path / "conn.log", labels=[tmp_path / "labels.csv"], policy=policy
    ).to_dict()
    assert {name for name, n in found["consistency"]["causes"].items() if n} == {cause}
    action = {"unsupported": "use_decoder_that_knows", "unexplained": "report_unexplained"}[cause]
    assert [one["action"] for one in found["actions"]] == [action]
    assert [one["cause"] for one in found["base"]["causes"]] == [cause]
