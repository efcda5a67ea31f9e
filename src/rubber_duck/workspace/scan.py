"""Lists a project's files without reading those that their name explains, and says what it left out and why.

Nothing in the tree is trusted: it may be hostile, or change meanwhile. Every folder is opened from the descriptor of
the one above it, never through a link, so that a scan cannot be led out of its root. A scan does not raise for what
it finds inside.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, TimedOut
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.beneath import PATH_ONLY, open_beneath
from rubber_duck.workspace.ignore import MINIFIED, IgnoreFiles, Levels, built_in, marked
from rubber_duck.workspace.listing import LeftOut, LeftOutReason, Scan, ScannedFile
from rubber_duck.workspace.paths import (
    TEMPORARY_PREFIX,
    TEMPORARY_SUFFIX,
    Root,
    checked,
    display,
    read_up_to,
    translated,
)

__all__ = ["LeftOut", "LeftOutReason", "Scan", "ScannedFile", "examine", "looks_binary", "scan"]

HEAD_BYTES: Final = 8192
"""How much of a file tells a binary from a text, and finds an interpreter line."""

MAX_DEPTH: Final = 128
MAX_FILES: Final = 500_000
"""Limits of one scan: folders inside folders, and files listed."""

Detect = Callable[[str, bytes | None], str | None]
"""The language of (path, the first bytes if they were read), or None."""


T = TypeVar("T")


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run `work`, which scans, in a thread; a cancel sets the event that it was given, and so ends the scan."""
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(work, stopped)
    finally:
        stopped.set()


def scan(
    root: Root,
    settings: IndexSettings,
    detect: Detect,
    *,
    below: Collection[str] = (),
    stopped: threading.Event | None = None,
) -> Scan:
    """Everything below `root`, or only the files and folders `below` (relative names) with what lies in them.

    What is named in `below` is never left out by a pattern: it was asked for. Raises Denied or NotFound only when
    the root itself cannot be read, and TimedOut soon after somebody sets `stopped`.
    """
    started_s = time.monotonic()
    found = _Scanner(root, settings, detect, below, stopped).run()
    duration_ms = round((time.monotonic() - started_s) * 1000)
    telemetry.emit("workspace.scanned", files=len(found.files), left_out=len(found.left_out), duration_ms=duration_ms)
    return found


def examine(root: Root, relative: str, settings: IndexSettings, detect: Detect) -> ScannedFile | LeftOut:
    """One file that was asked for by name: no pattern leaves it out, but its size, kind and content may.

    Raises InvalidPath, NotFound or Denied.
    """
    checked(relative)
    status = root.status(relative)
    if not stat.S_ISREG(status.st_mode):
        return LeftOut(relative, LeftOutReason.SPECIAL_FILE, _kind(status.st_mode))
    scanner = _Scanner(root, settings, detect)
    scanner.add(relative, status, lambda: root.open_bytes(relative, 1 << 62)[:HEAD_BYTES])
    return scanner.files[0] if scanner.files else scanner.left_out[0]


def looks_binary(content: bytes) -> bool:
    """Whether the first bytes of a file hold a NUL, as git asks; UTF-16 counts as binary too."""
    return b"\0" in content[:HEAD_BYTES]


@dataclass(slots=True)
class _Folder:
    """An open folder with those of its folders that are still to be looked into.

    `is_wanted` is False for one that is only on the way to what was asked for.
    """

    descriptor: int
    prefix: str
    levels: Levels
    waiting: list[str]
    is_wanted: bool


