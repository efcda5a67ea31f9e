"""One client's connection: frames in, frames out; a task for each request, and nothing about how frames travel."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from inspect import CORO_CREATED, getcoroutinestate
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.allowance import Bucket
from rubber_duck.channels.broadcast import NOBODY, ORIGIN
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
    broadcast_in,
    decode,
    encode,
    encode_reply,
    relayed,
    to_payload,
)
from rubber_duck.channels.meter import Meter
from rubber_duck.channels.outgoing import Outgoing
from rubber_duck.cluster.cluster import Cluster, Limit, Subscription
from rubber_duck.errors import (
    Conflict,
    Denied,
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


class Socket:
    """Frames of one client. `clock` gives seconds from any point.

    The transport calls `receive` for each frame, sends what `outgoing.take` gives until it gives None, and calls
    `close` when the client is gone. `meter` may be replaced by one that counts.
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
        self.limits = limits or SocketLimits()
        self.outgoing = Outgoing(self.limits.waiting_bytes)
        self._doors = doors
        self.cluster = cluster
        self.meter = Meter()
        self._clock = clock
        self._bucket = Bucket(self.limits.messages, clock)
        self._places: dict[str, _Place] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def receive(self, frame: Frame) -> None:
        """Take one frame. Raises InvalidInput or LimitExceeded for what is no frame: then the connection ends."""
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
            self._begin(message, self._join(message))
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

    async def _authorize(self, place: _Place, channel: Channel) -> None:
        try:
            place.allowed = await channel.authorize(self.scope)
        except DuckError:
            await self._leave(place, ERROR)

    async def close(self, *, for_good: bool = False) -> None:
        """The client is gone, or has to go: requests are cancelled, topics are left, nothing more is sent.

        What is streamed goes on for when they come back, unless they are not to: `for_good`.
        """
        self.outgoing.end(forget=True)
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel(ASKED if for_good else None)
        await asyncio.gather(*tasks, return_exceptions=True)
        for place in tuple(self._places.values()):
            await self._leave(place, None)

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
            self._begin(message, self._leave_asked(message, place))
        elif wait_s := place.bucket.take():
            self.meter.dropped("too_often")
            self._refuse(message, _too_often(wait_s))
        elif message.event == CANCEL:
            self._cancel(message)
        else:
            event = place.channel.events.get(message.event)
            if event is None:
                what = f"event of {place.channel.name!r}"
                self._refuse(message, UnknownName.among(what, message.event, [*place.channel.events, CANCEL]))
            else:
                self._begin(message, self._answer(message, place, event))

    def _begin(self, message: Message, work: Coroutine[None, None, None]) -> None:
        ref = message.ref or ""
        key = (message.topic, ref)
        if len(self._tasks) >= self.limits.requests:
            work.close()
            self._refuse(message, LimitExceeded(f"{self.limits.requests} requests are being worked on; wait for one"))
        elif ref and key in self._tasks:
            work.close()
            self._refuse(message, Conflict(f"the ref {ref!r} is in use; give each request its own"))
        else:
            task = asyncio.create_task(self._contained(message, work), name=f"socket {message.topic} {message.event}")
            key = key if ref else (message.topic, f"\0{id(task)}")
            self._tasks[key] = task

            def end(_: asyncio.Task[None]) -> None:
                self._tasks.pop(key, None)
                if getcoroutinestate(work) == CORO_CREATED:  # it was cancelled before it could begin
                    work.close()
                    self._refuse(message, Conflict("the request was cancelled"))

            task.add_done_callback(end)

    async def _contained(self, message: Message, work: Coroutine[None, None, None]) -> None:
        try:
            with telemetry.correlated(self.scope.trace):
                await work
        except asyncio.CancelledError:
            self._refuse(message, Conflict("the request was cancelled"))
            raise
        except Exception as error:  # noqa: BLE001  # the border: whatever a channel raises is one error frame
            known = normalize(error)
            if not isinstance(error, DuckError):
                telemetry.emit("channel.failed", topic=message.topic, message=message.event, error=known.message)
            self._refuse(message, known)

    async def _join(self, message: Message) -> None:
        name, _, subject = message.topic.partition(":")
        door = self._doors.get(name)
        if door is None:
            raise UnknownName.among("topic", message.topic, (f"{each}:…" for each in self._doors))
        if message.ref is None:
            raise InvalidInput("a join needs a ref: it is what later messages name as their join_ref")
        held = self._places.get(message.topic)
        if held is not None:
            await self._leave(held, CLOSE)
        if len(self._places) >= self.limits.topics:
            raise LimitExceeded(f"a socket joins at most {self.limits.topics} topics")
        place = _Place(
            self, message.topic, message.join_ref or message.ref, Bucket(self.limits.channel_messages, self._clock)
        )
        self._places[message.topic] = place
        try:
            channel = door(place, subject)
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

    async def _answer(self, message: Message, place: _Place, event: Event) -> None:
        channel = place.channel
        assert channel is not None
        place.scope.require(event.right)
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

    async def _leave_asked(self, message: Message, place: _Place) -> None:
        await self.outgoing.put(encode_reply(message, "ok", EMPTY))
        await self._leave(place, CLOSE)

    async def _leave(self, place: _Place, last: str | None) -> None:
        """Take a member from a topic, with everything they asked there; `last` is the event that tells them."""
        if self._places.get(place.topic) is place:
            del self._places[place.topic]
        mine = asyncio.current_task()
        asked = [task for (topic, _), task in tuple(self._tasks.items()) if topic == place.topic and task is not mine]
        for task in asked:
            task.cancel(None if last is None else ASKED)
        await asyncio.gather(*asked, return_exceptions=True)
        channel, place.channel = place.channel, None
        await place.end()
        if channel is not None:
            self.meter.joined(channel.name, -1)
            await channel.leave()
        if last is not None:
            await self.outgoing.put(encode(Message(place.join_ref, place.join_ref, place.topic, last)))

    def _cancel(self, message: Message) -> None:
        try:
            asked = _cancel.decode(message.payload).ref
        except (msgspec.MsgspecError, UnicodeError) as error:
            self._refuse(message, InvalidInput(f"to cancel a request, name its ref: {error}"))
            return
        task = self._tasks.get((message.topic, asked))
        if task is not None:
            task.cancel(ASKED)
        self._offer(encode_reply(message, "ok", b'{"cancelled":true}' if task else b'{"cancelled":false}'))

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
            self.outgoing.end(forget=True)


