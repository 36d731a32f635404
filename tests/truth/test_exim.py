"""Forms of Exim's lines, after its sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_lines import sessions
from mailtap.truth import Rejection, TruthLog


def test_by_default_has_messages_without_sessions(tmp_path: Path) -> None:
    path = tmp_path / "mainlog"
    path.write_text(
        "2026-11-24 22:40:01 1xVzSs-00006G-2I <= a@x H=mail.example [192.0.2.1] P=esmtps "
        "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 S=468 id=1@x\n"
        "2026-11-24 22:40:01 1xVzSs-00006G-2I => b@y R=local T=local\n"
        "2026-11-24 22:40:02 1xVzSs-00006G-2J <= <> H=(h) [192.0.2.1] P=esmtp S=4\n"
        "2026-11-24 22:40:02 1xVzSs-00006G-2K <= root@x U=root P=local S=4\n"
    )
    one, other = TruthLog([path])
    assert (one.part, one.whole, one.helo) == (True, False, "mail.example")
    assert (one.tls_version, one.tls_cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert (one.mailfrom, one.message_ids) == (("a@x",), ("<1@x>",))
    assert (other.mailfrom, other.helo, other.tls) == (("<>",), "h", False)


def test_with_process_ids_joins_a_session_and_its_connection(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "exim[1]: SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)",
        "exim[7]: H=(h) [192.0.2.1] F=<a@x> temporarily rejected RCPT <b@y>: 451 greylisted",
        "exim[7]: SMTP connection from (h) [192.0.2.1] D=2s closed by QUIT",
    )
    assert (session.whole, session.end - session.start) == (True, 2)
    assert session.rejections == (Rejection("rcpt", 451, "b@y"),)


def test_a_duration_gives_the_beginning(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "exim[7]: no MAIL in SMTP connection from (h) [192.0.2.1]:5 D=1m2.5s A=plain:bob "
        "C=EHLO,AUTH,QUIT",
    )
    assert session.end - session.start == pytest.approx(62.5)
    assert (session.user, session.auth_result) == ("bob", "success")


FAILED_DELIVERIES = (
    "Connection timed out",
    "Connection refused",
    "Network Error",
    "SMTP error from remote mail server after RCPT TO:<b@y>: 550 rejected RCPT <b@y>",
    "TLS error on connection (recv): A TLS fatal alert has been received",
)


@pytest.mark.parametrize("failure", FAILED_DELIVERIES)
def test_the_host_of_a_failed_delivery_is_no_client(tmp_path: Path, failure: str) -> None:
    (session,) = sessions(
        tmp_path,
        f"exim[7]: 1xVzSs-00006G-2I H=mx.example [198.51.100.1] {failure}",
        "exim[8]: H=(h) [192.0.2.1]:5 F=<a@x> rejected RCPT <b@y>: no",
    )
    assert session.client_h == "192.0.2.1"


@pytest.mark.parametrize(
    "line",
    [
        "1xVzSs-00006G-2I H=(h) [192.0.2.1]:5 F=<a@x> rejected after DATA: 550 spam",
        "1xVzSs-00006G-2I H=(h) [192.0.2.1]:5 Warning: looks like spam",
    ],
)
def test_a_client_is_named_while_its_message_is_received(tmp_path: Path, line: str) -> None:
    (session,) = sessions(tmp_path, f"exim[7]: {line}")
    assert (session.client_h, session.client_p) == ("192.0.2.1", 5)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("SMTP connection Ci=p77 from (h) [192.0.2.1]:5 I=[192.0.2.9]:25 closed by QUIT", "quit"),
        ("SMTP connection Ci=p77 from (h) [192.0.2.1]:5 lost while reading message data", "lost"),
        (
            (
                "1xVzSs-00006G-2I SMTP connection from (h) [192.0.2.1]:5 lost while reading "
                "message data (header)"
            ),
            "lost",
        ),
        (
            "1xVzSs-00006G-2I SMTP connection lost after final dot H=(h) [192.0.2.1]:5 P=esmtp",
            "lost",
        ),
        (
            (
                "1xVzSs-00006G-2I SMTP data timeout (message abandoned) on connection from "
                "(h) [192.0.2.1]:5 F=<a@x> D=5m"
            ),
            "timeout",
        ),
        ("refused connection from [192.0.2.1]:5 (host_reject_connection)", "refused"),
        (
            (
                "temporarily refused connection from [192.0.2.1]:5: not in reserve list: "
                "connected=21 max=20 reserve=5"
            ),
            "refused",
        ),
        ("Connection from [192.0.2.1]:5 refused: too many connections", "refused"),
        ("connection from [192.0.2.1]:5 refused (IP options)", "refused"),
        ("H=(h) [192.0.2.1]:5 dropped by 'connect' ACL: no", "refused"),
        (
            (
                "SMTP protocol synchronization error (input sent without waiting for greeting): "
                'rejected connection from H=[192.0.2.1]:5 input="EHLO x\\r\\n"'
            ),
            "refused",
        ),
    ],
)
def test_ends_of_a_session(tmp_path: Path, line: str, outcome: str) -> None:
    (session,) = sessions(tmp_path, f"exim[7]: {line}")
    assert (session.client_h, session.client_p, session.outcome) == ("192.0.2.1", 5, outcome)


@pytest.mark.parametrize(
    ("line", "rejection", "sender"),
    [
        ("rejected MAIL from (h) [192.0.2.1]:5: no HELO/EHLO given", Rejection("mail", None), ()),
        (
            "rejected EHLO from [192.0.2.1]:5: syntactically invalid argument(s): a_b",
            Rejection("ehlo", None),
            (),
        ),
        ('temporarily rejected "HELO a" from [192.0.2.1]:5: lookup', Rejection("helo", None), ()),
        (
            "rejected MAIL command H=(h) [192.0.2.1]:5: too many messages in one connection",
            Rejection("mail", None),
            (),
        ),
        (
            "rejected MAIL FROM:<a@x> H=(h) [192.0.2.1]:5: message too big: size=9 max=8",
            Rejection("mail", None),
            ("a@x",),
        ),
        (
            (
                "1xVzSs-00006G-2I rejected from <a@x> H=(h) [192.0.2.1]:5: message too big: read=9 "
                "max=8"
            ),
            Rejection("data", None),
            ("a@x",),
        ),
        (
            "H=(h) [192.0.2.1]:5 F=<a@x> rejected RCPT b@y: relay not permitted",
            Rejection("rcpt", None, "b@y"),
            ("a@x",),
        ),
    ],
)
def test_refused_commands(
    tmp_path: Path, line: str, rejection: Rejection, sender: tuple[str, ...]
) -> None:
    (session,) = sessions(tmp_path, f"exim[7]: {line}")
    assert (session.client_h, session.client_p) == ("192.0.2.1", 5)
    assert (session.rejections, session.mailfrom) == ((rejection,), sender)


def test_recipients_that_it_takes_and_discards(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path, "exim[7]: H=(h) [192.0.2.1]:5 F=<a@x> RCPT <b@y>: discarded by RCPT ACL"
    )
    assert (session.mailfrom, session.rcptto) == (("a@x",), ("b@y",))
    assert session.rejections == ()


def test_a_message_that_it_takes_and_says_it_refused(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path, "exim[7]: 1xVzSs-00006G-2I (= a@x H=(h) [192.0.2.1]:5 P=esmtp S=4 for b@y"
    )
    assert (session.mailfrom, session.rcptto, session.messages) == (("a@x",), ("b@y",), None)


@pytest.mark.parametrize("stamp", ["2026-11-24 22:40:01 ", "2026-11-24 22:40:01.123 +0100 [7] "])
def test_syslogs_lines_have_exims_own_time_too(tmp_path: Path, stamp: str) -> None:
    (session,) = sessions(tmp_path, f"exim[7]: {stamp}H=(h) [192.0.2.1]:5 rejected EHLO or HELO h")
    assert (session.client_p, session.rejections) == (5, (Rejection("ehlo", None),))


def test_a_command_out_of_place(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        'exim[7]: SMTP protocol error in "AUTH LOGIN" H=(h) [192.0.2.1]:5 AUTH command used when '
        "not advertised",
    )
    assert (session.client_h, session.rejections) == ("192.0.2.1", (Rejection("auth", None),))


def test_a_clients_command_names_no_other_client(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        'exim[7]: SMTP syntax error in "x" H=(y) [198.51.100.9] z" H=(h) [192.0.2.1]:5 '
        "unrecognized command",
    )
    assert session.client_h == "192.0.2.1"


def test_input_before_its_turn(tmp_path: Path) -> None:
    line = (
        "exim[7]: SMTP protocol synchronization error (next input sent too soon: pipelining was "
        'not advertised): rejected "{command}" H=(h) [192.0.2.1]:5 next input="RCPT TO:<b@y>\\r\\n"'
    )
    (session,) = sessions(tmp_path, line.format(command="MAIL FROM:<a@x>"))
    assert (session.client_p, session.outcome) == (5, "refused")
    assert session.rejections == (Rejection("mail", None),)
    # Which of two clients the server means can't be told.
    forged = 'x" H=(h) [198.51.100.9]:6 next input="y'
    assert sessions(tmp_path, line.format(command=forged)) == []


@pytest.mark.parametrize(
    ("line", "helo"),
    [
        ('H=mx.example [192.0.2.1]:5 rejected connection in "connect" ACL: no', None),
        ("H=mx.example [192.0.2.1]:5 dropped by 'connect' ACL: no", None),
        ("refused connection from mx.example [192.0.2.1]:5 (tcp wrappers)", None),
        ("no MAIL in SMTP connection from mx.example [192.0.2.1]:5 D=1s C=QUIT", None),
        ("SMTP connection from mx.example [192.0.2.1]:5 lost", None),
        (
            'rejected EHLO from mx.example [192.0.2.1]:5: syntactically invalid argument(s): a"b',
            None,
        ),
        ("H=mx.example [192.0.2.1]:5 F=<a@x> rejected RCPT <b@y>: no", "mx.example"),
        ("login authenticator failed for mx.example [192.0.2.1]:5: 535 no", "mx.example"),
        ("no MAIL in SMTP connection from mx.example [192.0.2.1]:5 D=1s C=EHLO,QUIT", "mx.example"),
    ],
)
def test_a_hosts_own_name_is_its_helo_only_behind_one(
    tmp_path: Path, line: str, helo: str | None
) -> None:
    """Exim writes one name where both are the same."""
    (session,) = sessions(tmp_path, f"exim[1]: {line}")
    assert session.helo == helo
