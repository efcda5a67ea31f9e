"""A member's place in one topic: what the channel says through it, and what the topic's broadcasts say to it."""

from __future__ import annotations

import secrets
from typing import Protocol

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.allowance import Bucket
from rubber_duck.channels.broadcast import NOBODY, ORIGIN
from rubber_duck.channels.channel import Channel, Seat, encoded
from rubber_duck.channels.message import Frame, Message, broadcast_in, encode, relayed
from rubber_duck.channels.outgoing import Outgoing
from rubber_duck.cluster.cluster import Cluster, Subscription
from rubber_duck.errors import Denied
from rubber_duck.scope import Scope


class Way(Protocol):
    """What a place has of its socket."""

    cluster: Cluster
    outgoing: Outgoing

    def hear(self, frame: Frame) -> None:
        """Send what cannot wait."""


class Place(Seat):
    """A member's place in a topic: the channel once it is joined, and the subscription to broadcasts."""

    __slots__ = ("_mark", "_subscription", "_topic", "_way", "allowed", "bucket", "channel", "join_ref")

    def __init__(self, way: Way, topic: str, join_ref: str, bucket: Bucket) -> None:
        self._way = way
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
        await self._way.outgoing.put(encode(message))

    def hear(self, event: str, payload: msgspec.Struct) -> None:
        self._way.hear(encode(Message(self.join_ref, None, self.topic, event, encoded(payload))))

    async def broadcast(self, event: str, payload: msgspec.Struct | bytes, *, besides_me: bool = False) -> None:
        binary = isinstance(payload, bytes)
        frame = encode(Message(None, None, self.topic, event, encoded(payload), binary=binary))
        mark = self._mark if besides_me else NOBODY
        await self._way.cluster.publish(f"channel:{self.topic}", mark + relayed(frame))

    async def listen(self) -> None:
        """Hear the topic's broadcasts from now on."""
        self._subscription = await self._way.cluster.subscribe(f"channel:{self.topic}", self._hear)

    async def end(self) -> None:
        """Hear them no more."""
        if self._subscription is not None:
            await self._subscription.end()
            self._subscription = None

    def _hear(self, broadcast: bytes) -> None:
        if broadcast[:ORIGIN] == self._mark:
            return
        frame = broadcast_in(broadcast, ORIGIN, self._topic)
        if frame is None:
            telemetry.count("cluster.unreadable", of="broadcasts")
        else:
            self._way.hear(frame)
