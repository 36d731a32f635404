"""Sensors over TLS: whom live mode listens to, and what it says of those it doesn't."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from certificates import Certificates
from mailtap.live.sensors.transport import Tls
from mailtap.live.sensors.url import transport
from records import session
from running import running, until
from stand_in import StandIn, frame


def test_both_sides_verified(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)

    async def scenario() -> None:
        async with (
            StandIn(tls=certificates.of_server()) as zeek,
            running([transport(zeek.url, certificates.client)]) as mode,
        ):
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 11))
            state = await until(mode, lambda state: state.sessions == 10)
            assert state.sensors[0].url.startswith("wss://")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("name", "client", "said"),
    [
        ("127.0.0.1", "another authority's", "certificate verify failed"),
        ("127.0.0.1", "the system's", "certificate verify failed"),
        ("sensor.example", "verified", "not valid for '127.0.0.1'"),
        ("127.0.0.1", "without a certificate", "--tls-cert"),
    ],
)
def test_a_sensor_that_is_not_verified_is_not_listened_to_and_the_reason_shows(
    name: str, client: str, said: str, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path, name)
    tls = {
        "another authority's": dataclasses.replace(
            certificates.client, ca=Certificates(tmp_path).ca
        ),
        "the system's": dataclasses.replace(certificates.client, ca=None),
        "verified": certificates.client,
        "without a certificate": Tls(certificates.ca),
    }[client]

    async def scenario() -> None:
        async with (
            StandIn(tls=certificates.of_server()) as zeek,
            running([transport(zeek.url, tls)]) as mode,
        ):
            state = await until(mode, lambda state: bool(state.sensors[0].error))
            assert said in (state.sensors[0].error or "")
            assert not state.sensors[0].connected
            assert not zeek.subscriptions

    asyncio.run(scenario())
