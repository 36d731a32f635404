"""Logs that real servers wrote in the laboratory, and the sessions in them.

Those of Postfix, Exim and Dovecot have the times at which they were written; those of OpenSMTPD and
Sendmail got times later.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mailtap.truth import Rejection, TruthLog, TruthSession

DATA = Path(__file__).parent / "data"
WRITTEN = 1_795_600_000.0  # 25 November 2026


def sessions(name: str) -> dict[int | None, TruthSession]:
    """By client port."""
    log = TruthLog([DATA / f"{name}.log"], latest=WRITTEN)
    found = list(log)
    assert [file.malformed for file in log.files] == [0]
    return {session.client_p: session for session in found}


def by_order(name: str) -> list[TruthSession]:
    return sorted(TruthLog([DATA / f"{name}.log"], latest=WRITTEN), key=lambda s: s.order)


def test_postfix_session_with_a_message() -> None:
    session = sessions("postfix")[53214]
    assert (session.software, session.protocol, session.service) == ("postfix", "smtp", "smtp")
    assert (session.client_h, session.host, session.whole) == ("192.0.2.1", "postfix", True)
    assert session.start == session.end == 1_795_561_098.0
    assert session.resolution == 1.0
    assert session.mailfrom == ("ann@example.org",)
    assert session.rcptto == ("alice@lab.test",)  # from the delivery, after the session's end
    assert session.queue_ids == ("CFADE670",)
    assert session.message_ids == ("<first.1@example.org>",)
    assert (session.messages, session.tls, session.outcome) == (1, False, "quit")
    assert session.commands == (
        ("ehlo", 1, 1),
        ("mail", 1, 1),
        ("rcpt", 1, 1),
        ("data", 1, 1),
        ("quit", 1, 1),
    )


def test_postfix_session_with_several_messages() -> None:
    session = sessions("postfix")[53236]
    assert session.mailfrom == ("ann@example.org", "bounces+1=a@example.org")
    assert session.rcptto == ("alice@lab.test", "bob@lab.test")
    assert session.messages == 3


def test_postfix_refuses_a_recipient() -> None:
    session = sessions("postfix")[53300]
    assert session.rejections == (Rejection("rcpt", 550, "nobody@lab.test"),)
    assert session.helo == "client.lab.test"
    assert session.mailfrom == ("ann@example.org",)
    assert session.messages == 0


def test_postfix_logins_and_tls() -> None:
    found = sessions("postfix")
    failed = found[53464]
    assert (failed.user, failed.auth, failed.auth_result) == ("alice", "PLAIN", "failure")
    encrypted = found[53546]
    assert encrypted.tls is True
    assert encrypted.tls_version == "TLSv1.3"
    assert encrypted.tls_cipher == "TLS_AES_256_GCM_SHA384"
    broken = found[53552]
    assert (broken.outcome, broken.tls) == ("tls_failed", False)


def test_exim_sessions() -> None:
    found = sessions("exim")
    plain = found[34722]
    assert plain.whole
    assert (plain.server_h, plain.server_p, plain.helo) == ("192.0.2.11", 25, "client.lab.test")
    assert (plain.mailfrom, plain.rcptto) == (("ann@example.org",), ("alice@lab.test",))
    assert plain.queue_ids == ("1xVzSs-00006G-2I",)
    assert plain.outcome == "quit"
    assert found[34754].messages == 3
    assert found[34754].rcptto == ("alice@lab.test", "bob@lab.test")
    assert found[34758].mailfrom == ("bounces+1=a@example.org", "ann@example.org")
    assert found[34758].rcptto == ("bob@lab.test", "alice@lab.test")


def test_exim_refusals_logins_and_tls() -> None:
    found = sessions("exim")
    assert found[34802].rejections == (Rejection("rcpt", None, "nobody@lab.test"),)
    assert found[34900].rejections == (Rejection("data", None, None),)
    assert found[34900].outcome == "lost"
    failed = found[34924]
    assert (failed.user, failed.auth, failed.auth_result) == ("alice", "plain_server", "failure")
    taken = found[34928]
    assert (taken.user, taken.auth_result) == ("alice", "success")
    encrypted = found[34994]
    assert (encrypted.tls, encrypted.tls_version) == (True, "TLSv1.3")
    assert found[34996].outcome == "tls_failed"
    # The line behind the end is of the same session.
    assert found[34850].commands == (
        ("ehlo", 1, 1),
        ("help", 1, 1),
        ("noop", 1, 1),
        ("quit", 1, 1),
    )


def test_dovecot_sessions() -> None:
    found = sessions("dovecot")
    pop3 = found[48400]
    assert (pop3.protocol, pop3.service, pop3.whole) == ("pop3", "pop3-login", True)
    assert (pop3.client_h, pop3.server_h) == ("192.0.2.1", "192.0.2.12")
    assert (pop3.user, pop3.auth, pop3.auth_result) == ("alice", "PLAIN", "success")
    assert pop3.outcome == "quit"
    assert pop3.start == pytest.approx(1_795_561_098.715, abs=0.5)
    assert pop3.start % 1 != 0  # the session ID knows it to the microsecond
    assert found[54928].protocol == "imap"
    assert found[48402].user is None
    assert found[48422].outcome == "lost"
    assert (found[48496].user, found[48496].auth_result) == ("alice", "failure")
    assert found[48536].auth == "APOP"
    assert found[48602].tls is True


def test_dovecots_session_id_gives_the_port_that_is_not_logged(tmp_path: Path) -> None:
    text = (DATA / "dovecot.log").read_text()
    path = tmp_path / "log"
    path.write_text("".join(line.replace(", rport=", ", x=") for line in text.splitlines(True)))
    found = {session.client_p for session in TruthLog([path], latest=WRITTEN)}
    assert found == set(sessions("dovecot"))


def test_opensmtpd_sessions() -> None:
    found = by_order("opensmtpd")
    first = found[0]
    assert (first.client_h, first.client_p, first.whole) == ("192.0.2.1", None, True)
    assert (first.mailfrom, first.rcptto) == (("ann@example.org",), ("alice@lab.test",))
    assert (first.messages, first.outcome, first.tls) == (1, "quit", False)
    assert found[1].client_h == "2001:db8::1"
    assert found[2].messages == 3
    assert found[3].rejections == (Rejection("nonsense", 500, None),)
    assert [session.outcome for session in found[4:]] == ["lost", "lost"]


def test_sendmail_sessions() -> None:
    found = by_order("sendmail")
    first = found[0]
    assert (first.client_h, first.client_p, first.helo) == ("192.0.2.1", None, "client.lab.test")
    assert first.mailfrom == ("ann@example.org",)
    assert first.queue_ids == ("6AONAexe001043",)
    assert found[1].rcptto == ("bob@lab.test", "alice@lab.test")
    assert found[2].outcome == "quit"
    refused = next(session for session in found if session.rejections)
    assert refused.rejections == (Rejection("rcpt", 550, "far@away.example"),)
    logins = [(s.user, s.auth, s.auth_result) for s in found if s.auth]
    assert logins == [("alice", "PLAIN", "success"), (None, "PLAIN", "failure")]
    assert found[-1].outcome == "lost"


@pytest.mark.parametrize("name", ["postfix", "exim", "dovecot", "opensmtpd", "sendmail"])
def test_every_session_of_one_client_is_identified(name: str) -> None:
    found = by_order(name)
    assert len({session.order for session in found}) == len(found)
    assert all(session.start <= session.end for session in found)


def test_a_log_of_several_servers(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("".join((DATA / f"{n}.log").read_text() for n in ("postfix", "dovecot")))
    software = {session.software for session in TruthLog([path], latest=WRITTEN)}
    assert software == {"postfix", "dovecot"}
    only = {session.software for session in TruthLog([path], form="dovecot", latest=WRITTEN)}
    assert only == {"dovecot"}
