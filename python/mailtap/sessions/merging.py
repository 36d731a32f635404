"""How a column of two halves becomes one: SQL over the client's half `a` and the server's `b`.

DuckDB and Spark read all of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailtap.sessions.vocabulary import STARTTLS_STEPS, STARTTLS_TAKEN


def either_has(column: str) -> str:
    """The value of the half that has one; the client's counts where both have."""
    return f"coalesce(a.{column}, b.{column})"


def total(column: str) -> str:
    """The sum of the values there are."""
    return f"coalesce(a.{column} + b.{column}, a.{column}, b.{column})"


def most(column: str) -> str:
    """The larger of the values there are."""
    return f"greatest(coalesce(a.{column}, b.{column}), coalesce(b.{column}, a.{column}))"


def either_is(column: str) -> str:
    """Whether it is true of one of them."""
    return f"(a.{column} OR b.{column})"


def both_are(column: str) -> str:
    """Whether it is true of both."""
    return f"(a.{column} AND b.{column})"


def both(column: str, separator: str) -> str:
    """Both texts; one of them where the other is unset."""
    return f"nullif(concat_ws('{separator}', a.{column}, b.{column}), '')"


def union(column: str) -> str:
    """The members of both sets, in alphabetical order."""
    one, other = either_has(column), f"coalesce(b.{column}, a.{column})"
    return f"array_sort(array_distinct({one} || {other}))"


def furthest(column: str, steps: tuple[str, ...]) -> str:
    """The later of both halves' steps."""
    cases = " ".join(
        f"WHEN '{step}' IN (a.{column}, b.{column}) THEN '{step}'" for step in reversed(steps)
    )
    return f"CASE {cases} END"


def _is_one_of(expression: str, names: Iterable[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"{expression} IN ({listed})"


FIRST_ID = "least(a.session_id, b.session_id)"
START = "least(a.ts, b.ts)"
DURATION = (
    "greatest(a.ts + coalesce(a.duration, 0), b.ts + coalesce(b.duration, 0)) - least(a.ts, b.ts)"
)
STARTTLS = furthest("starttls", STARTTLS_STEPS)
DECODE_AS = (
    "CASE WHEN 'HTTP' IN (a.decode_as, b.decode_as) THEN 'HTTP' "
    "WHEN 'SSL' IN (a.decode_as, b.decode_as) THEN 'SSL' "
    "ELSE coalesce(nullif(a.decode_as, 'BASE'), nullif(b.decode_as, 'BASE'), a.decode_as, "
    "b.decode_as) END"
)

#: A half's number is one of its own sensor's.
NO_NUMBER = "CAST(NULL AS BIGINT)"

#: The thresholds of the policy stand in for {packets} and {payload_bytes}.
EFFECTIVE = (
    "(coalesce(a.effective, false) OR coalesce(b.effective, false) OR ("
    + " + ".join(
        f"coalesce({half}.{side}_pkts, 0)" for half in "ab" for side in ("client", "server")
    )
    + " > {packets} AND "
    + " + ".join(
        f"coalesce({half}.{side}_bytes, 0)" for half in "ab" for side in ("client", "server")
    )
    + " > {payload_bytes}))"
)

#: What one half alone can't show is no cause once the other half is there.
_OF_ONE_SIDE = ("server_side_only", "client_side_only")

EMPTY_CAUSE = (
    "CASE WHEN "
    + " OR ".join(either_is(f"has_{name}") for name in ("mailfrom", "rcptto", "from", "to"))
    + f" THEN NULL WHEN {_is_one_of(f'({STARTTLS})', STARTTLS_TAKEN)} THEN 'starttls' "
    "ELSE coalesce("
    + ", ".join(
        f"CASE WHEN NOT {_is_one_of(f'{half}.empty_cause', _OF_ONE_SIDE)} "
        f"THEN {half}.empty_cause END"
        for half in "ab"
    )
    + ", CASE WHEN coalesce(a.service, b.service) IS NOT NULL THEN 'no_message' END) END"
)
