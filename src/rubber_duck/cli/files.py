"""Files that the command line itself writes: reports where the person said, and private pages in the home folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from rubber_duck.cli import terminal
from rubber_duck.errors import InvalidPath
from rubber_duck.workspace.paths import Root, absolute, display, translated

PRIVATE: Final = 0o600
"""Read and written by its owner alone."""

_FOLDER_MODE: Final = 0o700


def write_report(path: str, report: str) -> Path:
    """Write a report where the person said; a file is replaced as a whole, a device or a pipe is written to.

    Returns the absolute path. Raises NotFound (no such folder), Denied, InvalidPath.
    """
    if not path or "\0" in path:
        raise InvalidPath(f"{display(path)!r} is not a path for a report")
    place = Path(os.path.realpath(absolute(path, "")))
    content = terminal.encoded(report)
    try:
        mode = place.stat().st_mode
    except OSError:
        mode = stat.S_IFREG  # not there yet, or what Root says of it
    if stat.S_ISDIR(mode):
        raise InvalidPath(f"'{display(path)}' is a folder; name a file in it for the report")
    if stat.S_ISREG(mode):
        Root(place.parent).write_atomic(place.name, content)
        return place
    try:
        place.write_bytes(content)
    except OSError as error:
        raise translated(error, path) from error
    return place


def write_private(folder: Path, name: str, content: str) -> Path:
    """Write a file that only its owner can read, in a folder that only they can enter; both are made if missing."""
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise translated(error, str(folder)) from error
    Root(folder).write_atomic(name, terminal.encoded(content), mode=PRIVATE)
    return folder / name


def home() -> Path:
    """The folder for settings, database, cache and reports."""
    from rubber_duck.settings import home_folder  # noqa: PLC0415  # msgspec, which writing a report needs not

    return home_folder(os.environ)
