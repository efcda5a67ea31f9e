"""Joins, leaves and cancels that meet each other, as a client sends them that wants to do harm."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rubber_duck.channels.message import CLOSE
from rubber_duck.channels.socket import Socket
from rubber_duck.channels.stream import Streams
from rubber_duck.channels.testing import MemoryClient, Received
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.scope import Right, Scope
from tests.unit.channels.rooms import Parts, doors


class House:
    """Some rooms, what was written down in them, and the sign for them to go on."""

    def __init__(self, *diary: str) -> None:
        self.cluster = LocalCluster()
        self.parts = Parts(Streams(self.cluster, "a"), asyncio.Event())
        self.diary = list(diary)

    def client(self) -> MemoryClient:
        """Somebody who may read."""
        scope = replace(Scope.local(), rights=frozenset({Right.PROJECT_READ}))
        return MemoryClient(Socket(scope, doors(self.diary, self.parts), self.cluster, clock=lambda: 0.0))

    async def heard(self, one: MemoryClient, topic: str) -> int:
        """How often somebody hears what is said once."""
        other = self.client()
        assert (await other.join(topic))["status"] == "ok"
        seen = len(one.frames)
        await other.ask(topic, "say", {"text": "hi"})
        await one.ask(topic, "echo", {"text": "x"})
        await other.socket.close()
        return sum(b'"said"' in str(frame).encode() for frame in one.frames[seen:])


async def test_of_joins_at_the_same_time_the_last_one_counts() -> None:
    house = House("somebody")
    one = house.client()
    refs = [one.send("room:quiet", "phx_join") for _ in range(3)]
    await asyncio.sleep(0)
    house.parts.go.set()
    replies = {}
    while refs[-1] not in replies:
        frame = await one.next()
        if frame.event == "phx_reply":
            replies[frame.ref] = frame.payload["status"]
    assert replies == {refs[0]: "error", refs[1]: "error", refs[2]: "ok"}
    assert await house.heard(one, "room:quiet") == 1
    await one.socket.close()
    assert house.diary.count("joined") == house.diary.count("leave")


async def test_a_leave_is_not_cut_short_by_a_cancel() -> None:
    house = House()
    one = house.client()
    await one.join("room:a")
    one.send("room:a", "stay")
    leave = one.send("room:a", "phx_leave")
    await one.reply(leave)
    assert (await one.join("room:a"))["status"] == "ok"
    assert (await one.ask("room:a", "cancel", {"ref": leave}))["response"] == {"cancelled": False}
    house.parts.go.set()
    assert (await one.event(CLOSE)).join_ref == "1"
    assert await house.heard(one, "room:a") == 1


async def test_a_leave_comes_to_its_end_though_another_join_and_leave_overtake_it() -> None:
    house = House()
    one = house.client()
    await one.join("room:a")
    one.send("room:a", "stay")
    await one.reply(one.send("room:a", "phx_leave"))
    await one.join("room:a")
    await one.reply(one.send("room:a", "phx_leave"))
    assert (await one.event(CLOSE)).join_ref == "4"
    house.parts.go.set()
    assert (await one.event(CLOSE)).join_ref == "1"
    await one.join("room:a")
    assert await house.heard(one, "room:a") == 1
    await one.socket.close()
    assert house.diary.count("joined") == house.diary.count("leave")


async def test_a_join_is_not_cancelled_halfway() -> None:
    house = House("somebody")
    one = house.client()
    join = one.send("room:quiet", "phx_join")
    await asyncio.sleep(0)
    assert (await one.ask("room:quiet", "cancel", {"ref": join}))["response"]["code"] == "not_found"
    house.parts.go.set()
    assert (await one.reply(join))["status"] == "ok"


async def test_a_request_that_is_cancelled_before_it_began_is_answered_once() -> None:
    one = House().client()
    await one.join("room:a")
    waiting = one.send("room:a", "wait")
    cancel = one.send("room:a", "cancel", {"ref": waiting})
    frames = [await one.next(), await one.next()]
    assert sorted(frame.ref or "" for frame in frames) == [waiting, cancel]
    again = one.socket
    again.receive(f'["1","{waiting}","room:a","echo",{{"text":"the ref is free"}}]')
    assert (await one.next()).payload["response"] == {"text": "the ref is free"}


async def test_nothing_is_begun_after_the_end() -> None:
    house = House()
    one = house.client()
    await one.join("room:a")
    await one.socket.close()
    before = asyncio.all_tasks()
    one.send("room:a", "wait")
    one.send("room:b", "phx_join")
    assert asyncio.all_tasks() == before
    assert house.diary == ["join", "joined", "leave"]


async def test_a_join_without_a_ref_is_refused_and_leaves_nothing() -> None:
    one = House().client()
    one.socket.receive('["1","","room:a","phx_join",{}]')
    assert (await one.next()).payload["response"]["code"] == "invalid_input"
    assert await one.ask("phoenix", "heartbeat") == {"status": "ok", "response": {}}
    assert (await one.ask("room:a", "echo", {"text": "x"}))["response"]["code"] == "not_found"


async def test_a_leave_that_fails_still_ends_the_topic() -> None:
    house = House()
    one = house.client()
    await one.join("room:stuck")
    assert (await one.ask("room:stuck", "phx_leave"))["status"] == "ok"
    assert await one.next() == Received("1", "1", "room:stuck", CLOSE, {})
