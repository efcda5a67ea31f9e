"""The only way to start another program: an argument list and never a shell, a clean environment, an end in time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck import telemetry
from rubber_duck.errors import InvalidPath, LimitExceeded, ProgramUnavailable, TimedOut
from rubber_duck.workspace.private import private_folder

_CHUNK_BYTES: Final = 64 * 1024
_REASONS: Final[dict[type[BaseException], str]] = {
    asyncio.CancelledError: "cancel",
    LimitExceeded: "too much output",
    TimedOut: "time-out",
}


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. `returncode` is negative when a signal killed it: -9 for SIGKILL."""

    returncode: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take. `output_bytes` holds for its two outputs together.

    `cpu_s`, seconds of processor time in all its threads, and `memory_bytes`, what it may map, hold where the system
    can bound them from outside (Linux); None: no limit. Each process that it starts may take as much again.
    """

    output_bytes: int = 64 * 1024 * 1024
    cpu_s: int | None = None
    memory_bytes: int | None = None


def find_program(name: str) -> str | None:
    """The absolute path of a program: beside this interpreter or these modules first, then on PATH; None without one.

    Beside the modules is where `duck.pyz` and the one-file `duck` have what they bring. Relative entries of PATH are
    passed over, so that a project cannot bring its own `git`.
    """
    modules = Path(__file__).parents[2]
    folders = [
        *map(str, (Path(sys.executable).parent, modules / "bin")),
        *(entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)),
    ]
    return shutil.which(name, path=os.pathsep.join(folder for folder in folders if os.path.isabs(folder)))


async def run_program(
    argv: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    timeout_s: float = 60.0,
    limits: Limits = Limits(),
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run `argv` to its end in a process group of its own, which is killed whole on time-out, limit and cancel.

    The environment is PATH, LANG and a HOME that is empty and goes away, with `environment` on top. What the program
    leaves running behind it is killed too, and so is all of it when this process is killed (on Linux).
    Raises ProgramUnavailable (cannot be started), TimedOut, LimitExceeded, InvalidPath, Unavailable.
    """
    if any("\0" in argument for argument in argv):
        raise InvalidPath(f"a NUL byte cannot be passed to {argv[0]!r}")
    with private_folder() as home:
        clean = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            **(environment or {}),
        }
        async with _started(argv, cwd, clean, limits) as process:
            try:
                async with asyncio.timeout(timeout_s):
                    stdout, stderr = await _converse(process, stdin, _Budget(argv[0], limits.output_bytes))
                    returncode = await process.wait()
            except TimeoutError as error:
                raise TimedOut(f"{_name(argv[0])} did not end within {timeout_s:g} s and was killed") from error
    if limits.cpu_s is not None and returncode == -signal.SIGXCPU:
        raise TimedOut(f"{_name(argv[0])} used more than {limits.cpu_s} s of processor time and was killed")
    return Completed(returncode, stdout, stderr)


@asynccontextmanager
async def _started(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], limits: Limits
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running process; when the block is left, neither it nor anything in its group runs on."""
    pipe = asyncio.subprocess.PIPE
    with _lifeline() as lifeline:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=cwd,
                env=environment,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,
                pass_fds=(lifeline,),
            )
        except OSError as error:
            raise ProgramUnavailable(f"{_name(argv[0])} cannot be started: {error.strerror or error}") from error
        try:
            _tie(lifeline, process.pid)
            _bound(process.pid, limits)
            yield process
        except BaseException as error:
            reason = _REASONS.get(type(error), type(error).__name__)
            telemetry.emit("workspace.program_killed", program=Path(argv[0]).name, reason=reason)
            raise
        finally:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left (macOS says it the second way)
                os.killpg(process.pid, signal.SIGKILL)
            await _bury(process)


class Companion:
    """A process of our own program that runs beside this one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    async def line(self) -> str | None:
        """The next line that it writes, without its end; None when it writes no more."""
        assert self._process.stdout is not None
        said = await self._process.stdout.readline()
        return said.decode("utf-8", "replace").rstrip("\n") if said else None

    async def wait(self) -> int:
        """How it ended; negative when a signal killed it."""
        return await self._process.wait()


