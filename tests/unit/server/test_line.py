"""A line carries frames between a real connection and whoever takes them."""

from __future__ import annotations

import asyncio
import socket as network
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rubber_duck.channels.message import Frame
from rubber_duck.server.line import LINE, Line, Wiring, wired

Use = Callable[[Line], Awaitable[None]]


class Quiet(uvicorn.Server):
    """uvicorn, which leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


@asynccontextmanager
async def client_of(use: Use) -> AsyncIterator[ClientConnection]:
    """A client of a server that lets `use` have each line."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # Any: as ASGI has it
        await receive()
        await send({"type": "websocket.accept"})
        await use(scope["extensions"][LINE][LINE])

    with network.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, ws=Line, ws_per_message_deflate=False, lifespan="off", log_config=None)
        server = Quiet(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
        try:
            async with connect(url, compression=None, proxy=None, close_timeout=1) as wire:
                yield wire
        finally:
            server.should_exit = True
            await serving


async def until_the_end(line: Line) -> None:
    """Wait for the client to go."""
    while (await line.receive())["type"] != "websocket.disconnect":
        continue


async def read_on(wire: ClientConnection) -> None:
    """Read until it is closed, which raises ConnectionClosed."""
    while True:
        await wire.recv()


async def echoing(line: Line) -> None:
    """Say each frame back."""

    def echo(frame: Frame) -> None:
        assert line.write(wired(frame))

    line.carry(echo, lambda: None)
    await until_the_end(line)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_of_any_size_is_written_as_the_protocol_has_it(size: int) -> None:
    from websockets.frames import Frame as Known  # noqa: PLC0415  # the peer that says how
    from websockets.frames import Opcode  # noqa: PLC0415  # as above

    assert wired("x" * size) == Known(Opcode.TEXT, b"x" * size).serialize(mask=False)
    assert wired(b"x" * size) == Known(Opcode.BINARY, b"x" * size).serialize(mask=False)


def test_a_frame_that_is_given_again_is_written_out_once() -> None:
    wiring, frame = Wiring(), "x" * 10
    first = wiring(frame)
    assert wiring(frame) is first
    assert wiring("y") == wired("y")
    assert wiring(frame) == first


async def test_frames_go_both_ways_whole_and_in_order() -> None:
    sent: list[Frame] = ["", "a", "ü" * 200, "x" * 70_000, b"", b"\x00\xff" * 400]
    async with client_of(echoing) as wire:
        for frame in sent:
            await wire.send(frame)
        await wire.send(["in ", "three ", "pieces"])
        assert [await wire.recv() for _ in range(len(sent) + 1)] == [*sent, "in three pieces"]


async def test_what_came_before_the_line_was_carried_comes_first() -> None:
    go = asyncio.Event()

    async def late(line: Line) -> None:
        await go.wait()
        await echoing(line)

    async with client_of(late) as wire:
        await wire.send("1")
        await wire.send("2")
        await (await wire.ping())  # both are there
        go.set()
        await wire.send("3")
        assert [await wire.recv() for _ in range(3)] == ["1", "2", "3"]


async def test_text_that_is_no_text_ends_the_connection() -> None:
    async with client_of(echoing) as wire:
        await wire.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as ended:
            await wire.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1007


async def test_a_slow_reader_is_waited_for_and_loses_nothing() -> None:
    pieces = [f"{number} " + "x" * 50_000 for number in range(400)]
    left = list(pieces)
    waited = asyncio.Event()

    async def pouring(line: Line) -> None:
        def pour() -> None:
            while left and line.write(wired(left[0])):
                del left[0]
            if left:
                waited.set()

        line.carry(lambda _: None, pour)
        pour()
        await until_the_end(line)

    async with client_of(pouring) as wire:
        await waited.wait()
        assert left
        assert [await wire.recv() for _ in pieces] == pieces


async def test_one_who_reads_nothing_is_hung_up_on() -> None:
    gone = asyncio.Event()

    async def pouring(line: Line) -> None:
        line.carry(lambda _: None, lambda: None)
        while line.write(wired("x" * 100_000)):
            continue
        line.carry_no_more()
        await line.hang_up(1013)
        gone.set()

    async with client_of(pouring) as wire:
        wire.transport.pause_reading()
        await gone.wait()
        wire.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            await read_on(wire)


async def test_one_who_does_not_answer_a_close_is_not_waited_for() -> None:
    ended = asyncio.Event()

    async def closing(line: Line) -> None:
        line.close_timeout = 0.05
        line.carry(lambda _: None, lambda: None)
        await line.hang_up(4401)
        line.queue.get_nowait()  # the end that uvicorn tells of at once
        await until_the_end(line)
        ended.set()

    async with client_of(closing) as wire:
        wire.transport.pause_reading()
        await ended.wait()
