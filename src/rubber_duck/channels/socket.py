"""One client's connection: frames in, frames out; a task for each request, and nothing about how frames travel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.allowance import Bucket
from rubber_duck.channels.channel import ASKED, Channel, Event, Push, Seat, encoded
from rubber_duck.channels.message import (
    CANCEL,
    CLOSE,
    EMPTY,
    ERROR,
    HEARTBEAT,
    JOIN,
    LEAVE,
    PHOENIX,
    ErrorView,
    Frame,
    Message,
    decode,
    encode,
    encode_reply,
    to_payload,
)
from rubber_duck.channels.meter import Meter
from rubber_duck.channels.outgoing import Outgoing
from rubber_duck.channels.place import Place
from rubber_duck.cluster.cluster import Cluster, Limit
from rubber_duck.errors import (
    Conflict,
    DuckError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    UnknownName,
    normalize,
)
from rubber_duck.scope import Scope

Opener = Callable[[Seat, str], Channel]
"""Makes a channel for a seat and the part of the topic behind the colon. Raises NotFound for a subject there is not."""

Work = Callable[..., Coroutine[Any, Any, None]]  # Any: only asyncio sends and reads them
Key = tuple[str, str | int]
"""A request: its topic and its ref, or a number of our own for one without."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may ask of the server: sizes in bytes, messages in token buckets, requests and topics at once."""

    frame_bytes: int = 6_000_000
    waiting_bytes: int = 1_000_000
    messages: Limit = field(default_factory=lambda: Limit(rate=50, burst=200))
    channel_messages: Limit = field(default_factory=lambda: Limit(rate=30, burst=100))
    requests: int = 32
    topics: int = 100
    name_characters: int = 200


class CancelRequest(msgspec.Struct, frozen=True):
    """Which request of the same topic is to end."""

    ref: str


_cancel: Final = msgspec.json.Decoder(CancelRequest)
_USUAL: Final = SocketLimits()


