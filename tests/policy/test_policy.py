"""The policy: shipped values, a site's file over them, and errors that say where."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailtap.policy import Expectation, Policy, PolicyError, load_policy


def overlaid(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    return load_policy(path)


def test_the_shipped_policy_is_the_fields() -> None:
    policy = load_policy()
    assert (policy.effective.packets, policy.effective.payload_bytes) == (3, 5)
    assert policy.mail_ports["smtp"] == (25, 465, 587)
    assert policy.join.community_id_seed == 0
    assert policy.redact == ()


def test_a_file_is_merged_key_by_key_and_lists_are_replaced(tmp_path: Path) -> None:
    policy = overlaid(
        tmp_path,
        "effective: {packets: 10}\nmail_ports: {smtp: [2525]}\n"
        "names: {Acme-Mail: {protocol: smtp}}\n",
    )
    assert (policy.effective.packets, policy.effective.payload_bytes) == (10, 5)
    assert policy.mail_ports["smtp"] == (2525,)
    assert policy.mail_ports["imap"] == (143, 993)
    assert policy.normal_label("generic", "acme-mail", None).protocol == "smtp"
    assert policy.normal_label("generic", "imap", None).protocol == "imap"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert overlaid(tmp_path, "# nothing yet\n") == load_policy()


@pytest.mark.parametrize(
    ("protocol", "encryption", "carrier", "expected"),
    [
        ("smtp", "none", None, (("MAIL",), ())),
        ("imap", "tls", None, (("SSL",), ("MAIL",))),
        ("imap", "none", "http", (("HTTP",), ("MAIL", "SSL"))),
        (None, "none", "vpn", (("BASE",), ("SSL",))),
        (None, "tls", None, (("SSL",), ("MAIL", "HTTP"))),
    ],
)
def test_what_a_label_expects(
    protocol: str, encryption: str, carrier: str, expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    expect = load_policy().expect
    of_encryption = expect.other if protocol is None else expect.mail
    expectation = expect.carrier[carrier] if carrier else of_encryption[encryption]
    assert expectation == Expectation(*expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("effective:\n  packet: 3\n", "site.yaml:2: effective.packet: unknown key"),
        ("effective:\n  packets: many\n", "site.yaml:2: effective.packets: must be a whole number"),
        ("join:\n\n  slack: -1\n", "site.yaml:3: join.slack: must be a number of seconds"),
        ("join: {slack: .inf}\n", "site.yaml:1: join.slack: must be"),
        ("mail_ports:\n  smtp: [25,\n    70000]\n", "site.yaml:3: mail_ports.smtp: must be"),
        ("mail_ports: 25\n", "site.yaml:1: mail_ports: must be a mapping"),
        ("names:\n  x: {protocol: nntp}\n", "site.yaml:2: names.x.protocol: must be one of: smtp"),
        ("names:\n  x: {label: maybe}\n", "site.yaml:2: names.x.label: must be true or false"),
        ("redact: subject\n", "site.yaml:1: redact: must be a list"),
        ("a: [1\n", "site.yaml:2: not valid YAML"),
        ("redact: []\nredact: []\n", "site.yaml:2: redact: the same key stands here twice"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("- 1\n", "site.yaml:1: must be a mapping"),
        ("[" * 100_000, "site.yaml"),
        ("a: \x00\n", "site.yaml: not valid YAML"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        overlaid(tmp_path, text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nothing\.yaml: No such file"):
        load_policy(tmp_path / "nothing.yaml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(PolicyError, match="not UTF-8"):
        load_policy(path)


def test_what_can_t_be_redacted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"site\.yaml:1: redact: must be one of: ts, duration"):
        overlaid(tmp_path, "redact: [subjct]\n")
