"""The tests' own guard: no test leaves this machine, whichever way it tries."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

FOREIGN = "192.0.2.1"  # TEST-NET-1, RFC 5737: belongs to nobody


def _connect(kind: socket.SocketKind, family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family, kind) as each:
        each.settimeout(0.01)
        each.connect((host, 9))


WAYS: dict[str, Callable[[], object]] = {
    "tcp": lambda: _connect(socket.SOCK_STREAM, socket.AF_INET, FOREIGN),
    "udp": lambda: _connect(socket.SOCK_DGRAM, socket.AF_INET, FOREIGN),
    "ipv6": lambda: _connect(socket.SOCK_STREAM, socket.AF_INET6, "2001:db8::1"),
    "create_connection": lambda: socket.create_connection((FOREIGN, 9), timeout=0.01),
    "resolver": lambda: socket.getaddrinfo("rubber-duck.invalid", 9),
    "old resolver": lambda: socket.gethostbyname("rubber-duck.invalid"),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_test_reaches_another_machine(way: str) -> None:
    with pytest.raises(ConnectionRefusedError, match="only loopback is allowed"):
        WAYS[way]()


def test_no_test_sends_a_datagram_to_another_machine() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as each,
        pytest.raises(ConnectionRefusedError, match="only loopback is allowed"),
    ):
        each.sendto(b"x", (FOREIGN, 9))


async def test_no_test_reaches_another_machine_through_the_event_loop() -> None:
    with pytest.raises(ConnectionRefusedError, match="only loopback is allowed"):
        await asyncio.open_connection(FOREIGN, 9)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost"])
async def test_this_machine_can_be_reached(host: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"here")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1" if host == "localhost" else host, 0)
    async with server:
        reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
        said = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert said == b"here"
