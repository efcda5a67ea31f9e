"""Writes several files of a project as one, and takes it back: every byte is kept here before a file is touched.

Each project has a folder in RubberDuck's home with one folder per change: what the files held, what they are to hold,
and a state. A state of `writing` or `undoing` that no process holds the lock for was left by one that was killed, and
is taken back, however often that is tried. So a project is before or after, and never between, once the journal
has been opened again.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from rubber_duck import fault
from rubber_duck.errors import Conflict, DuckError, InvalidPath, NotFound, StaleVersion
from rubber_duck.scope import Right, Scope
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.paths import Root, display, translated

KEPT: Final = 100
"""So many changes of a project can be undone; older ones are forgotten."""

MOST_BYTES: Final = 256 * 1024 * 1024
"""The largest file that is journaled."""

_PRIVATE: Final = 0o600
_WRITING, _APPLIED, _UNDOING, _UNDONE = "writing", "applied", "undoing", "undone"


@dataclass(frozen=True, slots=True)
class FileWrite:
    """One file before and after; None: it does not exist then."""

    path: str
    before: bytes | None
    after: bytes | None


class _Kept(msgspec.Struct, frozen=True):
    """A file of an entry: whether it existed before and is to exist after, and its mode before."""

    path: str
    before: bool
    after: bool
    mode: int


class _Manifest(msgspec.Struct, frozen=True):
    """What an entry is of; `folders` had to be made, outer ones first."""

    root: str
    at: datetime
    about: str
    files: tuple[_Kept, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was written. `number` counts from 1 in each project; `about` says in a few words what it was."""

    number: int
    at: datetime
    about: str
    paths: tuple[str, ...]
    is_undone: bool


