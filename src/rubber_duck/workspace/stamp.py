"""Tells, without listing a project again, whether anything in it may have changed since it was scanned."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import InvalidInput
from rubber_duck.workspace.listing import LeftOutReason, Scan
from rubber_duck.workspace.paths import Root, translated

RACY_NS: Final = 100_000_000
"""What changed this shortly before it was seen may change again within the clock's tick: it proves nothing."""

Mark = tuple[int, int, int, int]
"""Size in bytes, inode, and the moments of the last change of content and of status in nanoseconds since 1970."""

_ABSENT: Final[Mark] = (-1, -1, -1, -1)
_BY_NAME: Final = frozenset({LeftOutReason.IGNORED, LeftOutReason.BUILT_IN, LeftOutReason.VANISHED})
_HEAD: Final = struct.Struct("<32sQQ")
_MARK_BYTES: Final = 32
_IN_ROOT: Final = (".git", ".git/info/exclude")
_ABOVE: Final = (*_IN_ROOT, ".gitignore", ".duckignore")


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a project's files and folders, and what decides which of them belong to it, looked when it was scanned.

    `digest` (32 hexadecimal characters) is of the files alone: folders may change without any of them. `taken_ns` is
    when the scan began, in nanoseconds since 1970. Names outside the root are absolute.
    """

    digest: str
    taken_ns: int
    names: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nothing changed so shortly before the scan that a later change could go unseen."""
        return all(mark[3] < self.taken_ns - RACY_NS for mark in self.marks)

    def still_holds(self, root: Root) -> bool:
        """Whether nothing has changed since; False also when that cannot be told. Costs a look at each name."""
        if not self.is_settled:
            return False
        try:
            descriptor = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return all(_mark(name, descriptor) == mark for name, mark in zip(self.names, self.marks, strict=True))
        finally:
            os.close(descriptor)

    def unchanged(self, root: Root, paths: Collection[str]) -> frozenset[str]:
        """Which of the files at `paths` look as they did; none of those that the scan did not list."""
        try:
            descriptor = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return frozenset()
        try:
            known = ((name, mark) for name, mark in zip(self.names, self.marks, strict=True) if name in paths)
            return frozenset(name for name, mark in known if _mark(name, descriptor) == mark)
        finally:
            os.close(descriptor)

    @classmethod
    def of(cls, root: Root, listed: Scan, taken_ns: int) -> Stamp:
        """The stamp of what a scan of the whole root gave; `taken_ns` is when it began. Raises NotFound or Denied."""
        digest = hashlib.blake2b(digest_size=16)
        names: list[str] = []
        marks: list[Mark] = []
        for file in listed.files:
            names.append(file.path)
            marks.append((file.size_bytes, file.inode, file.mtime_ns, file.ctime_ns))
            digest.update(os.fsencode(file.path) + b"\0" + repr((file.language, marks[-1])).encode())
        for path, status in listed.folder_status:
            names.append(path or ".")
            marks.append(_mark_of(status))
        try:
            folder = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise translated(error, os.fspath(root.path)) from error
        try:
            for name in _others(root, listed):
                names.append(name)
                marks.append(_mark(name, folder))
        finally:
            os.close(folder)
        return cls(digest.hexdigest(), taken_ns, tuple(names), tuple(marks))

    def to_bytes(self) -> bytes:
        """The stamp for a cache; `from_bytes` gives it back."""
        numbers = array("q", [number for mark in self.marks for number in mark])
        names = b"\0".join(map(os.fsencode, self.names))
        head = _HEAD.pack(self.digest.encode(), self.taken_ns, len(self.marks))
        return head + zlib.compress(numbers.tobytes() + names, 1)

    @classmethod
    def from_bytes(cls, content: bytes) -> Stamp:
        """Raises InvalidInput for bytes that `to_bytes` did not give."""
        try:
            digest, taken_ns, count = _HEAD.unpack_from(content)
            body = zlib.decompress(content[_HEAD.size :])
            numbers = array("q", body[: _MARK_BYTES * count])
            names = tuple(map(os.fsdecode, body[_MARK_BYTES * count :].split(b"\0")))
            marks = tuple(zip(*(iter(numbers),) * 4, strict=True))
            paired = dict(zip(names, marks, strict=True))
        except (struct.error, zlib.error, ValueError) as error:
            raise InvalidInput(f"this is no stamp of a project: {error}") from error
        return cls(digest.decode("ascii", "replace"), taken_ns, tuple(paired), tuple(paired.values()))


def _others(root: Root, listed: Scan) -> Iterator[str]:
    """What else decides on what belongs to the project: what its content left out, and ignore files above."""
    for left in listed.left_out:
        if left.reason not in _BY_NAME or left.path.endswith((".gitignore", ".duckignore")):
            yield left.path
    for folder in (root.path, *root.path.parents):
        names = _IN_ROOT if folder == root.path else _ABOVE
        yield from (os.fspath(folder / name) for name in names)


def _mark(name: str, folder: int) -> Mark:
    try:
        status = os.stat(name, dir_fd=folder)
    except OSError:
        return _ABSENT
    # Git writes into its folder all the time; that it is there is what counts.
    return (0, status.st_ino, 0, 0) if name.endswith("/.git") else _mark_of(status)


def _mark_of(status: os.stat_result) -> Mark:
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
