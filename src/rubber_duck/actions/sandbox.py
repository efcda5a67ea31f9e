"""Runs commands of other people's code where they can do no harm: on a copy, without network, within limits.

The world that they see is made by `confine`, from namespaces of Linux, Landlock and seccomp, without any other program.
Where the system does not allow that, commands are off: there is no weaker way.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

import rubber_duck
from rubber_duck.actions import kernel
from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded, ProgramUnavailable
from rubber_duck.workspace.programs import Limits, run_program

_START_S: Final = 20.0
"""Seconds that making and leaving the sandbox may take beside the command's own time."""

_SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_MAIN: Final = "import sys; sys.path.insert(0, sys.argv[1]); from rubber_duck.actions.confine import main; main()"


class Ended(StrEnum):
    """Why a command ended: by itself, by a signal, or because it took more than it may of something."""

    EXIT = "exit"
    SIGNAL = "signal"
    CPU = "cpu"
    TIME = "time"
    OUTPUT = "output"
    MEMORY = "memory"
    START = "start"


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a command may take: seconds by the clock, seconds of processor time in each process, memory of all its
    processes together, how many of them, output, and what it may write, in the project's copy and in `/tmp` each.
    """

    wall_s: float = 300.0
    cpu_s: int = 300
    memory_bytes: int = 2 << 30
    processes: int = 128
    output_bytes: int = 1 << 20
    disk_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file of the copy: relative path, mode, content."""

    path: str
    mode: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Copy:
    """What a command runs on: `files` at the absolute path `project`, and `reads`, absolute paths that it may read.

    It has `project`'s own path, so that what names it by that finds the copy.
    """

    project: str
    files: Sequence[CopiedFile] = ()
    reads: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confined:
    """How a command ended. `code` is its exit status, or the signal; outputs are cut where the limit is."""

    ended: Ended
    code: int
    why: str
    stdout: bytes
    stderr: bytes


class _Head(msgspec.Struct, frozen=True):
    ended: str
    out_bytes: int
    error_bytes: int
    code: int = 0
    why: str = ""


async def run_confined(argv: Sequence[str], copy: Copy, limits: SandboxLimits = SandboxLimits()) -> Confined:
    """Run `argv`, never a shell, on a copy that goes away with it; nothing that it starts outlives it.

    Raises ProgramUnavailable when no sandbox can be made here, LimitExceeded when the copy is larger than the disk it
    may have, InvalidInput for arguments that are none.
    """
    if not argv or any("\0" in argument for argument in argv):
        raise InvalidInput("there is no command to run, or it holds a NUL byte")
    if not kernel.supported():
        raise ProgramUnavailable(f"{_OFF} it is made of what Linux has on x86-64 and ARM64, and this is another system")
    if sum(len(file.content) for file in copy.files) > limits.disk_bytes:
        raise LimitExceeded(f"the project has more than the {limits.disk_bytes:,} bytes that a copy may have")
    done = await run_program(
        [sys.executable, "-I", "-S", "-c", _MAIN, str(Path(rubber_duck.__file__).parent.parent)],
        cwd=Path("/"),
        stdin=_order(argv, copy, limits) + b"".join(file.content for file in copy.files),
        timeout_s=limits.wall_s + _START_S,
        limits=Limits(output_bytes=limits.output_bytes * 2 + _HEAD_BYTES),
    )
    first, _, rest = done.stdout.partition(b"\n")
    try:
        head = msgspec.json.decode(first, type=_Head)
    except msgspec.MsgspecError as error:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ProgramUnavailable(f"{_OFF} its first process died ({done.returncode}): {said}") from error
    if head.ended == "setup":
        raise ProgramUnavailable(f"{_OFF} {head.why}")
    out, errors = rest[: head.out_bytes], rest[head.out_bytes : head.out_bytes + head.error_bytes]
    is_cpu = head.ended == "signal" and head.code == signal.SIGXCPU
    return Confined(Ended.CPU if is_cpu else Ended(head.ended), head.code, head.why, out, errors)


_HEAD_BYTES: Final = 1 << 16
_OFF: Final = "commands are off, because no sandbox can be made here:"


async def sandbox_problem() -> str:
    """Why no command can be run here, in a sentence; "" when one can."""
    try:
        done = await run_confined(["true"], Copy("/duck"), SandboxLimits(wall_s=5.0))
    except DuckError as error:
        return error.message
    return "" if (done.ended, done.code) == (Ended.EXIT, 0) else f"{_OFF} a first command ended with {done.ended}"


def _order(argv: Sequence[str], copy: Copy, limits: SandboxLimits) -> bytes:
    environment = {
        "PATH": ":".join((*copy.programs, _SYSTEM_PATH)),
        "HOME": "/tmp/home",  # its own
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        **copy.environment,
    }
    order = {
        "argv": list(argv),
        "project": copy.project,
        "folder": copy.project,
        "reads": [os.path.normpath(path) for path in copy.reads],
        "environment": environment,
        "files": [[file.path, file.mode & 0o777, len(file.content)] for file in copy.files],
        "wall_s": limits.wall_s,
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "processes": limits.processes,
        "output_bytes": limits.output_bytes,
        "disk_bytes": limits.disk_bytes,
    }
    return json.dumps(order).encode() + b"\n"
