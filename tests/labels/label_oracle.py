"""One label in normal form, from one record, in plain Python: what the SQL has to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS, LabelFormat
from mailtap.policy import Policy
from mailtap.records.fields import Field, Scalar
from mailtap.records.key import Endpoints, canonical_endpoints

Texts = Mapping[str, str | None]


@dataclass(frozen=True)
class Label:
    """A flow's label in normal form; the fields are the columns of table `labels`."""

    engine: str
    name: str | None
    app: str
    protocol: str | None
    encryption: str
    carrier: str | None
    provenance: str
    is_label: bool
    endpoints: Endpoints | None
    src_ip: str | None
    src_port: int | None
    dst_ip: str | None
    dst_port: int | None
    l4: str | None
    community_id: str | None
    start: float
    end: float
    packets: int | None
    nat_endpoints: Endpoints | None


def normalise(form: LabelFormat, texts: Texts, policy: Policy) -> Label | None:
    """The label in one record's texts, or None: not about a TCP flow, or a field is missing."""
    for condition in form.conditions:
        if Field((condition.place,)).python(texts) not in condition.values:
            return None
    values = {name: field.python(texts) for name, field in form.fields.items()}
    endpoints = _flow(values, ENDPOINTS)
    times = _interval(values.get("start"), values.get("end"), values.get("duration"))
    l4 = _text(values.get("l4"))
    community_id = _text(values.get("community_id"))
    if (endpoints is None and community_id is None) or times is None or l4 not in (None, "tcp"):
        return None
    name = _text(values.get("name"))
    meaning = policy.normal_label(form.engine, name, _text(values.get("evidence")))
    src_ip, src_port, dst_ip, dst_port = endpoints or (None, None, None, None)
    nat = _flow(values, NAT_ENDPOINTS)
    if nat is not None and (nat == endpoints or 0 in nat):
        nat = None  # not translated
    packets = values.get("packets")
    return Label(
        engine=form.name,
        name=name,
        app=meaning.app,
        protocol=meaning.protocol,
        encryption=meaning.encryption,
        carrier=meaning.carrier,
        provenance=meaning.provenance,
        is_label=meaning.is_label,
        endpoints=None if endpoints is None else canonical_endpoints(*endpoints),
        src_ip=src_ip,
        src_port=src_port,
        dst_ip=dst_ip,
        dst_port=dst_port,
        l4=l4,
        community_id=community_id,
        start=times[0],
        end=times[1],
        packets=packets if isinstance(packets, int) else None,
        nat_endpoints=None if nat is None or nat[1] == 0 else canonical_endpoints(*nat),
    )


def _flow(
    values: Mapping[str, Scalar | None], names: tuple[str, ...]
) -> tuple[str, int, str, int] | None:
    first_ip, first_port, second_ip, second_port = (values.get(name) for name in names)
    if not isinstance(first_ip, str) or not isinstance(second_ip, str):
        return None
    if not isinstance(first_port, int) or not isinstance(second_port, int):
        return None
    return first_ip, first_port, second_ip, second_port


def _interval(
    start: Scalar | None, end: Scalar | None, duration: Scalar | None
) -> tuple[float, float] | None:
    """Start and end from any of the three; an end before the start is none."""
    length = _number(duration) or 0.0
    first, last = _number(start), _number(end)
    if first is None and last is None:
        return None
    if first is None:
        first = (last or 0.0) - length
    return first, max(first, first + length if last is None else last)


def _number(value: Scalar | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Scalar | None) -> str | None:
    return value if isinstance(value, str) else None
