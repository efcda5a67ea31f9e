"""Reads server-sent events from bytes as they come: the lines of `data:`, whole, in order, within limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from rubber_duck.errors import BadAnswer

EVENT_BYTES: Final = 4_000_000
"""A longer event is refused."""


async def events(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The data of each event, as bytes; comments, names and empty events are passed over.

    An event that its end cuts off is passed over too: whoever reads knows what has to come last. Raises BadAnswer for
    an event over EVENT_BYTES. Source: the HTML Living Standard, 9.2.6; here the last line of an answer counts also when
    its blank line is missing, as some servers leave it out.
    """
    rest = b""
    data: list[bytes] = []
    async with aclosing(chunks):
        async for chunk in chunks:
            if not rest and not data and _is_one(chunk):
                yield chunk[6:-2]
                continue
            joined = rest + chunk if rest else chunk
            if b"\r" in joined:
                held = joined.endswith(b"\r")
                joined = joined.replace(b"\r\n", b"\n")
                if held:
                    joined = joined[:-1]
                joined = joined.replace(b"\r", b"\n") + (b"\r" if held else b"")
            *lines, rest = joined.split(b"\n")
            if len(rest) > EVENT_BYTES or sum(map(len, data)) > EVENT_BYTES:
                raise BadAnswer(f"an event of the answer is larger than {EVENT_BYTES:,} bytes")
            for line in lines:
                if line.startswith(b"data:"):
                    data.append(line[6:] if line[5:6] == b" " else line[5:])
                elif not line and data:
                    yield data[0] if len(data) == 1 else b"\n".join(data)
                    data = []
    last = rest.rstrip(b"\r")
    if last.startswith(b"data:"):
        data.append(last[5:].lstrip(b" "))
    if data:
        yield b"\n".join(data)


def _is_one(chunk: bytes) -> bool:
    """Whether a chunk is one event of one line and nothing else, as most are: it needs no taking apart."""
    return (
        chunk.startswith(b"data: ")
        and chunk.endswith(b"\n\n")
        and chunk.count(b"\n") == 2
        and b"\r" not in chunk
        and len(chunk) <= EVENT_BYTES
    )
