"""Sessions of which more lines may come: bounded in number and in how long they are waited for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator

from mailtap.truth.session import Draft, TruthSession

#: Sessions that are waited for, at most; the one that was silent longest is given up first.
MAXIMUM_OPEN = 100_000

#: Seconds of the log's own time after which a session without a new line is given up, where the log
#: has the ends of sessions.
MAXIMUM_SILENCE = 86_400.0


class OpenSessions:
    """Drafts by what identifies a session of one server, such as host and process."""

    def __init__(self, linger: float = 0.0, silence: float = MAXIMUM_SILENCE) -> None:
        """`linger`: seconds that an ended session is kept, for lines that come behind its end.

        `silence`: seconds without a line after which an open session is over.
        """
        self._linger = linger
        self._silence = silence
        self._begun = 0
        self._open: OrderedDict[Hashable, Draft] = OrderedDict()
        self._ended: OrderedDict[Hashable, Draft] = OrderedDict()

    def get(self, key: Hashable, time: float) -> Draft | None:
        """The session of a line at `time`: the open one, else the one that ended lately."""
        draft = self._open.get(key)
        if draft is not None:
            draft.end = max(draft.end, time)
            self._open.move_to_end(key)
            return draft
        return self._ended.get(key)

    def begin(self, key: Hashable, draft: Draft) -> None:
        """A new session; one with the same key is over, wherever its last line went."""
        self.end(key)
        before = self._ended.pop(key, None)
        if before is not None:  # its lines have another key now, such as a queue ID
            self._ended[key, before.order] = before
        draft.order = self._begun
        self._begun += 1
        self._open[key] = draft

    def end(self, key: Hashable) -> None:
        """The session is over."""
        draft = self._open.pop(key, None)
        if draft is not None:
            self._ended[key] = draft

    def forget(self, key: Hashable) -> None:
        """The session goes on under another key."""
        self._open.pop(key, None)

    def take_back(self, key: Hashable, draft: Draft) -> bool:
        """A session that another one with the same key followed is none of its own. Whether it was
        still there.
        """
        return self._ended.pop((key, draft.order), None) is not None

    def due(self, now: float) -> Iterator[TruthSession]:
        """The sessions for which no line is waited any more."""
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if len(self._open) <= MAXIMUM_OPEN and oldest.end > now - self._silence:
                break
            self.end(key)
        while self._ended:
            key, oldest = next(iter(self._ended.items()))
            if len(self._ended) <= MAXIMUM_OPEN and oldest.end > now - self._linger:
                break
            del self._ended[key]
            yield oldest.finished()

    def rest(self) -> Iterator[TruthSession]:
        """All that are left, at the end of the log."""
        for draft in (*self._ended.values(), *self._open.values()):
            yield draft.finished()
        self._ended.clear()
        self._open.clear()
