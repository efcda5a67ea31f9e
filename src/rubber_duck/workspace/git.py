"""Facts about a repository for people to read, got from git with everything off that a repository could run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck.errors import ProgramUnavailable
from rubber_duck.workspace.programs import Completed, Limits, find_program, run_program

_TIMEOUT_S: Final = 5.0
_LIMIT_BYTES: Final = 64 * 1024
_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
# safe.directory: git refuses repositories of other users because their settings could run programs; here none can
_SETTINGS: Final = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.allow=never", "safe.directory=*")


@dataclass(frozen=True, slots=True)
class Revision:
    """Where a repository stands. `commit` is None before the first one, `branch` when none is checked out."""

    commit: str | None
    branch: str | None


async def read_revision(folder: Path) -> Revision | None:
    """The revision that `folder` is at, or None outside of a repository. Raises ProgramUnavailable or TimedOut."""
    inside = await _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.stdout.strip() != b"true":
        return None
    commit = await _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    branch = await _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    return Revision(_line(commit), _line(branch))


async def _git(folder: Path, *arguments: str) -> Completed:
    program = find_program("git")
    if program is None:
        raise ProgramUnavailable("git is not installed; install it, or do without facts about the repository")
    options = [part for setting in _SETTINGS for part in ("-c", setting)]
    return await run_program(
        [program, *options, "--no-pager", *arguments],
        cwd=folder,
        timeout_s=_TIMEOUT_S,
        limits=Limits(output_bytes=_LIMIT_BYTES),
        environment=_ENVIRONMENT,
    )


def _line(completed: Completed) -> str | None:
    if completed.returncode != 0:
        return None
    return completed.stdout.decode("utf-8", "backslashreplace").strip() or None
