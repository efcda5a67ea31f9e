"""From the paths a person names to the root they lie in, what below it is meant, and the settings that hold there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck.analysis.rule_set import check_options
from rubber_duck.errors import Denied, InvalidInput, InvalidPath, InvalidSettings, NotFound
from rubber_duck.settings import Settings, with_project
from rubber_duck.workspace.paths import Root, absolute, display

PROJECT_FILE: Final = "duck.toml"
"""A project's own settings, in its root."""

_MARKS: Final = (PROJECT_FILE, ".git", "pyproject.toml", "package.json", "mix.exs")
_PROJECT_FILE_LIMIT_BYTES: Final = 64_000  # reading TOML takes time that grows with the square of it


@dataclass(frozen=True, slots=True)
class Target:
    """`only` are paths relative to the root; empty means everything in it. `settings` include the project's own."""

    root: Root
    only: tuple[str, ...]
    settings: Settings


def target(paths: Sequence[str], directory: str, settings: Settings) -> Target:
    """The target of a request for `paths`, which are relative to `directory` unless absolute.

    The root is the nearest folder at or above all of them that looks like a project (duck.toml, .git, a package
    file); otherwise a folder that was named, and for files the folder one stands in, if they lie below it.
    Raises NotFound, Denied, InvalidInput or InvalidSettings.
    """
    if not paths:
        raise InvalidInput("no path was given: name a file or a folder")
    found = [existing(path, directory) for path in paths]
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in found]
    shared = os.path.commonpath(folders)
    folders_of_files = not any(os.path.isdir(path) for path in found)
    root = Root(_marked_root(shared) or (_around(shared, directory) if folders_of_files else shared))
    base = os.fspath(root.path)
    only = tuple(sorted({os.path.relpath(path, base) for path in found}))
    return Target(root, () if "." in only else only, project_settings(root, settings))


def project_settings(root: Root, settings: Settings) -> Settings:
    """`settings` with the project's own duck.toml, if it has one, laid over them.

    Raises InvalidSettings for a duck.toml that is no file, and that or UnknownName for a wrong option in either.
    """
    check_options(settings.analysis.rules, display(settings.file) or "your own duck.toml")
    laid = unchecked_settings(root, settings)
    if laid is not settings:
        check_options(laid.analysis.rules, _project_file(root))
    return laid


def unchecked_settings(root: Root, settings: Settings) -> Settings:
    """As `project_settings`, for who needs no rules: whether their options are right is not looked at."""
    try:
        content = root.open_bytes(PROJECT_FILE, _PROJECT_FILE_LIMIT_BYTES)
    except NotFound:
        return settings
    except InvalidPath as error:
        raise InvalidSettings(
            f"{_project_file(root)} is not a regular file in the project, so its settings cannot be read: rename it, "
            "or take it away"
        ) from error
    return with_project(settings, content, _project_file(root))


def _project_file(root: Root) -> str:
    return display(os.fspath(root.path / PROJECT_FILE))


def existing(path: str, directory: str) -> str:
    """The real, absolute form of a path that must exist; raises NotFound, Denied or InvalidInput."""
    if not path or "\0" in path:
        raise InvalidInput(f"{path!r} is not a path")
    found = os.path.realpath(absolute(path, directory))
    try:
        os.stat(found)
    except PermissionError:
        raise Denied(f"'{display(path)}' may not be read: permission denied") from None
    except OSError:
        raise NotFound(f"there is no file or folder '{display(path)}'") from None
    return found


def refuse_leading_out(path: str, directory: str) -> None:
    """Raise InvalidPath where a link that lies in a project is part of `path` and leads out of that project.

    A person may name any file; but a name that looks like a project's own must not bring in another's text.
    """
    place = os.path.normpath(absolute(path, directory))
    found = os.path.realpath(place)
    parts = place.split(os.sep)
    for count in range(2, len(parts) + 1):
        link = os.sep.join(parts[:count])
        if not os.path.islink(link):
            continue
        root = _marked_root(os.path.realpath(os.path.dirname(link)))
        if root is not None and os.path.commonpath([root, found]) != root:
            raise InvalidPath(
                f"'{display(path)}' leads over the link '{display(link)}' out of its project; name the file itself"
            )


def shown_together(only: Sequence[str], find: Callable[[str], str]) -> str:
    """What several of a root's files and folders are called together; empty for a single one, or all of the root.

    `find` names each as a person finds it. Three are named, of more two and the number of the rest.
    """
    if len(only) < 2:
        return ""
    shown = 3 if len(only) <= 3 else 2
    *others, last = [*map(find, only[:shown]), *([f"{len(only) - shown:,} more"] if only[shown:] else [])]
    return f"{', '.join(others)} and {last}"


def shown_root(root: Path, directory: str) -> str:
    """The root as a person in `directory` would write it: relative when it is there or above, else as it is."""
    here = _standing(directory)
    relative = os.path.relpath(root, here) if here else ".."
    return relative if not relative.startswith("..") else os.fspath(root)


def seen_from(directory: str, root: Path) -> Callable[[str], str]:
    """Names files, given relative to `root`, as a person in `directory` finds them: what a terminal can open.

    Relative to where the person stands, unless the project is so far away that its full path is shorter, or that
    folder was removed.
    """
    here = os.path.realpath(_standing(directory) or "/")
    away = os.path.relpath(root, here)
    is_around = set(away.split(os.sep)) <= {".", ".."}
    if not _standing(directory) or (not is_around and len(away) > len(os.fspath(root))):
        return lambda path: os.path.normpath(os.path.join(root, path))
    return lambda path: os.path.relpath(os.path.join(root, path), here)


def _standing(directory: str) -> str:
    """The folder that a person stands in; empty when somebody removed it."""
    try:
        return directory or os.getcwd()
    except FileNotFoundError:
        return ""


def _around(folder: str, directory: str) -> str:
    """The folder one stands in, if it is above `folder` and no home folder; otherwise that."""
    here = os.path.realpath(_standing(directory) or "/")
    is_project = here not in {os.path.realpath(os.path.expanduser("~")), "/", os.path.realpath(tempfile.gettempdir())}
    return here if is_project and os.path.commonpath([here, folder]) == here else folder


def _marked_root(folder: str) -> str | None:
    """The nearest folder at or above that looks like a project."""
    home = os.path.realpath(os.path.expanduser("~"))
    for candidate in (Path(folder), *Path(folder).parents):
        if str(candidate) in {home, "/"} and str(candidate) != folder:
            break  # a home folder under version control is not the project of everything in it
        if any(os.path.exists(candidate / mark) for mark in _MARKS):  # Path.exists raises where it may not look
            return str(candidate)
    return None