class Socket:
    """Frames of one client. `clock` gives seconds from any point.

    The transport calls `receive` for each frame, takes what is `outgoing`, and calls `close` when the client is gone.
    `meter` may be replaced by one that counts.
    """

    def __init__(
        self,
        scope: Scope,
        doors: Mapping[str, Opener],
        cluster: Cluster,
        *,
        limits: SocketLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scope = scope
        self.limits = limits or _USUAL
        self.outgoing = Outgoing(self.limits.waiting_bytes)
        self._doors = doors
        self.cluster = cluster
        self.meter = Meter()
        self._clock = clock
        self._bucket = Bucket(self.limits.messages, clock)
        self._places: dict[str, Place] = {}
        self._asked: dict[Key, _Asked] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._number = 0

    def receive(self, frame: Frame) -> None:
        """Take one frame. Raises InvalidInput or LimitExceeded for what is no frame: then the connection ends."""
        if self.outgoing.ended:
            return
        if len(frame) > self.limits.frame_bytes:
            raise LimitExceeded(f"a frame has at most {self.limits.frame_bytes:,} bytes")
        message = decode(frame)
        if max(len(message.topic), len(message.event)) > self.limits.name_characters:
            raise LimitExceeded(f"a topic or an event has at most {self.limits.name_characters} characters")
        telemetry.count("socket.messages")
        self.meter.received(self._kind(message.topic), len(frame))
        if wait_s := self._bucket.take():
            self.meter.dropped("too_often")
            self._refuse(message, _too_often(wait_s))
        elif message.topic == PHOENIX and message.event == HEARTBEAT:
            self._offer(encode_reply(message, "ok", EMPTY))
        elif message.event == JOIN:
            self._begin(message, self._join)
        else:
            self._route(message)

    async def recheck(self, scope: Scope) -> None:
        """Take the rights the client has now; topics they may not hear any more end with `phx_error`.

        A topic keeps the rights it had until the new ones are known: it never has those outside of it.
        """
        self.scope = scope
        for place in tuple(self._places.values()):
            if place.channel is not None:
                await self._authorize(place, place.channel)

    async def _authorize(self, place: Place, channel: Channel) -> None:
        try:
            place.allowed = await channel.authorize(self.scope)
        except DuckError:
            await self._leave(place, ERROR)

    async def close(self, *, for_good: bool = False) -> None:
        """The client is gone, or has to go: requests are cancelled, topics are left, nothing more is sent.

        What is streamed goes on for when they come back, unless they are not to: `for_good`.
        """
        self.outgoing.end()
        ending = [self._stop(asked, ASKED if for_good else None) for asked in tuple(self._asked.values())]
        await asyncio.gather(*ending, return_exceptions=True)
        leaving = [self._leave(place, None) for place in tuple(self._places.values())]
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def hear(self, frame: Frame) -> None:
        """Send what cannot wait, such as a broadcast; a client that reads too slowly for it is cut off."""
        self._offer(frame)

    def _route(self, message: Message) -> None:
        place = self._places.get(message.topic)
        if place is None or place.channel is None:
            self._refuse(message, NotFound(f"the topic {message.topic!r} is not joined; join it first"))
        elif message.join_ref is not None and message.join_ref != place.join_ref:
            self.meter.dropped("stale")  # of a join that is over: Phoenix drops it too
            telemetry.count("socket.refused", reason="stale")
        elif message.event == LEAVE:
            self._begin(message, self._leave_asked, place)
        elif wait_s := place.bucket.take():
            self.meter.dropped("too_often")
            self._refuse(message, _too_often(wait_s))
        elif message.event == CANCEL:
            self._cancel(message)
        elif message.event not in place.channel.events:
            what = f"event of {place.channel.name!r}"
            self._refuse(message, UnknownName.among(what, message.event, [*place.channel.events, CANCEL]))
        else:
            self._begin(message, self._answer, place)

    def _begin(self, message: Message, work: Work, *place: Place) -> None:
        """Let `work(message, *place)` answer in a task of its own."""
        if len(self._asked) >= self.limits.requests:
            self._refuse(message, LimitExceeded(f"{self.limits.requests} requests are being worked on; wait for one"))
            return
        self._number += 1
        key = (message.topic, message.ref or self._number)
        if key in self._asked:
            self._refuse(message, Conflict(f"the ref {message.ref!r} is in use; give each request its own"))
            return
        asked = self._asked[key] = _Asked(key, message, place)
        asked.task = asyncio.create_task(self._contained(asked, work), name="socket request")

    def _stop(self, asked: _Asked, why: str | None) -> asyncio.Task[None]:
        """Cancel a request; it has ended when its task has."""
        asked.task.cancel(why)
        asked.task.add_done_callback(partial(self._stopped, asked))
        return asked.task

    def _stopped(self, asked: _Asked, _: asyncio.Task[None]) -> None:
        if self._asked.get(asked.key) is asked:  # it was cancelled before it could begin, and so has not said it
            del self._asked[asked.key]
            self._refuse(asked.message, Conflict("the request was cancelled"))

    async def _contained(self, asked: _Asked, work: Work) -> None:
        telemetry.correlate(self.scope.trace)
        message = asked.message
        try:
            await work(message, *asked.place)
        except asyncio.CancelledError:
            self._refuse(message, Conflict("the request was cancelled"))
            raise
        except Exception as error:  # noqa: BLE001  # the border: whatever a channel raises is one error frame
            self._refuse(message, _known(message.topic, message.event, error))
        finally:
            del self._asked[asked.key]

    async def _join(self, message: Message) -> None:
        name, _, subject = message.topic.partition(":")
        door = self._doors.get(name)
        if door is None:
            raise UnknownName.among("topic", message.topic, (f"{each}:…" for each in self._doors))
        if not message.ref:
            raise InvalidInput("a join needs a ref: it is what later messages name as their join_ref")
        held = self._places.get(message.topic)
        if held is None and len(self._places) >= self.limits.topics:
            raise LimitExceeded(f"a socket joins at most {self.limits.topics} topics")
        place = Place(
            self, message.topic, message.join_ref or message.ref, Bucket(self.limits.channel_messages, self._clock)
        )
        self._places[message.topic] = place  # at once: of several joins the last is the one that counts
        self._asked[message.topic, message.ref].place = (place,)
        try:
            channel = door(place, subject)
            await channel.afford_join()
        except BaseException:
            await self._go_back(place, held)
            raise
        try:
            if held is not None:
                await self._leave(held, CLOSE)
            scope = self.scope
            place.allowed = await channel.authorize(scope)
            response = encoded(await channel.join(message.payload))
            await place.listen()
        except BaseException:
            if self._places.get(message.topic) is place:
                del self._places[message.topic]
            await place.end()
            raise
        place.channel = channel
        telemetry.count("channel.joins", topic=name)
        self.meter.joined(name, 1)
        await self.outgoing.put(encode_reply(message, "ok", response))
        await channel.joined()
        if self.scope is not scope:  # rights changed meanwhile, and this topic was not rechecked
            await self._authorize(place, channel)

    async def _go_back(self, place: Place, held: Place | None) -> None:
        """A join was refused before it took the place of the one `held`, which goes on unless a later one came."""
        if self._places.get(place.topic) is not place:
            if held is not None:
                await self._leave(held, CLOSE)
        elif held is None:
            del self._places[place.topic]
        else:
            self._places[place.topic] = held
        await place.end()

    async def _answer(self, message: Message, place: Place) -> None:
        channel = place.channel
        assert channel is not None
        event = channel.events[message.event]
        place.scope.require(event.right)
        await channel.afford(event)
        payload = _payload_of(message, event)
        began, is_ok = self._clock(), False
        try:
            answer = await getattr(channel, event.method)(payload, Push(place, message.ref or ""))
            is_ok = True
        finally:
            self.meter.answered(channel.name, event.name, self._clock() - began, is_ok=is_ok)
        if message.ref is not None:
            frame = encode_reply(message, "ok", encoded(answer), binary=isinstance(answer, bytes))
            await self.outgoing.put(frame)

    async def _leave_asked(self, message: Message, place: Place) -> None:
        await self.outgoing.put(encode_reply(message, "ok", EMPTY))
        await self._leave(place, CLOSE)

    async def _leave(self, place: Place, last: str | None) -> None:
        """Take a member from a topic, with everything they asked there; `last` is the event that tells them.

        Once begun it comes to its end, also when whoever wants it is cancelled.
        """
        if self._places.get(place.topic) is place:
            del self._places[place.topic]
        leaving = asyncio.create_task(self._left(place, last, asyncio.current_task()), name="socket leave")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        await asyncio.shield(leaving)

    async def _left(self, place: Place, last: str | None, mine: asyncio.Task[None] | None) -> None:
        ending = [
            self._stop(asked, None if last is None else ASKED)
            for asked in tuple(self._asked.values())
            if place in asked.place and asked.task is not mine and asked.message.event != LEAVE
        ]
        await asyncio.gather(*ending, return_exceptions=True)
        channel, place.channel = place.channel, None
        await place.end()
        if channel is not None:
            self.meter.joined(channel.name, -1)
            try:
                await channel.leave()
            except Exception as error:  # noqa: BLE001  # the border, as above: who left has left
                _known(place.topic, LEAVE, error)
        if last is not None:
            self._offer(encode(Message(place.join_ref, place.join_ref, place.topic, last)))

    def _cancel(self, message: Message) -> None:
        try:
            asked = _cancel.decode(message.payload).ref
        except (msgspec.MsgspecError, UnicodeError) as error:
            self._refuse(message, InvalidInput(f"to cancel a request, name its ref: {error}"))
            return
        held = self._asked.get((message.topic, asked))
        if held is None or held.message.event in (JOIN, LEAVE):
            self._offer(encode_reply(message, "ok", b'{"cancelled":false}'))
        else:
            self._stop(held, ASKED)
            self._offer(encode_reply(message, "ok", b'{"cancelled":true}'))

    def _refuse(self, message: Message, error: DuckError) -> None:
        telemetry.count("socket.refused", reason=error.code)
        if message.ref is not None:
            self._offer(encode_reply(message, "error", to_payload(ErrorView.of(error))))

    def _kind(self, topic: str) -> str:
        name = topic.partition(":")[0]
        return name if name in self._doors or topic == PHOENIX else "other"

    def _offer(self, frame: Frame) -> None:
        if not self.outgoing.ended and not self.outgoing.offer(frame):
            self.meter.dropped("too_slow")
            telemetry.emit("socket.too_slow", actor=self.scope.actor.name, waiting_bytes=self.outgoing.size_bytes)
            self.outgoing.end()


class _Asked:
    """A request that is being worked on, and the place in which it is; a join has none before it begins."""

    __slots__ = ("key", "message", "place", "task")

    task: asyncio.Task[None]

    def __init__(self, key: Key, message: Message, place: tuple[Place, ...]) -> None:
        self.key = key
        self.message = message
        self.place = place


def _known(topic: str, event: str, error: Exception) -> DuckError:
    """What a channel raised as an error of ours; what is none yet is told to operators."""
    known = normalize(error)
    if not isinstance(error, DuckError):
        telemetry.emit("channel.failed", topic=topic, message=event, error=known.message)
    return known


def _payload_of(message: Message, event: Event) -> msgspec.Struct | bytes:
    if len(message.payload) > event.most_bytes:
        raise LimitExceeded(f"the payload of {event.name!r} has at most {event.most_bytes:,} bytes")
    if event.payload is None:
        return message.payload
    if message.binary:
        raise InvalidInput(f"the event {event.name!r} takes JSON, not bytes")
    try:
        return msgspec.json.decode(message.payload, type=event.payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"the payload of {event.name!r} is not valid: {error}") from error


def _too_often(wait_s: float) -> LimitExceeded:
    return LimitExceeded(f"messages come too fast; try again in {wait_s:.1f} s")
