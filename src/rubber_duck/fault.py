"""Named points at which a test may make the program fail; off, and almost free, otherwise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rubber_duck.errors import UnknownName

POINTS: Final[dict[str, str]] = {
    "app.after_part": "a part was opened, the next is not yet",
    "storage.before_commit": "every statement of a transaction ran, the commit did not",
    "storage.after_commit": "the commit is durable, the caller does not know yet",
    "workspace.before_rename": "the new content is in a temporary file beside the old one",
    "workspace.before_writing": "a journal entry is complete, no file of the project is written yet",
    "workspace.after_file": "one file of a journal entry is as it shall be, the next may not be",
    "workspace.before_done": "all files of a journal entry are as they shall be, the journal does not say so yet",
    "analysis.worker": "inside a worker process, before a file is analysed",
    "search.worker": "inside a worker process, before a file is indexed",
    "workflow.after_enqueue": "a run is queued durably, whoever asked for it does not know yet",
    "workflow.before_step": "a step is about to do its work",
    "workflow.after_step": "a step has done its work, and that is not kept yet",
    "workflow.before_undo": "a finished step of a failed run is about to be undone",
    "workflow.before_recovery": "runs of dead processes were found, and are not put back yet",
    "search.before_commit": "all of a batch of files is in the index, the commit was not asked for",
}
"""Every point and where it lies. A new point is added here first."""

ENVIRONMENT: Final = "DUCK_FAULT"
"""`DUCK_FAULT=<point>` kills the process (SIGKILL) when it reaches that point: for tests with real kills.

`DUCK_FAULT=group:<point>` kills its whole process group: a worker takes those with it that it works for.
"""

GROUP: Final = "group:"

_armed: dict[str, Callable[[], None]] = {}


def point(name: str) -> None:
    """Do what a test asked for at `name`; nothing when none did."""
    if _armed:
        action = _armed.get(name)
        if action is not None:
            action()


@contextmanager
def injected(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` each time the point is passed, until the block ends."""
    _check(name)
    _armed[name] = action
    try:
        yield
    finally:
        del _armed[name]


def arm_from_environment() -> None:
    """Arm the point named by `DUCK_FAULT` with a SIGKILL of this very process, or of its group."""
    name = os.environ.get(ENVIRONMENT, "")
    point_name = name.removeprefix(GROUP)
    if point_name:
        _check(point_name)
        _armed[point_name] = _kill_group if name.startswith(GROUP) else _kill


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _check(name: str) -> None:
    if name not in POINTS:
        raise UnknownName.among("fault point", name, POINTS)
