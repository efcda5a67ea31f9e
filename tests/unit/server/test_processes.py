"""Processes of one server that end, hang or fail are followed by others."""

from __future__ import annotations

import asyncio
import socket as network
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from rubber_duck.backoff import Backoff
from rubber_duck.errors import Unavailable
from rubber_duck.server.processes import READY, Patience, Processes
from rubber_duck.server.running import Place

CHILD = f"""
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as told:
    asked = told.recv(10)
    if asked == b"fail":
        sys.exit(3)
    if asked == b"serve":
        print("hello", "{READY}", sep="\\n", flush=True)
    told.recv(10)
"""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Nursery:
    """Where each process asks what it shall do."""

    port: int
    born: asyncio.Queue[Ends] = field(default_factory=asyncio.Queue)
    said: list[str] = field(default_factory=list)
    open: list[asyncio.StreamWriter] = field(default_factory=list)

    def processes(self, patience: Patience) -> Processes:
        """A server of one process."""
        command = [sys.executable, "-S", "-c", CHILD, str(self.port)]
        return Processes(lambda number: [*command, str(number)], 1, self.said.append, patience=patience)

    async def next(self, asked: bytes) -> Ends:
        """The next process, which is told what to do."""
        async with asyncio.timeout(60):
            reader, writer = await self.born.get()
        self.open.append(writer)
        writer.write(asked)
        await writer.drain()
        return reader, writer


@asynccontextmanager
async def nursery_open() -> AsyncIterator[Nursery]:
    """One that is open."""
    born: asyncio.Queue[Ends] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: born.put_nowait(ends), "127.0.0.1", 0)
    async with server:
        nursery = Nursery(server.sockets[0].getsockname()[1], born)
        yield nursery
        for writer in nursery.open:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


def place() -> Place:
    """A port that nobody has."""
    with network.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Place("127.0.0.1", probe.getsockname()[1])


async def test_one_that_ends_fails_or_hangs_is_followed_by_another() -> None:
    patience = Patience(start_s=3.0, backoff=Backoff(first_s=0.01, cap_s=0.02))
    async with nursery_open() as born:
        keeping = asyncio.create_task(born.processes(patience).keep(place()))
        (_, first) = await born.next(b"serve")
        first.close()
        (reader, _) = await born.next(b"fail")
        assert await reader.read() == b""
        (reader, _) = await born.next(b"hang")
        async with asyncio.timeout(60):
            assert await reader.read() == b""  # it was ended
        await born.next(b"serve")
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert born.said == ["hello"]


@pytest.mark.parametrize("asked", [b"fail", b"hang"])
async def test_a_server_that_does_not_begin_is_told(asked: bytes) -> None:
    async with nursery_open() as born:
        keeping = asyncio.create_task(born.processes(Patience(start_s=2.0)).keep(place()))
        await born.next(asked)
        with pytest.raises(Unavailable, match="did not begin to serve"):
            await keeping
