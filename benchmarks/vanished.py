"""Offers of STARTTLS that vanish: how often chance looks so, and what is found.

    python benchmarks/vanished.py [--days N] [--part alarms|power]...

alarms  Days of a server with which nobody tampers: the days with an alarm, of so many. At the
        default setting it should be fewer than 1 in 10,000. In the last rows a client's sessions
        come in runs that see the same, which the test takes for a change: they show how far its
        assumption carries.
power   One hour of the day in which offers are stripped from all or a part of the sessions: the
        share of days on which that hour is found, by the number of sessions stripped. `live`: with
        the chance that live mode allows each of its looks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))

from mailtap.live.core.encryption import FALSE_ALARMS_OF_A_LOOK
from mailtap.report.vanished import FALSE_ALARMS
from server_days import Server, false_alarms, power

QUIET = {
    "20 clients, 2 % see no offer": Server((0.02,) * 20, 2.0),
    "20 clients, from 0 to 95 %": Server([n / 20 for n in range(20)], 2.0),
    "5 busy clients, 50 %": Server((0.5,) * 5, 20.0),
    "1 busy client, 10 %": Server((0.1,), 50.0),
    "300 rare clients, 20 %": Server((0.2,) * 300, 0.1),
    "20 clients, 10 %, half in runs": Server((0.1,) * 20, 2.0, runs=0.5),
    "20 clients, 10 %, nine tenths in runs": Server((0.1,) * 20, 2.0, runs=0.9),
    "2 clients, 10 %, half in runs": Server((0.1,) * 2, 2.0, runs=0.5),
}

TAMPERED = {
    "no session without an offer before": (0.0,),
    "2 % before": (0.02,),
    "20 % before": (0.2,),
    "a fifth of the clients never see one": (0.0, 0.0, 0.0, 0.0, 1.0),
}


def alarms(days: int) -> None:
    click.echo(f"{'alarms':<42} {'days':>8} {'alarms':>7}   at 100 times the level")
    for name, server in QUIET.items():
        few = days // 20
        loose = false_alarms(server, few, 100 * FALSE_ALARMS)
        click.echo(f"{name:<42} {days:>8,} {false_alarms(server, days):>7}   {loose / few:.2%}")


def strength(days: int) -> None:
    sizes = (4, 6, 8, 12, 20, 40)
    click.echo(f"{'power, by sessions in the hour':<42} " + " ".join(f"{n:>5}" for n in sizes))
    for name, shares in TAMPERED.items():
        for part, level, which in (
            (1.0, FALSE_ALARMS, "all stripped"),
            (0.5, FALSE_ALARMS, "half stripped"),
            (1.0, FALSE_ALARMS_OF_A_LOOK, "all stripped, live"),
        ):
            found = [
                power(Server(shares * (10 // len(shares)), n / 10), days // 50, part, level)
                for n in sizes
            ]
            click.echo(f"{name:<42} " + " ".join(f"{one:>5.0%}" for one in found) + f"  {which}")


@click.command()
@click.option("--days", default=20_000, show_default=True, help="Days of each server.")
@click.option("--part", "parts", multiple=True, type=click.Choice(["alarms", "power"]))
def main(days: int, parts: tuple[str, ...]) -> None:
    """Measure what mailtap.report.vanished finds, and what it takes for it."""
    if not parts or "alarms" in parts:
        alarms(days)
    if not parts or "power" in parts:
        strength(days)


if __name__ == "__main__":
    main()