class Journal:
    """What was written to projects, by their roots; each is written by one process at a time."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime]) -> None:
        """`clock` gives aware moments. The folder is made when something is first written."""
        self._folder = folder
        self._clock = clock

    async def write(self, scope: Scope, root: Root, files: Sequence[FileWrite], about: str) -> Entry:
        """Make every file what it shall be, or, when one cannot be, leave all as they were.

        Raises StaleVersion when one is not what it was taken to be, Conflict while another process writes, Denied,
        InvalidPath, LimitExceeded, or Unavailable when the disk does not take it.
        """
        scope.require(Right.FILE_WRITE)
        return await asyncio.to_thread(self._write, root, tuple(files), about)

    async def undo(self, scope: Scope, root: Root, number: int | None = None) -> Entry:
        """Take back one change, or the last that was not: to the byte.

        Raises NotFound, or Conflict when a file of it was changed since.
        """
        scope.require(Right.FILE_WRITE)
        return await asyncio.to_thread(self._undo, root, number)

    async def entries(self, scope: Scope, root: Root) -> list[Entry]:
        """The changes of a project, the latest first; what a killed process left half written is taken back before."""
        scope.require(Right.FILE_READ)
        return await asyncio.to_thread(self._entries, root)

    async def recover(self, scope: Scope, root: Root) -> list[str]:
        """Take back what a killed process left half written; files that somebody changed since stay, and are told."""
        scope.require(Right.FILE_READ)
        return await asyncio.to_thread(self._recover, root)

    def _recover(self, root: Root) -> list[str]:
        if not os.path.isdir(self._place(root)):
            return []
        with self._locked(root) as place:
            return _recovered(place, root)

    def _entries(self, root: Root) -> list[Entry]:
        if not os.path.isdir(self._place(root)):
            return []
        with self._locked(root) as place:
            _recovered(place, root)
            return [_entry(place, number) for number in reversed(_numbers(place))]

    def _write(self, root: Root, files: tuple[FileWrite, ...], about: str) -> Entry:
        with self._locked(root) as place:
            _recovered(place, root)
            for file in files:
                if _content(root, file.path) != file.before:
                    raise StaleVersion(
                        f"'{display(file.path)}' was changed by somebody else meanwhile; nothing was written, try again"
                    )
            number = max(_numbers(place), default=0) + 1
            manifest = self._keep(place, number, root, (files, about))
            fault.point("workspace.before_writing")
            try:
                for folder in manifest.folders:
                    root.make_folder(folder)
                for file in files:
                    _put(root, file.path, file.after)
                    fault.point("workspace.after_file")
            except DuckError:
                _take_back(place, number, root)
                raise
            fault.point("workspace.before_done")
            _set_state(place, number, _APPLIED)
            for old in _numbers(place)[:-KEPT]:
                shutil.rmtree(place / str(old))
            return _entry(place, number)

    def _keep(self, place: Path, number: int, root: Root, change: tuple[Sequence[FileWrite], str]) -> _Manifest:
        """The entry, complete and durable; its state is written last, and without one it is nothing."""
        files, about = change
        folder = place / str(number)
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed before it wrote the state
        folder.mkdir(mode=0o700)
        own = Root(folder, own=True)
        kept = []
        for index, file in enumerate(files):
            for name, content in (("before", file.before), ("after", file.after)):
                if content is not None:
                    own.write_atomic(f"{index}.{name}", content, mode=_PRIVATE)
            mode = stat.S_IMODE(root.status(file.path).st_mode) if file.before is not None else 0
            kept.append(_Kept(file.path, file.before is not None, file.after is not None, mode))
        folders = _missing_folders(root, [file.path for file in files if file.after is not None])
        manifest = _Manifest(os.fspath(root.path), self._clock(), about, tuple(kept), folders)
        own.write_atomic("manifest.json", msgspec.json.encode(manifest), mode=_PRIVATE)
        _set_state(place, number, _WRITING)
        return manifest

    def _undo(self, root: Root, number: int | None) -> Entry:
        if not os.path.isdir(self._place(root)):
            raise NotFound(_NOTHING)
        with self._locked(root) as place:
            _recovered(place, root)
            applied = [each for each in _numbers(place) if _state(place, each) == _APPLIED]
            if number is None and not applied:
                raise NotFound(_NOTHING)
            wanted = applied[-1] if number is None else number
            if wanted not in applied:
                raise NotFound(f"there is no change {wanted} that can be undone; `duck undo --list` lists them")
            manifest = _manifest(place, wanted)
            for index, file in enumerate(manifest.files):
                if _content(root, file.path) != _image(place, wanted, index, file.after, "after"):
                    raise Conflict(
                        f"'{display(file.path)}' was changed after change {wanted}; undo first what came later"
                    )
            _set_state(place, wanted, _UNDOING)
            _take_back(place, wanted, root)
            return _entry(place, wanted)

    def _place(self, root: Root) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(root.path)).hexdigest()[:32]

    @contextmanager
    def _locked(self, root: Root) -> Iterator[Path]:
        """Lend the project's folder to this process alone. Raises Conflict while another has it, or Unavailable."""
        place = self._place(root)
        try:
            make_private_folder(place)
            lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise translated(error, os.fspath(place)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield place
        except BlockingIOError as error:
            raise Conflict("another process is writing to this project; try again when it is done") from error
        finally:
            os.close(lock)


_NOTHING: Final = "nothing was written to this project that could be undone"


def _recovered(place: Path, root: Root) -> list[str]:
    """Take back every entry that was begun and not ended; the files that stay because somebody changed them since."""
    stayed: list[str] = []
    for number in _numbers(place):
        if _state(place, number) in {_WRITING, _UNDOING}:
            stayed += _take_back(place, number, root)
    return stayed


def _take_back(place: Path, number: int, root: Root) -> list[str]:
    """Give every file of an entry the content that it had; what is neither that nor the entry's own stays."""
    manifest = _manifest(place, number)
    for folder in {os.path.dirname(file.path) or "." for file in manifest.files}:
        with suppress(NotFound, InvalidPath):  # it was never made, or is no folder any more
            root.sweep(folder, _process(place, number))
    _set_state(place, number, _state(place, number))  # from here on, temporary files are of this process
    stayed = []
    for index, file in enumerate(manifest.files):
        try:
            if not _restore(root, file, [_image(place, number, index, *each) for each in _both(file)]):
                stayed.append(file.path)
        except (NotFound, InvalidPath):
            stayed.append(file.path)  # somebody made it something else, or took its folder away
        fault.point("workspace.after_file")
    for folder in reversed(manifest.folders):
        root.remove_folder(folder)
    _set_state(place, number, _UNDONE)
    return stayed


def _both(file: _Kept) -> tuple[tuple[bool, str], tuple[bool, str]]:
    return (file.before, "before"), (file.after, "after")


def _restore(root: Root, file: _Kept, images: Sequence[bytes | None]) -> bool:
    """Whether the file is as it was before now; not when it is neither that nor what was written."""
    before, after = images
    now = _content(root, file.path)
    if now == before:
        return True
    if now != after:
        return False
    _put(root, file.path, before)
    if now is None:
        root.restore_mode(file.path, file.mode)
    return True


def _put(root: Root, path: str, content: bytes | None) -> None:
    if content is not None:
        root.write_atomic(path, content)
    elif _content(root, path) is not None:
        root.remove(path)


def _content(root: Root, path: str) -> bytes | None:
    try:
        return root.open_bytes(path, MOST_BYTES, links=False)
    except NotFound:
        return None


def _missing_folders(root: Root, paths: Sequence[str]) -> tuple[str, ...]:
    """The folders that these files need and that are not there, outer ones first."""
    needed = sorted({path[:end] for path in paths for end in range(len(path)) if path[end] == "/"})
    missing = []
    for folder in needed:
        try:
            root.status(folder)
        except NotFound:
            missing.append(folder)
    return tuple(missing)


def _numbers(place: Path) -> list[int]:
    """The entries that have a state, in their order."""
    names = [name for name in os.listdir(place) if name.isdecimal()]
    return sorted(int(name) for name in names if os.path.exists(place / name / "state"))


def _state(place: Path, number: int) -> str:
    return (place / str(number) / "state").read_text(encoding="ascii").partition(" ")[0]


def _process(place: Path, number: int) -> int:
    """The process that wrote the state."""
    return int((place / str(number) / "state").read_text(encoding="ascii").partition(" ")[2])


def _set_state(place: Path, number: int, state: str) -> None:
    Root(place / str(number), own=True).write_atomic("state", f"{state} {os.getpid()}".encode("ascii"), mode=_PRIVATE)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # the entry's folder itself has to survive, too
    finally:
        os.close(descriptor)


def _manifest(place: Path, number: int) -> _Manifest:
    return msgspec.json.decode((place / str(number) / "manifest.json").read_bytes(), type=_Manifest)


def _image(place: Path, number: int, index: int, exists: bool, name: str) -> bytes | None:
    return (place / str(number) / f"{index}.{name}").read_bytes() if exists else None


def _entry(place: Path, number: int) -> Entry:
    manifest = _manifest(place, number)
    paths = tuple(file.path for file in manifest.files)
    return Entry(number, manifest.at, manifest.about, paths, _state(place, number) == _UNDONE)
