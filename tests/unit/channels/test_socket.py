"""One client's connection, spoken to in frames."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.channels.message import CLOSE, ERROR
from rubber_duck.channels.meter import Meter
from rubber_duck.channels.socket import Socket, SocketLimits
from rubber_duck.channels.stream import Streams
from rubber_duck.channels.testing import MemoryClient, Received
from rubber_duck.cluster.cluster import Cluster, Limit
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import InvalidInput, LimitExceeded
from rubber_duck.scope import Right, Scope
from tests.unit.channels.rooms import Parts, doors


def client(
    diary: list[str] | None = None,
    *,
    cluster: Cluster | None = None,
    limits: SocketLimits | None = None,
    parts: Parts | None = None,
) -> MemoryClient:
    """A client that may read and not write; its clock stands still."""
    scope = replace(Scope.local(), rights=frozenset({Right.PROJECT_READ}))
    return MemoryClient(Socket(scope, doors(diary, parts), cluster or LocalCluster(), limits=limits, clock=lambda: 0.0))


async def test_a_member_joins_asks_and_leaves() -> None:
    diary: list[str] = []
    one = client(diary)
    assert await one.join("room:a") == {"status": "ok", "response": {"text": "a"}}
    assert await one.ask("room:a", "echo", {"text": "hi"}) == {"status": "ok", "response": {"text": "hi"}}
    assert await one.ask("room:a", "phx_leave") == {"status": "ok", "response": {}}
    assert await one.next() == Received("1", "1", "room:a", CLOSE, {})
    assert (await one.ask("room:a", "echo", {"text": "hi"}))["response"]["code"] == "not_found"
    assert diary == ["join", "joined", "leave"]


async def test_a_heartbeat_is_answered() -> None:
    assert await client().ask("phoenix", "heartbeat") == {"status": "ok", "response": {}}


@pytest.mark.parametrize(
    ("topic", "code"), [("room:closed", "denied"), ("room:nowhere", "not_found"), ("attic:a", "unknown_name")]
)
async def test_a_join_is_refused_with_its_reason(topic: str, code: str) -> None:
    one = client()
    refused = await one.join(topic)
    assert (refused["status"], refused["response"]["code"]) == ("error", code)
    assert (await one.ask(topic, "echo", {"text": "hi"}))["response"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("write", {"text": "x"}, "denied"),
        ("fail", {}, "internal"),
        ("echo", {"text": 1}, "invalid_input"),
        ("ecco", {}, "unknown_name"),
    ],
)
async def test_what_goes_wrong_is_one_typed_error_and_the_member_stays(
    event: str, payload: dict[str, object], code: str
) -> None:
    one = client()
    await one.join("room:a")
    reply = await one.ask("room:a", event, payload)
    assert (reply["status"], reply["response"]["code"]) == ("error", code)
    assert (await one.ask("room:a", "echo", {"text": "hi"}))["status"] == "ok"


async def test_rights_are_those_of_now_and_a_topic_one_may_not_hear_ends() -> None:
    one = client()
    await one.join("room:a")
    await one.socket.recheck(replace(one.socket.scope, rights=frozenset({Right.PROJECT_READ, Right.PROJECT_WRITE})))
    assert (await one.ask("room:a", "write", {"text": "x"}))["status"] == "ok"
    await one.socket.recheck(replace(one.socket.scope, rights=frozenset()))
    assert await one.next() == Received("1", "1", "room:a", ERROR, {})
    assert (await one.ask("room:a", "echo", {"text": "x"}))["response"]["code"] == "not_found"


async def test_who_reads_nothing_and_loses_a_topic_is_cut_off_and_holds_up_nobody() -> None:
    one = client(limits=SocketLimits(waiting_bytes=1))
    await one.join("room:a")
    await one.join("room:b")
    one.send("room:b", "pour")
    while not one.socket.outgoing.size_bytes:  # noqa: ASYNC110  # nobody tells that a request waits for room
        await asyncio.sleep(0)
    await one.socket.recheck(replace(one.socket.scope, rights=frozenset()))
    assert one.socket.outgoing.ended


async def test_a_topic_keeps_its_rights_while_the_new_ones_are_looked_up() -> None:
    parts = Parts(Streams(LocalCluster(), "a"), asyncio.Event())
    one = client(parts=parts)
    await one.join("room:quiet")
    everywhere = replace(one.socket.scope, rights=frozenset({Right.PROJECT_READ, Right.PROJECT_WRITE}))
    recheck = asyncio.create_task(one.socket.recheck(everywhere))
    await asyncio.sleep(0)
    assert (await one.ask("room:quiet", "write", {"text": "x"}))["response"]["code"] == "denied"
    assert (await one.ask("room:quiet", "echo", {"text": "x"}))["status"] == "ok"
    parts.go.set()
    await recheck
    assert (await one.ask("room:quiet", "write", {"text": "x"}))["response"]["code"] == "denied"


async def test_rights_that_change_during_a_join_count_in_the_topic() -> None:
    parts = Parts(Streams(LocalCluster(), "a"), asyncio.Event())
    one = client(["somebody"], parts=parts)
    joining = asyncio.create_task(one.join("room:quiet"))
    await asyncio.sleep(0.01)
    await one.socket.recheck(replace(one.socket.scope, rights=frozenset()))
    parts.go.set()
    assert (await joining)["status"] == "ok"
    assert (await one.next()).event == ERROR
    assert (await one.ask("room:quiet", "echo", {"text": "x"}))["response"]["code"] == "not_found"


async def test_a_second_join_ends_the_first() -> None:
    diary: list[str] = []
    one = client(diary)
    await one.join("room:a")
    await one.join("room:a")
    assert await one.next() == Received("1", "1", "room:a", CLOSE, {})
    assert (await one.ask("room:a", "echo", {"text": "x"}))["status"] == "ok"
    assert diary == ["join", "joined", "leave", "join", "joined"]


async def test_a_message_of_a_join_that_is_over_is_dropped() -> None:
    one = client()
    await one.join("room:a")
    one.socket.receive('["0","9","room:a","echo",{"text":"stale"}]')
    assert (await one.ask("room:a", "echo", {"text": "x"}))["response"] == {"text": "x"}
    assert len(one.frames) == 2


async def test_a_request_is_cancelled_and_others_go_on() -> None:
    diary: list[str] = []
    one = client(diary)
    await one.join("room:a")
    waiting, other = one.send("room:a", "wait"), one.send("room:a", "wait")
    assert await one.ask("room:a", "cancel", {"ref": waiting}) == {"status": "ok", "response": {"cancelled": True}}
    assert (await one.reply(waiting))["response"]["code"] == "conflict"
    assert await one.ask("room:a", "cancel", {"ref": "none"}) == {"status": "ok", "response": {"cancelled": False}}
    assert (await one.ask("room:a", "cancel", {"ref": other}))["response"] == {"cancelled": True}


async def test_closing_ends_every_request_and_leaves_every_topic() -> None:
    diary: list[str] = []
    one = client(diary)
    await one.join("room:a")
    one.send("room:a", "wait")
    await one.ask("room:a", "echo", {"text": "x"})
    before = asyncio.all_tasks()
    await one.socket.close()
    assert diary == ["join", "joined", "woken", "leave"]
    assert len(asyncio.all_tasks()) < len(before)
    assert await one.socket.outgoing.take() is None


async def test_a_stream_goes_on_on_the_next_connection_after_what_was_seen() -> None:
    diary: list[str] = []
    parts = Parts(Streams(LocalCluster(), "a"), asyncio.Event())
    one, two = client(diary, parts=parts), client(diary, parts=parts)
    await one.join("room:a")
    one.send("room:a", "count")
    seen = await one.event("delta")
    assert (seen.ref, seen.payload["offset"], seen.payload["piece"]) == ("2", 0, {"text": "1"})
    await one.socket.close()
    parts.go.set()
    await two.join("room:a")
    ref = two.send("room:a", "resume", {"stream": seen.payload["stream"], "offset": 1})
    assert (await two.event("delta")).payload == {**seen.payload, "offset": 1, "piece": {"text": "2"}}
    assert await two.reply(ref) == {"status": "ok", "response": {"text": "12"}}
    assert (await two.ask("room:a", "resume", {"stream": "a.none", "offset": 0}))["response"]["code"] == "not_found"
    await parts.streams.close()


async def test_cancelling_a_streaming_request_ends_its_work() -> None:
    parts = Parts(Streams(LocalCluster(), "a"), asyncio.Event())
    one = client(parts=parts)
    await one.join("room:a")
    ref = one.send("room:a", "count")
    stream = (await one.event("delta")).payload["stream"]
    await one.ask("room:a", "cancel", {"ref": ref})
    assert (await one.reply(ref))["response"]["code"] == "conflict"
    ended = await one.ask("room:a", "resume", {"stream": stream, "offset": 1})
    assert ended == {
        "status": "error",
        "response": {"code": "conflict", "message": "the request was cancelled", "retryable": False},
    }
    await parts.streams.close()


async def test_bytes_go_both_ways() -> None:
    one = client()
    await one.join("room:a")
    one.socket.receive(b"\x00\x01\x01\x06\x0517room:abytes\x00\xfe\xff")
    assert await one.socket.outgoing.take() == b"\x01\x01\x01\x06\x0217room:aok\xff\xfe\x00"


async def test_members_hear_each_other_on_every_socket() -> None:
    cluster = LocalCluster()
    one, two = client(cluster=cluster), client(cluster=cluster)
    await one.join("room:a")
    await two.join("room:a")
    await one.ask("room:a", "say", {"text": "hi"})
    assert await two.event("said") == Received(None, None, "room:a", "said", {"text": "hi"})
    await one.ask("room:a", "shout", {"text": "ho"})
    said = [Received(*msgspec.json.decode(frame)).event for frame in one.frames]
    assert said.count("said") == 1
    assert (await two.event("said")).payload == {"text": "ho"}


async def test_what_is_no_broadcast_to_the_topic_reaches_no_member() -> None:
    cluster = LocalCluster()
    one = client(cluster=cluster)
    await one.join("room:a")
    nobody = b"0" * 32
    for told in (
        b"",
        nobody,
        nobody + b"t{}",
        nobody + b"t\xff",
        nobody + b't["1","2","room:a","said",{}]',
        nobody + b't[null,null,"room:b","said",{}]',
        nobody + b't[null,null,"room:a","said",oh]',
        nobody + b'x[null,null,"room:a","said",{}]',
        nobody + b"b\x02\x06\x04room:bsaid",
        nobody + b"b\x00\x06\x04room:asaid",
        nobody + b't[null,null,"room:a","said",{"text":"real"}]',
    ):
        await cluster.publish("channel:room:a", told)
    assert await one.next() == Received(None, None, "room:a", "said", {"text": "real"})


async def test_too_many_messages_are_refused_and_not_worked_on() -> None:
    one = client(limits=SocketLimits(channel_messages=Limit(rate=1, burst=2)))
    await one.join("room:a")
    replies = [await one.ask("room:a", "echo", {"text": "x"}) for _ in range(3)]
    assert [reply["status"] for reply in replies] == ["ok", "ok", "error"]
    assert replies[2]["response"]["message"] == "messages come too fast; try again in 1.0 s"


async def test_too_many_requests_and_topics_at_once_are_refused() -> None:
    one = client(limits=SocketLimits(requests=2, topics=1))
    await one.join("room:a")
    assert (await one.join("room:b"))["response"]["code"] == "limit_exceeded"
    one.send("room:a", "wait")
    one.send("room:a", "wait")
    assert (await one.ask("room:a", "wait"))["response"]["code"] == "limit_exceeded"


async def test_a_slow_reader_holds_up_its_own_request_and_costs_no_memory() -> None:
    diary: list[str] = []
    one = client(diary, limits=SocketLimits(waiting_bytes=10_000))
    await one.join("room:a")
    one.send("room:a", "pour")
    for _ in range(1000):
        await asyncio.sleep(0)
    assert one.socket.outgoing.size_bytes <= 10_000
    assert diary.count("drop") < 10
    for _ in range(20):
        await one.event("drop")
    assert one.socket.outgoing.size_bytes <= 10_000
    await one.socket.close()


class Ledger(Meter):
    """Writes down what it is told; durations are of a clock that stands."""

    def __init__(self) -> None:
        self.entries: list[tuple[object, ...]] = []

    def received(self, kind: str, size_bytes: int) -> None:
        """Write it down."""
        self.entries.append(("received", kind, size_bytes))

    def joined(self, kind: str, members: int) -> None:
        """Write it down."""
        self.entries.append(("joined", kind, members))

    def answered(self, kind: str, event: str, duration_s: float, *, is_ok: bool) -> None:
        """Write it down."""
        self.entries.append(("answered", kind, event, is_ok))

    def dropped(self, reason: str) -> None:
        """Write it down."""
        self.entries.append(("dropped", reason))


async def test_what_a_socket_does_can_be_counted() -> None:
    one = client(limits=SocketLimits(channel_messages=Limit(rate=1, burst=2)))
    ledger = one.socket.meter = Ledger()
    await one.join("room:a")
    await one.ask("room:a", "echo", {"text": "x"})
    await one.ask("room:a", "fail")
    await one.ask("room:a", "echo", {"text": "x"})
    one.socket.receive('["0","9","room:a","echo",{"text":"stale"}]')
    one.socket.receive('["0","9","who knows:a","echo",{}]')
    await one.socket.close()
    assert [each for each in ledger.entries if each[0] != "received"] == [
        ("joined", "room", 1),
        ("answered", "room", "echo", True),
        ("answered", "room", "fail", False),
        ("dropped", "too_often"),
        ("dropped", "stale"),
        ("joined", "room", -1),
    ]
    assert [kind for what, kind, *_ in ledger.entries if what == "received"] == ["room"] * 5 + ["other"]
    assert ledger.entries[0] == ("received", "room", len('["1","1","room:a","phx_join",{}]'))


async def test_a_reader_too_slow_for_what_others_say_is_cut_off() -> None:
    cluster = LocalCluster()
    slow, other = client(cluster=cluster, limits=SocketLimits(waiting_bytes=5000)), client(cluster=cluster)
    await slow.join("room:a")
    await other.join("room:a")
    for _ in range(10):
        await other.ask("room:a", "say", {"text": "x" * 1000})
    assert slow.socket.outgoing.ended
    assert slow.socket.outgoing.size_bytes == 0


@pytest.mark.parametrize(
    "frame", ["", "[]", '["1","1","room:a"]', "{}", "[" * 5000, b"", b"\x07abcd", b"\x00\xff\xff\xff\xff"]
)
async def test_what_is_no_frame_ends_the_connection(frame: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        client().socket.receive(frame)


async def test_an_event_takes_no_more_than_it_declares() -> None:
    one = client()
    await one.join("room:a")
    refused = await one.ask("room:a", "echo", {"text": "x" * 64_000})
    assert refused["response"]["code"] == "limit_exceeded"
    assert (await one.ask("room:a", "echo", {"text": "x" * 60_000}))["status"] == "ok"


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    with pytest.raises(LimitExceeded):
        client(limits=SocketLimits(frame_bytes=10)).socket.receive("x" * 11)


_NAMES = st.sampled_from(["room:a", "room:closed", "room", "", "phoenix", "attic:b"])
_EVENTS = st.sampled_from(
    ["phx_join", "phx_leave", "echo", "wait", "cancel", "heartbeat", "write", "fail", "bytes", ""]
)
_REFS = st.none() | st.sampled_from(["1", "2", ""]) | st.text(max_size=3)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "ref", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
_FRAMES = st.one_of(
    st.tuples(_REFS, _REFS, _NAMES, _EVENTS, _JSON).map(lambda parts: msgspec.json.encode(parts).decode()),
    st.text(max_size=40),
    st.binary(max_size=60),
)


@given(st.lists(_FRAMES, max_size=30))
def test_no_frames_whatever_leave_a_task_behind_or_raise_anything_but_ours(frames: list[str | bytes]) -> None:
    async def play() -> None:
        one = client()
        for frame in frames:
            with suppress(InvalidInput, LimitExceeded):
                one.socket.receive(frame)
            await asyncio.sleep(0)
        await one.socket.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())
