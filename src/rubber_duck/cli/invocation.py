"""One call of `duck`: what its global options said, and how it reaches the engines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rubber_duck.cli.connection import Delta, Progress, Result

    Runner = Callable[[str, dict[str, Any]], AsyncGenerator[Progress | Delta | Result, None]]


@dataclass(slots=True)
class Invocation:
    """Filled while the options are read. `runner` replaces the connection, for tests."""

    color: str = "auto"
    quiet: bool = False
    debug: bool = False
    log_level: str | None = None
    runner: Runner | None = None


def current() -> Invocation:
    """The call of `duck` that is being carried out."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Invocation) if context is not None else None
    return found if found is not None else Invocation()
