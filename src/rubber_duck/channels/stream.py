"""Streams that outlive their connection: pieces with offsets, kept for a minute, continued on this node or another.

A stream's id is `<node>.<random>`. Its owner does the work; another node that is asked for it follows it over the
cluster into a copy of its own, from the offset the client names. What cannot be continued is NotFound, never a guess.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.channel import ASKED, Push
from rubber_duck.channels.message import ErrorView, to_payload
from rubber_duck.channels.pieces import END, FAILED, Piece, Stream, failure, gone
from rubber_duck.channels.relay import NAME_CHARACTERS, REPLIES, Ask, Copy, Pace, Relay, home, tell_none
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import Conflict, LimitExceeded, Unavailable, normalize
from rubber_duck.scope import Scope

__all__ = [
    "END",
    "FAILED",
    "Piece",
    "Say",
    "Stream",
    "StreamLimits",
    "StreamPiece",
    "Streams",
    "Work",
    "follow",
    "open_streams",
]

Say = Callable[[str, msgspec.Struct], None]
Work = Callable[[Say], Awaitable[msgspec.Struct]]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a stream without a reader is kept, in seconds; how large one is; how many a node has, and one member.

    Nodes that follow each other's streams say every `beat_s` that they live; of one silent for three of these nothing
    more will come, unless the cluster itself was lost: then it has `heal_s` from when it is found again.
    """

    kept_s: float = 60.0
    size_bytes: int = 2_000_000
    streams: int = 500
    per_member: int = 32
    answer_s: float = 5.0
    beat_s: float = 2.0
    heal_s: float = 15.0

    @property
    def pace(self) -> Pace:
        """How nodes tell each other streams."""
        return Pace(self.beat_s, self.answer_s, self.heal_s, self.kept_s)


class StreamPiece(msgspec.Struct, frozen=True):
    """A piece as clients see it; who has seen `offset` continues at `offset + 1`."""

    stream: str
    offset: int
    piece: msgspec.Raw


_ask: Final = msgspec.msgpack.Decoder(Ask)
_pack: Final = msgspec.msgpack.Encoder()


