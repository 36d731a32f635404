"""Times of log lines as seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from mailtap.truth.line import MalformedLineError

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}

#: A line is written in its turn, so one that seems older than the line before it by more than this
#: is of the next year, or of the second passage through the hour that summer time ends with.
OUT_OF_TURN = 1_800.0


class Clock:
    """Reads the times of one log from its first line to its last.

    A time without a year (RFC 3164) is taken as near to the line before it as can be, and that of
    the first line as the last such time before `latest` (seconds since 1970: when the log was last
    written, for instance). One without a zone is of `zone`.
    """

    def __init__(self, zone: tzinfo, latest: float) -> None:
        self._zone = zone
        self._latest = latest
        self._before: float | None = None
        self._hour: tuple[int, int, int] | None = None
        self._hour_start = 0.0

    def without_year(self, month: str, day: str, time: str) -> float:
        """`Nov`, `24`, `22:40:01` or `22:40:01.123`."""
        if month not in MONTHS:
            raise MalformedLineError("no month")
        hour, minute, seconds = _clock_time(time)
        key = MONTHS[month], int(day), hour
        into = minute * 60 + seconds
        found = self._hour_start + into
        if key != self._hour or (self._before is not None and found < self._before - OUT_OF_TURN):
            self._hour_start = self._hour_of(*key, into)
            self._hour = key
            found = self._hour_start + into
        self._before = found
        return found

    def with_date(self, date: str, time: str, zone: str | None) -> float:
        """`2026-11-24`, `22:40:01.123` and `Z`, `UTC`, `+01:00`, `+0100` or None."""
        hour, minute, seconds = _clock_time(time)
        try:
            start = datetime(int(date[:4]), int(date[5:7]), int(date[8:10]), hour)
        except ValueError:
            raise MalformedLineError("no date") from None
        into = minute * 60 + seconds
        if zone is None:
            candidates = self._moments(start)
            expected = candidates[0] + into if self._before is None else self._before
            found = min((at + into for at in candidates), key=lambda at: abs(at - expected))
        else:
            found = start.replace(tzinfo=UTC).timestamp() + into - _offset(zone)
        self._before = found
        return found

    def _hour_of(self, month: int, day: int, hour: int, into: float) -> float:
        near = self._latest + 86_400 if self._before is None else self._before
        year = datetime.fromtimestamp(near, UTC).year
        candidates = []
        for candidate in range(year - 4, year + 2):
            try:
                candidates += self._moments(datetime(candidate, month, day, hour))
            except (ValueError, OverflowError):  # 29 February of another year
                continue
        if self._before is None:
            candidates = [start for start in candidates if start + into <= near] or candidates[:1]
        if not candidates:
            raise MalformedLineError("no date")
        return min(candidates, key=lambda start: abs(start + into - near))

    def _moments(self, local: datetime) -> list[float]:
        """When it was so late; twice where clocks were put back."""
        return sorted({local.replace(tzinfo=self._zone, fold=fold).timestamp() for fold in (0, 1)})


def _clock_time(text: str) -> tuple[int, int, float]:
    hour, minute, seconds = int(text[:2]), int(text[3:5]), float(text[6:])
    if hour > 23 or minute > 59 or seconds >= 61:
        raise MalformedLineError("no time of day")
    return hour, minute, seconds


def _offset(zone: str) -> float:
    if zone in ("Z", "z", "UTC"):
        return 0.0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)).total_seconds()
