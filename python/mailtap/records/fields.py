"""How a normal field is read from a record: as SQL over columns, and as Python over one record.

A field names the places it is read from, how one text becomes a value, and how several values
become one. The texts of a record are its columns, or its JSON values as text. Both ways give the
same value for the same record; a property test holds them to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

from mailtap.records.key import PLAIN_ADDRESS, canonical_address

Scalar: TypeAlias = str | int | float | bool

MAX_TEXT = 256
BLANKS = " \t\r\n"

# Control characters, and those that reorder or hide text.
UNPRINTABLE = (
    "[\\x00-\\x1f\\x7f-\\x9f\\x{200b}-\\x{200f}\\x{2028}-\\x{202e}\\x{2060}-\\x{2069}\\x{feff}]"
)
_VISIBLE, _PRINTABLE = f"[^ {UNPRINTABLE[1:]}", f"[^{UNPRINTABLE[1:]}"
_UNPRINTABLE = re.compile(re.sub(r"\\x\{(....)\}", r"\\u\1", UNPRINTABLE))

TIMESTAMP = (
    r"([12][0-9]{3})[-/]([0-9]{2})[-/]([0-9]{2})[T ]"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])"
    r"(?:[.,]([0-9]{1,9}))? ?(?:[Zz]|UTC|([+-])([0-9]{2}):?([0-9]{2}))?"
)

COMMUNITY_ID_TEXT = "1:[A-Za-z0-9+/]{27}="

_TIMESTAMP, _COMMUNITY_ID = re.compile(TIMESTAMP), re.compile(COMMUNITY_ID_TEXT)


@dataclass(frozen=True)
class Transform:
    """How one text becomes a value: `sql` of a text expression, `python` of a text.

    Shorter ways to the same value, where there are any:
    - `obvious`: SQL of CASE branches for texts as most are, blanks at their ends not removed.
    - `plain`, a regular expression, or the texts as most are: of a text of up to `MAX_TEXT` bytes
      that it matches as a whole, or that is one of them, the value is `of_plain`, the text itself
      unless given. An empty text is NULL there. To compare texts takes less time than to match.
    - `number`: SQL of the value, of an expression of type DOUBLE that has the text as a number;
      `python_of_number`: the same of a number.

    With `only_numbers` a text that is no number has no value.
    """

    sql: Callable[[str], str]
    python: Callable[[str], Scalar | None]
    obvious: Callable[[str], str] | None = None
    plain: str | tuple[str, ...] | None = None
    of_plain: Callable[[str], str] = str
    number: Callable[[str], str] | None = None
    python_of_number: Callable[[float], Scalar | None] | None = None
    only_numbers: bool = False


def _sanitise_sql(text: str, longest: int = MAX_TEXT) -> str:
    # Nearly all texts are plain, and a match is cheaper than a replacement.
    return (
        f"CASE WHEN strlen({text}) <= {longest} AND regexp_full_match({text}, '[ -~]*') "
        f"THEN {text} ELSE left(regexp_replace({text}, '{UNPRINTABLE}', '?', 'g'), {longest}) END"
    )


def trimmed_sql(text: str) -> str:
    """SQL of a text without blanks at its ends; NULL where nothing is left."""
    blanks = BLANKS.encode("unicode_escape").decode()
    return f"nullif(trim({text}, E'{blanks}'), '')"


def sanitise(text: str, longest: int = MAX_TEXT) -> str:
    """`text` without control and reordering characters, and no longer than a name may be."""
    return _UNPRINTABLE.sub("?", text)[:longest]


_NUMERAL = re.compile("[0-9.eE_+-]+")


def _number(text: str) -> float | None:
    """The number that a text is, as the query engine reads it: a JSON number, a spelling such as
    +1, .5, 1. or 1_000, or JSON's true (1) and false (0).
    """
    text = text.strip(" \t\n\v\f\r")
    if text in ("true", "false"):
        return float(text == "true")
    try:
        number = float(re.sub(r"^\+-", "-", text)) if _NUMERAL.fullmatch(text) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def number_sql(text: str) -> str:
    """SQL of the number that a text is, which may be infinite; NULL of any other text."""
    return f"CASE {text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE try_cast({text} AS DOUBLE) END"


def _numeric(number: Callable[[str], str], python: Callable[[float], Scalar | None]) -> Transform:
    """A transform of texts that are numbers; `number` is NULL, too, of what is not finite."""

    def of_text(text: str) -> Scalar | None:
        value = _number(text)
        return None if value is None else python(value)

    return Transform(
        lambda text: number(f"({number_sql(text)})"),
        of_text,
        number=number,
        python_of_number=lambda value: python(value) if math.isfinite(value) else None,
        only_numbers=True,
    )


#: Seconds from the epoch that a time may be away (the year 5138), and the longest duration. What
#: lies beyond is some fault of a log's, and no calendar has it.
LONGEST = 1e11


def _bounded(seconds: float | None) -> float | None:
    return seconds if seconds is not None and abs(seconds) < LONGEST else None


def _bounded_sql(seconds: str) -> str:
    return f"(CASE WHEN abs({seconds}) < {LONGEST} THEN {seconds} END)"


def scaled(per_second: float) -> Transform:
    """A number of units of which `per_second` make a second, as seconds."""
    return _numeric(
        lambda number: _bounded_sql(f"({number} / {per_second})"),
        lambda number: _bounded(number / per_second),
    )


# A number is taken for the unit in which it lies between 1973 and the year 5138.
UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


def _time_in_units(number: float) -> float | None:
    unit = next((unit for least, unit in UNITS if number >= least), 1)
    return _bounded(number / unit)


def _time(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return _time_in_units(number)
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    date, time = "-".join(match.group(1, 2, 3)), match.group(4)
    fraction, sign, hours, minutes = match.group(5, 6, 7, 8)
    try:
        moment = datetime.fromisoformat(f"{date} {time}").replace(tzinfo=UTC)
    except ValueError:
        return None
    offset = int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60) if sign else 0
    return moment.timestamp() + float(f"0.{fraction or 0}") - offset


def _time_of_number(number: str) -> str:
    units = " ".join(f"WHEN {number} >= {least} THEN {number} / {unit}" for least, unit in UNITS)
    return _bounded_sql(f"(CASE {units} ELSE {number} END)")


def _time_sql(text: str) -> str:
    def part(group: int) -> str:
        return f"regexp_extract({text}, '^{TIMESTAMP}$', {group})"

    moment = (
        f"epoch(try_cast(regexp_replace({text}, '^{TIMESTAMP}$', '\\1-\\2-\\3 \\4') AS TIMESTAMP))"
    )
    offset = f"({part(6)} || '1')::INT * ({part(7)}::INT * 3600 + {part(8)}::INT * 60)"
    return (
        f"CASE WHEN regexp_full_match({text}, '{TIMESTAMP}') THEN {moment} "
        f"+ ('0.' || coalesce(nullif({part(5)}, ''), '0'))::DOUBLE "
        f"- CASE WHEN {part(6)} = '' THEN 0 ELSE {offset} END "
        f"ELSE {_time_of_number(f'({number_sql(text)})')} END"
    )


def _usual_times(text: str) -> str:
    """Suricata's and Zeek's own way to write them. Each number has its place and its width."""
    return " ".join(
        f"WHEN {text} LIKE '2___-__-__T__:__:__.______{zone}' "
        f"THEN epoch(try_strptime({text}, '%Y-%m-%dT%H:%M:%S.%f{zone}'))"
        for zone in ("Z", "+0000")
    )


#: A count above is none: a DOUBLE holds all whole numbers up to here.
GREATEST_COUNT = 1 << 53
GREATEST_PORT = 65_535


def _whole(greatest: int, kind: str) -> Transform:
    """A whole number from 0 to `greatest`, as a number of an SQL type."""

    def number(value: str) -> str:
        is_one = f"{value} >= 0 AND {value} <= {greatest} AND {value} = floor({value})"
        return f"(CASE WHEN {is_one} THEN CAST({value} AS {kind}) END)"

    return _numeric(
        number,
        lambda value: int(value) if 0 <= value <= greatest and value == int(value) else None,
    )


def _at_least_zero(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds >= 0 else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(
        text.lower()
    )


def _transport(text: str) -> str:
    return {"6": "tcp", "17": "udp", "1": "icmp"}.get(text, sanitise(text).lower())


def _number_within(text: str) -> str | None:
    match = re.search("[0-9]+", text)
    return match.group() if match else None


def _joined(text: str) -> str:
    return sanitise(text.translate(str.maketrans(",", ".", '[]" ')))


def sanitised(longest: int) -> Transform:
    """A text that may be so long, sanitised."""
    return Transform(
        lambda text: _sanitise_sql(text, longest),
        lambda text: sanitise(text, longest),
        plain=f"{_VISIBLE}(?:{_PRINTABLE}*{_VISIBLE})?",
    )


TEXT = sanitised(MAX_TEXT)


def usually(texts: Iterable[str]) -> Transform:
    """A text that is nearly always one of these."""
    return replace(TEXT, plain=tuple(texts))


ADDRESS = Transform(lambda text: f"mailtap_address({text})", canonical_address, plain=PLAIN_ADDRESS)
PORT_NUMBER = _whole(GREATEST_PORT, "INTEGER")
COUNT = _whole(GREATEST_COUNT, "BIGINT")
SECONDS = scaled(1)
# A length of time; one below zero is none.
DURATION = _numeric(
    lambda number: f"(CASE WHEN {number} >= 0 THEN {_bounded_sql(number)} END)",
    lambda number: _at_least_zero(_bounded(number)),
)
MILLISECONDS = scaled(1e3)
MICROSECONDS = scaled(1e6)
# Epoch seconds, milli-, micro- or nanoseconds, or ISO 8601 (also with / in the date).
TIME = Transform(
    _time_sql,
    _time,
    obvious=_usual_times,
    number=_time_of_number,
    python_of_number=_time_in_units,
)
BOOLEAN = Transform(
    lambda text: (
        f"CASE WHEN lower({text}) IN ('true', 't', '1') THEN true "
        f"WHEN lower({text}) IN ('false', 'f', '0') THEN false END"
    ),
    _boolean,
    plain=("true", "false", "T", "F"),
    of_plain=lambda text: f"({text} IN ('true', 'T'))",
)
TRANSPORT = Transform(
    lambda text: (
        f"CASE {text} WHEN '6' THEN 'tcp' WHEN '17' THEN 'udp' WHEN '1' THEN 'icmp' "
        f"ELSE lower({_sanitise_sql(text)}) END"
    ),
    _transport,
    plain=("6", "17", "1", "tcp", "TCP", "udp", "UDP", "icmp", "ICMP"),
    of_plain=lambda text: (
        f"CASE {text} WHEN '6' THEN 'tcp' WHEN '17' THEN 'udp' WHEN '1' THEN 'icmp' "
        f"ELSE lower({text}) END"
    ),
)
# The first number in a text: nDPI writes its confidence as {"6":"DPI"}.
NUMBER_WITHIN = Transform(
    lambda text: f"nullif(regexp_extract({text}, '[0-9]+'), '')", _number_within
)
# A Community ID, version 1: the base64 of a SHA-1 digest.
COMMUNITY_ID = Transform(
    lambda text: f"CASE WHEN regexp_full_match({text}, '{COMMUNITY_ID_TEXT}') THEN {text} END",
    lambda text: text if _COMMUNITY_ID.fullmatch(text) else None,
    plain=COMMUNITY_ID_TEXT,
)
# Whether a set has members, in Zeek's notation or in JSON's.
HAS_MEMBERS = Transform(
    lambda text: f"{text} NOT IN ('(empty)', '[]')",
    lambda text: text not in ("(empty)", "[]"),
    obvious=lambda text: f"WHEN starts_with({text}, '[\"') THEN true",
)
# A JSON list of names as a path: ["smtp","tls"] as smtp.tls.
JOINED_LIST = Transform(
    lambda text: _sanitise_sql(f"translate({text}, ',[]\" ', '.')"),
    _joined,
)


class Combine(Enum):
    """How the values of several places become one; a place without a value does not count."""

    FIRST = "first"
    SUM = "sum"
    LATEST = "latest"
    JOINED = "joined"


@dataclass(frozen=True)
class Field:
    """A normal field: the places it is read from, the transform of each, and their combination."""

    places: tuple[str, ...]
    transform: Transform = TEXT
    combine: Combine = Combine.FIRST
    separator: str = "."

    def sql(self, columns: Mapping[str, str]) -> str:
        """SQL of the value; `columns` maps each place to the column with its text."""
        return self._combined(columns, self._value_sql)

    def _value_sql(self, column: str) -> str:
        value = self.transform.sql(trimmed_sql(column))
        if self.transform.obvious is None:
            return value
        return f"CASE {self.transform.obvious(column)} ELSE {value} END"

    def sql_of_plain(self, columns: Mapping[str, str]) -> str:
        """SQL of the value where each text is plain, empty or NULL."""
        return self._combined(
            columns, lambda column: self.transform.of_plain(f"nullif({column}, '')")
        )

    def sql_of_numbers(self, columns: Mapping[str, str]) -> str:
        """SQL of the value where the columns have numbers."""
        if self.transform.number is None:
            raise ValueError("of no number")
        return self._combined(columns, self.transform.number)

    def _combined(self, columns: Mapping[str, str], value: Callable[[str], str]) -> str:
        values = [value(columns[place]) for place in self.places if place in columns]
        if not values:
            return "NULL"
        if len(values) == 1:
            return values[0]
        if self.combine is Combine.FIRST:
            return f"coalesce({', '.join(values)})"
        if self.combine is Combine.SUM:
            total = " + ".join(f"coalesce({value}, 0)" for value in values)
            return f"CASE WHEN coalesce({', '.join(values)}) IS NOT NULL THEN {total} END"
        if self.combine is Combine.LATEST:
            return f"greatest({', '.join(values)})"
        return f"nullif(concat_ws('{self.separator}', {', '.join(values)}), '')"

    def python(self, texts: Mapping[str, str | None]) -> Scalar | None:
        """The value of one record's `texts` by place."""
        return self.combined(map(self.value, self._texts(texts)))

    def combined(self, of_places: Iterable[Scalar | None]) -> Scalar | None:
        """The value of one record by the value of each place."""
        values = [value for value in of_places if value is not None]
        if not values:
            return None
        if self.combine is Combine.FIRST or len(values) == 1:
            return values[0]
        if self.combine is Combine.SUM:
            return sum(_numbers(values))
        if self.combine is Combine.LATEST:
            return max(_numbers(values))
        return self.separator.join(map(str, values))

    def _texts(self, texts: Mapping[str, str | None]) -> Iterable[str]:
        return (text for text in map(texts.get, self.places) if text is not None)

    def value(self, text: str) -> Scalar | None:
        """The value of the text at one place."""
        stripped = text.strip(BLANKS)
        return self.transform.python(stripped) if stripped else None


def _numbers(values: Sequence[Scalar]) -> list[float]:
    return [value for value in values if not isinstance(value, str)]
