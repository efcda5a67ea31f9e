"""Run a command, such as a project's tests, on a private copy in the sandbox."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import Conflict, InvalidInput
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

_TESTS: Final = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A command, and what it may take. It sees a copy of the project's own files, at their path."""

    command: Annotated[
        tuple[Annotated[str, Meta(max_length=100_000)], ...],
        Meta(max_length=1_000, description="The program and its arguments; nothing: pytest.", extra={"argument": True}),
    ] = ()
    directory: Annotated[
        str,
        Meta(description="A folder of the project; empty: the process's own folder.", extra={"directory": True}),
    ] = ""
    edits: Annotated[
        str,
        Meta(max_length=20_000_000, description="A model's answer or a patch that is applied to the copy before."),
    ] = ""
    reads: Annotated[
        tuple[Annotated[str, Meta(max_length=4096)], ...],
        Meta(
            max_length=100,
            description="More folders, by absolute path, that the command may read.",
            extra={"place": True},
        ),
    ] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=3_000, description="Seconds after which it is ended.")] = 300.0
    memory_bytes: Annotated[int, Meta(ge=16 << 20, description="Memory of all its processes together.")] = 2 << 30
    processes: Annotated[int, Meta(ge=1, le=10_000, description="Processes and threads at once.")] = 128


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the command ended: `ended` is exit, signal, cpu, time, output, memory or start, `code` its status or signal.

    `passed`: by itself, with 0. `files` were in the copy, `left_out` were not: ignored, binary, too large.
    """

    root: str
    command: str
    passed: bool
    ended: str
    code: int
    why: str
    output: str
    errors: str
    files: int
    left_out: int
    duration_ms: int


@engines.add
class Check(Engine[CheckRequest, CheckAnswer]):
    """Run a command, such as a project's tests, on a private copy in the sandbox.

    It has no network, reads nothing of yours but the copy, and writes nowhere else; nothing that it starts outlives it.
    Where no sandbox can be made, nothing is run.
    """

    name: ClassVar[str] = "check"
    request = CheckRequest
    answer = CheckAnswer
    right = Right.COMMAND_RUN
    uses = ("sandbox",)
    timeout_s = 3600.0

    async def run(self, request: CheckRequest, call: Call) -> CheckAnswer:
        """How it ended.

        Raises ProgramUnavailable when there is no sandbox, Conflict when the edits cannot be placed, LimitExceeded,
        InvalidInput, NotFound, Denied.
        """
        from rubber_duck.actions.apply import planned  # noqa: PLC0415  # grammars
        from rubber_duck.actions.command import CommandArguments, RunCommand  # noqa: PLC0415  # only where it is asked
        from rubber_duck.actions.sandbox import Ended, SandboxLimits  # noqa: PLC0415  # as above
        from rubber_duck.analysis.target import target  # noqa: PLC0415  # rules and grammars

        if relative := next((each for each in request.reads if not os.path.isabs(each)), None):
            raise InvalidInput(f"'{display(relative)}' is no absolute path: a command may read more only by one")
        asked = target(["."], request.directory, call.settings)
        argv = request.command or _TESTS
        changed: dict[str, bytes | None] = {}
        if request.edits:
            made = await asyncio.to_thread(planned, asked.root, asked.settings, request.edits)
            if not made.is_sound:
                raise Conflict("not every edit can be placed; `duck edit` says which, and why")
            changed = {change.path: change.after for change in made.changes}
        call.emit(Progress(0, 0, f"running {argv[0]} on a copy"))
        limits = SandboxLimits(
            wall_s=request.timeout_s,
            cpu_s=round(request.timeout_s) + 1,
            memory_bytes=request.memory_bytes,
            processes=request.processes,
        )
        started = time.monotonic()
        arguments = CommandArguments(asked.root, asked.settings.index, argv, limits, request.reads, changed)
        seen = await RunCommand().run(arguments, call)
        done = seen.done
        return CheckAnswer(
            root=display(str(asked.root.path)),
            command=shlex.join(argv),
            passed=(done.ended, done.code) == (Ended.EXIT, 0),
            ended=str(done.ended),
            code=done.code,
            why=done.why,
            output=done.stdout.decode("utf-8", "replace"),
            errors=done.stderr.decode("utf-8", "replace"),
            files=seen.files,
            left_out=seen.left_out,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
