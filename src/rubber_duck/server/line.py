"""One WebSocket below uvicorn: frames go straight from the connection to whom they are for, and straight back.

By ASGI alone each frame costs two queues, two tasks that are woken and, to a thousand sockets, being written out a
thousand times.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rubber_duck.channels.message import Frame

LINE: Final = "rubber_duck.line"
"""The extension of the ASGI scope in which an application finds the line."""

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_SHORT: Final = 126
_MIDDLE: Final = 65_536

Hear = Callable[[Frame], None]
"""Is given each frame that comes; must not raise."""


class Line(WebSocketsSansIOProtocol):
    """uvicorn's own WebSocket, until it is carried."""

    _hear: Hear | None = None
    _flow: Callable[[], None] | None = None
    lost: Callable[[], None] | None = None
    """Called when the connection is lost."""

    def handle_connect(self, event: object) -> None:
        """As uvicorn's; the application finds this line in the scope."""
        super().handle_connect(event)  # type: ignore[arg-type]  # its type is of a library that is not named here
        scope = getattr(self, "scope", None)  # there is none for a request that is refused
        if scope is not None:
            scope["extensions"][LINE] = {LINE: self}

    def carry(self, hear: Hear, flow: Callable[[], None], first: Frame | None = None) -> None:
        """Give `hear` each frame from now on, and call `flow` when `write` takes again.

        Those that came already are given before, and before them the `first`, which was received. The end still comes
        by `receive`.
        """
        waiting = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        self._hear, self._flow = hear, flow
        if first is not None:
            hear(first)
        for message in waiting:
            if message["type"] == "websocket.receive":
                text = message.get("text")
                hear((message.get("bytes") or b"") if text is None else text)
            else:
                self.queue.put_nowait(message)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def carry_no_more(self) -> None:
        """What still comes is dropped."""
        self._hear, self._flow = _drop, None

    def write(self, wired: bytes) -> bool:
        """Send bytes of whole frames now; False when too much is on its way. Without anybody at the end, nothing."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return True
        if not self.writable.is_set():
            return False
        self.transport.write(wired)
        return True

    def interrupt(self) -> None:
        """Let `receive` tell the end."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def hang_up(self, code: int) -> None:
        """Close it with this code. One who does not read, or does not answer that, is not waited for."""
        if not self.writable.is_set():
            self.transport.abort()
            return
        try:
            await self.send({"type": "websocket.close", "code": code})
        except (RuntimeError, OSError):
            return  # it is closed already
        if self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn's, and told."""
        super().connection_lost(exc)
        if self.lost is not None:
            self.lost()

    def resume_writing(self) -> None:
        """As uvicorn's."""
        super().resume_writing()
        if self._flow is not None:
            self._flow()

    def send_receive_event_to_app(self) -> None:
        """As uvicorn's, without its queue once the line is carried."""
        if self._hear is None or self.close_sent:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        if self.curr_msg_data_type == "bytes":
            self.frames = []
            self._hear(bytes(data))
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            super().send_receive_event_to_app()  # which says so, and ends it
            return
        self.frames = []
        self._hear(text)


class Wiring:
    """Frames as they travel (RFC 6455, 5.2). A broadcast is the same frame again and again, and is written out once."""

    def __init__(self) -> None:
        self._frame: Frame = ""
        self._wired = wired("")

    def __call__(self, frame: Frame) -> bytes:
        """The bytes of a whole frame."""
        if frame is not self._frame:
            self._frame, self._wired = frame, wired(frame)
        return self._wired


def wired(frame: Frame) -> bytes:
    """The bytes of an unmasked, unfragmented frame."""
    kind, content = (_TEXT, frame.encode()) if isinstance(frame, str) else (_BINARY, frame)
    size = len(content)
    if size < _SHORT:
        return bytes((kind, size)) + content
    if size < _MIDDLE:
        return struct.pack("!BBH", kind, 126, size) + content
    return struct.pack("!BBQ", kind, 127, size) + content


def _drop(_: Frame) -> None:
    """Nobody hears it."""
