"""What is served, to whom, and what a client can't do to it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from serving import Served, served
from snapshots import EVIL, hostile, usual

from mailtap.live.page import access, connections, server
from mailtap.live.page.view import SECTIONS

TOKEN = "correct-horse-battery-staple"  # noqa: S105 -- of a test


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    with served(usual()) as one:
        yield one


@pytest.fixture(scope="module")
def locked() -> Iterator[Served]:
    with served(usual(), TOKEN) as one:
        yield one


def ask(
    site: Served, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()


class Events:
    """A client of the stream."""

    def __init__(self, site: Served) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        self._connection.request("GET", "/events")
        self.answer = self._connection.getresponse()

    def next(self) -> dict[str, str]:
        while not (line := self.answer.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        sections: dict[str, str] = json.loads(line.removeprefix(b"data: "))
        return sections

    def close(self) -> None:
        self._connection.close()


def test_the_page_is_complete_before_any_event(site: Served) -> None:
    answer, text = ask(site, "/")
    assert answer.status == 200
    assert "decode_as agrees with the label in 58.3% of 100,000 sessions" in text
    assert all(f'<section id="{name}">' in text for name in SECTIONS)


def test_every_answer_forbids_what_it_does_not_need(site: Served) -> None:
    for path in ("/", "/metrics", "/healthz", "/nothing"):
        answer, _ = ask(site, path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_health_says_when_results_are_being_lost(site: Served) -> None:
    answer, text = ask(site, "/healthz")
    assert (answer.status, text) == (200, "ok\n")
    with served(hostile()) as failing:
        answer, text = ask(failing, "/healthz")
    assert (answer.status, text) == (503, "the store can't be written\n")


def test_metrics_are_prometheus_text(site: Served) -> None:
    answer, text = ask(site, "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert 'mailtap_verdicts{verdict="consistent"} 58298.0\n' in text


def test_text_of_others_is_escaped() -> None:
    with served(hostile()) as site:
        _, page = ask(site, "/")
        with closing(Events(site)) as events:
            sections = "".join(events.next().values())
    for text in (page, sections):
        assert EVIL not in text
        assert "<img" not in text
        assert "\x1b" not in text
        assert "&lt;img" in text


def test_an_event_has_what_changed_and_nothing_else() -> None:
    with served(usual()) as site, closing(Events(site)) as events:
        assert set(events.next()) == set(SECTIONS)
        site.show(replace(usual(), waiting=4_711))
        while not (changed := events.next()):
            pass
        assert set(changed) == {"join"}
        assert "4,711" in changed["join"]


def test_a_name_that_is_not_loopback_is_not_served_without_a_token(site: Served) -> None:
    for path in ("/", "/events", "/metrics", "/healthz"):
        answer, text = ask(site, path, Host="evil.example")
        assert (answer.status, text) == (421, "Use the loopback address.\n")


def test_with_a_token_data_is_for_who_has_it(locked: Served) -> None:
    for path in ("/events", "/metrics", "/nothing"):
        answer, text = ask(locked, path)
        assert (answer.status, text) == (401, "A bearer token is needed.\n")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer, text = ask(locked, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200
    assert "mailtap_verdicts" in text


def test_a_browser_signs_in_once(locked: Served) -> None:
    answer, _ = ask(locked, "/")
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer, text = ask(locked, "/sign-in", "POST", "token=guess", **form)
    assert answer.status == 403
    assert "That is not the token." in text
    answer, _ = ask(locked, "/sign-in", "POST", f"token={TOKEN}", **form)
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    answer, text = ask(locked, "/", Cookie=cookie.partition(";")[0])
    assert answer.status == 200
    assert "58.3%" in text


def test_a_form_without_end_is_refused(locked: Served) -> None:
    answer, _ = ask(locked, "/sign-in", "POST", "token=" + "x" * 1_000_000)
    assert answer.status == 403


def test_clients_beyond_the_limit_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MAXIMUM_CLIENTS", 1)
    with served(usual()) as site:
        with closing(Events(site)) as first:
            first.next()
            answer, text = ask(site, "/events")
            assert (answer.status, text) == (503, "Too many are watching.\n")
        # The place is free again once the server has noticed.
        for _ in range(50):
            with closing(Events(site)) as second:
                if second.answer.status == 200:
                    break
            time.sleep(0.1)
        else:
            pytest.fail("the place of a client that left was never free again")


def test_a_client_that_stops_reading_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "SLOW_CLIENT_SECONDS", 1)
    monkeypatch.setattr(server, "PACE", 0.01)
    with served(usual()) as site, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(("127.0.0.1", site.port))
        slow.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with closing(Events(site)) as quick:
            quick.next()
            deadline = time.monotonic() + 20
            number = 0
            while _is_held(site, slow):
                assert time.monotonic() < deadline, "it still holds its connection"
                number += 1
                changed = tuple(replace(one, uid=f"{number}") for one in usual().disagreements)
                site.show(replace(usual(), disagreements=changed))
                quick.next()


def _is_held(site: Served, client: socket.socket) -> bool:
    """Whether the server's end of the connection is still there; the client can't tell."""
    ends = f"0100007F:{site.port:04X} 0100007F:{client.getsockname()[1]:04X}"
    return ends in Path("/proc/net/tcp").read_text()


def test_it_ends_when_cancelled_though_clients_watch() -> None:
    with served(usual()) as site:
        watching = Events(site)
        watching.next()
    watching.close()


def test_connections_without_a_request_are_closed_and_keep_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MAXIMUM_CONNECTIONS", 8)
    with served(usual()) as site, ExitStack() as silent:
        for number in range(20):
            one = silent.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            if number % 2:
                one.sendall(b"GET / HTTP/1.1\r\nHost: ")
        answer, _ = ask(site, "/healthz")
        assert answer.status == 200


def test_a_request_that_does_not_come_whole_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    with served(usual()) as site:
        for beginning in (b"", b"GET / HTTP/1.1\r\nHost: "):
            with socket.create_connection(("127.0.0.1", site.port), timeout=10) as one:
                one.sendall(beginning)
                with suppress(ConnectionResetError):
                    assert one.recv(1_000) == b""


def test_connections_leave_descriptors_to_sensors(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = len(list(Path("/proc/self/fd").iterdir()))
    for more, room in ((1_000, connections.MAXIMUM_CONNECTIONS), (100, 20), (10, 1)):
        limits = (opened + more, opened + more)
        monkeypatch.setattr(connections.resource, "getrlimit", lambda _, limits=limits: limits)
        assert abs(connections.room_for_connections() - room) <= 2


def test_the_store_is_searched_from_the_page(site: Served, locked: Served) -> None:
    answer, text = ask(site, "/store/labels?address=192.0.2.1&uid=&port=25")
    assert answer.status == 200
    assert json.loads(text) == {"what": "labels", "address": "192.0.2.1", "most": 10_000}
    for wrong in ("sessions?port=x", "sessions?nothing=1", "sessions?most=5"):
        assert ask(site, f"/store/{wrong}")[0].status == 400
    assert ask(site, "/store/judgements")[0].status == 404
    assert ask(locked, "/store/sessions")[0].status == 401
    with served(replace(usual(), store=None)) as without:
        assert ask(without, "/store/sessions")[0].status == 404
