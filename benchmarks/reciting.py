"""`duck` with one more engine, which says 2,000 words: the server of benchmarks/real_cuts.py.

`python -m benchmarks.reciting brood` reads arguments of `duck`, a line of JSON each, and forks a process for each. It
has everything imported already, so one that was killed is followed by another within a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import ClassVar

import msgspec

from rubber_duck.call import Call, Delta
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.scope import Right

PIECES = 2_000
WORDS = [f"w{index} " for index in range(PIECES)]


class ReciteRequest(msgspec.Struct, frozen=True):
    """Nothing is asked."""


class Recited(msgspec.Struct, frozen=True):
    """All of it."""

    text: str


@engines.add
class Recite(Engine[ReciteRequest, Recited]):
    """Say 2,000 words, one after the other."""

    name: ClassVar[str] = "recite"
    request = ReciteRequest
    answer = Recited
    right = Right.CATALOG_READ

    async def run(self, request: ReciteRequest, call: Call) -> Recited:
        """The words; a pause after every hundredth, so that there is something to cut."""
        for index, word in enumerate(WORDS):
            call.emit(Delta(word))
            await asyncio.sleep(0.01 if index % 100 == 0 else 0)
        return Recited("".join(WORDS))


@engines.add
class Linger(Engine[ReciteRequest, Recited]):
    """Say a word now and then, for a long time."""

    name: ClassVar[str] = "linger"
    request = ReciteRequest
    answer = Recited
    right = Right.CATALOG_READ

    async def run(self, request: ReciteRequest, call: Call) -> Recited:
        """The words, one every tenth of a second."""
        for word in WORDS:
            call.emit(Delta(word))
            await asyncio.sleep(0.1)
        return Recited("".join(WORDS))


def brood() -> None:
    """Fork a process for each line, and say its number; nobody waits for them."""
    import rubber_duck.cli.local.serve  # noqa: PLC0415  # what each of them would import
    import rubber_duck.server.processes  # noqa: PLC0415  # as above
    import rubber_duck.server.running  # noqa: F401, PLC0415  # as above

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if number := os.fork():
            print(f"born {number}", flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys.argv[1:] = json.loads(line)
        duck()
        os._exit(0)


def duck() -> None:
    """As `duck`."""
    from rubber_duck.cli.main import main  # noqa: PLC0415  # after the engine is there

    main()


if __name__ == "__main__":
    if sys.argv[1:] == ["brood"]:
        brood()
    else:
        duck()
