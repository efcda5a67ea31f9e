"""The progress bar: on standard error, only where somebody looks at it, gone when the work is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from rubber_duck.cli import terminal
from rubber_duck.cli.invocation import Invocation

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE_S: Final = 0.3
"""What is done sooner than this shows no bar: it would only flicker."""


class Meter(Protocol):
    """Shows how far some work is."""

    def show(self, done: int, total: int, note: str) -> None:
        """Remember `done` of `total` (0: not known yet) and what is being done; drawn at the next refresh."""

    def refresh(self) -> None:
        """Draw what was remembered last."""

    def hide(self) -> None:
        """Take the bar off the screen, until the next `show`."""


class NoMeter:
    """For pipes, files and `--quiet`."""

    def show(self, done: int, total: int, note: str) -> None:
        """Nothing is drawn."""

    def refresh(self) -> None:
        """Nothing is drawn."""

    def hide(self) -> None:
        """Nothing was drawn."""


class Bar:
    """A line on a terminal that is drawn over and in the end removed."""

    def __init__(self, color: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._color = color
        self._clock = clock
        self._began = clock()
        self._latest: tuple[int, int, str] | None = None
        self._progress: Progress | None = None

    def show(self, done: int, total: int, note: str) -> None:
        """As Meter's."""
        self._latest = (done, total, note)

    def refresh(self) -> None:
        """As Meter's; nothing is drawn in the first moments."""
        if self._latest is None or self._clock() - self._began < _PATIENCE_S:
            return
        done, total, note = self._latest
        count = f"{done:,}/{total:,}" if total else (f"{done:,}" if done else "")
        shown = terminal.printable(note).replace("\n", " ")
        if self._progress is None:
            self._progress = _bar(self._color)
            self._progress.add_task(shown, completed=done, total=total or None, count=count)
            self._progress.start()
            return
        task = self._progress.task_ids[0]
        self._progress.update(task, completed=done, total=total or None, description=shown, count=count)
        self._progress.refresh()

    def hide(self) -> None:
        """As Meter's."""
        self._latest = None
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def meter_for(invocation: Invocation) -> Meter:
    """A bar when standard error is a terminal and nobody asked for quiet."""
    if invocation.quiet or not terminal.is_terminal(sys.stderr):
        return NoMeter()
    return Bar(invocation.color)


def _bar(color: str) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415  # 70 ms, and only for work that takes longer

    return Progress(
        SpinnerColumn(style="cyan"),
        BarColumn(bar_width=30, style="bright_black", complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[count]}", markup=False, table_column=Column(no_wrap=True, justify="right")),
        TextColumn(
            "{task.description}",
            markup=False,
            style="bright_black",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        TimeElapsedColumn(),
        console=terminal.console(color, stderr=True),
        transient=True,
        auto_refresh=False,
        expand=True,
    )
