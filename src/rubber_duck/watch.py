"""Ends waits that last too long, with one timer for many of them: a stream has a wait for each of its pieces."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType


class Watch:
    """Cancels a wait at the deadline, or after `silence_s` seconds of it. Between `begin` and `end` somebody waits.

    One who is cancelled by the watch calls `check`, which raises TimeoutError then. While nobody waits nothing is
    cancelled: what is done between two waits is not the watch's. Used as a context manager, by one task at a time.
    """

    __slots__ = ("_cancels", "_deadline", "_loop", "_silence_s", "_since", "_task", "_timer")

    def __init__(self, deadline: float, silence_s: float = math.inf) -> None:
        """`deadline` is a moment of the event loop's clock."""
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._silence_s = silence_s
        self._task: asyncio.Task[object] | None = None
        self._since = 0.0
        self._cancels = -1
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Watch:
        self._timer = self._loop.call_at(min(self._deadline, self._loop.time() + self._silence_s), self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task = None
        if self._timer is not None:
            self._timer.cancel()

    def begin(self) -> None:
        """A wait begins. Raises TimeoutError when the deadline is over already."""
        self._since = self._loop.time()
        if self._since >= self._deadline:
            raise TimeoutError
        self._task = asyncio.current_task()

    def end(self) -> None:
        """The wait is over."""
        self._task = None

    def check(self) -> None:
        """After a cancel: raises TimeoutError when it was the watch's alone."""
        task = asyncio.current_task()
        if self._cancels >= 0 and task is not None and task.uncancel() <= self._cancels:
            raise TimeoutError

    def _look(self) -> None:
        now = self._loop.time()
        due = min(self._deadline, self._since + self._silence_s)
        if self._task is None:
            due = min(self._deadline, now + self._silence_s)
            if now >= self._deadline:
                return  # `begin` says so
        elif now >= due:
            self._cancels = self._task.cancelling()
            self._task.cancel()
            return
        self._timer = self._loop.call_at(due, self._look)