@asynccontextmanager
async def companion(argv: Sequence[str], *, patience_s: float) -> AsyncIterator[Companion]:
    """Our own program once more, with this process's environment and error output, until the block is left.

    It is told to end then, and killed if it has not within `patience_s`; when this process is killed, it is too (on
    Linux). It has a session of its own, so that Ctrl-C reaches this process alone. Raises ProgramUnavailable.
    """
    with _lifeline() as lifeline:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
                pass_fds=(lifeline,),
            )
        except OSError as error:
            raise ProgramUnavailable(f"{_name(argv[0])} cannot be started: {error.strerror or error}") from error
        _tie(lifeline, process.pid)
        try:
            yield Companion(process)
        finally:
            await asyncio.shield(_end(process, patience_s))


async def _end(process: asyncio.subprocess.Process, patience_s: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience_s):
            await process.wait()
    except TimeoutError:
        telemetry.emit("workspace.program_killed", program="duck", reason="time-out")
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await _bury(process)


@contextmanager
def _lifeline() -> Iterator[int]:
    """The reading end of a pipe whose writing end nobody but this process has: it closes when this process ends."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _tie(lifeline: int, group: int) -> None:
    """Let the kernel kill the whole group when the writing end closes; the group must hold `lifeline` open.

    Unlike PR_SET_PDEATHSIG this needs nothing to run in the child before its program does. See fcntl(2), F_SETSIG.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # it has ended already, or this kernel cannot
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -group)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _bound(pid: int, limits: Limits) -> None:
    """Bound what the process may take; never by more than it is bounded already."""
    if sys.platform == "linux":
        wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: limits.cpu_s, resource.RLIMIT_AS: limits.memory_bytes}
        with suppress(ProcessLookupError, PermissionError):  # it has ended already, or became somebody else
            for limit, most in wanted.items():
                _, held = resource.prlimit(pid, limit)
                if most is not None and (held == resource.RLIM_INFINITY or most < held):
                    # at the soft limit of time it gets SIGXCPU, which says what happened; at the hard one SIGKILL
                    resource.prlimit(pid, limit, (most, most + 1 if limit == resource.RLIMIT_CPU else most))


async def _bury(process: asyncio.subprocess.Process) -> None:
    """Wait for the end, the pipes closed before: one may be full, or held open by something outside the group."""
    transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]  # no other way
    for number in range(3):
        pipe = transport.get_pipe_transport(number)
        if pipe is not None:
            pipe.close()
    await process.wait()
    transport.close()


@dataclass(slots=True)
class _Budget:
    """How many bytes a program may still say."""

    program: str
    left: int

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise LimitExceeded(f"{_name(self.program)} wrote more than it may and was killed")


async def _converse(process: asyncio.subprocess.Process, stdin: bytes, budget: _Budget) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    talks = [
        asyncio.ensure_future(_feed(process, stdin)),
        asyncio.ensure_future(_listen(process.stdout, budget)),
        asyncio.ensure_future(_listen(process.stderr, budget)),
    ]
    try:
        _, stdout, stderr = await asyncio.gather(*talks)
    finally:
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
    return stdout or b"", stderr or b""


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(stdin)
        await process.stdin.drain()
        process.stdin.close()
        # shielded, because cancelling it would cancel asyncio's own future, which asyncio then complains about
        await asyncio.shield(process.stdin.wait_closed())
    except (BrokenPipeError, ConnectionResetError):
        return  # it did not want to read all of it: its output says whether that matters


async def _listen(stream: asyncio.StreamReader, budget: _Budget) -> bytes:
    chunks = []
    while chunk := await stream.read(_CHUNK_BYTES):
        budget.spend(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _name(program: str) -> str:
    return repr(Path(program).name)
