"""Work that takes longer than a verdict may wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Aside:
    """Does one piece of work at a time in a thread of its own. The database, which nearly all of it
    is for, releases the interpreter.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "aside")
        self._work: Future[Callable[[], None]] | None = None

    @property
    def is_free(self) -> bool:
        """Whether there is no work."""
        return self._work is None

    def begin(
        self, work: Callable[[], Result], then: Callable[[Result], None] = lambda _: None
    ) -> None:
        """Begins with work while there is no other. `finish` calls `then` with what it gave."""

        def done() -> Callable[[], None]:
            result = work()
            return lambda: then(result)

        self._work = self._executor.submit(done)

    def finish(self, *, wait: bool = False) -> None:
        """Ends work that is done, or waits for it. Raises what the work raised."""
        if self._work is not None and (wait or self._work.done()):
            work, self._work = self._work, None
            work.result()()

    def close(self) -> None:
        """Waits for the work that is being done."""
        self._executor.shutdown()
