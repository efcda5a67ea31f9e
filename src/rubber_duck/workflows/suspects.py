"""Which run of a process is suspected of killing whoever works on it: one at a time, so that it takes nobody along."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Final

_AGAIN: Final = 2
"""A process may die once for any reason; who was in it twice in a row is suspected."""


class Suspects:
    """A run that was begun in vain as often as `since` is suspect, until it keeps a step.

    Of several in one process nobody can tell which one kills it, and all would be given up together. Alone among
    runs that are not suspected, the culprit counts its own deaths, and the others go on. Used from several threads.
    """

    def __init__(self, attempts: int) -> None:
        self.since = max(1, min(_AGAIN, attempts - 1))
        self._lock = threading.Lock()
        self._is_looked_for = False
        self._held = ""

    def may_look(self, active: Collection[str]) -> bool:
        """Whether a suspect may be taken beside the runs that are worked on; True only until `found` is called."""
        with self._lock:
            if self._is_looked_for or self._held in active:
                return False
            self._is_looked_for = True
            return True

    def found(self, run_id: str) -> None:
        """That this one was taken, "" for none."""
        with self._lock:
            self._is_looked_for = False
            self._held = run_id or self._held

    def gets_on(self, run_id: str) -> None:
        """That a run has kept a step, and is no suspect any more."""
        with self._lock:
            if self._held == run_id:
                self._held = ""
