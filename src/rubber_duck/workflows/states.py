"""The states of a run, in our words; known without DBOS."""

from __future__ import annotations

from typing import Final, Literal

State = Literal["waiting", "delayed", "working", "paused", "cancelled", "failed", "dead", "done"]
"""`dead` was begun too often and never ended; `delayed` may not begin yet."""

ENDED: Final[frozenset[State]] = frozenset({"cancelled", "failed", "dead", "done"})
