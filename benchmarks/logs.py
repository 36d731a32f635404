"""Logs to measure with: the sessions of a field capture, as often as wanted, and their labels.

Each copy of the capture begins 700 seconds after the one before: 160 copies, two million sessions,
take 31 hours. With `distinct` keys each copy has clients of its own; with `reused` ones the same
clients and ports come again in every copy, as behind a relay or a NAT gateway.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

KEYS = ("distinct", "reused")

#: Seconds from one copy to the next.
APART = 700

#: Lines are written as they are, without quotes.
AS_TEXT = r"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01'"

#: What a log of Zeek's or a label needs of a session line; the rest of the line stays as it is.
_READ = {
    "ts": "DOUBLE",
    "duration": "DOUBLE",
    "uid": "VARCHAR",
    "client_h": "VARCHAR",
    "client_p": "INTEGER",
    "server_h": "VARCHAR",
    "server_p": "INTEGER",
    "community_id": "VARCHAR",
    "service": "VARCHAR",
    "starttls": "VARCHAR",
    "client_pkts": "BIGINT",
    "client_bytes": "BIGINT",
    "server_pkts": "BIGINT",
    "server_bytes": "BIGINT",
}

_CLIENT = {
    "distinct": """CASE WHEN contains(client_h, ':')
        THEN '2001:db8:' || printf('%x', 4096 + copy) || ':' || regexp_extract(client_h, ':[^:]*$')
        ELSE (11 + copy // 250) || '.' || copy % 250 || regexp_extract(client_h, '(\\.[0-9]+){2}$')
        END""",
    "reused": "client_h",
}

_SESSION_LINE = """
    '{"ts":' || printf('%.6f', ts) || ',"duration":' || duration || ',"uid":"' || uid
    || '","id.orig_h":"' || orig_h || '","id.orig_p":' || orig_p
    || ',"id.resp_h":"' || resp_h || '","id.resp_p":' || resp_p
    || ',"community_id":"' || community_id
    || '","client_h":"' || client_h || '","client_p":' || client_p
    || ',"server_h":"' || server_h || '","server_p":' || server_p || tail"""

_MS = "CAST(round({} * 1000) AS BIGINT)"

#: NFStream's own columns, in its order.
_NFSTREAM = {
    "id": "number",
    "expiration_id": "0",
    "src_ip": "orig_h",
    "src_mac": "'00:00:5e:00:53:01'",
    "src_oui": "'00:00:5e'",
    "src_port": "orig_p",
    "dst_ip": "resp_h",
    "dst_mac": "'00:00:5e:00:53:02'",
    "dst_oui": "'00:00:5e'",
    "dst_port": "resp_p",
    "protocol": "6",
    "ip_version": "CASE WHEN contains(orig_h, ':') THEN 6 ELSE 4 END",
    "vlan_id": "0",
    "tunnel_id": "0",
    "bidirectional_first_seen_ms": _MS.format("ts"),
    "bidirectional_last_seen_ms": _MS.format("(ts + duration)"),
    "bidirectional_duration_ms": _MS.format("duration"),
    "bidirectional_packets": "client_pkts + server_pkts",
    "bidirectional_bytes": "client_bytes + server_bytes",
    "src2dst_packets": "client_pkts",
    "src2dst_bytes": "client_bytes",
    "dst2src_packets": "server_pkts",
    "dst2src_bytes": "server_bytes",
    "application_name": """CASE WHEN starttls = 'tls' THEN 'SMTPS'
        WHEN service IS NOT NULL THEN upper(service)
        WHEN hash(uid) % 3 = 0 THEN 'Unknown' ELSE 'SMTP' END""",
    "application_category_name": "'Email'",
    "application_is_guessed": "CASE WHEN service IS NULL THEN 1 ELSE 0 END",
    "application_confidence": "CASE WHEN service IS NULL THEN 1 ELSE 6 END",
    "requested_server_name": "''",
    "client_fingerprint": "''",
    "server_fingerprint": "''",
    "user_agent": "''",
    "content_type": "''",
}


def _iso(seconds: str) -> str:
    moment = f"make_timestamp(CAST({seconds} * 1000000 AS BIGINT))"
    return f"strftime({moment}, '%Y-%m-%dT%H:%M:%S.%f') || '+0000'"


_EVE_LINE = f"""
    '{{"timestamp":"' || {_iso("(ts + duration)")} || '","flow_id":' || number
    || ',"event_type":"flow","src_ip":"' || orig_h || '","src_port":' || orig_p
    || ',"dest_ip":"' || resp_h || '","dest_port":' || resp_p || ',"proto":"TCP","app_proto":"'
    || CASE WHEN starttls = 'tls' THEN 'tls","app_proto_orig":"smtp'
       ELSE coalesce(service, 'failed') END
    || '","flow":{{"pkts_toserver":' || client_pkts || ',"pkts_toclient":' || server_pkts
    || ',"bytes_toserver":' || client_bytes || ',"bytes_toclient":' || server_bytes
    || ',"start":"' || {_iso("ts")} || '","end":"' || {_iso("(ts + duration)")}
    || '","age":' || CAST(duration AS BIGINT) || ',"state":"closed","reason":"timeout",'
    || '"alerted":false}},"community_id":"' || community_id || '","tcp":{{"tcp_flags":"1b",'
    || '"tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,'
    || '"state":"closed"}}}}'"""

#: conn.log: Zeek's type of a field, and its value.
_CONN = {
    "ts": ("time", "printf('%.6f', ts)"),
    "uid": ("string", "uid"),
    "id.orig_h": ("addr", "orig_h"),
    "id.orig_p": ("port", "orig_p"),
    "id.resp_h": ("addr", "resp_h"),
    "id.resp_p": ("port", "resp_p"),
    "proto": ("enum", "'tcp'"),
    "service": ("string", "service"),
    "duration": ("interval", "duration"),
    "orig_bytes": ("count", "client_bytes"),
    "resp_bytes": ("count", "server_bytes"),
    "conn_state": ("string", "'OTH'"),
    "local_orig": ("bool", "'F'"),
    "local_resp": ("bool", "'F'"),
    "missed_bytes": ("count", "0"),
    "history": ("string", "'ShADad'"),
    "orig_pkts": ("count", "client_pkts"),
    "orig_ip_bytes": ("count", "client_bytes + 40 * client_pkts"),
    "resp_pkts": ("count", "server_pkts"),
    "resp_ip_bytes": ("count", "server_bytes + 40 * server_pkts"),
    "tunnel_parents": ("set[string]", "NULL"),
    "community_id": ("string", "community_id"),
}
#: Every client is the originator in these logs.
_SESSIONS = """
    SELECT *, client_h AS orig_h, client_p AS orig_p, server_h AS resp_h, server_p AS resp_p
    FROM (SELECT * REPLACE (ts + copy * {apart} AS ts, {client} AS client_h,
                            'C' || printf('%x', hash(copy, uid)) AS uid,
                            copy * (SELECT count(*) FROM base) + number AS number)
          FROM base, range({copies}) t(copy))"""


def captured(directory: Path) -> Path:
    """The session lines of one field capture."""
    capture, lines = directory / "field.pcap", directory / "field.jsonl"
    if not lines.exists():
        for arguments in (
            ["fieldcapture", "--out", str(capture)],
            ["mailtap", "analyze", str(capture), "--sessions", str(lines), "--json"],
        ):
            subprocess.run([sys.executable, "-m", *arguments], check=True, capture_output=True)
        capture.unlink()
    return lines


class Logs:
    """Writes logs of about `rows` sessions into a directory."""

    def __init__(self, directory: Path, rows: int, keys: str) -> None:
        self._directory = directory
        self._connection = duckdb.connect(
            config={"memory_limit": "3GiB", "preserve_insertion_order": False}
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        read = ", ".join(
            f"json_extract_string(line, '$.{name}')::{kind} AS {name}"
            for name, kind in _READ.items()
        )
        self._connection.execute(
            f"CREATE TABLE base AS SELECT row_number() OVER () AS number, {read}, "
            """regexp_extract(line, '"server_p":[0-9]+(.*)$', 1) AS tail """
            f"FROM read_csv('{captured(directory)}', delim = E'\\x01', quote = '', escape = '', "
            "header = false, auto_detect = false, columns = {'line': 'VARCHAR'})"
        )
        (of_one,) = self._connection.execute("SELECT count(*) FROM base").fetchone() or (1,)
        copies = max(1, round(rows / of_one))
        self.rows = copies * of_one
        self._sessions = _SESSIONS.format(apart=APART, copies=copies, client=_CLIENT[keys])

    def session_lines(self) -> Path:
        """Session lines, which are mail_session.log in JSON, too."""
        return self._write("sessions.jsonl", f"SELECT {_SESSION_LINE} FROM ({self._sessions})")

    def nfstream(self) -> Path:
        """Labels as NFStream's own table."""
        columns = ", ".join(f"{value} AS {name}" for name, value in _NFSTREAM.items())
        query = f"SELECT {columns} FROM ({self._sessions})"
        return self._write("nfstream.csv", query, "FORMAT csv, HEADER")

    def eve(self) -> Path:
        """Labels as Suricata's flow events."""
        return self._write("eve.json", f"SELECT {_EVE_LINE} FROM ({self._sessions})")

    def conn_tsv(self) -> Path:
        """conn.log with tabs, below the header that Zeek writes."""
        path = self._directory / "conn.log"
        rows = self._directory / "rows.tsv"
        values = ", ".join(
            f"coalesce(CAST({value} AS VARCHAR), '-')" for _, value in _CONN.values()
        )
        query = f"SELECT concat_ws(chr(9), {values}) FROM ({self._sessions})"
        self._write(rows.name, query)
        header = (
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
            "#path\tconn\n#fields\t" + "\t".join(_CONN) + "\n#types\t"
            "" + "\t".join(kind for kind, _ in _CONN.values()) + "\n"
        )
        with path.open("w") as log, rows.open() as lines:
            log.write(header)
            shutil.copyfileobj(lines, log, 1 << 20)
            log.write("#close\t2026-11-28-00-00-00\n")
        rows.unlink()
        return path

    def _write(self, name: str, query: str, options: str = AS_TEXT) -> Path:
        path = self._directory / name
        self._connection.execute(f"COPY ({query}) TO '{path}' ({options})")
        return path
