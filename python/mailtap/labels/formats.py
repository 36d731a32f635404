"""The label files of third-party engines: where each keeps the normal fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailtap.records.fields import (
    ADDRESS,
    BOOLEAN,
    COMMUNITY_ID,
    COUNT,
    DURATION,
    JOINED_LIST,
    MICROSECONDS,
    MILLISECONDS,
    NUMBER_WITHIN,
    PORT_NUMBER,
    SECONDS,
    TEXT,
    TIME,
    TRANSPORT,
    Combine,
    Field,
    Transform,
)
from mailtap.sessions.schema import LONG_TEXT
from mailtap.sessions.vocabulary import CARRIERS, ENCRYPTIONS, PROVENANCES, SERVICES

Fields = Mapping[str, Field]

# What a row of a label file can say; those of NORMAL_FIELDS go into table `labels` as they are.
ENDPOINTS = ("src_ip", "src_port", "dst_ip", "dst_port")
NAT_ENDPOINTS = ("nat_src_ip", "nat_src_port", "nat_dst_ip", "nat_dst_port")
NORMAL_FIELDS = (
    "name",
    "evidence",
    *ENDPOINTS,
    "l4",
    "community_id",
    "start",
    "end",
    "duration",
    "packets",
    *NAT_ENDPOINTS,
)

#: What a name means, as the policy reads it; a file in normal form has it already.
NORMAL_LABEL = ("app", "protocol", "encryption", "carrier", "provenance", "is_label")


@dataclass(frozen=True)
class RequiredValue:
    """A record is about a flow when `place` holds one of `values`."""

    place: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statements:
    """Of records that speak of the same flow the best kind counts, then the latest.

    `ranking` has the kinds from worst to best; one that is not in it is worse than all.
    """

    kind: Field
    ranking: tuple[str, ...]
    moment: Field


@dataclass(frozen=True)
class LabelFormat:
    """A kind of label file.

    `name` is what the user calls it, `engine` whose names in the policy it is read by, `marks` the
    places that a file of this kind always has.
    """

    name: str
    engine: str
    container: str
    marks: tuple[str, ...]
    fields: Fields
    conditions: tuple[RequiredValue, ...] = ()
    statements: Statements | None = None


def _endpoints(src_ip: str, src_port: str, dst_ip: str, dst_port: str) -> dict[str, Field]:
    return {
        "src_ip": Field((src_ip,), ADDRESS),
        "src_port": Field((src_port,), PORT_NUMBER),
        "dst_ip": Field((dst_ip,), ADDRESS),
        "dst_port": Field((dst_port,), PORT_NUMBER),
    }


def _nat(sources: tuple[str, ...], destinations: tuple[str, ...]) -> dict[str, Field]:
    """NAT fields from places of addresses and ports, the first of each set that has a value."""
    half = len(sources) // 2
    return {
        "nat_src_ip": Field(sources[:half], ADDRESS),
        "nat_src_port": Field(sources[half:], PORT_NUMBER),
        "nat_dst_ip": Field(destinations[:half], ADDRESS),
        "nat_dst_port": Field(destinations[half:], PORT_NUMBER),
    }


def _one_of(names: Sequence[str]) -> Transform:
    """A text that is one of the names."""
    listed = ", ".join(f"'{name}'" for name in names)
    return Transform(
        lambda text: f"CASE WHEN {text} IN ({listed}) THEN {text} END",
        lambda text: text if text in names else None,
        plain="|".join(names),
    )


def _times(
    start: str | None, end: str | None, transform: Transform, duration: str | None = None
) -> dict[str, Field]:
    times = {}
    if start is not None:
        times["start"] = Field((start,), transform)
    if end is not None:
        times["end"] = Field((end,), transform)
    if duration is not None:
        times["duration"] = Field((duration,), DURATION)
    return times


NDPIREADER = LabelFormat(
    name="ndpireader",
    engine="ndpi",
    container="csv",
    marks=("ndpi_proto", "first_seen", "src_ip", "dst_ip"),
    fields={
        "name": Field(("ndpi_proto",)),
        **_endpoints("src_ip", "src_port", "dst_ip", "dst_port"),
        "l4": Field(("protocol",), TRANSPORT),
        **_times("first_seen", "last_seen", SECONDS),
        "packets": Field(("c_to_s_pkts", "s_to_c_pkts"), COUNT, Combine.SUM),
    },
)

NDPIREADER_JSON = LabelFormat(
    name="ndpireader-json",
    engine="ndpi",
    container="json",
    marks=("ndpi.proto", "src_ip", "dest_ip", "first_seen"),
    fields={
        "name": Field(("ndpi.proto",)),
        "evidence": Field(("ndpi.confidence",), NUMBER_WITHIN),
        **_endpoints("src_ip", "src_port", "dest_ip", "dst_port"),
        "l4": Field(("proto",), TRANSPORT),
        **_times("first_seen", "last_seen", SECONDS),
        "packets": Field(("xfer.src2dst_packets", "xfer.dst2src_packets"), COUNT, Combine.SUM),
    },
)

# Each event is a later word on the same flow. A guess is made only when detection gave up, and an
# event at the end of the flow may come without the label.
NDPID = LabelFormat(
    name="ndpid",
    engine="ndpi",
    container="json",
    marks=("flow_event_name", "flow_id", "flow_first_seen", "src_ip"),
    fields={
        "name": Field(("ndpi.proto",)),
        "evidence": Field(("ndpi.confidence",), NUMBER_WITHIN),
        **_endpoints("src_ip", "src_port", "dst_ip", "dst_port"),
        "l4": Field(("l4_proto",), TRANSPORT),
        "start": Field(("flow_first_seen",), MICROSECONDS),
        "end": Field(
            ("flow_src_last_pkt_time", "flow_dst_last_pkt_time"), MICROSECONDS, Combine.LATEST
        ),
        "packets": Field(
            ("flow_src_packets_processed", "flow_dst_packets_processed"), COUNT, Combine.SUM
        ),
    },
    conditions=(
        RequiredValue(
            "flow_event_name",
            ("not-detected", "guessed", "detected", "detection-update", "update", "idle", "end"),
        ),
    ),
    statements=Statements(
        kind=Field(("flow_event_name",)),
        ranking=("not-detected", "guessed", "detected", "detection-update"),
        moment=Field(("thread_ts_usec",), MICROSECONDS),
    ),
)

NFSTREAM = LabelFormat(
    name="nfstream",
    engine="ndpi",
    container="csv",
    marks=("application_name", "bidirectional_first_seen_ms", "src_ip", "dst_ip"),
    fields={
        "name": Field(("application_name",)),
        # Without the confidence of newer versions, 1 in the older column means port as well.
        "evidence": Field(("application_confidence", "application_is_guessed")),
        **_endpoints("src_ip", "src_port", "dst_ip", "dst_port"),
        "l4": Field(("protocol",), TRANSPORT),
        **_times("bidirectional_first_seen_ms", "bidirectional_last_seen_ms", MILLISECONDS),
        "packets": Field(("bidirectional_packets",), COUNT),
    },
)

SURICATA = LabelFormat(
    name="suricata",
    engine="suricata",
    container="json",
    marks=("event_type", "flow_id", "src_ip", "dest_ip"),
    fields={
        # What STARTTLS turned it into comes after what it was: smtp.tls.
        "name": Field(("app_proto_orig", "app_proto"), TEXT, Combine.JOINED),
        **_endpoints("src_ip", "src_port", "dest_ip", "dest_port"),
        "l4": Field(("proto",), TRANSPORT),
        "community_id": Field(("community_id",), COMMUNITY_ID),
        **_times("flow.start", "flow.end", TIME),
        "packets": Field(("flow.pkts_toserver", "flow.pkts_toclient"), COUNT, Combine.SUM),
    },
    conditions=(RequiredValue("event_type", ("flow",)),),
)

ARKIME = LabelFormat(
    name="arkime",
    engine="arkime",
    container="json",
    marks=("firstPacket", "source.ip", "destination.ip"),
    fields={
        "name": Field(("protocol", "protocols"), JOINED_LIST),
        **_endpoints("source.ip", "source.port", "destination.ip", "destination.port"),
        "l4": Field(("ipProtocol",), TRANSPORT),
        "community_id": Field(("network.community_id", "communityId"), COMMUNITY_ID),
        **_times("firstPacket", "lastPacket", MILLISECONDS),
        "packets": Field(("network.packets",), COUNT),
    },
)

# Positions of PAN-OS 8 to 11 traffic logs as they come by syslog.
PANOS = LabelFormat(
    name="panos",
    engine="panos",
    container="positional",
    marks=(),
    fields={
        "name": Field(("14",)),
        **_endpoints("7", "24", "8", "25"),
        "l4": Field(("29",), TRANSPORT),
        **_times("35", None, TIME, "36"),
        "packets": Field(("34",), COUNT),
        **_nat(("9", "26"), ("10", "27")),
    },
    conditions=(RequiredValue("3", ("TRAFFIC",)), RequiredValue("4", ("end", "deny", "drop"))),
)

# The same log as the firewall's own pages export it.
PANOS_CSV = LabelFormat(
    name="panos-csv",
    engine="panos",
    container="csv",
    marks=("Application", "Source address", "Destination address", "Start Time"),
    fields={
        "name": Field(("Application",)),
        **_endpoints("Source address", "Source Port", "Destination address", "Destination Port"),
        "l4": Field(("IP Protocol",), TRANSPORT),
        **_times("Start Time", None, TIME, "Elapsed Time (sec)"),
        "packets": Field(("Packets",), COUNT),
        **_nat(
            ("NAT Source IP", "NAT Source Port"), ("NAT Destination IP", "NAT Destination Port")
        ),
    },
)

FORTIGATE = LabelFormat(
    name="fortigate",
    engine="fortigate",
    container="keyvalue",
    marks=("srcip", "dstip", "sessionid"),
    fields={
        # Without application control there is only the service, which is the port's name.
        "name": Field(("app", "service")),
        "evidence": Field(("appcat",)),
        **_endpoints("srcip", "srcport", "dstip", "dstport"),
        "l4": Field(("proto",), TRANSPORT),
        # The log is written when the session ends.
        **_times(None, "eventtime", TIME, "duration"),
        "packets": Field(("sentpkt", "rcvdpkt"), COUNT, Combine.SUM),
        **_nat(
            ("transip", "srcip", "transport", "srcport"), ("tranip", "dstip", "tranport", "dstport")
        ),
    },
    conditions=(RequiredValue("type", ("traffic",)),),
)

#: What `mailtap labels` writes. A label's meaning is in the file, not made of its name again.
NORMAL = LabelFormat(
    name="normal",
    engine="generic",
    container="parquet",
    marks=NORMAL_LABEL,
    fields={
        "name": Field(("name",)),
        **_endpoints("src_ip", "src_port", "dst_ip", "dst_port"),
        "l4": Field(("l4",), TRANSPORT),
        "community_id": Field(("community_id",), COMMUNITY_ID),
        **_times("start", "end", SECONDS),
        "packets": Field(("packets",), COUNT),
        **_nat(("nat_ip_a", "nat_port_a"), ("nat_ip_b", "nat_port_b")),
        "app": Field(("app",)),
        "protocol": Field(("protocol",), _one_of(SERVICES)),
        "encryption": Field(("encryption",), _one_of(ENCRYPTIONS)),
        "carrier": Field(("carrier",), _one_of(CARRIERS)),
        "provenance": Field(("provenance",), _one_of(PROVENANCES)),
        "is_label": Field(("is_label",), BOOLEAN),
        "engine": Field(("engine",)),
        "source": Field(("source",), LONG_TEXT),
    },
)


def _zeek(container: str) -> LabelFormat:
    """conn.log: what Zeek's own analyzers recognised, under `service`. Without one nothing was."""
    return LabelFormat(
        name="zeek",
        engine="zeek",
        container=container,
        marks=("uid", "id.orig_h", "id.resp_h", "conn_state"),
        fields={
            "name": Field(("service",), JOINED_LIST),
            **_endpoints("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"),
            "l4": Field(("proto",), TRANSPORT),
            "community_id": Field(("community_id",), COMMUNITY_ID),
            **_times("ts", None, TIME, "duration"),
            "packets": Field(("orig_pkts", "resp_pkts"), COUNT, Combine.SUM),
        },
    )


ZEEK, ZEEK_JSON = _zeek("separated"), _zeek("json")

# In the order in which a file's kind is looked for: what has more marks of its own comes first.
FORMATS = (
    NORMAL,
    NDPID,
    NDPIREADER_JSON,
    SURICATA,
    ARKIME,
    NFSTREAM,
    NDPIREADER,
    ZEEK,
    ZEEK_JSON,
    PANOS_CSV,
    FORTIGATE,
    PANOS,
)


def generic(container: str, columns: Mapping[str, tuple[str, ...]]) -> LabelFormat:
    """A label file in no known format; `columns` is the policy's map."""
    transforms = {
        "src_ip": ADDRESS,
        "src_port": PORT_NUMBER,
        "dst_ip": ADDRESS,
        "dst_port": PORT_NUMBER,
        "l4": TRANSPORT,
        "start": TIME,
        "end": TIME,
        "duration": DURATION,
        "community_id": COMMUNITY_ID,
        "packets": COUNT,
    }
    return LabelFormat(
        name=container,
        engine="generic",
        container="json" if container == "jsonl" else container,
        marks=(),
        fields={
            "evidence" if key == "provenance" else key: Field(places, transforms.get(key, TEXT))
            for key, places in columns.items()
        },
    )
