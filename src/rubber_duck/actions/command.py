"""Runs one command on a private copy of a project, in the sandbox."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rubber_duck.actions.action import Action
from rubber_duck.actions.sandbox import Confined, CopiedFile, Copy, SandboxLimits, run_confined
from rubber_duck.call import Call
from rubber_duck.errors import DuckError
from rubber_duck.scope import Right
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import scan

_ENVIRONMENTS: Final = (".venv", "venv")


@dataclass(frozen=True, slots=True)
class CommandArguments:
    """`argv` in the project's folder; `changed` lays contents over the copy, None takes a file out of it."""

    root: Root
    settings: IndexSettings
    argv: tuple[str, ...]
    limits: SandboxLimits
    reads: tuple[str, ...] = ()
    changed: Mapping[str, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """How a command ended, how many files its copy had, and how many were left out of it."""

    done: Confined
    files: int
    left_out: int


class RunCommand(Action[CommandArguments, Seen]):
    """Runs a program on a copy of the project. The project itself is not touched, so there is nothing to undo."""

    name: ClassVar[str] = "command"
    right = Right.COMMAND_RUN

    async def act(self, arguments: CommandArguments, call: Call) -> Seen:
        """Raises what `run_confined` raises."""
        copy, left_out = await asyncio.to_thread(_copied, arguments)
        done = await run_confined(arguments.argv, copy, arguments.limits)
        return Seen(done, len(copy.files), left_out)


def _copied(arguments: CommandArguments) -> tuple[Copy, int]:
    """The project's own files, as a scan lists them, at the path that they have."""
    root = arguments.root
    found = scan(root, arguments.settings, lambda path, head: None)
    files: dict[str, CopiedFile] = {}
    left_out = len(found.left_out)
    for each in found.files:
        try:
            content = root.open_bytes(each.path, arguments.settings.max_file_size_bytes)
            mode = stat.S_IMODE(root.status(each.path).st_mode)
        except DuckError:
            left_out += 1  # it went away, or became something else, since it was listed
            continue
        files[each.path] = CopiedFile(each.path, mode, content)
    for path, after in arguments.changed.items():
        kept = files.pop(path, None)
        if after is not None:
            files[path] = CopiedFile(path, kept.mode if kept is not None else 0o644, after)
    project = os.fspath(root.path)
    environment = _environment(project)
    prefix = environment or sys.prefix
    reads = (sys.base_prefix, prefix, *arguments.reads)
    sendable = [file for file in files.values() if file.path.isprintable()]
    copy = Copy(project, sendable, reads, (f"{prefix}/bin", f"{sys.base_prefix}/bin"))
    return copy, left_out + len(files) - len(sendable)


def _environment(project: str) -> str:
    """The project's own virtual environment; one that is a link would lead to where the repository likes."""
    for name in _ENVIRONMENTS:
        path = os.path.join(project, name)
        if os.path.isdir(path) and not os.path.islink(path) and os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            return path
    return ""
