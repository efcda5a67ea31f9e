"""The frame: what one message is, and how it is written as JSON or as bytes.

The format is that of Phoenix Channels, serializer 2.0.0: a JSON array `[join_ref, ref, topic, event, payload]`, or a
binary frame that begins with its kind and the lengths of its parts in bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from rubber_duck.errors import DuckError, InvalidInput, tree

JOIN: Final = "phx_join"
LEAVE: Final = "phx_leave"
REPLY: Final = "phx_reply"
CLOSE: Final = "phx_close"
ERROR: Final = "phx_error"
HEARTBEAT: Final = "heartbeat"
CANCEL: Final = "cancel"
PHOENIX: Final = "phoenix"
"""The topic of heartbeats."""

EMPTY: Final = b"{}"

_PUSH: Final = 0
_BINARY_REPLY: Final = 1
_BROADCAST: Final = 2
_PART_BYTES: Final = 255

_Array = tuple[str | None, str | None, str, str, msgspec.Raw]
_decoder: Final = msgspec.json.Decoder(_Array)
_encoder: Final = msgspec.json.Encoder()

Frame = str | bytes
"""What travels: text holds JSON, bytes the binary form."""


class ErrorView(msgspec.Struct, frozen=True):
    """An error as clients see it: its stable code, one sentence, and whether trying again may help."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, error: DuckError) -> ErrorView:
        """The view of `error`."""
        return cls(error.code, error.message, error.retryable)

    def error(self) -> DuckError:
        """The error again, of the class with that code."""
        known = next((each for each in tree() if each.code == self.code), DuckError)
        return known(self.message)


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message. `payload` is JSON, or any bytes when `binary`.

    `join_ref` says to which join of the topic it belongs, `ref` which request it is or answers.
    """

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: bytes = EMPTY
    binary: bool = False


def decode(frame: Frame) -> Message:
    """The message a client sent. Raises InvalidInput, also for what is nested too deeply."""
    if isinstance(frame, bytes):
        return _decode_binary(frame)
    try:
        join_ref, ref, topic, event, payload = _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"the frame is not [join_ref, ref, topic, event, payload]: {error}") from error
    return Message(join_ref, ref, topic, event, bytes(payload))


def encode(message: Message) -> Frame:
    """A message of the server: a push when it has a `join_ref`, a broadcast otherwise."""
    if message.binary:
        return _encode_binary(message)
    head = _encoder.encode((message.join_ref, message.ref, message.topic, message.event))
    return (b"%b,%b]" % (head[:-1], message.payload)).decode()


def encode_reply(to: Message, status: str, response: bytes, *, binary: bool = False) -> Frame:
    """The reply to a request; `status` is `ok` or `error`, `response` JSON, or any bytes when `binary`."""
    if binary:
        return _packed(_BINARY_REPLY, (to.join_ref or "", to.ref or "", to.topic, status), response)
    head = _encoder.encode((to.join_ref, to.ref, to.topic, REPLY))
    return (b'%b,{"status":"%b","response":%b}]' % (head[:-1], status.encode(), response)).decode()


def relayed(frame: Frame) -> bytes:
    """A broadcast as other nodes are told it: a letter for its kind, then its bytes."""
    return b"b" + frame if isinstance(frame, bytes) else b"t" + frame.encode()


@lru_cache(maxsize=1)  # each member of a topic asks for the same one
def broadcast_in(told: bytes, begin: int, topic: str) -> Frame | None:
    """The broadcast to `topic` that was relayed, from byte `begin` on; None for what is none, or is to another topic.

    Whoever asks for the same again at once is given the same frame.
    """
    kind, content = told[begin : begin + 1], told[begin + 1 :]
    if kind == b"b":
        head = bytes((_BROADCAST, len(topic.encode())))
        return content if content[:2] == head and content[3:].startswith(topic.encode()) else None
    try:
        text = content.decode()
        join_ref, ref, to, _, _ = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return text if kind == b"t" and (join_ref, ref, to) == (None, None, topic) else None


def to_payload(value: object) -> bytes:
    """A struct or builtins as the JSON of a payload; lone surrogates become U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_scrubbed(msgspec.to_builtins(value)))


def _scrubbed(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(each) for key, each in value.items()}
    return [_scrubbed(each) for each in value] if isinstance(value, (list, tuple)) else value


def _decode_binary(frame: bytes) -> Message:
    head = 5
    if len(frame) < head or frame[0] != _PUSH:
        raise InvalidInput("the binary frame is not a push: its first byte is 0, then four lengths follow")
    end = head + sum(frame[1:head])
    if end > len(frame):
        raise InvalidInput("the binary frame is shorter than the lengths at its beginning say")
    parts: list[str] = []
    at = head
    for length in frame[1:head]:
        try:
            parts.append(frame[at : at + length].decode())
        except UnicodeDecodeError as error:
            raise InvalidInput("the head of the binary frame is not valid UTF-8") from error
        at += length
    join_ref, ref, topic, event = parts
    return Message(join_ref or None, ref or None, topic, event, frame[end:], binary=True)


def _encode_binary(message: Message) -> bytes:
    if message.join_ref is None:
        return _packed(_BROADCAST, (message.topic, message.event), message.payload)
    return _packed(_PUSH, (message.join_ref, message.topic, message.event), message.payload)


def _packed(kind: int, parts: tuple[str, ...], payload: bytes) -> bytes:
    encoded = [part.encode() for part in parts]
    if any(len(part) > _PART_BYTES for part in encoded):
        raise InvalidInput(f"a topic, event or reference in a binary frame has at most {_PART_BYTES} bytes")
    return bytes([kind, *map(len, encoded)]) + b"".join(encoded) + payload
