"""The figures of TLS over the last hours: STARTTLS and findings by server, as a report has them.

Sessions that are the same as far as these figures go are kept as one row with their number, so that
memory is bounded by how many kinds there are, and that by MAXIMUM_ROWS.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mailtap.live.batches.records import Records, together
from mailtap.live.batches.sessions import SESSIONS
from mailtap.live.core.database import Database
from mailtap.report.tls import ENCRYPTION, tls_figures
from mailtap.report.tls_model import Tls
from mailtap.report.vanished import FALSE_ALARMS

#: Hours that count, by the sessions' own time: the latest in which sessions began.
HOURS = 24

#: Kinds of sessions that are kept apart.
MAXIMUM_ROWS = 100_000

#: Sessions that are worth to be counted at once, and those that may wait.
WAITING = 20_000
MAXIMUM_WAITING = 5 * WAITING

#: Seconds between looks at the figures.
LOOK = 30.0

#: A server's chance of a false alarm: that of a day, of which each look has its part (Bonferroni).
FALSE_ALARMS_OF_A_LOOK = FALSE_ALARMS * LOOK / 86_400

#: Columns whose texts come from sensors, with the most characters that are kept.
_TEXTS = {
    **dict.fromkeys(("server_h", "client_h", "starttls", "tls_version", "uid"), 64),
    **dict.fromkeys(("sni", "cert_subject", "cert_issuer"), 128),
}
_SHORT = ", ".join(f"left({name}, {length}) AS {name}" for name, length in _TEXTS.items())
_SHORTENED = f"SELECT * REPLACE ({_SHORT}) FROM (SELECT {ENCRYPTION}, uid FROM incoming)"

#: The same of sessions that are no longer told apart by server.
_REST = "NULL AS server_h, NULL AS server_p, NULL AS client_h, NULL AS tls_version, NULL AS sni, "
_REST += "NULL AS cert_subject, NULL AS cert_issuer"


class Encryption:
    """Counts sessions, and looks at the figures every LOOK seconds.

    `add`, `is_due` and `take` are of one thread, `count` may be of another.
    """

    def __init__(self, redact: Collection[str]) -> None:
        self._redact = redact
        self._database = Database()
        self._waiting: list[Records] = []
        self._one_of = 1  # clients that are told apart: those whose hash is a multiple
        self._looked: float | None = None
        self._begun = False
        self.figures: Tls | None = None

    def close(self) -> None:
        self._database.close()

    def add(self, sessions: Records) -> None:
        """Has sessions of SessionReader wait to be counted."""
        self._waiting.append(sessions)

    def is_due(self, clock: float) -> bool:
        """Whether those that wait should be counted. `clock` is in seconds and only goes
        forward.
        """
        return bool(self._waiting) and (self._is_old(clock) or self.waiting >= WAITING)

    @property
    def waiting(self) -> int:
        """Sessions that wait."""
        return sum(map(len, self._waiting))

    def take(self) -> Sequence[Records]:
        """The sessions that wait, for `count`."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def count(self, waiting: Sequence[Records], clock: float) -> None:
        """Counts sessions, and brings the figures up to date if they are old."""
        rows = f"SELECT *, 1 AS n FROM ({_SHORTENED})"
        if self._begun:
            rows = f"SELECT * FROM encryption UNION ALL {rows}"
        self._database.take_in(
            together(waiting).table(SESSIONS), f"CREATE OR REPLACE TEMP TABLE encryption AS {rows}"
        )
        self._begun = True
        hours = "SELECT DISTINCT time_window FROM encryption ORDER BY 1 DESC NULLS LAST"
        self._sum_up(f"SELECT * FROM encryption WHERE time_window IN ({hours} LIMIT {HOURS})")
        self._shrink()
        if self._is_old(clock):
            self._looked = clock
            self.figures = tls_figures(self._database, self._redact, FALSE_ALARMS_OF_A_LOOK)

    @property
    def rows(self) -> int:
        """Kinds of sessions that are kept."""
        (row,) = self._database.rows("SELECT count(*) AS n FROM encryption")
        return int(row["n"])

    def _is_old(self, clock: float) -> bool:
        return self._looked is None or clock - self._looked >= LOOK

    def _sum_up(self, rows: str) -> None:
        """Replaces the table by these rows of it, the same ones put together."""
        summed = (
            "SELECT * EXCLUDE (uid, n), min(uid) AS uid, CAST(sum(n) AS BIGINT) AS n "
            f"FROM ({rows}) GROUP BY ALL"
        )
        self._database.table("encryption", summed)

    def _shrink(self) -> None:
        """Brings the table down to MAXIMUM_ROWS. First fewer clients are told apart, which takes
        power from the search for vanished offers and nothing else; then fewer servers.
        """
        while self.rows > MAXIMUM_ROWS and self._one_of < 1 << 16:
            self._one_of *= 2
            self._sum_up(
                "SELECT * REPLACE (CASE WHEN hash(client_h) % "
                f"{self._one_of} = 0 THEN client_h END AS client_h) FROM encryption"
            )
        if self.rows > MAXIMUM_ROWS:
            placed = (
                "SELECT *, row_number() OVER (ORDER BY findings <> 0 OR cert_expired DESC, n DESC) "
                "AS place FROM encryption"
            )
            kept = MAXIMUM_ROWS // 2
            self._sum_up(
                f"WITH placed AS ({placed}) "
                f"SELECT * EXCLUDE (place) FROM placed WHERE place <= {kept} UNION ALL BY NAME "
                f"SELECT * EXCLUDE (place) REPLACE ({_REST}) FROM placed WHERE place > {kept}"
            )
