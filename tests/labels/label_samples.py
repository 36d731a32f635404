"""Small label files as the engines write them, all about one made-up mail session or two."""

from __future__ import annotations

import json

NDPIREADER = (
    "flow_id,protocol,first_seen,last_seen,duration,src_ip,src_port,dst_ip,dst_port,"
    "ndpi_proto_num,ndpi_proto,proto_by_ip_num,proto_by_ip,server_name_sni,"
    "c_to_s_pkts,c_to_s_bytes,s_to_c_pkts,s_to_c_bytes\n"
    "1,6,1700000000.250,1700000003.500,3.250,192.0.2.10,40001,198.51.100.25,25,"
    "3.126,SMTP.Google,0,Unknown,mx.example.net,7,900,4,600\n"
    "2,6,1700000010.000,1700000011.000,1.000,198.51.100.25,993,192.0.2.11,40002,"
    "51,IMAPS,0,Unknown,,0,0,9,4000\n"
    "3,17,1700000020.000,1700000020.100,0.100,192.0.2.10,5353,198.51.100.53,53,"
    "5,DNS,0,Unknown,,1,70,1,90\n"
)
NDPIREADER_PIPE = "#" + NDPIREADER.replace(",", "|")


def ndpireader_json(**changes: object) -> str:
    """A line of `ndpiReader -k`."""
    record: dict[str, object] = {
        "src_ip": "192.0.2.10",
        "dest_ip": "198.51.100.25",
        "src_port": 40001,
        "dst_port": 25,
        "ip": 4,
        "proto": "TCP",
        "ndpi": {"confidence": {"1": "Match by port"}, "proto": "SMTP", "proto_id": "3"},
        "first_seen": 1700000000.25,
        "last_seen": 1700000003.5,
        "duration": 3.25,
        "xfer": {"src2dst_packets": 7, "dst2src_packets": 0},
    }
    return json.dumps(record | changes)


def ndpid(event: str, second: int, proto: str | None, confidence: str = "6", **more: object) -> str:
    """An event of nDPId behind its length, `second` seconds into the flow."""
    start = 1_700_000_000_250_000
    record: dict[str, object] = {
        "flow_event_name": event,
        "thread_ts_usec": start + second * 1_000_000,
        "flow_id": 1,
        "flow_first_seen": start,
        "flow_src_last_pkt_time": start + second * 1_000_000,
        "flow_dst_last_pkt_time": 0,
        "flow_src_packets_processed": second,
        "flow_dst_packets_processed": 0,
        "midstream": 0,
        "l3_proto": "ip4",
        "src_ip": "192.0.2.10",
        "dst_ip": "198.51.100.25",
        "src_port": 40001,
        "dst_port": 25,
        "l4_proto": "tcp",
    }
    if proto is not None:
        record["ndpi"] = {"confidence": {confidence: "words"}, "proto": proto, "breed": "Safe"}
    text = json.dumps(record | more) + "\n"
    return f"{len(text):05d}{text}"


NFSTREAM = (
    "id,src_ip,src_port,dst_ip,dst_port,protocol,bidirectional_first_seen_ms,"
    "bidirectional_last_seen_ms,bidirectional_packets,application_name,application_is_guessed,"
    "application_confidence\n"
    "0,192.0.2.10,40001,198.51.100.25,25,6,1700000000250,1700000003500,11,SMTP,0,6\n"
    "1,2001:DB8::0:1,40002,2001:db8::2,143,6,1700000010000,1700000011000,9,IMAP,1,1\n"
    "2,192.0.2.12,40003,198.51.100.25,25,6,1700000012000,1700000013000,3,Unknown,0,0\n"
)


def suricata(**changes: object) -> str:
    """A flow record of EVE."""
    record: dict[str, object] = {
        "timestamp": "2023-11-14T22:14:00.000000+0000",
        "flow_id": 1234567890123456,
        "event_type": "flow",
        "src_ip": "192.0.2.10",
        "src_port": 40001,
        "dest_ip": "198.51.100.25",
        "dest_port": 25,
        "proto": "TCP",
        "app_proto": "tls",
        "app_proto_orig": "smtp",
        "flow": {
            "pkts_toserver": 7,
            "pkts_toclient": 4,
            "start": "2023-11-14T23:13:20.250000+0100",
            "end": "2023-11-14T23:13:23.500000+0100",
        },
        "community_id": "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
    }
    return json.dumps(record | changes)


