"""Which kind of label file a file is, by its first lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailtap.errors import MailTapError
from mailtap.labels.formats import ENDPOINTS, FORMATS, LabelFormat, generic
from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.records.containers import (
    Container,
    Csv,
    KeyValue,
    Positional,
    Separated,
    TooManyColumnsError,
)
from mailtap.records.json_records import JsonDocument, JsonLines
from mailtap.records.parquet import Parquet
from mailtap.records.record_file import RecordFile
from mailtap.records.zeek_log import read_header

GENERIC = ("parquet", "csv", "jsonl")
FORMAT_NAMES = (*dict.fromkeys(form.name for form in FORMATS), *GENERIC)

PANOS_LOG_TYPES = ("TRAFFIC", "THREAT", "SYSTEM", "CONFIG", "GLOBALPROTECT", "DECRYPTION")
PANOS_TYPE_PLACE = "3"


class LabelError(MailTapError):
    """A label file that can't be used; the message is one line that names it."""


@dataclass(frozen=True)
class LabelFile:
    """A label file as the user names it. `form` None: recognised by its content.

    `engine` is what its labels are called in figures by engine; None: by its format.
    """

    path: Path
    form: str | None = None
    engine: str | None = None

    @classmethod
    def parse(cls, text: str) -> LabelFile:
        """`FILE`, `FILE:FORMAT` or `NAME=FILE[:FORMAT]`. A file whose name has a colon or an equals
        sign is taken as it is if it exists. Raises LabelError.
        """
        if Path(text).exists():
            return cls(Path(text))
        engine, rest = split_engine(text)
        path, colon, form = rest.rpartition(":")
        if colon and form in FORMAT_NAMES:
            return cls(Path(path), form, engine)
        if colon and not Path(rest).exists() and (path == "-" or Path(path).exists()):
            raise LabelError(
                f"{printable(text)}: {printable(form)} is no label format; "
                f"known are {', '.join(FORMAT_NAMES)}"
            )
        return cls(Path(rest), None, engine)


_NAMED = re.compile(r"([A-Za-z0-9_.-]{1,64})=(.+)", re.DOTALL)


def split_engine(text: str) -> tuple[str | None, str]:
    """The engine's name in `NAME=SOURCE`, None where it has none, and the rest."""
    match = None if Path(text).exists() else _NAMED.fullmatch(text)
    return (match[1], match[2]) if match else (None, text)


def recognise(file: RecordFile, form: str | None, policy: Policy) -> tuple[LabelFormat, Container]:
    """The format and container of `file`. Raises LabelError."""
    lines = [line for line in file.head if line.strip()]
    if not lines and file.schema is None:
        raise LabelError(f"{file.named}: has no lines")
    try:
        ways = _containers(file, lines) if file.schema is None else _of_columns(file.schema)
        found = _named(ways, form, policy) if form else _by_content(ways, lines, policy)
    except TooManyColumnsError as error:
        raise LabelError(f"{file.named}: {error}") from None
    if found is None:
        if form:
            raise LabelError(f"{file.named}: is not of format {printable(form)}")
        raise LabelError(
            f"{file.named}: no known label format; name one of {', '.join(FORMAT_NAMES)} "
            "as FILE:FORMAT, or its columns in the policy's section generic"
        )
    return found


def _containers(file: RecordFile, lines: list[str]) -> Mapping[str, Container]:
    """The ways in which the lines may be read, by the name that formats call them."""
    separated = read_header(file)
    if separated is not None:
        return {"separated": separated}
    if any(JsonLines().parse(line) is not None for line in lines):
        return {"json": JsonLines()}
    document = JsonDocument.of_head("\n".join(lines))
    if document is not None:
        return {"json": document}
    ways: dict[str, Container] = {"keyvalue": KeyValue(), "positional": Positional()}
    return ways | {"csv": Csv.of_header(lines[0])}


def _of_columns(schema: Iterable[tuple[str, Any]]) -> Mapping[str, Container]:
    """A Parquet file may have what any format with named values has."""
    return dict.fromkeys(("parquet", "csv", "json"), Parquet.of_schema(schema))


def _named(
    ways: Mapping[str, Container], name: str, policy: Policy
) -> tuple[LabelFormat, Container] | None:
    known = [form for form in FORMATS if form.name == name] or [generic(name, policy.generic)]
    return next(
        ((form, ways[form.container]) for form in known if form.container in ways),
        None,
    )


def _by_content(
    ways: Mapping[str, Container], lines: list[str], policy: Policy
) -> tuple[LabelFormat, Container] | None:
    for form in FORMATS:
        container = ways.get(form.container)
        if container is not None and _has_marks(form, container, lines):
            return form, container
    for name in GENERIC:
        form = generic(name, policy.generic)
        container = ways.get(form.container)
        if container is not None and _has_flow_fields(form, container, lines):
            return form, container
    return None


def _places(container: Container, lines: list[str]) -> Callable[[str], bool]:
    """Whether the file has something at a place: a column, or in lines of JSON a value."""
    if isinstance(container, Csv | Separated):
        return set(container.names).__contains__
    if isinstance(container, Parquet):
        return container.columns.__contains__
    texts = ["\n".join(lines)] if isinstance(container, JsonDocument) else lines
    records = [record for record in map(container.parse, texts) if record is not None]
    return lambda place: any(record.get(place) is not None for record in records)


def _has_marks(form: LabelFormat, container: Container, lines: list[str]) -> bool:
    if isinstance(container, Positional):
        records = [record for record in map(container.parse, lines) if record is not None]
        return any(record.get(PANOS_TYPE_PLACE) in PANOS_LOG_TYPES for record in records)
    return all(map(_places(container, lines), form.marks))


def _has_flow_fields(form: LabelFormat, container: Container, lines: list[str]) -> bool:
    has = _places(container, lines)

    def has_field(name: str) -> bool:
        return any(map(has, form.fields[name].places))

    is_about_flow = all(map(has_field, ENDPOINTS)) or has_field("community_id")
    has_time = has_field("start") or has_field("end")
    return has_field("name") and is_about_flow and has_time