class _Scanner:
    def __init__(
        self,
        root: Root,
        settings: IndexSettings,
        detect: Detect,
        below: Collection[str] = (),
        stopped: threading.Event | None = None,
    ) -> None:
        self._stopped = stopped or threading.Event()
        self.files: list[ScannedFile] = []
        self.left_out: list[LeftOut] = []
        self._root = root
        self._settings = settings
        self._detect = detect
        self._below = tuple(below)
        self._ignore = IgnoreFiles()
        self._folders = 0
        self._folder_status: list[tuple[str, os.stat_result]] = []
        self._links: list[tuple[str, Levels]] = []
        self._stack: list[_Folder] = []
        self._seen: set[tuple[int, int]] = set()
        self._following = False
        self._asked = set(below) or {""}
        self._on_the_way = {asked[:end] for asked in below for end in range(len(asked)) if asked[end] == "/"}

    def run(self) -> Scan:
        top = self._ignore.top(self._root.path, self._settings.ignore)
        try:
            descriptor = os.open(self._root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise translated(error, os.fspath(self._root.path)) from error
        try:
            self._walk(os.dup(descriptor), "", top)
            self._follow_links(descriptor)
        finally:
            os.close(descriptor)
        for path, detail in self._ignore.refused:
            self._leave(path, LeftOutReason.IGNORE_FILE, f"is not honoured: {detail}")
        self.files.sort(key=lambda file: file.path)
        self.left_out.sort(key=lambda one: (one.path, one.reason))
        return Scan(tuple(self.files), tuple(self.left_out), self._folders, tuple(self._folder_status))

    def add(self, path: str, status: os.stat_result, head: Callable[[], bytes]) -> None:
        """List a regular file, or say why not; `head` reads its beginning, when the name does not tell enough."""
        language = self._detect(path, None)
        size_bytes = status.st_size
        name = path.rpartition("/")[2]
        if language is None and "." not in name[1:] and 0 < size_bytes <= self._settings.max_file_size_bytes:
            try:
                content = head()
            except (OSError, DuckError) as error:
                self._leave(path, LeftOutReason.UNREADABLE, getattr(error, "strerror", "") or str(error))
                return
            if looks_binary(content):
                self._leave(path, LeftOutReason.BINARY, "holds NUL bytes")
                return
            language = self._detect(path, content)
        if language is not None and size_bytes > self._settings.max_file_size_bytes:
            limit = self._settings.max_file_size_bytes
            self._leave(path, LeftOutReason.TOO_LARGE, f"{size_bytes:,} bytes, the limit is {limit:,}")
            return
        self.files.append(
            ScannedFile(path, language, size_bytes, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
        )

    def _leave(self, path: str, reason: LeftOutReason, detail: str) -> None:
        self.left_out.append(LeftOut(path, reason, detail))

    def _walk(self, descriptor: int, prefix: str, levels: Levels) -> None:
        """Everything below an open folder, which this closes; deepest first, without recursion."""
        try:
            self._enter(descriptor, prefix, levels, is_wanted=prefix != "")
            while self._stack:
                folder = self._stack[-1]
                if not folder.waiting or len(self.files) >= MAX_FILES:
                    os.close(folder.descriptor)
                    self._stack.pop()
                    continue
                name = folder.waiting.pop()
                self._descend(folder, name)
        finally:
            for folder in self._stack:
                os.close(folder.descriptor)
            self._stack.clear()

    def _descend(self, folder: _Folder, name: str) -> None:
        path = folder.prefix + name
        if len(self._stack) >= MAX_DEPTH:
            self._leave(path, LeftOutReason.TOO_DEEP, f"more than {MAX_DEPTH} folders deep")
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=folder.descriptor)
        except OSError as error:
            self._leave(path, _refusal(error), error.strerror or "")
            return
        self._enter(descriptor, path + "/", folder.levels, is_wanted=folder.is_wanted)

    def _enter(self, descriptor: int, prefix: str, levels: Levels, *, is_wanted: bool) -> None:
        """List one folder and put it on the stack, which owns its descriptor from then on."""
        is_asked = prefix[:-1] in self._asked
        folder = _Folder(descriptor, prefix, levels, [], is_wanted or is_asked)
        self._stack.append(folder)
        try:
            status = os.fstat(descriptor)  # before it is listed: what appears meanwhile shows in a later look
            self._folder_status.append((prefix[:-1], status))
            with os.scandir(descriptor) as listing:
                entries = list(islice(listing, MAX_FILES + 1))
        except OSError as error:
            self._leave(prefix[:-1], _refusal(error), error.strerror or "")
            return
        names = {entry.name for entry in entries}
        if is_wanted and not is_asked and (meaning := marked(names)):
            self._leave(prefix[:-1], LeftOutReason.BUILT_IN, meaning)
            return
        if self._is_second(prefix[:-1], status):
            return
        self._folders += 1
        folder.levels = self._ignore.below(levels, descriptor, prefix, names)
        for entry in entries:
            self._entry(entry, folder, names)
        if len(self.files) >= MAX_FILES:
            self._leave(prefix[:-1] or ".", LeftOutReason.TOO_MANY, f"over {MAX_FILES:,} files; the rest is left out")

    def _entry(self, entry: os.DirEntry[str], folder: _Folder, siblings: set[str]) -> None:
        if self._stopped.is_set():
            raise TimedOut("the scan was stopped; start it again")
        name = entry.name
        path = folder.prefix + name
        if self._below and not self._is_wanted(path):
            return
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not folder.is_wanted and path not in self._asked:
                if is_folder and path in self._on_the_way:
                    folder.waiting.append(name)
                return
            if path not in self._asked and self._is_left_out(
                path, name, folder.levels, siblings if is_folder else None
            ):
                return
            if is_folder:
                folder.waiting.append(name)
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                if self._is_second(path, status):
                    return
                self.add(path, status, lambda: _head(folder.descriptor, name))
            elif entry.is_symlink():
                self._links.append((path, folder.levels))
            else:
                self._leave(path, LeftOutReason.SPECIAL_FILE, _kind(entry.stat(follow_symlinks=False).st_mode))
        except OSError as error:
            self._leave(path, _refusal(error), error.strerror or "")

    def _is_wanted(self, path: str) -> bool:
        """Whether `path` lies in one of the wanted paths, or on the way to one."""
        if path in self._asked or path in self._on_the_way:
            return True
        return any(path[:end] in self._asked for end in range(len(path)) if path[end] == "/")

    def _is_left_out(self, path: str, name: str, levels: Levels, siblings: Collection[str] | None) -> bool:
        """Whether it is, and then also noted. `siblings` are given for a folder."""
        folder = siblings is not None
        verdict = levels.verdict(path, name, folder=folder)
        if siblings is not None:
            meaning = built_in(name, siblings)
            if meaning and (verdict is None or meaning == "version control"):
                self._leave(path, LeftOutReason.BUILT_IN, meaning)
                return True
        if verdict is None:
            if not folder and ".min." in name and MINIFIED.search(name):
                self._leave(path, LeftOutReason.GENERATED, "minified")
                return True
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX):
                self._leave(path, LeftOutReason.GENERATED, "left by an interrupted write")
                return True
            return False
        left_out, source = verdict
        if left_out:
            self._leave(path, LeftOutReason.IGNORED, f"by {display(source)}")
        return left_out

    def _is_second(self, path: str, status: os.stat_result) -> bool:
        """Whether a link has led to what is in the project already; only then is sameness a reason to leave it out."""
        if not self._settings.follow_links:
            return False
        key = (status.st_dev, status.st_ino)
        if self._following and key in self._seen:
            self._leave(path, LeftOutReason.LINK, "leads to what is listed under another name")
            return True
        self._seen.add(key)
        return False

    def _follow_links(self, root: int) -> None:
        """Links last, so that what they lead to is listed under its own name whenever it has one."""
        self._following = True
        while self._links:
            self._links.sort(key=lambda link: link[0], reverse=True)  # so that the system's order does not matter
            path, levels = self._links.pop()
            try:
                target = open_beneath(root, path, PATH_ONLY, links=True, by_walk=self._root.by_walk)
            except OSError as error:
                self._leave(path, _link_refusal(error), error.strerror or "")
                continue
            try:
                self._follow(root, path, levels, os.fstat(target))
            except OSError as error:
                self._leave(path, _refusal(error), error.strerror or "")
            finally:
                os.close(target)

    def _follow(self, root: int, path: str, levels: Levels, status: os.stat_result) -> None:
        if not self._settings.follow_links:
            self._leave(path, LeftOutReason.LINK, "links are not followed (index.follow_links)")
        elif stat.S_ISREG(status.st_mode):
            if not self._is_second(path, status):
                self.add(
                    path, status, lambda: self._root.open_bytes(path, self._settings.max_file_size_bytes)[:HEAD_BYTES]
                )
        elif stat.S_ISDIR(status.st_mode):
            flags = os.O_RDONLY | os.O_DIRECTORY
            descriptor = open_beneath(root, path, flags, links=True, by_walk=self._root.by_walk)
            self._walk(descriptor, path + "/", levels)
        else:
            self._leave(path, LeftOutReason.SPECIAL_FILE, _kind(status.st_mode))


def _head(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        return read_up_to(descriptor, HEAD_BYTES)
    finally:
        os.close(descriptor)


def _refusal(error: OSError) -> LeftOutReason:
    """Not there any more, or something else by now, or not ours to read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return LeftOutReason.VANISHED
    return LeftOutReason.UNREADABLE


def _link_refusal(error: OSError) -> LeftOutReason:
    match error.errno:
        case errno.EXDEV:
            return LeftOutReason.SYMLINK_OUTSIDE
        case errno.ELOOP:
            return LeftOutReason.SYMLINK_LOOP
        case errno.ENOENT | errno.ENOTDIR:
            return LeftOutReason.BROKEN_LINK
        case _:
            return LeftOutReason.UNREADABLE


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}
    return kinds.get(stat.S_IFMT(mode), "a folder" if stat.S_ISDIR(mode) else "not a regular file")
