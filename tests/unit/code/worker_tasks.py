"""What test workers do: obey the item."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable


def open_obedient(initial: bytes) -> Callable[[bytes], bytes]:
    """Answers an item in capitals behind `initial`, unless the item is an order to fail."""

    def work(item: bytes) -> bytes:
        match item:
            case b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"exit":
                os._exit(3)
            case b"hang":
                time.sleep(600)
            case b"spin":
                while True:
                    pass
            case _ if item.startswith(b"/"):
                with open(item, "rb") as fifo:
                    return fifo.read()
            case b"raise":
                raise ValueError("told to")
            case b"eat":
                return bytes(bytearray(4 << 30))
            case b"pid":
                return str(os.getpid()).encode()
            case b"large":
                return b"x" * 20_000_000
        return initial + item.upper()

    return work


def open_killed_once(initial: bytes) -> Callable[[bytes], bytes]:
    """Is killed while it starts, unless the file named by `initial` is there already."""
    try:
        os.close(os.open(initial, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return open_obedient(b"")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody lives on")


def open_killed(initial: bytes) -> Callable[[bytes], bytes]:
    """Writes a line to the file named by `initial`, and is killed while it starts."""
    with open(initial, "ab") as file:
        file.write(b"started\n")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody lives on")


def open_broken(initial: bytes) -> Callable[[bytes], bytes]:
    """Cannot start."""
    raise RuntimeError("no such table")
