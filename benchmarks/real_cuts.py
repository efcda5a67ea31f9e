"""Streams of 2,000 pieces over real sockets to two server processes, cut at random, while processes are killed.

    python -m benchmarks.real_cuts --cuts 10000 --kills 100

Two processes of `duck serve` share a PostgreSQL and a Redis. Each reader hangs up without a word after 1 to 400 pieces
and goes on at either process. It must get every piece once and in order, or, only after its process was killed, be told
that the stream cannot be continued. Killed means SIGKILL; the process is started again, and others are killed then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks.reciting import WORDS
from tests.integration.duck import environment
from tests.integration.serving import free_port, ran
from tests.servers import running_postgres, running_redis, wheel_binaries

TOPIC = "cli:me"
READERS = 8
SIDE_BY_SIDE = 3
MOST = 400


@dataclass
class Tally:
    """How it went; `wrong` are sentences about what must not be."""

    cuts: int = 0
    kills: int = 0
    whole: int = 0
    told: int = 0
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        """As a line of a report."""
        return f"{self.cuts:,} cuts, {self.kills} kills: {self.whole} whole, {self.told} told, {len(self.wrong)} wrong"


@dataclass
class Seen:
    """What a reader has of a stream: its name, and the pieces so far."""

    stream: str = ""
    words: list[str] = field(default_factory=list)
    node: Node | None = None
    """The process in which it began, ..."""

    life: int = 0
    """... and in which of its lives."""


class Node:
    """One process of the server, on one port for as long as it lives and lives again."""

    def __init__(self, brood: subprocess.Popen[str]) -> None:
        self.port = free_port()
        self.life = 0
        self._brood = brood
        self._number = 0
        self.start()

    def start(self) -> None:
        """Bring it up, and wait until it serves."""
        assert self._brood.stdin is not None
        assert self._brood.stdout is not None
        self._brood.stdin.write(json.dumps(["serve", "--port", str(self.port)]) + "\n")
        self._brood.stdin.flush()
        self._number, is_up = 0, False
        while not (self._number and is_up):
            said = self._brood.stdout.readline()
            if not said:
                raise RuntimeError("the processes' parent has ended")
            if said.startswith("born "):
                self._number = int(said.split()[1])
            is_up = is_up or f":{self.port};" in said

    def kill(self) -> None:
        """As a power cut does."""
        self.life += 1
        os.kill(self._number, signal.SIGKILL)

    @property
    def url(self) -> str:
        """Its socket."""
        return f"ws://127.0.0.1:{self.port}/socket/websocket?vsn=2.0.0"


class Reader:
    """One who reads streams, with a key of their own."""

    def __init__(self, nodes: list[Node], key: str, dice: random.Random, tally: Tally) -> None:
        self._nodes, self._key, self._dice, self._tally = nodes, key, dice, tally
        self._refs = 0

    async def stream(self) -> None:
        """One stream from its beginning to its end, over as many sockets as it takes."""
        seen, text = Seen(), ""
        while not text:
            try:
                async with self._joined() as (wire, node, life):
                    if not seen.stream:
                        seen.node, seen.life = node, life
                    text = await self._some(wire, seen)
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                continue  # a process that was killed, or is not there yet: the other one, or the same again
            except LookupError:
                self._tally.told += 1
                if seen.node is None or seen.node.life == seen.life:
                    self._tally.wrong.append(f"stream {seen.stream} was lost, and its process was not killed")
                return
            self._tally.cuts += 0 if text else 1
        is_whole = seen.words == WORDS and text == "".join(WORDS)
        self._tally.whole += is_whole
        if not is_whole:
            self._tally.wrong.append(f"stream {seen.stream} came with pieces lost, doubled or changed")

    async def _some(self, wire: ClientConnection, seen: Seen) -> str:
        """Read some pieces; the answer where that was reached."""
        read = seen.words
        go_on = ("resume", {"stream": seen.stream, "offset": len(read)})
        ref = await self._send(wire, *(go_on if seen.stream else ("run", {"engine": "recite"})))
        most = self._dice.randint(1, MOST)
        async with asyncio.timeout(60):
            while most:
                _, got, _, event, payload = json.loads(await wire.recv())
                if got != ref:
                    continue
                if event == "started":
                    seen.stream = payload["stream"]
                elif event == "delta":
                    if payload["offset"] != len(read):
                        self._tally.wrong.append(f"{seen.stream} said {payload['offset']} after {len(read)}")
                    read.append(payload["piece"]["text"])
                    most -= 1
                elif event == "phx_reply" and payload["status"] == "ok":
                    answer: str = payload["response"]["text"]
                    return answer
                elif event == "phx_reply":
                    if payload["response"]["code"] in ("rate_limited", "limit_exceeded", "unavailable"):
                        await asyncio.sleep(1.0)
                        raise TimeoutError
                    raise LookupError(payload["response"])
        wire.transport.abort()
        return ""

    @asynccontextmanager
    async def _joined(self) -> AsyncIterator[tuple[ClientConnection, Node, int]]:
        """An open socket, its process, and in which life that was before."""
        node = self._dice.choice(self._nodes)
        life = node.life
        headers = {"Authorization": f"Bearer {self._key}"}
        async with asyncio.timeout(30):
            wire = await connect(node.url, additional_headers=headers, compression=None, max_queue=None)
        try:
            ref = await self._send(wire, "phx_join", {})
            async with asyncio.timeout(30):
                while json.loads(await wire.recv())[1] != ref:
                    continue
            yield wire, node, life
        finally:
            wire.transport.abort()

    async def _send(self, wire: ClientConnection, event: str, payload: Any) -> str:  # Any: JSON
        self._refs += 1
        ref = str(self._refs)
        await wire.send(json.dumps([ref if event == "phx_join" else None, ref, TOPIC, event, payload]))
        return ref


async def cut(nodes: list[Node], keys: list[str], wanted: tuple[int, int], seed: int) -> Tally:
    """So many cuts and kills, by readers at the same time."""
    cuts, kills = wanted
    dice, tally = random.Random(seed), Tally()

    async def reading(key: str) -> None:
        reader = Reader(nodes, key, random.Random(dice.random()), tally)
        while tally.cuts < cuts or tally.kills < kills:
            await reader.stream()

    async def killing() -> None:
        while tally.kills < kills:
            await asyncio.sleep(dice.uniform(0.1, 0.8))
            node = dice.choice(nodes)
            tally.kills += 1
            node.kill()
            await asyncio.to_thread(node.start)

    async with asyncio.TaskGroup() as group:
        for key in keys * SIDE_BY_SIDE:
            group.create_task(reading(key))
        group.create_task(killing())
    return tally


@contextmanager
def pair(folder: Path) -> Iterator[tuple[list[Node], list[str]]]:
    """Two processes of one server, and keys of its users."""
    with (
        running_postgres(wheel_binaries(), authority=None) as postgres,
        running_redis() as redis,
        postgres.database() as name,
    ):
        variables = {
            "DUCK_DATABASE_URL": postgres.url(name),
            "DUCK_CLUSTER_URL": redis.url,
            "DUCK_WORKFLOWS_IN_SERVER": "false",
            "DUCK_SERVER_RATE_FACTOR": "1000",  # nobody else goes on with hundreds of answers a minute
        }
        home = folder / "home"
        keys = []
        for number in range(READERS):
            ran("admin", "user", "add", f"reader{number}", home=home, **variables)
            keys.append(ran("admin", "key", "add", f"reader{number}", home=home, **variables).strip())
        brood = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.reciting", "brood"],
            env={**environment(home, **variables), "PYTHONPATH": os.getcwd()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        nodes: list[Node] = []
        try:
            nodes += [Node(brood), Node(brood)]
            yield nodes, keys
        finally:
            for node in nodes:
                node.kill()
            brood.kill()
            brood.wait()


def main() -> int:
    """Print how it went, with no kill and with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name, pair(Path(name)) as (nodes, keys):
        for wanted in ((chosen.cuts, 0), (0, chosen.kills)):
            began = time.monotonic()
            tally = asyncio.run(cut(nodes, keys, wanted, chosen.seed))
            print(f"{tally.line()} ({time.monotonic() - began:.0f} s)", flush=True)
            wrong += tally.wrong
    print(*wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
