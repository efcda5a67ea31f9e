"""Where a process lives, so that another on the same machine sees at once that it is gone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_PROC: Final = Path("/proc")
_STARTED: Final = 19  # field 22 of proc_pid_stat(5), counted after the name, which may hold spaces and brackets
_ENDED: Final = ("Z", "X")


def own_place() -> str:
    """This process: the machine's boot, its space of process numbers, its number, and when it began.

    Empty where the system does not say (it has no /proc); then nobody takes it for gone before it is silent.
    """
    return place_of(os.getpid())


def place_of(number: int) -> str:
    """The same of the process of that number, on this machine."""
    machine, began = _machine(), _began(number, _PROC)
    return f"{machine} {number} {began}" if machine and began else ""


def is_gone(place: str, *, proc: Path = _PROC) -> bool:
    """Whether the process that called itself so has certainly ended; False for one of another machine.

    Where the system hides others' processes in `proc`, one that is there at all counts as living.
    """
    machine, _, rest = place.rpartition(" ")
    machine, _, number = machine.rpartition(" ")
    if not machine or not number.isdigit() or machine != _machine():
        return False
    began = _began(int(number), proc)
    return began != rest if began is not None else not _exists(int(number))


def _machine() -> str:
    try:
        return f"{_BOOT.read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def _began(number: int, proc: Path) -> str | None:
    """Clock ticks from the boot to the process's beginning; empty when it has ended, None when it is not shown."""
    try:
        said = (proc / str(number) / "stat").read_bytes()
    except OSError:
        return None
    fields = said.rpartition(b")")[2].split()
    return "" if fields[0].decode() in _ENDED else fields[_STARTED].decode()