def arkime(**changes: object) -> str:
    """A session document of Arkime."""
    record: dict[str, object] = {
        "firstPacket": 1700000000250,
        "lastPacket": 1700000003500,
        "ipProtocol": 6,
        "source": {"ip": "192.0.2.10", "port": 40001},
        "destination": {"ip": "198.51.100.25", "port": 25},
        "network": {"packets": 11, "community_id": "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
        "protocol": ["tcp", "smtp", "tls"],
    }
    return json.dumps(record | changes)


NOT_TRANSLATED = "0.0.0.0"  # noqa: S104


def panos(
    app: str = "smtp", subtype: str = "end", nat: str = NOT_TRANSLATED, nat_port: int = 0
) -> str:
    """A traffic log of PAN-OS as it comes by syslog, with a rule's name that needs quotes."""
    nat_destination = "198.51.100.25" if nat_port else NOT_TRANSLATED
    return (
        f"<14>Nov 14 22:13:24 fw1 1,2023/11/14 22:13:24,0123,TRAFFIC,{subtype},2561,"
        f"2023/11/14 22:13:24,192.0.2.10,198.51.100.25,{nat},{nat_destination},"
        f'"Mail, out",,,{app},vsys1,trust,untrust,eth1,eth2,fwd,2023/11/14 22:13:24,33651,1,'
        f"40001,25,{nat_port},{25 if nat_port else 0},0x19,tcp,allow,1500,900,600,11,"
        "2023/11/14 22:13:20,3,any,,1,0x0\n"
    )


PANOS_CSV = (
    "Receive Time,Type,Source address,Destination address,NAT Source IP,NAT Destination IP,"
    "Application,Source Port,Destination Port,NAT Source Port,NAT Destination Port,IP Protocol,"
    "Packets,Start Time,Elapsed Time (sec)\n"
    "2023/11/14 22:13:24,TRAFFIC,192.0.2.10,198.51.100.25,,,smtp,40001,25,0,0,tcp,"
    "11,2023/11/14 22:13:20,3\n"
)

FORTIGATE = (
    '<189>date=2023-11-14 time=22:13:23 devname="fw" logid="0000000013" type="traffic" '
    'subtype="forward" eventtime=1700000003500000000 tz="+0000" srcip=192.0.2.10 srcport=40001 '
    "dstip=198.51.100.25 dstport=25 sessionid=7 proto=6 {app} duration=3 sentpkt=7 rcvdpkt=4\n"
)
FORTIGATE_SCANNED = FORTIGATE.format(app='app="SMTP" appcat="Email" applist="default"')
FORTIGATE_UNSCANNED = FORTIGATE.format(app='service="SMTP" appcat="unscanned"')

ZEEK_FIELDS = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "duration",
    "conn_state",
    "orig_pkts",
    "resp_pkts",
)


def zeek(*services: str) -> str:
    """A conn.log as Zeek writes it by default, with a connection for each service."""
    header = [
        r"#separator \x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tconn",
        "\t".join(("#fields", *ZEEK_FIELDS)),
    ]
    rows = [
        f"1700000000.250000\tCxyz{n}\t192.0.2.10\t{40001 + n}\t198.51.100.25\t25\ttcp\t{service}\t"
        "3.25\tSF\t7\t4"
        for n, service in enumerate(services)
    ]
    return "\n".join([*header, *rows, "#close\t2023-11-14-22-14-00"]) + "\n"


def zeek_json(**changes: object) -> str:
    """A line of a conn.log written as JSON."""
    values = zeek("smtp").splitlines()[-2].split("\t")
    record: dict[str, object] = dict(zip(ZEEK_FIELDS, values, strict=True))
    numbers = {"ts": 1700000000.25, "id.orig_p": 40001, "id.resp_p": 25, "duration": 3.25}
    return json.dumps(record | numbers | {"orig_pkts": 7, "resp_pkts": 4} | changes)
