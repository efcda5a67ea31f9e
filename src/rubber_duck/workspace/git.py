"""Facts about a repository for people to read, got from git with everything off that a repository could run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck.errors import ProgramUnavailable
from rubber_duck.workspace.programs import Completed, Limits, find_program, run_program

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
class Bounds:
    """How long git may take, and how much it may say."""

    timeout_s: float = 5.0
    output_bytes: int = 64 * 1024


_HISTORY: Final = Bounds(30.0, 64 * 1024 * 1024)


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


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the history: the files that it changed, relative to the folder that was asked for.

    `subject` is the first line of its message as git makes a file's name of it: words joined by `-`. `committed_s` is
    when it was committed, in seconds since 1970.
    """

    commit: str
    paths: tuple[str, ...]
    subject: str = ""
    committed_s: int = 0


async def read_history(folder: Path, *, limit: int) -> tuple[Commit, ...]:
    """The last commits that changed something in `folder`, newest first, merges left out; none outside of a repository.

    Raises ProgramUnavailable, TimedOut or LimitExceeded.
    """
    listed = await _git(
        folder,
        "log",
        f"--max-count={limit}",
        "--no-merges",
        "--no-renames",
        "--no-show-signature",
        "--name-only",
        "--relative",
        "-z",
        "--format=%x01%H %ct%x01%f%x01",
        "--",
        ".",
        limits=_HISTORY,
    )
    if listed.returncode != 0:
        return ()
    found: list[Commit] = []
    pieces = listed.stdout.split(b"\x01")
    for head, subject, paths in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=False):
        named = tuple(os.fsdecode(path.strip(b"\n")) for path in paths.split(b"\0") if path.strip(b"\n"))
        commit, _, committed_s = head.decode("ascii", "replace").partition(" ")
        found.append(Commit(commit, named, subject.decode("utf-8", "replace"), int(committed_s)))
    return tuple(found)


async def read_changed_at(folder: Path, *, limit: int) -> dict[str, int]:
    """When each file in `folder` was changed by one of the last commits, in nanoseconds since 1970.

    Files that differ from the last commit, and those that no such commit changed, are left out. Raises as
    `read_history`.
    """
    commits = await read_history(folder, limit=limit)
    if not commits:
        return {}
    found = {path: each.committed_s * 1_000_000_000 for each in reversed(commits) for path in each.paths}
    for path in await read_changed(folder):
        found.pop(path, None)
    return found


async def read_changed(folder: Path) -> tuple[str, ...]:
    """The files in `folder`, relative to it, that differ from the last commit. Raises as `read_untracked`."""
    listed = await _git(
        folder, "diff", "HEAD", "--name-only", "--no-ext-diff", "--no-renames", "--relative", "-z", limits=_HISTORY
    )
    if listed.returncode != 0:
        return ()
    return tuple(os.fsdecode(path) for path in listed.stdout.split(b"\0") if path)


async def read_changes(folder: Path, *, only: Sequence[str] = ()) -> str | None:
    """What is changed in `folder` since the last commit, as a unified diff; None where there is no commit.

    With `only`, of these files, relative to it, alone. Files that git does not know are not in it; see
    `read_untracked`. Raises as that does.
    """
    written = await _git(
        folder,
        "diff",
        "HEAD",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-renames",
        "--relative",
        "--unified=0",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--ignore-submodules",
        "--",
        *(f":(literal){path}" for path in only),
        limits=_HISTORY,
    )
    if written.returncode != 0:
        return None
    return written.stdout.decode("utf-8", "surrogateescape")


async def read_untracked(folder: Path) -> tuple[str, ...]:
    """The files in `folder`, relative to it, that git neither knows nor ignores; none outside of a repository.

    Raises ProgramUnavailable, TimedOut or LimitExceeded.
    """
    listed = await _git(folder, "ls-files", "--others", "--exclude-standard", "-z", limits=_HISTORY)
    if listed.returncode != 0:
        return ()
    return tuple(os.fsdecode(path) for path in listed.stdout.split(b"\0") if path)


async def _git(folder: Path, *arguments: str, limits: Bounds = Bounds()) -> Completed:
    program = find_program("git")
    if program is None:
        raise ProgramUnavailable("git is not installed; install it, or do without facts about the repository")
    options = [part for setting in _SETTINGS for part in ("-c", setting)]
    return await run_program(
        [program, *options, "--no-pager", *arguments],
        cwd=folder,
        timeout_s=limits.timeout_s,
        limits=Limits(output_bytes=limits.output_bytes),
        environment=_ENVIRONMENT,
    )


def _line(completed: Completed) -> str | None:
    if completed.returncode != 0:
        return None
    return completed.stdout.decode("utf-8", "backslashreplace").strip() or None
