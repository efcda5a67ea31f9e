"""Connections that are too many, that say nothing, or that do not come through the declared proxy."""

from __future__ import annotations

import asyncio
import socket as network
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rubber_duck.server.gate import Crowd, gate
from rubber_duck.server.line import Line
from rubber_duck.server.proxies import Proxied
from tests.unit.server.test_line import Quiet

HELLO = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def _greet(scope: Any, receive: Any, send: Any) -> None:  # Any: as ASGI has it
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            continue
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()[:2]})


@asynccontextmanager
async def served(app: Any, crowd: Crowd, *, headers_s: float = 30.0) -> AsyncIterator[int]:
    """The port of an application behind the gate."""
    with network.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            app, http=gate(crowd, Line, headers_s=headers_s), ws=Line, lifespan="off", log_config=None,
            proxy_headers=False,
        )  # fmt: skip
        server = Quiet(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def said(port: int, request: bytes = HELLO) -> tuple[bytes, asyncio.StreamWriter]:
    """The first line of the answer, and the open connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(20):
        return await reader.readline(), writer


@pytest.mark.parametrize(("crowd", "status"), [(Crowd(2, 0), b"503"), (Crowd(10, 2), b"429")])
async def test_one_too_many_is_told_so_and_comes_in_when_another_has_left(crowd: Crowd, status: bytes) -> None:
    async with served(_greet, crowd) as port:
        line, first = await said(port)
        assert b" 200 " in line
        async with connect(f"ws://127.0.0.1:{port}", proxy=None):
            refused, more = await said(port)
            assert refused.split()[1] == status
            more.close()
            assert len(crowd) == 2
        async with asyncio.timeout(20):
            while len(crowd) != 1:  # noqa: ASYNC110  # the socket is lost a moment later
                await asyncio.sleep(0)
        line, second = await said(port)
        assert b" 200 " in line
        first.close()
        second.close()
    assert len(crowd) == 0


async def test_who_does_not_say_what_they_want_is_hung_up_on() -> None:
    crowd = Crowd(10, 0)
    async with served(_greet, crowd, headers_s=0.05) as port:
        for begun in (b"", HELLO[:20], HELLO + HELLO[:20]):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            async with asyncio.timeout(20):
                try:
                    await reader.read()
                except ConnectionResetError:
                    continue
                finally:
                    writer.close()
    assert len(crowd) == 0


async def test_nobody_but_the_declared_proxy_is_answered_without_tls() -> None:
    forwarded = b"GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 77.1.2.3\r\n\r\n"
    async with served(Proxied(_greet, ("10.9.9.9",)), Crowd(10, 0)) as port:
        for request in (HELLO, forwarded):
            line, writer = await said(port, request)
            assert b" 403 " in line
            writer.close()
        line, writer = await said(port, b"GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b" 200 " in line, "whoever watches the machine comes from there"
        writer.close()
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}", proxy=None)
        assert refused.value.response.status_code == 403
        assert b"goes through its proxy" in (refused.value.response.body or b"")
    async with served(Proxied(_greet, ("127.0.0.0/8",)), Crowd(10, 0)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(forwarded)
        assert (await reader.readuntil(b"77")).startswith(b"HTTP/1.1 200")
        writer.close()
