"""Damaged, random and well-formed frames against a socket: nothing but our errors, no task left behind, no memory kept.

python -m benchmarks.frames --cases 100000
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from rubber_duck.channels.socket import Socket
from rubber_duck.channels.testing import MemoryClient
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import InvalidInput, LimitExceeded
from rubber_duck.scope import Right, Scope
from tests.unit.channels.rooms import doors

FRAMES_PER_SOCKET = 50
GROWTH_BYTES = 2_000_000
TOPICS = (
    *("room:a", "room:a", "room:quiet", "room:closed", "room", "", "phoenix", "attic:b", ":", "room:"),
    *("room:\ud83e\udd86", "room:a\u0301", "room:\u202ea", "room:\0", "ROOM:a", "room:a ", "room:" + "x" * 300),
)
EVENTS = (
    *("phx_join", "phx_join", "phx_leave", "phx_reply", "phx_close", "echo", "wait", "cancel", "heartbeat", "write"),
    *("fail", "bytes", "say", "shout", "count", "resume", ""),
)
PAYLOADS = (
    *("{}", '{"text":"x"}', '{"text":1}', "[]", "null", '{"ref":"1"}', '{"ref":"2"}', '{"text":"\\ud800"}', "[" * 200),
    *(
        "1e999",
        '{"ref":null}',
        '{"stream":"a.x","offset":-1}',
        '{"stream":"b.x","offset":0}',
        '{"stream":"","offset":9}',
    ),
    *(
        '{"stream":"a.x","offset":100000000000000000000000000}',
        '{"stream":"a.x","offset":1e3}',
        '{"stream":7,"offset":[]}',
    ),
)


@dataclass(frozen=True)
class Words:
    """What frames are made of: topics and events, and payloads as JSON."""

    topics: Sequence[str] = TOPICS
    events: Sequence[str] = EVENTS
    payloads: Sequence[str] = PAYLOADS


ROOM = Words()
"""Those of the room that tests have; those of a server's own topics are in benchmarks/contracts.py."""


def well_formed(dice: random.Random, words: Words = ROOM) -> str | bytes:
    """One frame that is one, whatever it says; every eighth is binary."""
    topic, event, payload = (dice.choice(among) for among in (words.topics, words.events, words.payloads))
    refs = [dice.choice(["", "1", "2", None]) for _ in range(2)]
    if dice.randrange(8) == 0:
        parts = [each.encode("utf-8", "replace")[:255] for each in (*(ref or "" for ref in refs), topic, event)]
        return bytes((0, *map(len, parts))) + b"".join(parts) + payload.encode("utf-8", "replace")
    return f"[{','.join(json.dumps(each) for each in (*refs, topic, event))},{payload}]"


def frame(dice: random.Random, words: Words = ROOM) -> str | bytes:
    """One frame: as it should be, or damaged in one of many ways."""
    whole = well_formed(dice, words)
    if isinstance(whole, bytes):
        at = dice.randrange(len(whole))
        return dice.choice([whole, whole[:at], whole[:at] + bytes([dice.randrange(256)]) + whole[at + 1 :]])
    match dice.randrange(8):
        case 0:
            return bytes(dice.randrange(256) for _ in range(dice.randrange(60)))
        case 1:
            return b"\x00" + bytes(dice.randrange(12) for _ in range(4)) + whole.encode("utf-8", "replace")
        case 2:
            at = dice.randrange(len(whole))
            return whole[:at] + chr(dice.randrange(1, 0xD7FF)) + whole[at + dice.randrange(3) :]
        case 3:
            return whole[: dice.randrange(len(whole))]
        case 4:
            return whole.replace('"2"', "3", 1)
        case _:
            return whole


async def _play(dice: random.Random, number: int) -> list[str]:
    scope = replace(Scope.local(), rights=frozenset({Right.PROJECT_READ}))
    socket = Socket(scope, doors(), LocalCluster())
    wrong = []
    for _ in range(number):
        sent = frame(dice)
        try:
            with suppress(InvalidInput, LimitExceeded):
                socket.receive(sent)
        except Exception as error:  # noqa: BLE001  # it is what is looked for
            wrong.append(f"{sent!r:.200} raised {type(error).__name__}: {error}")
        await asyncio.sleep(0)
    await socket.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    return wrong + [f"{len(left)} tasks were left behind: {sorted(task.get_name() for task in left)[:3]}"] * bool(left)


async def _failing() -> None:
    client = MemoryClient(Socket(Scope.local(), doors(), LocalCluster()))
    await client.join("room:a")
    await client.ask("room:a", "fail")
    await client.socket.close()


def fuzzed(cases: int, seed: int) -> list[str]:
    """What went wrong over so many frames."""
    dice, wrong = random.Random(seed), list[str]()
    asyncio.run(_failing())  # the first failure imports the logger, which is no growth
    tracemalloc.start()
    first = 0
    for begin in range(0, cases, FRAMES_PER_SOCKET):
        wrong += asyncio.run(_play(dice, FRAMES_PER_SOCKET))
        if begin == cases // 4 // FRAMES_PER_SOCKET * FRAMES_PER_SOCKET:
            gc.collect()
            first = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    return wrong + [f"{grown:,} bytes were kept"] * (grown > GROWTH_BYTES)


def main() -> int:
    """Print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    wrong = fuzzed(chosen.cases, chosen.seed)
    print(f"{chosen.cases:,} frames in {time.monotonic() - began:.0f} s: {len(wrong)} wrong")
    print(*wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
