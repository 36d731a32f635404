"""Forms of lines that the excerpts of real logs don't have, after the servers' sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_lines import sessions
from mailtap.truth import Rejection


def test_postfix_without_ports_and_processes_side_by_side(tmp_path: Path) -> None:
    one, other = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from mail.example[192.0.2.1]",
        "postfix/smtpd[2]: connect from mail.example[192.0.2.1]",
        "postfix/smtpd[2]: 4Qx1yz2AbCz9k: client=mail.example[192.0.2.1]",
        "postfix/smtpd[1]: disconnect from mail.example[192.0.2.1] ehlo=1 quit=1 commands=2",
        "postfix/qmgr[9]: 4Qx1yz2AbCz9k: from=<>, size=4, nrcpt=1 (queue active)",
        "postfix/smtpd[2]: timeout after DATA (0 bytes) from mail.example[192.0.2.1]",
        "postfix/smtpd[2]: disconnect from mail.example[192.0.2.1] ehlo=1 mail=1 commands=2",
        "postfix/local[3]: 4Qx1yz2AbCz9k: to=<u@mx>, orig_to=<root@mx>, relay=local, delay=1",
    )
    assert (one.client_p, one.outcome, one.messages) == (None, "quit", 0)
    assert (other.outcome, other.messages) == ("timeout", 1)
    assert (other.mailfrom, other.rcptto) == (("<>",), ("root@mx",))


def test_postfix_counts_a_message_once_however_often_it_is_tried(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: 4Qx1yz2AbCz9k: client=mail.example[192.0.2.1]",
        *2 * ["postfix/qmgr[9]: 4Qx1yz2AbCz9k: from=<>, size=4, nrcpt=1 (queue active)"],
    )
    assert session.messages == 1


def test_postfix_counts_its_answers_to_data(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from mail.example[192.0.2.1]",
        "postfix/smtpd[1]: 4Qx1yz2AbCz9k: client=mail.example[192.0.2.1]",
        "postfix/smtpd[1]: disconnect from mail.example[192.0.2.1] ehlo=1 mail=3 rcpt=3 data=2/3",
        "postfix/qmgr[9]: 4Qx1yz2AbCz9k: from=<>, size=4, nrcpt=1 (queue active)",
    )
    assert session.messages == 2


def test_postfix_behind_a_proxy_that_names_its_client(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from proxy.example[192.0.2.9]:4711",
        "postfix/smtpd[1]: 4Qx1yz2AbCz9k: client=mail.example[198.51.100.7]:4711",
        "postfix/smtpd[1]: disconnect from mail.example[198.51.100.7]:4711 ehlo=2 xclient=0/1 "
        "mail=1 quit=1 commands=4/5",
    )
    # The tap sees the proxy.
    assert (session.client_h, session.client_p) == ("192.0.2.9", 4711)
    assert (session.whole, session.queue_ids) == (True, ("4Qx1yz2AbCz9k",))


def test_postfix_submission_with_a_login(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/submission/smtpd[1]: connect from unknown[2001:DB8::1]:4711",
        "postfix/submission/smtpd[1]: 4Qx1yz2AbCz9k: client=unknown[2001:db8::1]:4711, "
        "sasl_method=PLAIN, sasl_username=alice@example.org",
        "postfix/submission/smtpd[1]: disconnect from unknown[2001:db8::1]:4711 auth=1 commands=1",
    )
    assert (session.service, session.client_h) == ("submission", "2001:db8::1")
    assert (session.user, session.auth) == ("alice@example.org", "PLAIN")
    assert session.auth_result == "success"


def test_postfix_old_disconnect_without_counts_and_a_refused_connection(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from unknown[192.0.2.1]",
        "postfix/smtpd[1]: NOQUEUE: reject: CONNECT from unknown[192.0.2.1]: 554 5.7.1 "
        "<unknown[192.0.2.1]>: Client host rejected: Access denied; proto=SMTP",
        "postfix/smtpd[1]: lost connection after CONNECT from unknown[192.0.2.1]",
        "postfix/smtpd[1]: disconnect from unknown[192.0.2.1]",
    )
    assert session.rejections == (Rejection("connect", 554),)
    assert (session.outcome, session.whole, session.commands) == ("refused", True, ())


def test_postscreen_hands_over_and_turns_away(tmp_path: Path) -> None:
    passed, away = sessions(
        tmp_path,
        "postfix/postscreen[1]: CONNECT from [192.0.2.1]:4711 to [192.0.2.9]:25",
        "postfix/postscreen[1]: PASS NEW [192.0.2.1]:4711",
        "postfix/smtpd[2]: connect from unknown[192.0.2.1]:4711",
        "postfix/postscreen[1]: CONNECT from [192.0.2.5]:99 to [192.0.2.9]:25",
        "postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.5]:99: 550 5.7.1 Service "
        "unavailable; client [192.0.2.5] blocked; from=<a@x>, to=<b@y>, proto=ESMTP, helo=<z>",
        "postfix/postscreen[1]: DISCONNECT [192.0.2.5]:99",
        "postfix/smtpd[2]: disconnect from unknown[192.0.2.1]:4711 quit=1 commands=1",
    )
    assert (passed.server_h, passed.server_p, passed.service) == ("192.0.2.9", 25, "smtp")
    assert passed.end - passed.start == 6
    assert (away.service, away.outcome, away.helo) == ("postscreen", "closed", "z")
    assert away.rejections == (Rejection("rcpt", 550, "b@y"),)


LOGIN = "rip=192.0.2.1, lip=192.0.2.2"


def test_dovecot_2_4(tmp_path: Path) -> None:
    aborted, taken = sessions(
        tmp_path,
        f"dovecot: imap-login: Info: Login: user=<alice>, method=PLAIN, {LOGIN}, mpid=7, "
        "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits), session=<s1>",
        "dovecot: imap(alice)<7><s1>: Info: Disconnected: Connection closed (IDLE running) in=1",
        "dovecot: pop3-login: Info: Login aborted: Connection closed (auth failed, 1 attempts in "
        f"2 secs) (auth_failed): user=<bob>, method=PLAIN, {LOGIN}, session=<s2>",
    )
    assert aborted.start == taken.start
    by_user = {session.user: session for session in (aborted, taken)}
    assert (by_user["alice"].outcome, by_user["alice"].whole) == ("lost", True)
    assert by_user["alice"].tls_version == "TLSv1.3"
    assert by_user["alice"].tls_cipher == "TLS_AES_256_GCM_SHA384"
    assert (by_user["bob"].auth_result, by_user["bob"].outcome) == ("failure", "lost")


def test_dovecot_logs_the_port_where_the_site_wants_it(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path, f"dovecot: imap-login: Login: user=<a>, {LOGIN}, rport=4711, lport=143, secured"
    )
    assert (session.client_p, session.server_p, session.tls) == (4711, 143, False)


def test_dovecot_broken_handshake(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "dovecot: imap-login: Disconnected: Connection closed: SSL_accept() failed: error:0A "
        f"(no auth attempts in 0 secs): user=<>, {LOGIN}, TLS handshaking: SSL_accept() failed, "
        "session=<x>",
    )
    assert session.outcome == "tls_failed"


def test_dovecot_lmtp(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "dovecot: lmtp(12): Connect from 192.0.2.1",
        "dovecot: lmtp(alice)<12><id>: msgid=<1@x>: saved mail to INBOX",
        "dovecot: lmtp(12): Disconnect from 192.0.2.1: Logged out (state=READY)",
    )
    assert (session.protocol, session.rcptto, session.messages) == ("lmtp", ("alice",), 1)
    assert (session.outcome, session.message_ids) == ("quit", ("<1@x>",))


@pytest.mark.parametrize("event", ["", "event="])
def test_opensmtpd_login_and_tls(tmp_path: Path, event: str) -> None:
    (session,) = sessions(
        tmp_path,
        f"smtpd[1]: b175c7a299d282c6 smtp {event}connected address=192.0.2.1 host=client.example",
        "smtpd[1]: b175c7a299d282c6 smtp tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256",
        "smtpd[1]: b175c7a299d282c6 smtp authentication user=alice result=permfail",
        "smtpd[1]: b175c7a299d282c6 smtp authentication user=alice result=ok",
        f"smtpd[1]: b175c7a299d282c6 smtp {event}disconnected reason=quit",
    )
    assert (session.tls, session.tls_version) == (True, "TLSv1.3")
    assert session.tls_cipher == "TLS_AES_256_GCM_SHA384"
    assert (session.user, session.auth_result) == ("alice", "success")


def test_sendmail_delivery_tls_and_ipv6(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "sm-mta[5]: STARTTLS=server, relay=mail.example [IPv6:2001:db8::1], version=TLSv1.3, "
        "verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
        "sm-mta[5]: 6AONAexe001043: from=<a@x>, size=256, class=0, nrcpts=2, msgid=<1@x>, "
        "bodytype=8BITMIME, proto=ESMTPS, daemon=MTA, relay=mail.example [IPv6:2001:db8::1]",
        "sm-mta[6]: 6AONAexe001043: to=<b@y>,<c@y>, delay=00:00:01, xdelay=00:00:01, "
        "mailer=local, pri=1, dsn=2.0.0, stat=Sent",
    )
    assert (session.client_h, session.tls_version) == ("2001:db8::1", "TLSv1.3")
    assert (session.mailfrom, session.rcptto) == (("a@x",), ("b@y", "c@y"))
    assert session.message_ids == ("<1@x>",)


def test_postfix_with_a_content_filter_before_its_queue(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from unknown[192.0.2.1]:4711",
        "postfix/smtpd[1]: NOQUEUE: client=unknown[192.0.2.1]:4711",
        "postfix/smtpd[1]: proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as DF66E940333; "
        "from=<a@x> to=<b@y> proto=ESMTP helo=<h>",
        "postfix/smtpd[1]: NOQUEUE: client=unknown[192.0.2.1]:4711",
        "postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 554 5.7.0 spam; from=<c@x> to=<d@y> "
        "proto=ESMTP helo=<h>",
        "postfix/smtpd[1]: disconnect from unknown[192.0.2.1]:4711 mail=2 rcpt=2 data=1/2",
    )
    assert (session.messages, session.helo) == (1, "h")
    assert (session.mailfrom, session.rcptto) == (("a@x", "c@x"), ("b@y", "d@y"))
    assert session.rejections == (Rejection("data", 554, "d@y"),)


@pytest.mark.parametrize("action", ["filter", "hold", "discard", "redirect", "reject_warning"])
def test_postfix_actions_of_the_site_name_the_envelope(tmp_path: Path, action: str) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from unknown[192.0.2.1]:4711",
        f"postfix/smtpd[1]: NOQUEUE: {action}: RCPT from unknown[192.0.2.1]:4711: 553 5.7.1 "
        "<a@x>: Sender address triggers it; from=<a@x> to=<b@y> proto=ESMTP helo=<h>",
    )
    assert (session.mailfrom, session.rcptto, session.helo) == (("a@x",), ("b@y",), "h")
    assert session.rejections == ()


def test_postfix_a_milter_refuses_the_message(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/smtpd[1]: connect from unknown[192.0.2.1]:4711",
        "postfix/smtpd[1]: 4Qx1yz2AbCz9k: client=unknown[192.0.2.1]:4711",
        "postfix/cleanup[2]: 4Qx1yz2AbCz9k: milter-reject: END-OF-MESSAGE from "
        "unknown[192.0.2.1]:4711: 5.7.1 spam; from=<a@x> to=<b@y> proto=ESMTP helo=<h>",
    )
    assert (session.messages, session.rejections) == (0, (Rejection("data", None, "b@y"),))
    assert (session.mailfrom, session.rcptto) == (("a@x",), ("b@y",))


def test_postfix_a_client_that_was_gone_before_it_was_asked(tmp_path: Path) -> None:
    lines = ("connect from unknown[unknown]", "disconnect from unknown[unknown] commands=0/0")
    assert sessions(tmp_path, *(f"postfix/smtpd[1]: {line}" for line in lines)) == []


def test_postscreen_with_all_ports_busy(tmp_path: Path) -> None:
    (session,) = sessions(
        tmp_path,
        "postfix/postscreen[1]: CONNECT from [192.0.2.1]:4711 to [192.0.2.9]:25",
        "postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [192.0.2.1]:4711: all server ports "
        "busy",
        "postfix/postscreen[1]: DISCONNECT [192.0.2.1]:4711",
    )
    assert (session.outcome, session.rejections) == ("refused", (Rejection("connect", None),))


@pytest.mark.parametrize(
    ("line", "outcome", "result"),
    [
        ("pop3-login: Aborted login (tried to use disabled plaintext auth): {}", "closed", None),
        ("imap-login: Disconnected (auth failed, 1 attempts): method=PLAIN, {}", "lost", "failure"),
        ("pop3-login: Disconnected: Inactivity (no auth attempts): {}, TLS", "timeout", None),
        (
            (
                "submission-login: Client has quit the connection (auth failed, 1 attempts in 2 "
                "secs): user=<u>, method=LOGIN, {}"
            ),
            "quit",
            "failure",
        ),
        (
            "submission-login: Remote closed connection (no auth attempts in 1 secs): user=<>, {}",
            "lost",
            None,
        ),
    ],
)
def test_dovecot_ends_without_a_login(
    tmp_path: Path, line: str, outcome: str, result: str | None
) -> None:
    (session,) = sessions(tmp_path, "dovecot: " + line.format(LOGIN))
    assert (session.client_h, session.server_h) == ("192.0.2.1", "192.0.2.2")
    assert (session.outcome, session.auth_result) == (outcome, result)


def test_dovecot_as_a_proxy(tmp_path: Path) -> None:
    rest = f"user=<bob>, method=PLAIN, {LOGIN}, TLS, session=<s1>"
    (session,) = sessions(
        tmp_path,
        f"dovecot: imap-login: proxy(bob): started proxying to 192.0.2.8:143 (0.1 secs): {rest}",
        "dovecot: imap-login: proxy(bob): disconnecting 192.0.2.1 (Disconnected by client: "
        f"EOF(60s idle, in=219, out=1403)): {rest}",
    )
    assert (session.user, session.auth_result, session.outcome) == ("bob", "success", "lost")
    assert session.end - session.start == 1


def test_dovecots_managesieve_is_no_mail(tmp_path: Path) -> None:
    line = f"Disconnected: Too many invalid commands. (no auth attempts): user=<>, {LOGIN}"
    lines = (f"managesieve-login: {line}", f"imap-login: {line}")
    (session,) = sessions(tmp_path, *(f"dovecot: {line}" for line in lines))
    assert session.protocol == "imap"


def test_sendmail_lines_of_a_client_that_sends_no_mail(tmp_path: Path) -> None:
    attack, early = sessions(
        tmp_path,
        "sm-mta[5]: 6AONAexe001043: [192.0.2.1]: possible SMTP attack: command=AUTH, count=5",
        "sm-acceptingconnections[6]: 6AONAexe001044: rejecting commands from x.example "
        "[192.0.2.2] due to pre-greeting traffic after 6 seconds",
    )
    assert (attack.client_h, attack.outcome) == ("192.0.2.1", None)
    assert (early.client_h, early.outcome) == ("192.0.2.2", "refused")