class _Place(Seat):
    """A member's place in a topic: the channel once it is joined, and the subscription to broadcasts."""

    def __init__(self, socket: Socket, topic: str, join_ref: str, bucket: Bucket) -> None:
        self._socket = socket
        self._topic = topic
        self._subscription: Subscription | None = None
        self._mark = secrets.token_hex(ORIGIN // 2).encode()
        self.join_ref = join_ref
        self.bucket = bucket
        self.channel: Channel | None = None
        self.allowed: Scope | None = None

    @property
    def topic(self) -> str:
        return self._topic

    @property
    def scope(self) -> Scope:
        if self.allowed is None:
            raise Denied(f"the topic {self.topic!r} is not joined yet")
        return self.allowed

    async def push(self, event: str, payload: msgspec.Struct | msgspec.Raw | bytes, *, ref: str | None = None) -> None:
        binary = isinstance(payload, bytes)
        message = Message(self.join_ref, ref, self.topic, event, encoded(payload), binary=binary)
        await self._socket.outgoing.put(encode(message))

    def hear(self, event: str, payload: msgspec.Struct) -> None:
        self._socket.hear(encode(Message(self.join_ref, None, self.topic, event, encoded(payload))))

    async def broadcast(self, event: str, payload: msgspec.Struct | bytes, *, besides_me: bool = False) -> None:
        binary = isinstance(payload, bytes)
        frame = encode(Message(None, None, self.topic, event, encoded(payload), binary=binary))
        mark = self._mark if besides_me else NOBODY
        await self._socket.cluster.publish(f"channel:{self.topic}", mark + relayed(frame))

    async def listen(self) -> None:
        """Hear the topic's broadcasts from now on."""
        self._subscription = await self._socket.cluster.subscribe(f"channel:{self.topic}", self._hear)

    async def end(self) -> None:
        """Hear them no more."""
        if self._subscription is not None:
            await self._subscription.end()
            self._subscription = None

    def _hear(self, broadcast: bytes) -> None:
        if broadcast[:ORIGIN] == self._mark:
            return
        frame = broadcast_in(broadcast[ORIGIN:], self.topic)
        if frame is None:
            telemetry.count("cluster.unreadable", of="broadcasts")
        else:
            self._socket.hear(frame)


def _payload_of(message: Message, event: Event) -> msgspec.Struct | bytes:
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
