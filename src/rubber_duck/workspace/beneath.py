"""Opening a file below a folder so that no name, link or race leads out of that folder.

Two ways with one meaning: the kernel's (`openat2`, Linux 5.6 and later) and a walk of our own, component by
component. Links are followed as long as they stay inside; an absolute link always leads out.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from functools import cache
from typing import Final

MAX_COMPONENTS: Final = 256
"""The most components a path may have, the targets of links included."""

_MAX_LINKS: Final = 40  # as the kernel counts
_MAX_KERNEL_PATH: Final = 4095
_MAX_TRIES: Final = 8
_OPENAT2: Final = 437  # the same number on every architecture but alpha
_NO_MAGIC_LINKS: Final = 0x02
_NO_LINKS: Final = 0x04
_BENEATH: Final = 0x08

PATH_ONLY: Final[int] = getattr(os, "O_PATH", os.O_RDONLY)
"""Flags of a descriptor that names a file without reading it (macOS has none, there it reads)."""


def open_beneath(folder: int, relative: str, flags: int, *, links: bool, by_walk: bool = False) -> int:
    """A descriptor of `relative` below the open `folder`, close-on-exec.

    Raises OSError: EXDEV when the path leads out, ELOOP for a loop of links, or for any link without `links`.
    """
    if not by_walk and kernel_confines() and len(relative) * 4 <= _MAX_KERNEL_PATH:
        descriptor = _open_by_kernel(folder, os.fsencode(relative), flags, links)
        if descriptor is not None:
            return descriptor
    return _Walk(flags, links).open(folder, relative)


@cache
def kernel_confines() -> bool:
    """Whether this kernel has `openat2` and lets us use it (some containers forbid it)."""
    if not sys.platform.startswith("linux"):
        return False
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.close(_openat2(folder, b".", os.O_RDONLY | os.O_DIRECTORY, _BENEATH))
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _open_by_kernel(folder: int, relative: bytes, flags: int, links: bool) -> int | None:
    """The descriptor, or None when the tree is changing too fast for the kernel to be sure."""
    resolve = _BENEATH | _NO_MAGIC_LINKS | (0 if links else _NO_LINKS)
    for _ in range(_MAX_TRIES):
        try:
            return _openat2(folder, relative, flags, resolve)
        except (BlockingIOError, InterruptedError):
            continue
    return None


def _openat2(folder: int, relative: bytes, flags: int, resolve: int) -> int:
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, resolve)
    descriptor = int(_syscall()(_OPENAT2, folder, relative, how, len(how)))
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(relative))
    return descriptor


@cache
def _syscall() -> ctypes._NamedFuncPointer:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    syscall.restype = ctypes.c_long
    return syscall


class _Walk:
    """One walk: every folder on the way stays open, so that `..` in a link is a step back, not a name."""

    def __init__(self, flags: int, links: bool) -> None:
        self._flags = flags | os.O_CLOEXEC | os.O_NOFOLLOW
        self._links_left = _MAX_LINKS if links else 0
        self._open: list[int] = []

    def open(self, folder: int, relative: str) -> int:
        self._open.append(os.dup(folder))
        try:
            return self._follow(relative)
        finally:
            for descriptor in self._open:
                os.close(descriptor)

    def _follow(self, relative: str) -> int:
        ahead = relative.split("/")[::-1]
        steps = 0
        while ahead:
            name = ahead.pop()
            if name in {"", "."}:
                continue
            steps += 1
            if steps > MAX_COMPONENTS:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
            if name == "..":
                self._step_back(relative)
                continue
            child, target = self._enter(name, last=not ahead)
            if target is not None:
                ahead += self._components(target, relative)
            elif ahead:
                self._open.append(child)
            else:
                return child
        return os.open(".", self._flags, dir_fd=self._open[-1])

    def _step_back(self, relative: str) -> None:
        if len(self._open) == 1:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
        os.close(self._open.pop())

    def _enter(self, name: str, *, last: bool) -> tuple[int, str | None]:
        """(descriptor, None), or (-1, the target) when `name` is a link."""
        flags = self._flags if last else PATH_ONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno not in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                raise
            target = self._link_target(name)
            if target is None:
                raise
            return -1, target
        if flags & PATH_ONLY and last and stat.S_ISLNK(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return -1, os.readlink(name, dir_fd=self._open[-1])
        return descriptor, None

    def _link_target(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self._open[-1])
        except OSError:
            return None  # not a link: the first error tells what is wrong

    def _components(self, target: str, relative: str) -> list[str]:
        if self._links_left == 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
        self._links_left -= 1
        if target.startswith("/"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
        return target.split("/")[::-1]
