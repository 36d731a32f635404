"""The offsets of the clocks of sensors and label engines, by the latest records."""

from __future__ import annotations

from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.pipeline import compare_clocks
from mailtap.live.core.chunks import Found
from mailtap.live.core.database import Database
from mailtap.live.core.judge_queries import take_in
from mailtap.live.core.recent import tables_of
from mailtap.policy import Policy


class Clocks:
    """Compares clocks in a database of its own, so that a thread of its own may do it."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._database = Database()

    def close(self) -> None:
        self._database.close()

    def compare(self, sessions: Found, labels: Found) -> tuple[ClockOffset, ...]:
        """The offsets by these records."""
        take_in(self._database, *tables_of(sessions, labels))
        return compare_clocks(self._database, self._policy)
