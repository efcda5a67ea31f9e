"""Who is there, on one node and merged over two."""

from __future__ import annotations

import asyncio

import pytest

from rubber_duck.channels.presence import Person, Presence, PresenceDiff
from rubber_duck.cluster.local import LocalCluster
from tests.contract.nodes import Nodes


class Ears:
    """What one member is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[PresenceDiff] = asyncio.Queue()

    async def hear(self) -> PresenceDiff:
        """The next change."""
        async with asyncio.timeout(20):
            return await self.told.get()


def person(*devices: str) -> Person:
    """A person with these devices."""
    return Person(tuple({"phx_ref": device} for device in devices))


async def test_members_on_two_nodes_see_each_other_come_and_go_with_every_device(nodes: Nodes) -> None:
    here, there = Presence(nodes.here, "a"), Presence(nodes.there, "b")
    ann, bob, phone = Ears(), Ears(), Ears()
    assert await here.enter("t", "ann", "d1", {}, ann.told.put_nowait) == {"ann": person("d1")}
    await there.enter("t", "bob", "d2", {}, bob.told.put_nowait)
    assert await ann.hear() == PresenceDiff({"bob": person("d2")}, {})
    assert await bob.hear() == PresenceDiff({"ann": person("d1")}, {})
    await there.enter("t", "ann", "d3", {}, phone.told.put_nowait)
    assert await ann.hear() == PresenceDiff({"ann": person("d3")}, {})
    for node in (here, there):
        devices = {name: {meta["phx_ref"] for meta in each.metas} for name, each in node.people("t").items()}
        assert devices == {"ann": {"d1", "d3"}, "bob": {"d2"}}
    await there.leave("t", "ann", "d3", phone.told.put_nowait)
    assert await ann.hear() == PresenceDiff({}, {"ann": person("d3")})
    await there.leave("t", "bob", "d2", bob.told.put_nowait)
    assert await ann.hear() == PresenceDiff({}, {"bob": person("d2")})
    assert here.people("t") == {"ann": person("d1")}
    for each in (here, there):
        await each.close()


class Slow(LocalCluster):
    """A cluster that takes its time to listen, until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def _listen(self, topic: str) -> None:
        await self.go.wait()


async def test_who_comes_and_goes_while_another_enters_does_not_take_the_room_away() -> None:
    cluster = Slow()
    here, ann, cem = Presence(cluster, "a"), Ears(), Ears()
    entering = [asyncio.create_task(here.enter("t", name, "d", {}, Ears().told.put_nowait)) for name in ("bob", "eve")]
    entering.append(asyncio.create_task(here.enter("t", "ann", "d1", {}, ann.told.put_nowait)))
    await asyncio.sleep(0)
    entering[0].cancel()
    await asyncio.gather(entering[0], return_exceptions=True)
    cluster.go.set()
    await asyncio.gather(*entering[1:])
    assert set(here.people("t")) == {"ann", "eve"}
    await here.enter("t", "cem", "d3", {}, cem.told.put_nowait)
    assert await ann.hear() == PresenceDiff({"cem": person("d3")}, {})


async def test_who_leaves_before_another_has_entered_leaves_them_the_room() -> None:
    cluster = Slow()
    here, ann = Presence(cluster, "a"), Ears()
    entering = asyncio.create_task(here.enter("t", "ann", "d1", {}, ann.told.put_nowait))
    await asyncio.sleep(0)
    bob = asyncio.create_task(here.enter("t", "bob", "d2", {}, (tell := Ears().told.put_nowait)))
    cluster.go.set()
    await bob
    await here.leave("t", "bob", "d2", tell)
    await entering
    assert set(here.people("t")) == {"ann"}


async def test_a_node_that_is_not_heard_of_any_more_is_gone_with_its_members() -> None:
    cluster, now = LocalCluster(), [0.0]
    here = Presence(cluster, "a", every_s=5.0, clock=lambda: now[0])
    dead = Presence(cluster, "b", every_s=5.0, clock=lambda: now[0])
    ann = Ears()
    await here.enter("t", "ann", "d1", {}, ann.told.put_nowait)
    await dead.enter("t", "bob", "d2", {}, Ears().told.put_nowait)
    assert await ann.hear() == PresenceDiff({"bob": person("d2")}, {})
    now[0] = 14.0
    await here.tell_all()
    assert set(here.people("t")) == {"ann", "bob"}
    now[0] = 16.0
    await here.tell_all()
    assert await ann.hear() == PresenceDiff({}, {"bob": person("d2")})
    for each in (here, dead):
        await each.close()


async def test_who_left_as_last_is_nowhere() -> None:
    here = Presence(LocalCluster(), "a")
    ann = Ears()
    await here.enter("t", "ann", "d1", {}, ann.told.put_nowait)
    await here.leave("t", "ann", "d1", ann.told.put_nowait)
    await here.leave("t", "ann", "d1", ann.told.put_nowait)
    assert here.people("t") == {}
    await here.close()


@pytest.mark.parametrize("message", [b"", b"\xc1", b"\x80", b"\x81\xa4node\x01"])
async def test_what_no_node_would_say_is_dropped(nodes: Nodes, message: bytes) -> None:
    here, there = Presence(nodes.here, "a"), Presence(nodes.there, "b")
    ann, bob = Ears(), Ears()
    await here.enter("t", "ann", "d1", {}, ann.told.put_nowait)
    await nodes.there.publish("presence:t", message)
    await there.enter("t", "bob", "d2", {}, bob.told.put_nowait)
    assert await ann.hear() == PresenceDiff({"bob": person("d2")}, {})
