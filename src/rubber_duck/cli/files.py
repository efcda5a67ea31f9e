"""Files of the command line itself: texts and reports where the person said, private pages in the home folder."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

from rubber_duck.cli import terminal
from rubber_duck.errors import InvalidPath, LimitExceeded, NotFound
from rubber_duck.workspace.paths import Root, absolute, display, translated

PRIVATE: Final = 0o600
"""Read and written by its owner alone."""

_DESCRIPTORS: Final = frozenset({f"/proc/{os.getpid()}/fd", f"/proc/{os.getpid()}/task/{os.getpid()}/fd", "/dev/fd"})
_MOST_LINKS: Final = 40  # as the kernel has it


def require_folder(path: str) -> None:
    """Raises NotFound where there is no folder for the report that is to be written after long work."""
    folder = os.path.dirname(os.path.realpath(absolute(path, "")))
    if not os.path.isdir(folder):
        raise NotFound(f"there is no folder '{display(folder)}' to write '{display(os.path.basename(path))}' into")


def write_report(path: str, report: str) -> Path:
    """Write a report where the person said; a file is replaced as a whole, a device or a pipe is written to.

    So is what this process has open, such as `/dev/stdout` or a shell's `>(program)`, whatever it is.
    Returns the absolute path. Raises NotFound (no such folder), Denied, InvalidPath.
    """
    if not path or "\0" in path:
        raise InvalidPath(f"{display(path)!r} is not a path for a report")
    typed = absolute(path, "")
    content = terminal.encoded(report)
    if (descriptor := _own_descriptor(typed)) is not None:
        _write_to(descriptor, content, path)
        return Path(os.path.normpath(typed))
    place = Path(os.path.realpath(typed))
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
    except BrokenPipeError:
        raise  # the reader has enough, which is no failure
    except OSError as error:
        raise translated(error, path) from error
    return place


def _own_descriptor(path: str) -> int | None:
    """Which descriptor of this process the absolute `path` leads to; None for any other file.

    `/dev/stdout` and `/dev/fd/63` lead to `/proc/PID/fd`, where the name of a pipe leads nowhere further.
    """
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        if folder in _DESCRIPTORS and name.isascii() and name.isdecimal():
            return int(name)
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None


def _write_to(descriptor: int, content: bytes, path: str) -> None:
    terminal.flush()  # what was written before comes before
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = "is not open for writing" if error.errno == errno.EBADF else f"cannot be written: {error.strerror}"
        raise InvalidPath(f"'{display(path)}' {reason}") from error


def read_text(path: str, limit_bytes: int) -> str:
    """The text of a file that the person named, `-` for standard input; what is not UTF-8 is replaced.

    Raises LimitExceeded when there is more, NotFound, Denied or InvalidPath.
    """
    try:
        if path == "-":
            content = sys.stdin.buffer.read(limit_bytes + 1)
        else:
            with open(path, "rb") as file:
                content = file.read(limit_bytes + 1)
    except OSError as error:
        raise translated(error, path) from error
    if len(content) > limit_bytes:
        raise LimitExceeded(f"'{display(path)}' has more than {limit_bytes:,} bytes; give less of it")
    return content.decode("utf-8", "replace")


def write_private(folder: Path, name: str, content: str) -> Path:
    """Write a file that only its owner can read, in a folder that only they can enter; both are made if missing."""
    from rubber_duck.settings.home import make_private_folder  # noqa: PLC0415  # as in `home`

    try:
        make_private_folder(folder)
    except OSError as error:
        raise translated(error, str(folder)) from error
    Root(folder).write_atomic(name, terminal.encoded(content), mode=PRIVATE)
    return folder / name


def home() -> Path:
    """The folder for settings, database, cache and reports."""
    from rubber_duck.settings import home_folder  # noqa: PLC0415  # msgspec, which writing a report needs not

    return home_folder(os.environ)
