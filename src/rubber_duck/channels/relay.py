"""How nodes tell each other their streams: one relays the pieces, the other follows them into a copy.

Messages may be lost while the cluster is: the follower says all the time how far it has come, and asks again for what
is missing. The relay ends when its follower says nothing more.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.pieces import Piece, Stream
from rubber_duck.cluster.cluster import Cluster, Subscription
from rubber_duck.errors import NotFound, Unavailable

REPLIES: Final = "stream:"
NAME_CHARACTERS: Final = 200
_BEAT: Final = -1
"""The offset of what is no piece but a sign of life."""
_BATCH_BYTES: Final = 64_000
_SILENT: Final = 3
"""Of who says nothing for so many beats nothing more will come."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between two signs of life; within which the first answer comes; that a cluster has to heal.

    A stream that was not heard of for `kept_s` is lost in any case.
    """

    beat_s: float
    answer_s: float
    heal_s: float
    kept_s: float


class Ask(msgspec.Struct, frozen=True):
    """What one node says to another about a stream there.

    It wants the pieces from `offset` on; `again` as if it had had none of them; `is_read`: somebody reads them there.
    With `cancels` its work is to end.
    """

    stream: str
    owner: str
    topic: str
    reply_to: str
    offset: int = 0
    again: bool = False
    is_read: bool = True
    cancels: bool = False


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Pieces from `offset` on; without any, that there are none to be had."""

    offset: int
    pieces: tuple[Piece, ...] = ()


_told: Final = msgspec.msgpack.Decoder(Told)
_pack: Final = msgspec.msgpack.Encoder()

Own = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
"""Makes a task that somebody awaits or cancels."""


def home(stream_id: str) -> str:
    """The topic of the node that a stream is of."""
    return f"node:{stream_id.partition('.')[0]}"


class Relay:
    """Tells one follower on another node the pieces of a stream, to the last."""

    def __init__(self, cluster: Cluster, stream: Stream, ask: Ask, pace: Pace) -> None:
        self._cluster = cluster
        self._stream = stream
        self._ask = ask
        self._pace = pace
        self._heard_at = _now()
        self._is_read = False

    def hear(self, ask: Ask) -> None:
        """The follower lives, and has a reader or none."""
        self._heard_at = _now()
        if ask.is_read != self._is_read:
            self._is_read = ask.is_read
            self._stream.readers += 1 if ask.is_read else -1

    async def run(self) -> None:
        """Tell them from the offset that was asked for on; end early when nobody can be told, or nobody listens."""
        telling = asyncio.create_task(self._tell(), name="relay")
        try:
            self.hear(self._ask)
            while not telling.done():
                await asyncio.wait({telling}, timeout=self._pace.beat_s)
                if _now() - self._heard_at > _SILENT * self._pace.beat_s:
                    return
                if not telling.done():
                    await _say(self._cluster, self._ask.reply_to, Told(_BEAT))
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    def leave(self) -> None:
        """It has ended, and so reads no more."""
        if self._is_read:
            self._is_read = False
            self._stream.readers -= 1

    async def _tell(self) -> None:
        offset = self._ask.offset
        try:
            while pieces := await self._stream.after(offset):
                batch = _first(pieces)
                await self._cluster.publish(self._ask.reply_to, _pack.encode(Told(offset, batch)))
                offset += len(batch)
        except NotFound:
            await tell_none(self._cluster, self._ask)
        except Unavailable:
            return  # the follower hears nothing, or of the gap, and asks again


class Copy:
    """A stream of another node, followed into `stream`, which is this node's own."""

    def __init__(self, cluster: Cluster, stream: Stream, pace: Pace, reply_node: str) -> None:
        self.stream = stream
        self._cluster = cluster
        self._pace = pace
        self._reply_to = f"{REPLIES}{reply_node}:{secrets.token_urlsafe(12)}"
        self._woken = asyncio.Event()
        self._heard_at = _now()
        self._lost_at = -math.inf
        self._is_heard = self._is_behind = False
        self._subscription: Subscription | None = None

    async def begin(self) -> None:
        """Have the first pieces.

        Raises NotFound when there are none to be had, or its node does not answer; Unavailable while no other node can
        be asked.
        """
        self._subscription = await self._cluster.subscribe(self._reply_to, self._hear, gap=self._gap)
        until = _now() + self._pace.answer_s
        unavailable: Unavailable | None = None
        while not self._is_heard and _now() < until:
            try:
                await self._ask()
            except Unavailable as error:
                unavailable = error
            await self._wait(min(1.0, self._pace.answer_s))
        if not self._is_heard:
            if unavailable is not None:
                raise unavailable
            self.stream.lose()
        self.stream.check()

    async def follow(self) -> None:
        """Go on to the last piece, over losses of the cluster; lose the stream when its node says nothing more."""
        silent_s = _SILENT * self._pace.beat_s
        while await self._wait(self._pace.beat_s):
            self._is_behind = self._is_behind or _now() - self._heard_at > self._pace.beat_s * 1.5
            try:
                await self._ask()
            except Unavailable:
                self._lost_at = _now()
            until = max(self._heard_at + silent_s, self._lost_at + self._pace.heal_s)
            if _now() > min(until, self._heard_at + self._pace.kept_s):
                self.stream.lose()

    async def end(self) -> None:
        """Follow it no more."""
        if self._subscription is not None:
            await self._subscription.end()

    async def _ask(self) -> None:
        stream, again = self.stream, self._is_behind
        self._is_behind = False
        ask = Ask(
            stream.id, stream.owner, stream.topic, self._reply_to, len(stream.pieces), again, is_read=stream.readers > 0
        )
        await self._cluster.publish(home(stream.id), _pack.encode(ask))

    async def _wait(self, most_s: float) -> bool:
        """Until something is to be done; whether anything is still to come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._woken.wait()
        self._woken.clear()
        return not self.stream.ended

    def _hear(self, message: bytes) -> None:
        told = _readable(message)
        if told is None:
            return
        self._heard_at = _now()
        if not self._is_heard:
            self._is_heard = True
            self._woken.set()
        if told.offset == _BEAT:
            return
        if not told.pieces:
            self.stream.lose()
            self._woken.set()
            return
        had = len(self.stream.pieces) - told.offset
        if had < 0 and not self._is_behind:  # some were lost on the way
            self._is_behind = True
            self._woken.set()
        elif 0 <= had < len(told.pieces):
            self.stream.add(*told.pieces[had:])
            if self.stream.ended:
                self._woken.set()

    def _gap(self) -> None:
        """Messages may have been missed, and can be heard again."""
        self._lost_at = _now()
        self._is_behind = True
        self._woken.set()


async def tell_none(cluster: Cluster, ask: Ask) -> None:
    """Tell who asked that there are no pieces to be had."""
    await _say(cluster, ask.reply_to, Told(0))


async def _say(cluster: Cluster, reply_to: str, told: Told) -> None:
    with suppress(Unavailable):  # then they hear nothing, and ask again
        await cluster.publish(reply_to, _pack.encode(told))


def _readable(message: bytes) -> Told | None:
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


def _now() -> float:
    """Seconds from any point."""
    return asyncio.get_running_loop().time()
