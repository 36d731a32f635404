"""The canonical flow key, once for Python and once as SQL macros.

An address is its text, lower case, IPv6 compressed as RFC 5952 says, an IPv4-mapped one as IPv4.
The two endpoints of a flow are ordered so that (address, port) of `a` is not above that of `b`;
text is compared byte by byte. Both sides of a flow, and both ways of writing it, give one key.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import duckdb


class Endpoints(NamedTuple):
    """Both ends of a flow in canonical order."""

    ip_a: str
    port_a: int
    ip_b: str
    port_b: int


def canonical_address(text: str) -> str | None:
    """The canonical text of an address, or None when it is none. A zone (`%eth0`) is dropped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def canonical_endpoints(ip_1: str, port_1: int, ip_2: str, port_2: int) -> Endpoints:
    """Both ends, given as canonical addresses, in canonical order."""
    first, second = sorted([(ip_1, port_1), (ip_2, port_2)])
    return Endpoints(*first, *second)


OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"(?:{OCTET}\.){{3}}{OCTET}"
GROUP = "[0-9a-f]{1,4}"
IPV6 = rf"(?:{GROUP}(?::{GROUP})*)?(?:::(?:{GROUP}(?::{GROUP})*)?)?"
LONGEST_IPV6_TEXT = 64  # with room for a zone

# Most addresses in logs are canonical already: no zero groups but those of `::`, which stands for
# two at least when there are no more than six colons.
NON_ZERO_GROUP = "[1-9a-f][0-9a-f]{0,3}"
CANONICAL_IPV6 = rf"{NON_ZERO_GROUP}(?::{NON_ZERO_GROUP}){{7}}"
CANONICAL_IPV6_COMPRESSED = (
    rf"{NON_ZERO_GROUP}(?::{NON_ZERO_GROUP})*::(?:{NON_ZERO_GROUP}(?::{NON_ZERO_GROUP})*)?"
)
UP_TO_SIX_COLONS = "(?:[^:]*:){0,6}[^:]*"

#: Canonical addresses as most are. Of those with `::` so many groups stand before and behind it
#: that it replaces two at least.
PLAIN_ADDRESS = "|".join(
    (
        IPV4,
        CANONICAL_IPV6,
        *(
            rf"{NON_ZERO_GROUP}(?::{NON_ZERO_GROUP}){{{before - 1}}}::"
            + (
                rf"(?:{NON_ZERO_GROUP}(?::{NON_ZERO_GROUP}){{0,{5 - before}}})?"
                if before < 6
                else ""
            )
            for before in range(1, 7)
        ),
    )
)


def _let(value: str, name: str, body: str) -> str:
    """SQL of `body` with `name` bound to `value`, or NULL where `value` is NULL.

    A list of one element: the only way to have an expression evaluated once, and not at all for
    the rows that don't need it. (A CASE does not do: what its branches share is computed first.)
    """
    return (
        f"list_transform(CASE WHEN {value} IS NOT NULL THEN [{value}] END, "
        f"lambda {name} : {body})[1]"
    )


def _compress(padded: str) -> str:
    """SQL that writes the first of the longest runs of at least two zero groups as `::`.

    `padded` is eight groups with a colon before each and after the last.
    """
    branches = []
    for length in range(8, 1, -1):
        run = ":0" * length + ":"
        branches.append(
            f"WHEN contains({padded}, '{run}') THEN "
            f"ltrim(split_part({padded}, '{run}', 1), ':') || '::' || "
            f"rtrim(substr({padded}, strpos({padded}, '{run}') + {len(run)}), ':')"
        )
    return f"CASE {' '.join(branches)} ELSE trim({padded}, ':') END"


def _without_quad(text: str) -> str:
    """SQL that writes a dotted quad at the end of an IPv6 address as two groups."""
    octets = [f"split_part(regexp_extract({text}, '[^:]*$'), '.', {n})::INT" for n in range(1, 5)]
    return (
        f"CASE WHEN regexp_full_match({text}, '.*:{IPV4}') THEN "
        f"regexp_extract({text}, '^(.*:)[^:]*$', 1) || "
        f"printf('%x:%x', {octets[0]} * 256 + {octets[1]}, {octets[2]} * 256 + {octets[3]}) "
        f"ELSE {text} END"
    )


def _groups(text: str) -> str:
    """SQL of the list of groups, `::` written out; `::` stands for at least one, as in Python."""
    left, right = (
        f"list_filter(string_split(split_part({text}, '::', {n}), ':'), lambda g : g <> '')"
        for n in (1, 2)
    )
    missing = f"greatest(8 - len({left}) - len({right}), 1)"
    return (
        f"CASE WHEN NOT regexp_full_match({text}, '{IPV6}') THEN NULL "
        f"WHEN contains({text}, '::') THEN {left} || list_resize(['0'], {missing}, '0') || {right} "
        f"ELSE string_split({text}, ':') END"
    )


def _plain(groups: str) -> str:
    """SQL of eight groups without leading zeros, a colon before each and after the last."""
    stripped = f"list_transform({groups}, lambda g : coalesce(nullif(ltrim(g, '0'), ''), '0'))"
    return f"CASE WHEN len({groups}) = 8 THEN ':' || array_to_string({stripped}, ':') || ':' END"


def _mapped_or_compressed(padded: str) -> str:
    high, low = (f"('0x' || split_part({padded}, ':', {n}))::INT" for n in (8, 9))
    quad = f"concat_ws('.', {high} // 256, {high} % 256, {low} // 256, {low} % 256)"
    return (
        f"CASE WHEN starts_with({padded}, ':0:0:0:0:0:ffff:') THEN {quad} "
        f"ELSE {_compress(padded)} END"
    )


def _ipv6(text: str) -> str:
    """SQL of the canonical text of an IPv6 address, NULL where `text` is none."""
    return _let(
        f"CASE WHEN contains({text}, ':') AND length({text}) < {LONGEST_IPV6_TEXT} "
        f"THEN lower(split_part({text}, '%', 1)) END",
        "written",
        _let(
            _without_quad("written"),
            "hexadecimal",
            _let(
                _groups("hexadecimal"),
                "groups",
                _let(_plain("groups"), "padded", _mapped_or_compressed("padded")),
            ),
        ),
    )


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define `mailtap_address(text)`, which is `canonical_address` in SQL."""
    connection.execute(
        "CREATE OR REPLACE MACRO mailtap_address(text) AS CASE "
        f"WHEN regexp_full_match(text, '{IPV4}|{CANONICAL_IPV6}') THEN text "
        f"WHEN regexp_full_match(text, '{CANONICAL_IPV6_COMPRESSED}') "
        f"AND regexp_full_match(text, '{UP_TO_SIX_COLONS}') THEN text "
        f"ELSE {_ipv6('text')} END"
    )


def endpoints_sql(ip_1: str, port_1: str, ip_2: str, port_2: str, prefix: str = "") -> str:
    """SQL columns `ip_a, port_a, ip_b, port_b` of four columns with canonical addresses.

    NULL where an address is.
    """
    in_order = f"({ip_1} < {ip_2} OR ({ip_1} = {ip_2} AND {port_1} <= {port_2}))"
    return ", ".join(
        f"CASE WHEN {in_order} THEN {first} WHEN NOT {in_order} THEN {second} END AS {prefix}{name}"
        for name, first, second in (
            ("ip_a", ip_1, ip_2),
            ("port_a", port_1, port_2),
            ("ip_b", ip_2, ip_1),
            ("port_b", port_2, port_1),
        )
    )
