"""The only way from text to a path: every read and write of a project's files passes through a Root."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from rubber_duck import fault
from rubber_duck.errors import Denied, DuckError, InvalidPath, LimitExceeded, NotFound, normalize
from rubber_duck.workspace.beneath import MAX_COMPONENTS, PATH_ONLY, open_beneath

TEMPORARY_PREFIX: Final = ".duck-"
TEMPORARY_SUFFIX: Final = ".tmp"
"""How the file is called that holds new content until it is renamed; one may stay after a crash."""

_MAX_NAME_BYTES: Final = 255
_CHUNK_BYTES: Final = 1 << 20
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY  # a FIFO without a writer must not hang us
_serial = itertools.count()
_confined: ContextVar[Path | None] = ContextVar("confined", default=None)


class Root:
    """A folder below which files are read and written, and out of which nothing leads.

    Names are text relative to the folder, `/` between components, with surrogate escapes for bytes that are
    not UTF-8 (PEP 383). No component may be empty, `.` or `..`. Reading follows links as long as they stay
    inside; writing follows none. `by_walk` does without the kernel's help; `own` says that the folder is
    RubberDuck's own and no part of a project, for work that is `confined` to one.
    """

    __slots__ = ("by_walk", "path")

    def __init__(self, path: str | Path, *, by_walk: bool = False, own: bool = False) -> None:
        """Raises NotFound, InvalidPath (not a folder, or outside of what the work is confined to) or Denied."""
        given = os.fspath(path)
        if not given or "\0" in given:
            raise InvalidPath(f"{display(given)!r} is not a path")
        try:
            resolved = os.path.realpath(given, strict=True)
            mode = os.stat(resolved).st_mode
        except OSError as error:
            raise translated(error, given) from error
        if not stat.S_ISDIR(mode):
            raise InvalidPath(f"'{display(given)}' is not a folder")
        self.path = Path(resolved)
        self.by_walk = by_walk
        within = _confined.get()
        if within is not None and not own and not self.path.is_relative_to(within):
            raise InvalidPath(f"'{display(given)}' lies outside of the project")

    def __repr__(self) -> str:
        return f"Root({os.fspath(self.path)!r})"

    def open_bytes(self, relative: str, limit_bytes: int, *, links: bool = True) -> bytes:
        """The content of a regular file of at most `limit_bytes`; without `links`, none is followed.

        Raises InvalidPath, NotFound, Denied or LimitExceeded.
        """
        with self._descriptor(relative, _READ, links=links) as descriptor:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise InvalidPath(f"'{display(relative)}' is not a regular file")
            if status.st_size > limit_bytes:
                raise _too_large(relative, limit_bytes)
            content = read_up_to(descriptor, limit_bytes + 1)
        if len(content) > limit_bytes:  # it grew, or is one of those that say 0
            raise _too_large(relative, limit_bytes)
        return content

    def status(self, relative: str) -> os.stat_result:
        """What `relative` is, links inside the root followed; raises InvalidPath, NotFound or Denied."""
        with self._descriptor(relative, PATH_ONLY) as descriptor:
            return os.fstat(descriptor)

    def write_atomic(self, relative: str, content: bytes, *, mode: int = 0o666) -> None:
        """Replace or create a regular file: after a crash it has the old content or the new, never a mixture.

        Mode and, where allowed, owner are kept; a new file gets `mode`, less the umask. The folder must exist.
        Never writes into `.git`, never through a link. Raises InvalidPath, NotFound or Denied.
        """
        with self._parent(relative) as (folder, name):
            _replace(folder, name, content, mode)

    def remove(self, relative: str) -> None:
        """Remove a regular file, as durably as `write_atomic` writes one. Raises as that."""
        with self._parent(relative) as (folder, name):
            if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise InvalidPath(f"'{display(relative)}' is not a regular file, so it is not removed")
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def restore_mode(self, relative: str, mode: int) -> None:
        """Give a regular file exactly this mode. Raises as `write_atomic`."""
        with self._descriptor(relative, _READ, links=False) as descriptor:
            os.fchmod(descriptor, mode)

    def make_folder(self, relative: str) -> bool:
        """Make a folder in one that exists; False when it is there already. Raises as `write_atomic`."""
        with self._parent(relative) as (folder, name):
            try:
                os.mkdir(name, dir_fd=folder)
            except FileExistsError:
                return False
            os.fsync(folder)
        return True

    def remove_folder(self, relative: str) -> bool:
        """Remove an empty folder; False when it is not empty, or not there. Raises as `write_atomic`."""
        try:
            with self._parent(relative) as (folder, name):
                os.rmdir(name, dir_fd=folder)
                os.fsync(folder)
        except NotFound:
            return False
        except DuckError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return False
            raise
        return True

    def sweep(self, relative: str, process: int) -> None:
        """Remove from a folder what writing left there in a process that was killed; `.` is the root itself."""
        begin = f"{TEMPORARY_PREFIX}{process}-"
        with self._descriptor(relative, os.O_RDONLY | os.O_DIRECTORY, links=False) as folder:
            for name in os.listdir(folder):
                if name.startswith(begin) and name.endswith(TEMPORARY_SUFFIX):
                    os.unlink(name, dir_fd=folder)

    @contextmanager
    def _parent(self, relative: str) -> Iterator[tuple[int, str]]:
        """Lend the open folder that `relative` lies in, and its name there; nothing of git's, nothing over a link."""
        parts = checked(relative)
        if any(_is_git(part) for part in parts):
            raise InvalidPath(f"'{display(relative)}' lies in git's own folder, which RubberDuck never writes")
        parent = "/".join(parts[:-1]) or "."
        with self._descriptor(parent, os.O_RDONLY | os.O_DIRECTORY, links=False) as folder:
            yield folder, parts[-1]

    @contextmanager
    def _descriptor(self, relative: str, flags: int, *, links: bool = True) -> Iterator[int]:
        """Lend a descriptor; translate whatever the system refuses meanwhile."""
        if relative != ".":
            checked(relative)
        try:
            folder = os.open(self.path, PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                descriptor = open_beneath(folder, relative, flags, links=links, by_walk=self.by_walk)
            finally:
                os.close(folder)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise translated(error, relative) from error


@contextmanager
def confined(folder: str | Path) -> Iterator[None]:
    """Let the block, and the tasks and threads it starts, open no Root outside of a folder: that is for a server.

    Where paths come from clients, a link that was put there after they were looked at leads nowhere then, and neither
    does a path that nobody looked at.
    """
    token = _confined.set(Path(os.path.realpath(folder)))
    try:
        yield
    finally:
        _confined.reset(token)


def checked(relative: str) -> list[str]:
    """The components of a relative name; raises InvalidPath for anything but plain downward components."""
    parts = relative.split("/")
    if not relative or "\0" in relative or any(part in {"", ".", ".."} for part in parts):
        raise InvalidPath(f"'{display(relative)}' is not a path below the project's folder")
    if len(parts) > MAX_COMPONENTS:
        raise InvalidPath(f"'{display(relative[:80])}…' has more than {MAX_COMPONENTS} components")
    try:
        longest = max(len(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError as error:
        raise InvalidPath(f"'{display(relative)}' cannot be the name of a file") from error
    if longest > _MAX_NAME_BYTES:
        raise InvalidPath(f"'{display(relative[:80])}…' has a component over {_MAX_NAME_BYTES} bytes")
    return parts


def display(path: str) -> str:
    """A printable, unambiguous form: control, bidirectional and undecodable characters as visible escapes.

    A byte that is not UTF-8 becomes `\\xNN`, another unprintable character what Python writes for it, and a
    backslash two of them.
    """
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(map(_visible, path))


def absolute(path: str, directory: str) -> str:
    """`path` as it is meant from `directory`, or, where that is empty, from the process's own folder; links stay.

    Raises NotFound for a relative path when there is no such folder any more.
    """
    if os.path.isabs(path):
        return path
    try:
        return os.path.join(directory or os.getcwd(), path)
    except FileNotFoundError:
        raise NotFound(
            f"there is no '{display(path)}', because the current folder was removed; change to one that is there"
        ) from None


def read_up_to(descriptor: int, size_bytes: int) -> bytes:
    """The next bytes of an open file, `size_bytes` at most, fewer only at its end."""
    chunks: list[bytes] = []
    left = size_bytes
    while left > 0:
        chunk = os.read(descriptor, min(left, _CHUNK_BYTES))
        if not chunk:
            break
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def translated(error: OSError, path: str) -> DuckError:
    """The sentence for what the operating system refused at `path`; raise it from `error`."""
    name = f"'{display(path)}'"
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return NotFound(f"there is no {name}")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Denied(f"the operating system does not allow access to {name}")
        case errno.EXDEV:
            return InvalidPath(f"{name} leads out of its folder")
        case errno.ELOOP:
            return InvalidPath(f"{name} leads over a link that is not followed, or a loop of links")
        case errno.EISDIR | errno.ENXIO | errno.ENODEV:
            return InvalidPath(f"{name} is not a regular file")
        case errno.ENAMETOOLONG:
            return InvalidPath(f"{name} is too long for a path")
        case _:
            return normalize(error)


def _replace(folder: int, name: str, content: bytes, mode: int) -> None:
    try:
        old: os.stat_result | None = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        old = None
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise InvalidPath(f"'{display(name)}' is not a regular file, so it is not replaced")
    try:
        temporary, descriptor = _open_temporary(folder, mode if old is None else 0o600)
    except FileNotFoundError as error:
        raise InvalidPath(f"'{display(name)}' lies in a folder that takes no new files") from error
    try:
        try:
            _fill(descriptor, content, old)
        finally:
            os.close(descriptor)
        fault.point("workspace.before_rename")
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def _open_temporary(folder: int, mode: int) -> tuple[str, int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        name = f"{TEMPORARY_PREFIX}{os.getpid()}-{next(_serial)}{TEMPORARY_SUFFIX}"
        try:
            return name, os.open(name, flags, mode, dir_fd=folder)
        except FileExistsError:
            continue  # left by a crashed process of the same number


def _fill(descriptor: int, content: bytes, old: os.stat_result | None) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if old is not None:
        _keep_owner(descriptor, old)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    os.fsync(descriptor)


def _keep_owner(descriptor: int, old: os.stat_result) -> None:
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except PermissionError:
            return  # only a superuser may give files away; the writer then owns it, as with every editor


def _is_git(part: str) -> bool:
    """Whether some file system would take this name for `.git` (case, trailing dots, ignored characters)."""
    seen = "".join(filter(str.isprintable, part)).casefold().rstrip(". ")
    return seen in {".git", "git~1"}


def _visible(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character != "\\" and character.isprintable():
        return character
    if code < 0x80:
        return character.encode("unicode_escape").decode("ascii")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _too_large(relative: str, limit_bytes: int) -> LimitExceeded:
    return LimitExceeded(f"'{display(relative)}' is larger than {limit_bytes:,} bytes")
