"""Unpacks an archive that somebody uploaded: regular files only, nothing outside of the folder, all of it bounded.

tar (also .gz, .bz2, .xz) and zip. What is refused is refused before anything of it is written, besides what counting
alone can show: then what was written is for the caller to remove.
"""

from __future__ import annotations

import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from rubber_duck.errors import InvalidInput, LimitExceeded
from rubber_duck.workspace.paths import display

_DAMAGED: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
)
_CHUNK_BYTES: Final = 1 << 18
_DEPTH: Final = 60
_PATH_BYTES: Final = 1000
_PART_BYTES: Final = 255
_HEADER_BYTES: Final = 100_000
_END_BYTES: Final = 66_000
_DIRECTORY_BYTES: Final = 10_000_000
_LEAST_BYTES: Final = 10_000_000
"""What is less than this in all is not looked at for its ratio."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How many files, how large they are in all and one by one, and how many times the archive's own size."""

    files: int = 50_000
    size_bytes: int = 500_000_000
    file_bytes: int = 50_000_000
    ratio: int = 100


@dataclass(frozen=True, slots=True)
class _Member:
    path: str
    is_folder: bool
    size_bytes: int
    content: IO[bytes] | None


class _Entry(tarfile.TarInfo):
    """An entry of a tar whose own headers, which are read at once, are short."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """The point of extension that tarfile names for subclasses."""
        if not (self.isreg() or self.isdir()) and self.size > _HEADER_BYTES:
            raise LimitExceeded("the archive has a header of more than 100 kB")
        made: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # not among the types
        return made


def unpack(archive: Path, folder: Path, limits: ArchiveLimits | None = None) -> int:
    """Write the files of `archive` into the empty `folder`; how many. Blocks.

    A single folder at the top is left out. Raises InvalidInput for what is no archive, for links, devices and paths
    that lead elsewhere, LimitExceeded for too much.
    """
    limits = limits or ArchiveLimits()
    most = min(limits.size_bytes, max(_LEAST_BYTES, limits.ratio * archive.stat().st_size))
    paths = _looked_through(archive, limits, most)
    if not paths:
        raise InvalidInput("the archive holds no files")
    if len({path.casefold() for path in paths}) != len(paths):
        raise InvalidInput("the archive holds two files of one name")
    files = {path.casefold() for path in paths}
    if any(posixpath.dirname(path).casefold() in files for path in _with_folders(paths)):
        raise InvalidInput("the archive holds a file where another one has its folder")
    top = paths[0].split("/")[0] + "/"
    cut = len(top) if all(path.startswith(top) for path in paths) else 0
    written = 0
    for member in _members(archive):
        if member.is_folder or member.content is None:
            continue
        target = folder / _checked(member.path)[cut:]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with member.content, open(target, "xb", opener=_opener) as file:
            for chunk in _chunks(member, limits.file_bytes):
                written += len(chunk)
                if written > most:
                    raise LimitExceeded(f"the archive unpacks to more than {most:,} bytes")
                file.write(chunk)
    return len(paths)


def _looked_through(archive: Path, limits: ArchiveLimits, most: int) -> list[str]:
    """The paths of its files, each in its place; what an entry says of its size is believed only against it."""
    paths: list[str] = []
    size = 0
    for number, member in enumerate(_members(archive)):
        size += member.size_bytes
        if number > 2 * limits.files or len(paths) >= limits.files:
            raise LimitExceeded(f"the archive holds more than {limits.files:,} files")
        if member.size_bytes > limits.file_bytes or size > most:
            raise LimitExceeded(f"the archive unpacks to more than {most:,} bytes, or to a file that is too large")
        if not member.is_folder:
            paths.append(_checked(member.path))
    return paths


def _with_folders(paths: Iterable[str]) -> set[str]:
    """The paths, and every folder that they lie in."""
    found: set[str] = set()
    for path in paths:
        parent = path
        while parent and parent not in found:
            found.add(parent)
            parent = posixpath.dirname(parent)
    return found


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _chunks(member: _Member, most: int) -> Iterator[bytes]:
    assert member.content is not None
    size = 0
    try:
        while chunk := member.content.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise LimitExceeded(f"'{display(member.path)}' in the archive has more than {most:,} bytes")
            yield chunk
    except _DAMAGED as error:
        raise InvalidInput(f"'{display(member.path)}' in the archive cannot be read: {error}") from error


def _members(archive: Path) -> Iterator[_Member]:
    try:
        if zipfile.is_zipfile(archive):
            _check_directory(archive)
            yield from _of_zip(archive)
        else:
            yield from _of_tar(archive)
    except _DAMAGED as error:
        raise InvalidInput(f"this is no archive that can be read (tar, tar.gz, zip): {error}") from error


def _of_zip(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for each in opened.infolist():
            kind = stat.S_IFMT(each.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise InvalidInput(f"'{display(each.filename)}' in the archive is a link or a device")
            if each.flag_bits & 1:
                raise InvalidInput("the archive is encrypted")
            yield _Member(each.filename, each.is_dir(), each.file_size, None if each.is_dir() else opened.open(each))


def _check_directory(archive: Path) -> None:
    """Raises LimitExceeded for a zip whose list of files, which is read at once, is long (APPNOTE.TXT 4.3.16)."""
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - _END_BYTES))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at >= 0 and int.from_bytes(end[at + 12 : at + 16], "little") > _DIRECTORY_BYTES:
        raise LimitExceeded("the archive holds too many files")


def _of_tar(archive: Path) -> Iterator[_Member]:
    with closing(tarfile.open(archive, "r|*", tarinfo=_Entry)) as opened:  # a stream: nothing is looked for twice
        for each in opened:
            if each.isdir():
                yield _Member(each.name, True, 0, None)
            elif each.isreg() and not each.issparse():
                yield _Member(each.name, False, each.size, opened.extractfile(each))
            else:
                raise InvalidInput(f"'{display(each.name)}' in the archive is a link or a device")


def _checked(path: str) -> str:
    """The path, which stays in its folder. Raises InvalidInput."""
    written = path.removeprefix("./")
    parts = written.split("/")
    is_odd = (
        posixpath.isabs(written)
        or "\\" in written
        or "\0" in written
        or any(part in ("", ".", "..") for part in parts)
        or len(parts) > _DEPTH
        or len(os.fsencode(written)) > _PATH_BYTES
        or any(len(os.fsencode(part)) > _PART_BYTES for part in parts)
    )
    if is_odd or any(part.lower() == ".git" for part in parts):
        raise InvalidInput(f"'{display(path)}' in the archive is no path inside of a project")
    return written
