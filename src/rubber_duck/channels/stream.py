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
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import Conflict, LimitExceeded, NotFound, Unavailable, normalize
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

    A node that relays a stream to another says every `beat_s` that it lives; of one silent for three of these nothing
    more will come.
    """

    kept_s: float = 60.0
    size_bytes: int = 2_000_000
    streams: int = 500
    per_member: int = 32
    answer_s: float = 5.0
    beat_s: float = 2.0


class StreamPiece(msgspec.Struct, frozen=True):
    """A piece as clients see it; who has seen `offset` continues at `offset + 1`."""

    stream: str
    offset: int
    piece: msgspec.Raw


class _Ask(msgspec.Struct, frozen=True):
    """What one node asks another about a stream there: to be told its pieces, or to end its work."""

    stream: str
    owner: str
    topic: str
    reply_to: str
    cancels: bool = False


class _Told(msgspec.Struct, frozen=True, array_like=True):
    """Pieces from `offset` on; without any, that there are none to be had."""

    offset: int
    pieces: tuple[Piece, ...] = ()


_REPLIES: Final = "stream:"
_BEAT: Final = -1
"""The offset of what is no piece but a sign of life."""
_NAME_CHARACTERS: Final = 200
_BATCH_BYTES: Final = 64_000

_ask: Final = msgspec.msgpack.Decoder(_Ask)
_told: Final = msgspec.msgpack.Decoder(_Told)
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
        elif not stream.ended and self._home(stream.id) != f"node:{self.node}":
            self._own(self._cancel_there(stream))

    async def find(self, scope: Scope, stream_id: str, offset: int, *, topic: str = "") -> Stream:
        """The stream, with every piece from `offset` on.

        NotFound when it is not there, is another's, or of another topic, in which one may do other things, or was lost.
        """
        if offset < 0 or len(stream_id) > _NAME_CHARACTERS:
            raise gone(stream_id[:_NAME_CHARACTERS])
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
        """End all work."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)

    def hear(self, message: bytes) -> None:
        """Take what another node asks for; what is no question of a node is dropped and counted."""
        try:
            ask = _ask.decode(message)
        except (msgspec.MsgspecError, UnicodeError):
            telemetry.count("cluster.unreadable", of="streams")
            return
        if ask.cancels:
            held = self._streams.get(ask.stream)
            if held is not None and (held.owner, held.topic) == (ask.owner, ask.topic):
                self.cancel(held)
        elif ask.reply_to.startswith(_REPLIES) and len(ask.reply_to) <= _NAME_CHARACTERS:
            self._own(self._relay(ask))
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
        """Forget a stream that had no reader for `kept_s`, and end its work."""
        idle_s, step_s = 0.0, self._limits.kept_s / 4
        while idle_s < self._limits.kept_s:
            await asyncio.sleep(step_s)
            if self._streams.get(stream.id) is not stream:
                return
            idle_s = 0.0 if stream.readers else idle_s + step_s
        self._streams.pop(stream.id, None)
        self.cancel(stream)

    async def _follow(self, stream: Stream) -> Stream:
        """Make it a copy of another node's stream, whole, so that more than one reader may use it."""
        self._keep(stream)
        reply_to = f"stream:{self.node}:{secrets.token_urlsafe(12)}"
        heard = asyncio.Event()

        def receive(message: bytes) -> None:
            told = _readable(message)
            if told is not None and told.offset == _BEAT:
                heard.set()
                return
            if told is None or not told.pieces or told.offset != len(stream.pieces):
                stream.lose()
            else:
                stream.add(*told.pieces)
            heard.set()

        subscription = await self._cluster.subscribe(reply_to, receive, gap=stream.lose)
        try:
            ask = _Ask(stream.id, stream.owner, stream.topic, reply_to)
            await self._cluster.publish(self._home(stream.id), _pack.encode(ask))
            async with asyncio.timeout(self._limits.answer_s):
                await heard.wait()
                stream.check()
        except BaseException as error:  # whoever asked may be gone: then nobody waits for it any more, and it goes too
            stream.lose()
            self._streams.pop(stream.id, None)
            await subscription.end()
            if isinstance(error, (TimeoutError, Unavailable, NotFound)):
                raise gone(stream.id) from error
            raise
        self._own(self._watch(stream, heard))
        self._own(self._follow_to_the_end(stream, subscription.end))
        return stream

    async def _watch(self, stream: Stream, heard: asyncio.Event) -> None:
        """Lose a copy whose node says nothing more: it was killed, and does not tell."""
        while not stream.ended:
            heard.clear()
            try:
                async with asyncio.timeout(3 * self._limits.beat_s):
                    await heard.wait()
            except TimeoutError:
                if not stream.ended:
                    stream.lose()

    async def _follow_to_the_end(self, stream: Stream, end: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._forget_later(stream)
        finally:
            stream.lose()
            await end()

    async def _relay(self, ask: _Ask) -> None:
        """Tell another node the pieces of a stream, each with its offset, to the last."""
        try:
            stream = self._streams.get(ask.stream)
            if stream is None:
                await self._cluster.publish(ask.reply_to, _pack.encode(_Told(0)))
                return
            _of(stream, ask.owner, ask.topic)
            beating, offset = self._own(self._beat(ask.reply_to)), 0
            stream.readers += 1
            try:
                while pieces := await stream.after(offset):
                    batch = _first(pieces)
                    await self._cluster.publish(ask.reply_to, _pack.encode(_Told(offset, batch)))
                    offset += len(batch)
            finally:
                stream.readers -= 1
                beating.cancel()
        except NotFound:
            await self._cluster.publish(ask.reply_to, _pack.encode(_Told(0)))
        except Unavailable:
            return  # the other node hears of the gap by itself

    async def _cancel_there(self, stream: Stream) -> None:
        with suppress(Unavailable):  # then nobody can be told; its work ends when nobody has read it for a while
            ask = _Ask(stream.id, stream.owner, stream.topic, "", cancels=True)
            await self._cluster.publish(self._home(stream.id), _pack.encode(ask))

    @staticmethod
    def _home(stream_id: str) -> str:
        """The topic of the node that a stream is of."""
        return f"node:{stream_id.partition('.')[0]}"

    async def _beat(self, reply_to: str) -> None:
        with suppress(Unavailable):  # the other node hears of the gap by itself
            while True:
                await asyncio.sleep(self._limits.beat_s)
                await self._cluster.publish(reply_to, _pack.encode(_Told(_BEAT)))

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


def _readable(message: bytes) -> _Told | None:
    """What another node told; None for what is no piece, or whose payload is not JSON."""
    try:
        told = _told.decode(message)
        for piece in told.pieces:
            msgspec.json.decode(piece.payload, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        telemetry.count("cluster.unreadable", of="streams")
        return None
    return told


def _first(pieces: list[Piece]) -> tuple[Piece, ...]:
    """As many of them as are told at once, at least one."""
    size = 0
    for number, piece in enumerate(pieces):
        size += len(piece.payload)
        if number and size > _BATCH_BYTES:
            return tuple(pieces[:number])
    return tuple(pieces)


def _of(stream: Stream, owner: str, topic: str) -> Stream:
    if (stream.owner, stream.topic) != (owner, topic):
        raise gone(stream.id)
    return stream
