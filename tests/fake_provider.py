"""A provider's server on this machine that speaks both wires, and breaks them in every way that a test asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Send = Callable[[bytes], Awaitable[None]]
Answer = Callable[["Asked", Send], Awaitable[None]]
"""Writes the raw bytes of an answer, head and all; when it returns the connection is closed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    closed: asyncio.Event

    @property
    def json(self) -> Any:  # Any: what a client sent
        return json.loads(self.body)


@dataclass(slots=True)
class FakeProvider:
    """What was asked, and how the next requests are answered: by `answers` in turn, then by the last one again."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    port: int = 0
    closed_early: int = 0
    is_over: bool = False
    _serving: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, asyncio.Event]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one answer."""
        closed = asyncio.Event()
        watch: asyncio.Task[None] | None = None
        mine = asyncio.current_task()
        assert mine is not None
        self._serving[mine] = (writer, closed)
        try:
            asked = await self._read(reader, closed)
            watch = asyncio.create_task(self._watch(reader, closed))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

            async def send(content: bytes) -> None:
                writer.write(content)
                await writer.drain()

            telling = asyncio.ensure_future(answer(asked, send))
            gone = asyncio.create_task(closed.wait())
            await asyncio.wait({telling, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():
                self.closed_early += not self.is_over
                telling.cancel()
            gone.cancel()
            await asyncio.gather(telling, gone, return_exceptions=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone, which is what some tests do
        finally:
            if watch is not None:
                watch.cancel()
            writer.close()
            del self._serving[mine]

    async def end(self) -> None:
        """Hang up on all who are still connected, and wait until nobody is served any more."""
        self.is_over = True
        for writer, closed in self._serving.values():
            closed.set()
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)

    async def _read(self, reader: asyncio.StreamReader, closed: asyncio.Event) -> Asked:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.raw += head + body
        method, path, _ = first.split(" ")
        asked = Asked(method, path, headers, body, closed)
        self.asked.append(asked)
        return asked

    async def _watch(self, reader: asyncio.StreamReader, closed: asyncio.Event) -> None:
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        closed.set()


@asynccontextmanager
async def fake_provider(*answers: Answer) -> AsyncIterator[FakeProvider]:
    """A server on a free port of loopback until the block ends."""
    fake = FakeProvider(list(answers))
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0, limit=2**24)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        await fake.end()


def head(status: int = 200, kind: str = "text/event-stream", **headers: str) -> bytes:
    """The head of an answer that ends with its connection."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def sending(*parts: bytes) -> Answer:
    """An answer of these bytes, sent one after the other."""

    async def answer(asked: Asked, send: Send) -> None:
        for part in parts:
            await send(part)

    return answer


def saying(value: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    return sending(head(status, "application/json", **headers) + json.dumps(value).encode())


def event(value: object, name: str = "") -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def openai_events(
    texts: Sequence[str],
    *,
    calls: Sequence[tuple[str, str, str]] = (),
    reason: str = "stop",
    usage: tuple[int, int] = (7, 3),
) -> list[bytes]:
    """The events of a chat completion: its texts, its calls (id, name, arguments), usage, the end."""

    def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [choice]})

    parts = [chunk({"role": "assistant", "content": ""})]
    parts += [chunk({"content": text}) for text in texts]
    for index, (id_, name, arguments) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        parts.append(chunk({"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]}))
        for at in range(0, len(arguments), 7):
            piece = {"index": index, "function": {"arguments": arguments[at : at + 7]}}
            parts.append(chunk({"tool_calls": [piece]}))
    parts.append(chunk({}, "tool_calls" if calls else reason))
    count = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    parts.append(
        event(
            {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [], "usage": count}
        )
    )
    return [*parts, b"data: [DONE]\n\n"]


def anthropic_events(
    texts: Sequence[str],
    *,
    calls: Sequence[tuple[str, str, str]] = (),
    reason: str = "end_turn",
    usage: tuple[int, int] = (7, 3),
) -> list[bytes]:
    """The events of a message: its texts, its calls (id, name, arguments), usage, the end."""

    def one(kind: str, **fields: object) -> bytes:
        return event({"type": kind, **fields}, kind)

    message: dict[str, object] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "m-1",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": usage[0], "output_tokens": 1},
    }
    parts = [one("message_start", message=message)]
    index = 0
    if texts:
        parts.append(one("content_block_start", index=0, content_block={"type": "text", "text": ""}))
        parts.append(event({"type": "ping"}, "ping"))
        parts += [one("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts]
        parts.append(one("content_block_stop", index=0))
        index = 1
    for at, (id_, name, arguments) in enumerate(calls, index):
        block = {"type": "tool_use", "id": id_, "name": name, "input": {}}
        parts.append(one("content_block_start", index=at, content_block=block))
        for start in range(0, len(arguments), 7):
            delta = {"type": "input_json_delta", "partial_json": arguments[start : start + 7]}
            parts.append(one("content_block_delta", index=at, delta=delta))
        parts.append(one("content_block_stop", index=at))
    stop = {"stop_reason": "tool_use" if calls else reason, "stop_sequence": None}
    parts.append(one("message_delta", delta=stop, usage={"output_tokens": usage[1]}))
    return [*parts, one("message_stop")]
