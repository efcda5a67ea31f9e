"""Calls `duck` in this process, with engines that answer from a script."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner

from rubber_duck.cli.connection import Delta, Progress, Result
from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.main import duck


@dataclass(frozen=True)
class Outcome:
    """What a call left behind."""

    code: int
    out: str
    err: str


@dataclass
class Script:
    """Stands where the connection is: answers `payload`, or raises `error`, and remembers what was asked."""

    payload: Any = None
    error: BaseException | None = None
    pieces: tuple[Progress | Delta, ...] = ()
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def run(self, name: str, request: dict[str, Any]) -> AsyncGenerator[Progress | Delta | Result, None]:
        """Answer as the script says."""
        self.asked.append((name, request))
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error
        yield Result(self.payload)


def call(*arguments: str, script: Script | None = None, program: str = "duck", **environment: str) -> Outcome:
    """Run `duck`, called as `program`, with these arguments and environment variables."""
    invocation = Invocation(program=program, runner=script.run if script is not None else None)
    clean = {"COLUMNS": "100", "NO_COLOR": "", "FORCE_COLOR": "", **environment}
    result = CliRunner(env=clean).invoke(duck, list(arguments), obj=invocation)
    return Outcome(result.exit_code, result.stdout, result.stderr)
