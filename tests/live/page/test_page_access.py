"""Who may read the page, and where it listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.live.page.access import Access, PageError, listener, read_token

TOKEN = "correct-horse-battery-staple"  # noqa: S105 -- of a test


def test_without_a_token_it_listens_on_loopback_only() -> None:
    with listener("127.0.0.1:0", None) as one:
        assert one.getsockname()[0] == "127.0.0.1"
    with listener("localhost:0", None):
        pass
    for address in ("0.0.0.0:0", "[::]:0"):
        with pytest.raises(PageError, match="a token is needed to listen beyond loopback"):
            listener(address, None)


def test_with_a_token_it_listens_anywhere() -> None:
    with listener("0.0.0.0:0", TOKEN) as one:
        assert one.getsockname()[0] == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    "address", ["", "8425", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "a:²"]
)
def test_what_is_no_address_is_one_clear_line(address: str) -> None:
    with pytest.raises(PageError, match=r"^not an address to listen on \(HOST:PORT\): .*$"):
        listener(address, None)


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PageError, match=rf"^can't listen on 127.0.0.1:{port}: .*in use.*$"):
            listener(f"127.0.0.1:{port}", None)


def test_a_token_is_read_without_the_space_around_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(file) == TOKEN


@pytest.mark.parametrize(
    "content", [b"", b"short\n", b"x" * 600, b"two words of a long sentence", b"\xff" * 30]
)
def test_what_is_no_token_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(PageError, match="a token is 22 to 512 letters"):
        read_token(file)


def test_a_token_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PageError, match=r"^the token can't be read: No such file.*$"):
        read_token(tmp_path / "none")


@pytest.mark.parametrize("host", ["127.0.0.1:8425", "localhost:8425", "LOCALHOST", "[::1]:8425"])
def test_without_a_token_loopback_names_are_served(host: str) -> None:
    assert Access(None).allows(host, "", "")


@pytest.mark.parametrize("host", ["", "evil.example:8425", "127.0.0.1.evil.example", "10.0.0.1:80"])
def test_without_a_token_other_names_are_not(host: str) -> None:
    """Or any web page could read this one, by pointing its own name at 127.0.0.1."""
    assert not Access(None).allows(host, "", "")


def test_the_token_opens_as_bearer_and_as_cookie() -> None:
    access = Access(TOKEN)
    assert access.allows("any.example", f"Bearer {TOKEN}", "")
    assert access.allows("any.example", f"bearer {TOKEN}", "")
    assert access.allows("any.example", "", access.cookie())


@given(st.text(max_size=60))
def test_nothing_else_opens(guess: str) -> None:
    access = Access(TOKEN)
    if guess not in (TOKEN, access.cookie()):
        assert not access.allows("127.0.0.1", f"Bearer {guess}", guess)
        assert not access.allows("127.0.0.1", guess, "")
        assert not access.allows("127.0.0.1", f"Basic {TOKEN}", TOKEN)


def test_the_cookie_does_not_tell_the_token_and_dies_with_it() -> None:
    assert TOKEN not in Access(TOKEN).cookie()
    assert Access(TOKEN).cookie() != Access(TOKEN + "2").cookie()
