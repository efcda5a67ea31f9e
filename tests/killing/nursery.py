"""Makes processes quickly: one that has imported everything forks them, each into a group of its own.

Started as a program, it reads one order a line and answers with the number of the new process.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Nursery:
    """The forking process, as its owner sees it."""

    process: asyncio.subprocess.Process
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self, function: str, *arguments: object) -> int:
        """A new process that calls `module:function` with JSON values; its number, which is also its group's."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps([function, *arguments]).encode() + b"\n")
            return int(await self.process.stdout.readline())


@asynccontextmanager
async def nursery(log: Path, *modules: str) -> AsyncIterator[Nursery]:
    """A nursery that has imported `modules`; its children write what they say into `log`, and are killed at the end."""
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.killing.nursery", *modules),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
        )
    try:
        yield Nursery(process)
    finally:
        process.kill()
        await process.wait()


def is_alive(number: int) -> bool:
    """Whether there is such a process; a nursery's children leave nothing behind when they end."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def kill_group(number: int) -> None:
    """SIGKILL for the process and whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)


async def ended(number: int) -> None:
    """Wait until the process has ended."""
    while is_alive(number):  # noqa: ASYNC110  # it is no child of this process
        await asyncio.sleep(0.01)


def _serve(modules: list[str]) -> None:
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        order = json.loads(line)
        number = os.fork()
        if number == 0:
            _live(order)
        print(number, flush=True)


def _live(order: list[object]) -> None:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        module, _, function = str(order[0]).partition(":")
        getattr(importlib.import_module(module), function)(*order[1:])
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1:])
