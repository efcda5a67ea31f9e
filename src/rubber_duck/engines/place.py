"""Where a request means: a project, a file in it, a line, a column, a stretch of lines."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from rubber_duck.analysis.target import project_settings
from rubber_duck.call import Call
from rubber_duck.engines.index import nearest_root
from rubber_duck.errors import Denied, DuckError, InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.workspace.ignore import left_out_by
from rubber_duck.workspace.paths import Root, absolute, display

ProjectFolder = Annotated[
    str, Meta(max_length=4096, description="The project's folder, or one in it; empty: that of the file, or this one.")
]
"""A request's field `project`."""

_PLACE: Final = re.compile(
    r"(?P<path>.+?)(?::(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?(?:-(?P<end>\d{1,9})(?::(?P<end_column>\d{1,9}))?)?)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Where:
    """A place: a path in the project, 1-based lines and columns; 0: not said. The end column is exclusive."""

    root: Root
    settings: Settings
    path: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    @property
    def place(self) -> tuple[Root, Settings]:
        """The project, and the settings that hold in it."""
        return self.root, self.settings


async def find(call: Call, written: str, project: str, directory: str) -> Where:
    """The place that `written` means: FILE, FILE:LINE, FILE:LINE:COLUMN, and from there `-LINE` or `-LINE:COLUMN`.

    Raises InvalidInput for what is none, or lies outside of the project, NotFound, Denied.
    """
    found = _PLACE.fullmatch(written)
    if found is None:
        raise InvalidInput("name a file, as FILE, FILE:LINE or FILE:LINE:COLUMN")
    numbers = [int(found[name] or 0) for name in ("line", "column", "end", "end_column")]
    if any(found[name] and not int(found[name]) for name in ("line", "column", "end", "end_column")):
        raise InvalidInput(f"{written!r}: lines and columns count from 1")
    if numbers[2] and numbers[2] < numbers[0]:
        raise InvalidInput(f"{written!r} ends before it begins")
    place = absolute(found["path"], directory)
    root, settings = await at_root(call, project or os.path.dirname(place), directory)
    return Where(root, settings, in_project(root, place), *numbers)


def in_project(root: Root, place: str) -> str:
    """The path in the project of a file at an absolute `place`; raises InvalidInput for a folder, and outside of it."""
    relative = os.path.relpath(os.path.realpath(place), root.path)
    if relative.startswith(".."):
        raise InvalidInput(f"'{display(place)}' is not in the project '{display(os.fspath(root.path))}'")
    if os.path.isdir(place):
        raise InvalidInput(f"'{display(place)}' is a folder: name a file")
    return relative.replace(os.sep, "/")


async def within(call: Call, root: Root) -> Scope:
    """The scope narrowed to the project of `root`, which is opened if it is none yet; raises Denied where it may not.

    For engines that need the workspace.
    """
    folder = os.fspath(root.path)
    for project in await call.parts.workspace.projects(call.scope):
        if project.root == folder:
            return call.scope.within(project.id)
    return call.scope.within((await call.parts.workspace.open_project(call.scope, folder)).id)


async def at_root(call: Call, project: str, directory: str) -> tuple[Root, Settings]:
    """The project that a folder is, or lies in, and the settings that hold there."""
    root = await nearest_root(call, project, directory)
    return root, project_settings(root, call.settings)


def untold(root: Root, settings: Settings, path: str) -> str:
    """Why no model is told of a file: what in the project ignores it, or where it leads; "" where one may be."""
    real = os.path.relpath(os.path.realpath(root.path / path), root.path)
    if real.startswith(".."):
        return "a link that leads out of it"
    for each in dict.fromkeys((path, real)):
        if (reason := left_out_by(root.path, each, settings.index.ignore)) is not None:
            return reason
    return ""


def refuse_untold(root: Root, settings: Settings, path: str) -> None:
    """Raise Denied, with the reason, for a file that no model is told of because the project ignores it."""
    if reason := untold(root, settings, path):
        raise Denied(f"'{display(path)}' is told to no model: it is no part of the project, says {display(reason)}")


def texts_of(where: Where, suffixes: tuple[str, ...], *, only: str = "") -> dict[str, str]:
    """The texts of the project's files with these suffixes, or of one file alone; those that are no text are left."""
    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.planning import read_text  # noqa: PLC0415  # as above
    from rubber_duck.workspace.scan import scan  # noqa: PLC0415  # as above

    limit = where.settings.index.max_file_size_bytes
    if only:
        return {only: read_text(only, where.root.open_bytes(only, limit))}
    found: dict[str, str] = {}
    for file in scan(where.root, where.settings.index, detect).files:
        if file.path.endswith(suffixes):
            try:
                found[file.path] = read_text(file.path, where.root.open_bytes(file.path, limit))
            except DuckError:
                continue  # no text, or it went away: nothing in it can be code of this project
    return found