class Streams:
    """The streams of one node. `node` is its name in the cluster."""

    def __init__(self, cluster: Cluster, node: str, limits: StreamLimits | None = None) -> None:
        self.node = node
        self._cluster = cluster
        self._limits = limits or StreamLimits()
        self._streams: dict[str, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._relays: dict[str, tuple[Relay, asyncio.Task[None]]] = {}
        self._is_closed = False

    def start(self, scope: Scope, work: Work, *, topic: str = "") -> Stream:
        """Begin `work`, which says pieces and returns the last; it goes on without a reader until it is forgotten."""
        stream = self._keep(Stream(f"{self.node}.{secrets.token_urlsafe(18)}", scope.actor.id, topic))
        worker = self._own(self._work(stream, work))
        self._workers[stream.id] = worker
        worker.add_done_callback(lambda _: self._workers.pop(stream.id, None))
        self._own(self._forget_later(stream))
        return stream

    def cancel(self, stream: Stream) -> None:
        """End the work, here or on the node where it is done."""
        worker = self._workers.get(stream.id)
        if worker is not None:
            worker.cancel()
        elif not stream.ended and home(stream.id) != f"node:{self.node}":
            self._own(self._cancel_there(stream))

    async def find(self, scope: Scope, stream_id: str, offset: int, *, topic: str = "") -> Stream:
        """The stream, with every piece from `offset` on.

        NotFound when it is not there, is another's, or of another topic, in which one may do other things, or was lost.
        """
        if offset < 0 or len(stream_id) > NAME_CHARACTERS:
            raise gone(stream_id[:NAME_CHARACTERS])
        held = self._streams.get(stream_id)
        if held is not None and not held.is_lost:
            is_own = stream_id in self._workers or held.ended
            if is_own and offset > len(held.pieces):
                raise gone(stream_id)
            return _of(held, scope.actor.id, topic)
        if stream_id.partition(".")[0] == self.node:
            raise gone(stream_id)
        return await self._follow(Stream(stream_id, scope.actor.id, topic))

    async def close(self) -> None:
        """End all work; other nodes are told nothing of its end, as nobody here can go on with it."""
        self._is_closed = True
        relays = [task for _, task in self._relays.values()]
        for task in relays:
            task.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)

    def hear(self, message: bytes) -> None:
        """Take what another node asks for; what is no question of a node is dropped and counted."""
        if self._is_closed:
            return
        try:
            ask = _ask.decode(message)
        except (msgspec.MsgspecError, UnicodeError):
            telemetry.count("cluster.unreadable", of="streams")
            return
        if ask.cancels:
            held = self._streams.get(ask.stream)
            if held is not None and (held.owner, held.topic) == (ask.owner, ask.topic):
                self.cancel(held)
        elif ask.reply_to.startswith(REPLIES) and len(ask.reply_to) <= NAME_CHARACTERS and ask.offset >= 0:
            self._relay(ask)
        else:
            telemetry.count("cluster.unreadable", of="streams")

    def _keep(self, stream: Stream) -> Stream:
        mine = [each for each in self._streams.values() if each.owner == stream.owner]
        if len(mine) >= self._limits.per_member and not self._forget_one(mine):
            raise LimitExceeded(f"{self._limits.per_member} answers are being streamed to you; wait for one")
        if len(self._streams) >= self._limits.streams and not self._forget_one(self._streams.values()):
            raise LimitExceeded("too many streams are being kept; try again in a minute")
        self._streams[stream.id] = stream
        return stream

    def _forget_one(self, among: Iterable[Stream]) -> bool:
        """Forget the oldest stream that has ended and has no reader: it could still be continued, but others wait."""
        over = next((stream for stream in among if stream.ended and not stream.readers), None)
        if over is not None:
            del self._streams[over.id]
        return over is not None

    async def _work(self, stream: Stream, work: Work) -> None:
        def say(event: str, payload: msgspec.Struct) -> None:
            if stream.size_bytes > self._limits.size_bytes:
                raise LimitExceeded(f"an answer is streamed up to {self._limits.size_bytes:,} bytes")
            stream.add(Piece(event, to_payload(payload)))

        try:
            answer = await work(say)
        except asyncio.CancelledError:
            stream.add(failure(Conflict("the request was cancelled")))
            raise
        except Exception as error:  # noqa: BLE001  # the border: whatever the work raises is the stream's last piece
            stream.add(failure(normalize(error)))
        else:
            stream.add(Piece(END, to_payload(answer)))

    async def _forget_later(self, stream: Stream) -> None:
        """Forget a stream that had no reader for `kept_s`, and end its work; a copy is only forgotten here."""
        idle_s, step_s = 0.0, self._limits.kept_s / 4
        while idle_s < self._limits.kept_s:
            await asyncio.sleep(step_s)
            if self._streams.get(stream.id) is not stream:
                return
            idle_s = 0.0 if stream.readers else idle_s + step_s
        self._streams.pop(stream.id, None)
        if (worker := self._workers.get(stream.id)) is not None:  # of another node's, somebody may read it elsewhere
            worker.cancel()

    async def _follow(self, stream: Stream) -> Stream:
        """Make it a copy of another node's stream, whole, so that more than one reader may use it."""
        self._keep(stream)
        copy = Copy(self._cluster, stream, self._limits.pace, self.node)
        try:
            await copy.begin()
        except BaseException:  # whoever asked may be gone: then nobody waits for it any more, and it goes too
            stream.lose()
            self._streams.pop(stream.id, None)
            await copy.end()
            raise
        following = self._own(copy.follow())
        self._own(self._follow_to_the_end(stream, copy, following))
        return stream

    async def _follow_to_the_end(self, stream: Stream, copy: Copy, following: asyncio.Task[None]) -> None:
        try:
            await self._forget_later(stream)
        finally:
            stream.lose()
            following.cancel()
            await copy.end()

    def _relay(self, ask: Ask) -> None:
        """Tell another node the pieces of a stream, or go on doing so."""
        stream, held = self._streams.get(ask.stream), self._relays.get(ask.reply_to)
        if stream is None or (stream.owner, stream.topic) != (ask.owner, ask.topic):
            self._own(tell_none(self._cluster, ask))
        elif held is not None and not ask.again and not held[1].done():
            held[0].hear(ask)
        else:
            if held is not None:
                held[1].cancel()
            relay = Relay(self._cluster, stream, ask, self._limits.pace)
            task = self._own(relay.run())
            self._relays[ask.reply_to] = (relay, task)
            task.add_done_callback(lambda _: self._forget_relay(ask.reply_to, relay))

    def _forget_relay(self, reply_to: str, relay: Relay) -> None:
        relay.leave()
        if (held := self._relays.get(reply_to)) is not None and held[0] is relay:
            del self._relays[reply_to]

    async def _cancel_there(self, stream: Stream) -> None:
        with suppress(Unavailable):  # then nobody can be told; its work ends when nobody has read it for a while
            ask = Ask(stream.id, stream.owner, stream.topic, "", cancels=True)
            await self._cluster.publish(home(stream.id), _pack.encode(ask))

    def _own(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="stream")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@asynccontextmanager
async def open_streams(cluster: Cluster, node: str, limits: StreamLimits | None = None) -> AsyncIterator[Streams]:
    """The streams of this node, which other nodes can ask for until the end of the block."""
    streams = Streams(cluster, node, limits)
    try:
        async with await cluster.subscribe(f"node:{node}", streams.hear):
            yield streams
    finally:
        await streams.close()


async def follow(streams: Streams, stream: Stream, offset: int, push: Push) -> msgspec.Raw:
    """Push each piece from `offset` on as `{"stream", "offset", "piece"}`; the last one's payload is returned.

    Raises what the work raised, NotFound for a stream that was lost. When the client cancels, the work ends with it;
    when the connection is cut, the work goes on.
    """
    try:
        async with aclosing(stream.read(offset)) as pieces:
            async for at, piece in pieces:
                if piece.event == FAILED:
                    raise msgspec.json.decode(piece.payload, type=ErrorView).error()
                if piece.event == END:
                    return msgspec.Raw(piece.payload)
                await push(piece.event, StreamPiece(stream.id, at, msgspec.Raw(piece.payload)))
    except asyncio.CancelledError as error:
        if ASKED in error.args:
            streams.cancel(stream)
        raise
    raise gone(stream.id)


def _of(stream: Stream, owner: str, topic: str) -> Stream:
    if (stream.owner, stream.topic) != (owner, topic):
        raise gone(stream.id)
    return stream
