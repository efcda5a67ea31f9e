"""What goes through Redis is sealed: who can write there, but not read the database, can say nothing in our name.

A message carries who sent it, until when it may be believed, and a HMAC-SHA256 over these, its topic and itself. One
that was heard is not believed a second time. Clocks of nodes may differ by as much as a message is believed.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Final

BELIEVED_S: Final = 60.0
"""How long a message may take, and how far clocks may be apart."""

ORIGIN_BYTES: Final = 8
_NUMBER_BYTES: Final = 8
_HEAD_BYTES: Final = ORIGIN_BYTES + 2 * _NUMBER_BYTES
_MAC_BYTES: Final = 32
MOST_HEARD: Final = 100_000


class Seal:
    """Seals and opens with the key that nodes share. `now_s` gives seconds since 1970."""

    def __init__(self, key: bytes, origin: bytes, *, now_s: Callable[[], float] = time.time) -> None:
        self._key = key
        self._origin = origin
        self._now_s = now_s
        self._count = 0
        self._heard: dict[bytes, int] = {}

    @property
    def remembered(self) -> int:
        """How many messages it knows to have heard."""
        return len(self._heard)

    def closed(self, topic: str, message: bytes, *, for_s: float = BELIEVED_S) -> bytes:
        """The message as it is sent, or kept, to be believed for so many seconds."""
        self._count += 1
        until = int((self._now_s() + for_s) * 1000)
        head = self._origin + _number(until) + _number(self._count)
        return head + self._mac(topic, head, message) + message

    def opened(self, topic: str, sealed: bytes) -> bytes | None:
        """What is in it; None for what is forged, of another topic, or too old."""
        head, mac = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES : _HEAD_BYTES + _MAC_BYTES]
        message = sealed[_HEAD_BYTES + _MAC_BYTES :]
        if not hmac.compare_digest(mac, self._mac(topic, head, message)):
            return None
        return message if _until(head) >= self._now_ms() else None

    def heard(self, topic: str, sealed: bytes) -> bytes | None:
        """As `opened`, and None too for what was heard before."""
        message, head = self.opened(topic, sealed), sealed[:_HEAD_BYTES]
        if message is None or head in self._heard:
            return None
        self._heard[head] = _until(head)
        self._forget()
        return message

    def _forget(self) -> None:
        """Forget what would not be believed any more anyway, and the oldest when there are too many."""
        now_ms = self._now_ms()
        while self._heard:
            head = next(iter(self._heard))
            if self._heard[head] >= now_ms and len(self._heard) <= MOST_HEARD:
                return
            del self._heard[head]

    def _mac(self, topic: str, head: bytes, message: bytes) -> bytes:
        named = topic.encode()
        return hmac.digest(self._key, _number(len(named)) + named + head + message, "sha256")

    def _now_ms(self) -> int:
        return int(self._now_s() * 1000)


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER_BYTES, "big")


def _until(head: bytes) -> int:
    return int.from_bytes(head[ORIGIN_BYTES : ORIGIN_BYTES + _NUMBER_BYTES], "big")
