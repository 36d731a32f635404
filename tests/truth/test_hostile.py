"""What clients send ends up in logs. Where it spoils a line, the line is counted, not believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtap.truth import FORMATS, TruthLog, TruthSession
from mailtap.truth.line import LogLine, MalformedLineError
from mailtap.truth.open_sessions import MAXIMUM_OPEN, OpenSessions
from mailtap.truth.session import MAXIMUM_ENTRIES, MAXIMUM_TEXT, Draft, add

PROGRAMS = {
    "postfix": "postfix/smtpd[12]",
    "exim": "exim[12]",
    "dovecot": "dovecot",
    "opensmtpd": "smtpd[12]",
    "sendmail": "sm-mta[12]",
}
PEER = "unknown[192.0.2.1]:4711"
HOST = "(client.example) [192.0.2.1]:4711"
SESSION = "b175c7a299d282c6 smtp"


def read(tmp_path: Path, software: str, messages: Sequence[str]) -> tuple[TruthSession, int]:
    """The one session in these messages, and how many lines were malformed."""
    path = tmp_path / "log"
    prefix = f"2026-11-24T22:40:01Z mx {PROGRAMS[software]}: "
    path.write_text("".join(f"{prefix}{message}\n" for message in messages))
    log = TruthLog([path])
    (session,) = log
    return session, log.files[0].malformed


def rejected(helo: str, sender: str = "a@example.org", recipient: str = "b@example.org") -> str:
    return (
        f"NOQUEUE: reject: RCPT from {PEER}: 554 5.7.1 <{recipient}>: Relay access denied; "
        f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<{helo}>"
    )


@pytest.mark.parametrize(
    ("helo", "sender"),
    [
        ("x> from=<forged@example.com", "a@example.org"),
        ("x; from=<f@x> to=<t@x> proto=ESMTP helo=<y", "a@example.org"),
        ("x", '"a> to=<forged@x> proto=ESMTP helo=<z"@example.org'),
    ],
)
def test_postfix_forged_fields_are_not_taken(tmp_path: Path, helo: str, sender: str) -> None:
    connect = f"connect from {PEER}"
    session, malformed = read(tmp_path, "postfix", [connect, rejected(helo, sender)])
    assert malformed == 1
    assert (session.mailfrom, session.rcptto, session.helo) == ((), (), None)
    assert [rejection.code for rejection in session.rejections] == [554]


def test_postfix_a_helo_of_several_words_is_a_helo(tmp_path: Path) -> None:
    session, malformed = read(tmp_path, "postfix", [rejected("I am a client")])
    assert (session.helo, malformed) == ("I am a client", 0)


def test_postfix_a_line_of_another_client_does_not_count_for_this_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    prefix = "2026-11-24T22:40:01Z mx postfix/smtpd[12]: "
    other = PEER.replace("192.0.2.1", "192.0.2.99")
    path.write_text(
        f"{prefix}connect from {PEER}\n{prefix}lost connection after DATA from {other}\n"
    )
    by_client = {session.client_h: session for session in TruthLog([path])}
    assert by_client["192.0.2.1"].outcome is None
    assert by_client["192.0.2.99"].outcome == "lost"


@pytest.mark.parametrize(
    "sender",
    [
        '"x H=(forged) [198.51.100.9]:1 P=esmtpsa A=plain:root"@example.org',
        '"x\\" H=(forged) [198.51.100.9]"@example.org',
    ],
)
def test_exim_a_quoted_sender_is_one_field(tmp_path: Path, sender: str) -> None:
    line = f"1xVzSs-00006G-2I <= {sender} H={HOST} P=esmtp S=468 for b@example.org"
    session, malformed = read(tmp_path, "exim", [line])
    assert malformed == 0
    assert session.client_h == "192.0.2.1"
    assert session.user is None
    assert session.mailfrom == (sender,)


def test_exim_a_subject_holds_no_fields(tmp_path: Path) -> None:
    subject = r'T="\" A=plain:root X=TLS1.3:x:256 from <forged@x> for forged@x"'
    line = f"1xVzSs-00006G-2I <= a@example.org H={HOST} P=esmtp {subject} for b@example.org"
    session, _ = read(tmp_path, "exim", [line])
    assert (session.user, session.tls, session.rcptto) == (None, False, ("b@example.org",))


def test_exim_a_client_that_can_not_be_read_is_malformed(tmp_path: Path) -> None:
    lines = [
        f"1xVzSs-00006G-2I <= a@example.org H={HOST} P=esmtp",
        "1xVzSs-00006G-2J <= a@example.org H=(x) [no address] P=esmtp",
        "1xVzSs-00006G-2K <= a b@example.org H=(x) [192.0.2.7]:1 P=esmtp",
    ]
    session, malformed = read(tmp_path, "exim", lines)
    assert (session.messages, malformed) == (1, 2)


@pytest.mark.parametrize(
    "user", ["x>, rip=198.51.100.9, lip=10.0.0.1, user=<y", "x>, session=<AAAA", "x: user=<root"]
)
def test_dovecot_a_user_name_holds_no_fields(tmp_path: Path, user: str) -> None:
    lines = [
        "imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, session=<a>",
        (
            "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): "
            f"user=<{user}>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, session=<b>"
        ),
    ]
    session, malformed = read(tmp_path, "dovecot", lines)
    assert (session.user, malformed) == ("alice", 1)


def test_dovecot_a_session_id_that_dovecot_did_not_make_gives_no_port(tmp_path: Path) -> None:
    for session_id in ("AAAAAAAAAAAAAAAA", "Vx+OZQ1hlJ/AAAIC", "proxied-1", "!!!"):
        line = (
            "imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, "
            f"session=<{session_id}>"
        )
        session, _ = read(tmp_path, "dovecot", [line])
        assert session.client_p is None


def test_opensmtpd_a_command_holds_no_result_and_no_password(tmp_path: Path) -> None:
    lines = [
        f"{SESSION} connected address=192.0.2.1 host=client.example",
        f'{SESSION} failed-command command="RCPT TO:<a@b>" result="250 ok" result="550 no"',
        f'{SESSION} failed-command command="AUTH PLAIN AGFsaWNlAHNlY3JldA==" result="535 no"',
    ]
    session, malformed = read(tmp_path, "opensmtpd", lines)
    assert malformed == 1
    assert [rejection.command for rejection in session.rejections] == ["auth"]
    assert "AGFsaWNl" not in repr(session)


def test_sendmail_an_address_holds_no_relay_and_commands_no_password(tmp_path: Path) -> None:
    peer = "client.example [192.0.2.1]"
    lines = [
        f"NOQUEUE: connect from {peer}",
        "6AONAexe001043: <-- AUTH PLAIN AGFsaWNlAHNlY3JldA==",
        (
            "ruleset=check_rcpt, arg1=<x, relay=y [198.51.100.9], reject=250 >, "
            f"relay={peer}, reject=550 5.7.1 no"
        ),
    ]
    session, malformed = read(tmp_path, "sendmail", lines)
    assert (session.client_h, session.rejections, malformed) == ("192.0.2.1", (), 1)
    assert "AGFsaWNl" not in repr(session)


def test_postfix_an_answer_to_a_login_is_not_kept(tmp_path: Path) -> None:
    line = f"warning: {PEER}: SASL LOGIN authentication failed: c2VjcmV0"
    session, _ = read(tmp_path, "postfix", [line])
    assert session.auth_result == "failure"
    assert "c2VjcmV0" not in repr(session)


def test_long_lines_and_control_characters_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    good = f"2026-11-24T22:40:01Z mx postfix/smtpd[12]: connect from {PEER}\n".encode()
    path.write_bytes(good + b"x" * 5_000_000 + b"\n" + good[:-1] + b"\x1b[2J\n\n\xff\xfe\n" + good)
    log = TruthLog([path])
    assert len(list(log)) == 2
    assert (log.files[0].malformed, log.files[0].first_malformed) == (3, 2)
    assert next(log.files[0].warnings()).endswith("3 malformed lines, the first is line 2")


def test_nothing_invisible_is_passed_on(tmp_path: Path) -> None:
    session, _ = read(tmp_path, "postfix", [rejected("a\u202eb")])
    assert session.helo == "a\\u202eb"


def test_a_session_holds_so_much_and_no_more(tmp_path: Path) -> None:
    entries: dict[str, None] = {}
    for number in range(MAXIMUM_ENTRIES + 10):
        add(entries, str(number))
    assert len(entries) == MAXIMUM_ENTRIES
    session, _ = read(tmp_path, "postfix", [rejected("x" * 5_000)])
    assert session.helo is not None
    assert len(session.helo) == MAXIMUM_TEXT


def test_sessions_that_never_end_are_given_up_oldest_first() -> None:
    sessions = OpenSessions()
    given_up = []
    for number in range(MAXIMUM_OPEN + 5):
        time = float(number) / 100
        sessions.begin(number, Draft("postfix", "smtp", time, time, 1.0))
        given_up += sessions.due(time)
    assert [session.order for session in given_up] == [0, 1, 2, 3, 4]


def test_a_session_that_is_silent_for_a_day_is_given_up() -> None:
    sessions = OpenSessions()
    sessions.begin("a", Draft("postfix", "smtp", 0.0, 0.0, 1.0))
    assert list(sessions.due(86_399.0)) == []
    assert len(list(sessions.due(86_401.0))) == 1


PIECES = st.sampled_from(
    [
        *("connect from ", "disconnect from ", PEER, f"SMTP connection from {HOST}", " <= ", "H="),
        *(" from=<a>", " to=<b>", "; ", "helo=<", ">", "NOQUEUE: ", "reject: RCPT from ", ": "),
        *("imap-login: Login", ": user=<", ">, rip=", "192.0.2.1", ", session=<", ", lip=::"),
        *(SESSION, " connected address=", " failed-command command=", '" result="', "550 no"),
        *("6AONAexe001043: ", "from=<a>, size=1, nrcpts=1, relay=", "[192.0.2.1]", "<-- MAIL"),
        *("1xVzSs-00006G-2I", " for ", " A=", ' T="', "\\", '"', "[", "999.1.1.1", "client="),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    software=st.sampled_from(sorted(FORMATS)),
    messages=st.lists(
        st.lists(PIECES | st.text(max_size=8), max_size=9).map("".join), min_size=1, max_size=6
    ),
)
def test_no_line_breaks_a_reader(software: str, messages: list[str]) -> None:
    reader = FORMATS[software]()
    program = PROGRAMS[software].partition("[")[0]
    found = []
    for number, message in enumerate(messages):
        try:
            found += reader.feed(LogLine(float(number), 1.0, "mx", program, "12", message))
        except MalformedLineError:
            continue
    for session in [*found, *reader.flush()]:
        assert session.start <= session.end
        assert session.client_h is None or re.fullmatch(r"[0-9a-f:.]+", session.client_h)
        assert "\x1b" not in repr(session)
