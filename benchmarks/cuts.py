"""Streams of 2,000 pieces that are cut at random, on two nodes, some of which are killed: whole, or the client is told.

    python -m benchmarks.cuts --cuts 10000 --kills 100

Two nodes share a cluster in this process; killing one takes its streams with it, as the end of its process does. Each
reader must get every piece once and in order, or, only after a kill, be told that the stream cannot be continued.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from rubber_duck.channels.stream import END, Say, Stream, StreamLimits, Streams
from rubber_duck.cluster.cluster import Cluster, Subscription
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import NotFound
from rubber_duck.scope import Scope

PIECES = 2_000
WORDS = [f"w{index} " for index in range(PIECES)]
SCOPE = Scope.local()


class Word(msgspec.Struct, frozen=True):
    """A piece, or the answer."""

    text: str


@dataclass
class Tally:
    """How it went; `wrong` are sentences about what must not be."""

    cuts: int = 0
    kills: int = 0
    whole: int = 0
    told: int = 0
    wrong: tuple[str, ...] = ()

    def line(self) -> str:
        """As a line of a report."""
        return f"{self.cuts:,} cuts, {self.kills} kills: {self.whole} whole, {self.told} told, {len(self.wrong)} wrong"


class Nodes:
    """Two nodes of one cluster, each of which can be killed and has a successor then."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.living: list[Streams] = []
        self.subscriptions: dict[str, Subscription] = {}
        self._made = 0

    async def open(self) -> None:
        """Bring a node up."""
        self._made += 1
        node = Streams(self.cluster, f"n{self._made}", StreamLimits(per_member=500, answer_s=0.5, beat_s=0.1))
        self.subscriptions[node.node] = await self.cluster.subscribe(f"node:{node.node}", node.hear)
        self.living.append(node)

    async def kill(self, place: int) -> None:
        """End a node with all it holds, and bring another one up."""
        node = self.living.pop(place)
        await self.subscriptions.pop(node.node).end()
        await node.close()
        await self.open()


async def _work(say: Say) -> Word:
    for index, word in enumerate(WORDS):
        say("delta", Word(word))
        if index % 25 == 0:
            await asyncio.sleep(0)
    return Word("".join(WORDS))


async def _some(stream: Stream, offset: int, most: int) -> list[tuple[int, str, str]]:
    read: list[tuple[int, str, str]] = []
    async with aclosing(stream.read(offset)) as pieces:
        async for at, piece in pieces:
            if piece.event not in ("delta", END):
                raise NotFound("the work was ended")
            read.append((at, piece.event, msgspec.json.decode(piece.payload, type=Word).text))
            if len(read) == most:
                break
    return read


async def cut(cuts: int, kills: int, seed: int, cluster: Cluster | None = None) -> Tally:
    """So many cuts and kills, by this seed."""
    dice, tally = random.Random(seed), Tally()
    nodes = Nodes(cluster or LocalCluster())
    await nodes.open()
    await nodes.open()
    while tally.cuts < cuts or tally.kills < kills:
        before = tally.kills
        owner = dice.choice(nodes.living)
        stream_id = owner.start(SCOPE, _work).id
        read: list[tuple[int, str, str]] = []
        try:
            while not read or read[-1][1] != END:
                if tally.kills < kills and dice.random() < kills / max(cuts, 1) * 1.5:
                    await nodes.kill(dice.randrange(2))
                    tally.kills += 1
                stream = await dice.choice(nodes.living).find(SCOPE, stream_id, len(read))
                read += await _some(stream, len(read), dice.randint(1, 400))
                tally.cuts += 1
        except NotFound:
            tally.told += 1
            if tally.kills == before:
                tally.wrong += (f"stream {stream_id} was lost with no kill",)
            continue
        is_whole = [at for at, _, _ in read] == list(range(PIECES + 1)) and [text for *_, text in read[:-1]] == WORDS
        tally.whole += is_whole
        if not is_whole or read[-1][2] != "".join(WORDS):
            tally.wrong += (f"stream {stream_id} came with pieces lost, doubled or changed",)
    for node in nodes.living:
        await node.close()
    return tally


def main() -> int:
    """Print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    wrong: list[str] = []
    for kills in (0, chosen.kills):
        tally = asyncio.run(cut(chosen.cuts, kills, chosen.seed))
        print(f"{tally.line()} ({time.monotonic() - began:.0f} s)", flush=True)
        wrong += tally.wrong
    print(*wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
