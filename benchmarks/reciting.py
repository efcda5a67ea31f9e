"""`duck` with one more engine, which says 2,000 words: the server of benchmarks/real_cuts.py."""

from __future__ import annotations

import asyncio
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


def main() -> None:
    """As `duck`."""
    from rubber_duck.cli.main import main as duck  # noqa: PLC0415  # after the engine is there

    duck()


if __name__ == "__main__":
    main()
