"""One call of `duck`: what its global options said, and how it reaches the engines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from rubber_duck.cli.program import NAME

if TYPE_CHECKING:
    from rubber_duck.call import Delta, Progress
    from rubber_duck.cli.pieces import Result

    Runner = Callable[[str, dict[str, Any]], AsyncGenerator[Progress | Delta | Result, None]]


@dataclass(slots=True)
class Invocation:
    """Filled while the options are read. `runner` replaces the connection, for tests.

    `program` is what a person has to type for this program.
    """

    program: str = NAME
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    server: str = ""
    format: str = ""
    debug: bool = False
    log_level: str | None = None
    runner: Runner | None = None

    def as_called(self, text: str) -> str:
        """`text` with each command that it names, such as "`duck rules`", as a person has to type it here."""
        return text.replace(f"`{NAME} ", f"`{self.program} ")


def current() -> Invocation:
    """The call of `duck` that is being carried out."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Invocation) if context is not None else None
    return found if found is not None else Invocation()
