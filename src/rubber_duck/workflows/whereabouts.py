"""Where a process lives, so that another on the same machine sees at once that it is gone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_STARTED: Final = 19  # field 22 of proc_pid_stat(5), counted after the name, which may hold spaces and brackets
_ENDED: Final = ("Z", "X")


def own_place() -> str:
    """This process: the machine's boot, its space of process numbers, its number, and when it began.

    Empty where the system does not say (it has no /proc); then nobody takes it for gone before it is silent.
    """
    place = _machine()
    began = _began(os.getpid())
    return f"{place} {os.getpid()} {began}" if place and began else ""


def is_gone(place: str) -> bool:
    """Whether the process that called itself so has certainly ended; False for one of another machine."""
    machine, _, rest = place.rpartition(" ")
    machine, _, number = machine.rpartition(" ")
    return bool(machine) and number.isdigit() and machine == _machine() and _began(int(number)) != rest


def _machine() -> str:
    try:
        return f"{_BOOT.read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _began(number: int) -> str:
    """Clock ticks from the boot to the process's beginning; empty when there is none, or it has ended."""
    try:
        said = Path(f"/proc/{number}/stat").read_bytes()
    except OSError:
        return ""
    fields = said.rpartition(b")")[2].split()
    return "" if fields[0].decode() in _ENDED else fields[_STARTED].decode()
