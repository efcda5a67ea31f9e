"""Whichever process of a server is asked tells the numbers of all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import InvalidInput
from rubber_duck.server.census import Census
from rubber_duck.server.metrics import Family, Metrics, exposed
from rubber_duck.server.siblings import Sibling, Siblings, open_siblings


class Process:
    """One process: its numbers, and what it tells."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def tell(self) -> tuple[Family, ...]:
        """Its numbers now."""
        census = Census({"key": 2}, 3, 40)
        return self.metrics.families(census, memory_bytes=1_000, uptime_s=5.0, tasks=3)


def lines(shown: bytes) -> dict[str, float]:
    """The numbers that are shown."""
    found = (line.rsplit(" ", 1) for line in shown.decode().splitlines() if line[0] != "#")
    return {name: float(value) for name, value in found}


def test_the_numbers_of_one_process_are_those_that_were_counted() -> None:
    one = Process()
    for duration_s, is_ok in ((0.004, True), (0.005, True), (0.3, True), (100.0, False)):
        one.metrics.answered("code", "run", duration_s, is_ok=is_ok)
    one.metrics.received("code", 10)
    one.metrics.received("code", 20)
    one.metrics.sent(7)
    one.metrics.joined("code", 1)
    one.metrics.joined("code", -1)
    one.metrics.dropped("stale")
    one.metrics.add("socket.messages", 3)
    shown = lines(exposed({"": one.tell()}))
    run = 'event="run",status="ok",topic="code"'
    assert {
        'duck_channel_frames_total{topic="code"}': 2,
        'duck_channel_bytes_total{topic="code"}': 30,
        'duck_channel_members{topic="code"}': 0,
        'duck_channel_joined_total{topic="code"}': 1,
        'duck_channel_drops_total{reason="stale"}': 1,
        "duck_socket_frames_sent_total": 1,
        "duck_tasks": 3,
        "duck_socket_bytes_sent_total": 7,
        "duck_socket_messages_total": 3,
        'duck_channel_seconds_bucket{event="run",le="0.005",status="ok",topic="code"}': 2,
        'duck_channel_seconds_bucket{event="run",le="0.25",status="ok",topic="code"}': 2,
        'duck_channel_seconds_bucket{event="run",le="0.5",status="ok",topic="code"}': 3,
        f"duck_channel_seconds_count{{{run}}}": 3,
        f"duck_channel_seconds_sum{{{run}}}": 0.309,
        'duck_channel_seconds_bucket{event="run",le="60.0",status="error",topic="code"}': 0,
        'duck_channel_seconds_bucket{event="run",le="+Inf",status="error",topic="code"}': 1,
        'duck_sockets{kind="key"}': 2,
        "duck_socket_waiting_bytes": 40,
    }.items() <= shown.items()
    assert not any("process=" in name for name in shown)


async def test_each_of_several_processes_tells_the_numbers_of_all() -> None:
    cluster, first, second, other = LocalCluster(), Process(), Process(), Process()
    first.metrics.received("code", 1)
    second.metrics.received("chat", 1)
    other.metrics.received("user", 1)
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(open_siblings(cluster, sibling, process.tell))
            for sibling, process in (
                (Sibling("duck", 1, 2), first),
                (Sibling("duck", 2, 2), second),
                (Sibling("goose", 1, 1), other),
            )
        ]
        for siblings in found[:2]:
            shown = lines(await siblings.exposed())
            assert {
                'duck_channel_frames_total{process="1",topic="code"}': 1,
                'duck_channel_frames_total{process="2",topic="chat"}': 1,
                'duck_memory_bytes{process="2"}': 1000,
                "duck_processes": 2,
                "duck_processes_told": 2,
            }.items() <= shown.items()
            assert not any("user" in name for name in shown if name.startswith("duck_channel_frames"))


async def test_one_that_does_not_answer_is_left_out_and_that_is_said() -> None:
    alone = Siblings(LocalCluster(), Sibling("duck", 1, 2), Process().tell, answer_s=0.01)
    shown = lines(await alone.exposed())
    assert (shown["duck_processes"], shown["duck_processes_told"]) == (2, 1)
    assert 'duck_uptime_seconds{process="1"}' in shown


async def test_what_is_no_question_of_a_sibling_is_not_answered() -> None:
    cluster, said = LocalCluster(), list[bytes]()
    async with open_siblings(cluster, Sibling("duck", 1, 2), Process().tell):
        for reply_to in ("channel:room:a", "siblings:goose:x", "\udcff"):
            async with await cluster.subscribe(reply_to, said.append):
                await cluster.publish("siblings:duck", reply_to.encode("utf-8", "replace"))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
    assert said == []


def test_a_sibling_is_written_and_read() -> None:
    assert Sibling.parse(str(Sibling("ab", 2, 3))) == Sibling("ab", 2, 3)
    with pytest.raises(InvalidInput):
        Sibling.parse("ab/2")
