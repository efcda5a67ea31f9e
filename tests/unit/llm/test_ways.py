"""Ways to providers: every key is known to each of them, and none is left open."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from rubber_duck.errors import ProviderUnavailable
from rubber_duck.llm.connections import Connection, read_connections, write_connections
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from tests.fake_provider import Asked, Send, fake_provider, head, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
from tests.unit.llm.wires import WIRES

GOOD = WIRES["openai"].events(["fine"])
LATER = "a-key-that-was-connected-later"


async def test_a_key_that_is_connected_later_is_not_sent_by_ways_made_before(tmp_path: Path) -> None:
    async with fake_provider(sending(head(), *GOOD)) as fake, llm_over(tmp_path, fake) as llm:
        await llm.write(SCOPE, Role.CHAT, QUESTION)
        other = Connection(name="other", flavor="compatible", url="http://127.0.0.1:9/v1", key=LATER)
        write_connections(tmp_path, read_connections(tmp_path).with_provider(other))  # as another process would
        await llm.write(SCOPE, Role.CHAT, Prompt((Message(Speaker.USER, f"it is {LATER}"),)))
    assert len(fake.asked) == 2
    assert LATER.encode() not in bytes(fake.raw)


async def test_a_way_that_is_stale_is_closed_when_its_last_stream_ends(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def slow(asked: Asked, send: Send) -> None:
        await send(head() + b"".join(GOOD[:2]))
        await more.wait()
        await send(b"".join(GOOD[2:]))

    async with fake_provider(slow, sending(head(), *GOOD)) as fake, llm_over(tmp_path, fake) as llm:
        async with aclosing(llm.stream(SCOPE, Role.CHAT, QUESTION)) as pieces:
            await anext(pieces)
            way = llm._ways.held("p0")  # the one way to see what was closed
            assert way is not None
            await llm.change(
                SCOPE, lambda held: held.with_provider(msgspec.structs.replace(held.named("p0"), key="another-key-1"))
            )
            assert (way.users, way.is_stale, llm._ways.held("p0")) == (1, True, None)
            more.set()
            assert [piece async for piece in pieces], "the stream goes on to its end"
        assert way.users == 0
        egress = way.provider._inner._inner._wire._egress  # type: ignore[attr-defined]  # as above
        assert egress._client.is_closed


async def test_who_waited_while_the_key_was_changed_does_not_send_the_old_one(tmp_path: Path) -> None:
    more, begun = asyncio.Event(), asyncio.Event()

    async def slow(asked: Asked, send: Send) -> None:
        begun.set()
        await more.wait()
        await send(head() + b"".join(GOOD))

    async with fake_provider(slow) as fake, llm_over(tmp_path, fake, at_once=1) as llm:
        first = asyncio.create_task(llm.write(SCOPE, Role.CHAT, QUESTION))
        await begun.wait()
        waiting = asyncio.create_task(llm.write(SCOPE, Role.CHAT, Prompt((Message(Speaker.USER, "Me too"),))))
        way = llm._ways.held("p0")  # the one way to see who waits
        assert way is not None
        for _ in range(100):
            await asyncio.sleep(0)
        assert way.users == 2
        await llm.change(
            SCOPE, lambda held: held.with_provider(msgspec.structs.replace(held.named("p0"), key="another-key-1"))
        )
        more.set()
        assert (await first).text == "fine"
        with pytest.raises(ProviderUnavailable, match="changed while this waited"):
            await waiting
        await llm.write(SCOPE, Role.CHAT, Prompt((Message(Speaker.USER, "Again"),)))
    assert [each.headers["authorization"][7:] for each in fake.asked] == ["only-a-test-0", "another-key-1"]


async def test_a_connection_that_was_changed_meanwhile_makes_no_way(tmp_path: Path) -> None:
    async with fake_provider() as old, fake_provider(sending(head(), *GOOD)) as new, llm_over(tmp_path, old) as llm:
        before = llm.connections().named("p0")
        await llm.change(SCOPE, lambda held: held.with_provider(msgspec.structs.replace(before, url=new.url)))
        with pytest.raises(ProviderUnavailable, match="changed while this waited"):
            llm._ways.to(before)  # as one does who waited at a limit
        assert (await llm.write(SCOPE, Role.CHAT, QUESTION)).text == "fine"
        with pytest.raises(ProviderUnavailable, match="changed while this waited"):
            llm._ways.to(before)
    assert (len(old.asked), len(new.asked)) == (0, 1)
