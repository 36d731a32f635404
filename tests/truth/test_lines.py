"""Lines of logs: times, programs, and the forms that syslog and journald give them."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailtap.records.zstandard import zstd
from mailtap.truth import TruthLog, TruthSession, UnreadableLogError
from mailtap.truth.line import MalformedLineError
from mailtap.truth.syslog import read_line
from mailtap.truth.timestamps import Clock

BERLIN = ZoneInfo("Europe/Berlin")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def clock(latest: str = "2026-11-25T00:00:00Z", zone: tzinfo = UTC) -> Clock:
    return Clock(zone, seconds(latest))


@pytest.mark.parametrize(
    ("line", "program", "pid", "host", "time"),
    [
        (
            "Nov 24 22:40:01 mx postfix/smtpd[12]: text",
            *("postfix/smtpd", "12", "mx", "2026-11-24T22:40:01Z"),
        ),
        (
            "Nov  4 22:40:01 <mail.notice> mx sm-mta[12]: text",
            *("sm-mta", "12", "mx", "2026-11-04T22:40:01Z"),
        ),
        (
            "<22>Nov  4 22:40:01 mx dovecot: text",
            *("dovecot", None, "mx", "2026-11-04T22:40:01Z"),
        ),
        (
            "2026-11-24T22:40:01.5+01:00 mx postfix/submission/smtpd[12]: text",
            *("postfix/submission/smtpd", "12", "mx", "2026-11-24T21:40:01.5Z"),
        ),
        (
            '<22>1 2026-11-24T22:40:01.25Z mx smtpd 12 - [x@1 a="b]"] text',
            *("smtpd", "12", "mx", "2026-11-24T22:40:01.25Z"),
        ),
        (
            "<22>1 2026-11-24T22:40:01-02:30 mx sm-mta - - - text",
            *("sm-mta", None, "mx", "2026-11-25T01:10:01Z"),
        ),
        (
            "Tue 2026-11-24 22:40:01 UTC mx postfix/smtpd[12]: text",
            *("postfix/smtpd", "12", "mx", "2026-11-24T22:40:01Z"),
        ),
        (
            "1795560001.25 mx postfix/smtpd[12]: text",
            *("postfix/smtpd", "12", "mx", "2026-11-24T22:40:01.25Z"),
        ),
        (
            "Nov 24 22:40:01 mx sendmail[12]: [ID 801593 mail.info] text",
            *("sendmail", "12", "mx", "2026-11-24T22:40:01Z"),
        ),
        (
            "mail-1  | Nov 24 22:40:01 mx postfix/smtpd[12]: text",
            *("postfix/smtpd", "12", "mx", "2026-11-24T22:40:01Z"),
        ),
        (
            "2026-11-24T22:40:02.1Z stdout F Nov 24 22:40:01 mx postfix/smtpd[12]: text",
            *("postfix/smtpd", "12", "mx", "2026-11-24T22:40:01Z"),
        ),
        (
            "2026-11-24T22:40:02.1Z 2026-11-24 22:40:01 text",
            *("exim", None, None, "2026-11-24T22:40:01Z"),
        ),
        (
            "\ufeffNov 24 22:40:01 mx dovecot: text",
            *("dovecot", None, "mx", "2026-11-24T22:40:01Z"),
        ),
        ("2026-11-24 22:40:01 text", "exim", None, None, "2026-11-24T22:40:01Z"),
        ("2026-11-24 22:40:01.123 +0100 [77] text", "exim", "77", None, "2026-11-24T21:40:01.123Z"),
    ],
)
def test_forms_of_lines(line: str, program: str, pid: str, host: str, time: str) -> None:
    read = read_line(line, clock())
    assert (read.program, read.pid, read.host, read.message) == (program, pid, host, "text")
    assert read.time == pytest.approx(seconds(time))


def test_dovecots_own_file_has_no_host() -> None:
    read = read_line("Nov 24 22:40:01 imap-login: Info: Login: user=<a>", clock())
    assert (read.program, read.message) == ("dovecot", "imap-login: Info: Login: user=<a>")
    read = read_line("dovecot: Nov 24 22:40:01 Info: imap-login: Login: user=<a>", clock())
    assert (read.program, read.message) == ("dovecot", "imap-login: Login: user=<a>")


@pytest.mark.parametrize(
    "line",
    [
        "no time at all",
        "Nov 99 22:40:01 mx a[1]: x",
        "Foo 24 22:40:01 mx a[1]: x",
        "Nov 24 25:40:01 mx a[1]: x",
        "2026-13-24T22:40:01Z mx a[1]: x",
        "Nov 24 22:40:01 mx a[1]: x\x1b[31m",
        "Nov 24 22:40:01 mx a[1]: x\x00",
        "Nov 24 22:40:01 mx a[1]: x\u2028Nov 24 22:40:01 mx b[1]: y",
    ],
)
def test_lines_that_can_not_be_read(line: str) -> None:
    with pytest.raises((MalformedLineError, ValueError)):
        read_line(line, clock())


def test_the_year_is_that_of_the_last_such_day_before_the_log_was_written() -> None:
    assert clock("2026-03-01T00:00:00Z").without_year("Dec", "31", "23:00:00") == seconds(
        "2025-12-31T23:00:00Z"
    )
    assert clock("2026-12-31T23:30:00Z").without_year("Dec", "31", "23:00:00") == seconds(
        "2026-12-31T23:00:00Z"
    )


def test_a_log_goes_over_the_turn_of_the_year_and_lines_a_little_late_come_back() -> None:
    times = clock("2026-01-02T00:00:00Z")
    read = [
        times.without_year("Dec", "31", "23:59:59"),
        times.without_year("Jan", "1", "00:00:01"),
        times.without_year("Dec", "31", "23:59:58"),
        times.without_year("Jan", "1", "00:00:02"),
    ]
    turn = seconds("2026-01-01T00:00:00Z")
    assert [time - turn for time in read] == [-1, 1, -2, 2]


def test_29_february() -> None:
    assert clock("2026-05-01T00:00:00Z").without_year("Feb", "29", "12:00:00") == seconds(
        "2024-02-29T12:00:00Z"
    )


def test_a_zone_is_used_for_times_without_one() -> None:
    times = clock(zone=BERLIN)
    assert times.without_year("Jul", "1", "12:00:00") == seconds("2026-07-01T10:00:00Z")


@pytest.mark.parametrize("with_date", [False, True])
def test_the_hour_that_summer_time_ends_with_comes_twice(with_date: bool) -> None:
    times = clock(zone=BERLIN)

    def read(time: str) -> float:
        if with_date:
            return times.with_date("2026-10-25", time, None)
        return times.without_year("Oct", "25", time)

    found = [read(time) for time in ("01:59:00", "02:30:00", "02:59:59", "02:00:01", "03:00:00")]
    start = seconds("2026-10-24T23:59:00Z")
    assert [time - start for time in found] == [0, 1860, 3659, 3661, 7260]


CONNECT = "connect from unknown[192.0.2.1]:4711"
DISCONNECT = "disconnect from unknown[192.0.2.1]:4711 ehlo=1 quit=1 commands=2"
LINES = "".join(
    f"Nov 24 22:40:0{n} mx postfix/smtpd[12]: {text}\n"
    for n, text in enumerate((CONNECT, DISCONNECT))
).encode()


def read(path: Path, data: bytes) -> tuple[list[TruthSession], TruthLog]:
    path.write_bytes(data)
    log = TruthLog([path], latest=seconds("2026-11-25T00:00:00Z"))
    return list(log), log


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd.compress])
def test_plain_and_compressed_files(tmp_path: Path, pack: type[bytes]) -> None:
    (session,), log = read(tmp_path / "log", pack(LINES))
    assert session.whole
    assert not list(log.files[0].warnings())


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstd.compress])
def test_a_compressed_file_that_is_cut_off_gives_what_is_there(
    tmp_path: Path, pack: type[bytes]
) -> None:
    noise = b"".join(
        b"Nov 24 22:40:02 mx other[%d]: %x\n" % (n, n * 0x9E3779B97F4A7C15) for n in range(30_000)
    )
    data = pack(LINES + noise)
    sessions, log = read(tmp_path / "log", data[: len(data) // 2])
    assert len(sessions) == 1
    (warning,) = log.files[0].warnings()
    assert "cut off or damaged" in warning


def test_rotated_files_are_read_oldest_first(tmp_path: Path) -> None:
    first, second = LINES.splitlines(keepends=True)
    old, new = tmp_path / "mail.log.1", tmp_path / "mail.log"
    old.write_bytes(gzip.compress(first))
    new.write_bytes(second)
    (session,) = TruthLog([new, old], latest=seconds("2026-11-25T00:00:00Z"))
    assert session.whole


def entry(message: str, time: int, **more: str) -> dict[str, str]:
    return {
        "__CURSOR": "s=1",
        "__REALTIME_TIMESTAMP": str(time),
        "_HOSTNAME": "mx",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "_PID": "12",
        "MESSAGE": message,
    } | more


ENTRIES = [entry(CONNECT, 1_795_560_000_250_000), entry(DISCONNECT, 1_795_560_001_500_000)]


def exported(entries: list[dict[str, str]], binary: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    for fields in entries:
        for name, value in fields.items():
            if name in binary:
                data = value.encode()
                out.write(name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n")
            else:
                out.write(f"{name}={value}\n".encode())
        out.write(b"\n")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        exported(ENTRIES),
        exported(ENTRIES, binary=("MESSAGE",)),
        "".join(json.dumps(fields) + "\n" for fields in ENTRIES).encode(),
        "".join(
            json.dumps(fields | {"MESSAGE": list(fields["MESSAGE"].encode())}) + "\n"
            for fields in ENTRIES
        ).encode(),
    ],
    ids=["export", "export, binary", "JSON", "JSON, bytes"],
)
def test_journald(tmp_path: Path, data: bytes) -> None:
    (session,), log = read(tmp_path / "journal", data)
    assert (session.start, session.end) == pytest.approx((1_795_560_000.25, 1_795_560_001.5))
    assert session.client_p == 4711
    assert log.files[0].malformed == 0


@pytest.mark.parametrize(
    "bad",
    [
        exported([entry("a\nb", 1)], binary=("MESSAGE",)),
        exported([entry("x" * 70_000, 1)], binary=("MESSAGE",)),
        exported([entry("x", 1)]).replace(b"_PID=12", b"MESSAGE=forged"),
        exported([entry("x", 1, __REALTIME_TIMESTAMP="soon")]),
    ],
    ids=["line break in the message", "too long", "a field twice", "no time"],
)
def test_bad_entries_of_an_export_are_counted_and_the_others_read(
    tmp_path: Path, bad: bytes
) -> None:
    sessions, log = read(tmp_path / "journal", bad + exported(ENTRIES))
    assert len(sessions) == 1
    assert log.files[0].malformed == 1


@pytest.mark.parametrize("bad", ["{", "[1]", '{"MESSAGE": null}', '{"MESSAGE": [[1]]}', "{" * 9999])
def test_bad_entries_in_json_are_counted(tmp_path: Path, bad: str) -> None:
    data = "".join(json.dumps(fields) + "\n" for fields in ENTRIES) + bad + "\n"
    sessions, log = read(tmp_path / "journal", data.encode())
    assert len(sessions) == 1
    assert (log.files[0].malformed, log.files[0].first_malformed) == (1, 3)


def test_what_is_no_log_of_a_mail_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("Nov 24 22:40:01 mx cron[1]: hello\n")
    with pytest.raises(UnreadableLogError, match="no lines of a mail server"):
        list(TruthLog([path]))
    with pytest.raises(UnreadableLogError, match="no lines of exim found"):
        list(TruthLog([path], form="exim"))
    with pytest.raises(UnreadableLogError, match="is a directory"):
        list(TruthLog([tmp_path]))
    with pytest.raises(UnreadableLogError, match="No such file"):
        list(TruthLog([tmp_path / "nothing"]))
