"""What a message costs the server beside uvicorn's bare echo and python-socketio, in one run, each in a process alone.

- CPU per message: many clients echo through the server, and the server's own processor time is divided by the messages.
  Ours is a channel: it decodes the frame, looks up the topic, checks the right, parses the payload into its type,
  traces, counts against two token buckets, runs a task and replies.
- Fan-out: seconds from one member's broadcast until the last of 1,000 other sockets has it. Who reads them is a
  program beside the server that waits for all of them at once and only takes the bytes.
- Idle: resident memory per socket that has joined a topic and says nothing.

    python -m benchmarks.socket
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import select
import socket as network
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import psutil
from websockets.asyncio.client import ClientConnection, connect

MESSAGES = 20_000
CLIENTS = 20
WINDOW = 50
FANS = 1_000
IDLE = 5_000
GREETING = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBkdWNrcyEhIQ==\r\n\r\n"
)


class Text(msgspec.Struct, frozen=True):
    """A payload."""

    text: str


def serve_ours(port: int) -> None:
    """Our socket with a channel that echoes and broadcasts, with limits that this measurement does not reach."""
    import uvicorn  # noqa: PLC0415  # each server imports what it alone needs

    from rubber_duck.accounts.roles import Role  # noqa: PLC0415  # as above
    from rubber_duck.accounts.user import Credential, CredentialKind, Standing, User  # noqa: PLC0415  # as above
    from rubber_duck.channels.channel import Channel, Push, on  # noqa: PLC0415  # as above
    from rubber_duck.channels.socket import Socket, SocketLimits  # noqa: PLC0415  # as above
    from rubber_duck.cluster.cluster import Limit  # noqa: PLC0415  # as above
    from rubber_duck.cluster.local import LocalCluster  # noqa: PLC0415  # as above
    from rubber_duck.scope import Right  # noqa: PLC0415  # as above
    from rubber_duck.server.desk import Member  # noqa: PLC0415  # as above
    from rubber_duck.server.line import LINE, Line, Wiring  # noqa: PLC0415  # as above
    from rubber_duck.server.metrics import Metrics  # noqa: PLC0415  # as above
    from rubber_duck.server.websocket import Connection  # noqa: PLC0415  # as above
    from rubber_duck.storage.keys import new_key  # noqa: PLC0415  # as above
    from rubber_duck.telemetry.recorder import counting  # noqa: PLC0415  # as above

    class Room(Channel):
        """Echoes and shouts."""

        name = "room"
        right = Right.CATALOG_READ

        @on("echo", right=Right.CATALOG_READ, payload=Text)
        async def echo(self, payload: Text, push: Push) -> Text:
            """Say it back."""
            return payload

        @on("shout", right=Right.CATALOG_READ, payload=Text)
        async def shout(self, payload: Text, push: Push) -> None:
            """Tell all."""
            await self.seat.broadcast("said", payload)

    metrics, wiring = Metrics(), Wiring()
    cluster, free = LocalCluster(), Limit(rate=1e9, burst=1e9)
    limits = replace(SocketLimits(), messages=free, channel_messages=free, requests=10_000)
    user = User(new_key(), "ann", Role.PERSON, datetime.now(UTC))
    standing = Standing(user, Credential(CredentialKind.KEY, "k", None, None), frozenset({Right.CATALOG_READ}))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        member = Member(standing, "0" * 32)
        socket = Socket(member.scope(), {"room": Room}, cluster, limits=limits)
        socket.meter = metrics
        await Connection(scope["extensions"][LINE][LINE], member, socket, wiring).serve()

    with counting(metrics.add):
        uvicorn.run(app, port=port, lifespan="off", **(SERVED | {"ws": Line}))


def serve_bare(port: int) -> None:
    """Nothing but an echo."""
    import uvicorn  # noqa: PLC0415  # as above

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message.get("text")})

    uvicorn.run(app, port=port, lifespan="off", **SERVED)


def serve_socketio(port: int) -> None:
    """python-socketio with an event that is acknowledged."""
    import socketio  # noqa: PLC0415  # as above
    import uvicorn  # noqa: PLC0415  # as above

    server = socketio.AsyncServer(async_mode="asgi", allow_upgrades=False)

    async def echo(sid: str, payload: dict[str, str]) -> dict[str, str]:
        return payload

    server.on("echo", echo)
    uvicorn.run(socketio.ASGIApp(server), port=port, lifespan="off", **SERVED)


SERVED: dict[str, Any] = {
    "host": "127.0.0.1",
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
    "ws_ping_interval": None,
    "log_level": "error",
    "access_log": False,
}
SERVERS = {"ours": serve_ours, "bare": serve_bare, "socketio": serve_socketio}


@dataclass(frozen=True)
class Peer:
    """A server and how one speaks to it: what comes before the first message, a message, and its path."""

    name: str
    path: str
    greet: Callable[[ClientConnection], Awaitable[None]]
    message: Callable[[int], str]


async def _join(wire: ClientConnection) -> None:
    await wire.send(json.dumps(["1", "1", "room:a", "phx_join", {}]))
    await wire.recv()


async def _nothing(wire: ClientConnection) -> None:
    return


async def _connect(wire: ClientConnection) -> None:
    await wire.recv()
    await wire.send("40")
    await wire.recv()


def _ours(number: int) -> str:
    return f'["1","{number + 2}","room:a","echo",{{"text":"hello duck"}}]'


def _socketio(number: int) -> str:
    return f'42{number}["echo",{{"text":"hello duck"}}]'


PEERS = (
    Peer("ours", "/", _join, _ours),
    Peer("bare", "/", _nothing, _ours),
    Peer("socketio", "/socket.io/?EIO=4&transport=websocket", _connect, _socketio),
)


class Running:
    """A server in a process of its own."""

    def __init__(self, name: str) -> None:
        with network.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.socket", "--serve", name, "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=os.environ)
        self.usage = psutil.Process(self.process.pid)

    def __enter__(self) -> Running:
        for _ in range(600):
            with network.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def cpu_s(self) -> float:
        """Processor seconds so far."""
        times = self.usage.cpu_times()
        return float(times.user + times.system)


def _opened(port: int, path: str = "/") -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", compression=None, proxy=None, ping_interval=None)


async def echoed(peer: Peer, port: int) -> None:
    """Every client sends its share, a window at a time, and reads the answers."""

    async def one() -> None:
        async with _opened(port, peer.path) as wire:
            await peer.greet(wire)
            sent = 0
            while sent < MESSAGES // CLIENTS:
                for number in range(WINDOW):
                    await wire.send(peer.message(sent + number))
                for _ in range(WINDOW):
                    await wire.recv()
                sent += WINDOW

    await asyncio.gather(*(one() for _ in range(CLIENTS)))


@contextmanager
def joined(port: int, number: int) -> Iterator[list[network.socket]]:
    """So many sockets that have joined a topic, with nothing of a client behind them."""
    with ExitStack() as stack:
        wires = []
        for _ in range(number):
            wire = stack.enter_context(network.create_connection(("127.0.0.1", port)))
            wire.setsockopt(network.IPPROTO_TCP, network.TCP_NODELAY, 1)
            wire.sendall(GREETING)
            while b"\r\n\r\n" not in wire.recv(4096):
                continue
            wire.sendall(_framed(["1", "1", "room:a", "phx_join", {}]))
            assert b'"ok"' in wire.recv(4096)
            wires.append(wire)
        yield wires


def fanned(server: Running, number: int) -> tuple[float, float]:
    """Seconds of one broadcast to so many sockets, the median of nine, and of the server's processor time for each."""
    with joined(server.port, number + 1) as (sender, *wires), select.epoll() as arrived:
        for wire in wires:
            arrived.register(wire, select.EPOLLIN)
        by_number = {wire.fileno(): wire for wire in wires}
        took, before = [], server.cpu_s()
        for _ in range(9):
            missing = set(by_number)
            began = time.perf_counter()
            sender.sendall(_framed(["1", "9", "room:a", "shout", {"text": "x"}]))
            while missing:
                for each, _ in arrived.poll():
                    assert by_number[each].recv(4096).endswith(b'"said",{"text":"x"}]')
                    missing.remove(each)
            took.append(time.perf_counter() - began)
            time.sleep(0.1)
        return sorted(took)[4], (server.cpu_s() - before) / len(took)


def idle_bytes(server: Running, number: int) -> float:
    """Resident bytes per socket that has joined and says nothing."""
    before = server.usage.memory_info().rss
    with joined(server.port, number):
        return float(server.usage.memory_info().rss - before) / number


def _framed(message: list[Any]) -> bytes:
    """A short frame of a client, whose mask is of zeros."""
    content = json.dumps(message, separators=(",", ":")).encode()
    return bytes((0x81, 0x80 | len(content), 0, 0, 0, 0)) + content


def main() -> None:
    """Serve, as one of the measured processes, or measure all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=SERVERS)
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.serve:
        SERVERS[chosen.serve](chosen.port)
        return
    costs: dict[str, float] = {}
    for peer in PEERS:
        with Running(peer.name) as server:
            asyncio.run(echoed(peer, server.port))  # warm
            before = server.cpu_s()
            asyncio.run(echoed(peer, server.port))
            costs[peer.name] = (server.cpu_s() - before) / MESSAGES * 1e6
        print(f"{peer.name:<10} {costs[peer.name]:6.1f} µs of processor time a message", flush=True)
    bare = costs["bare"]
    print("ratio to the bare echo: " + ", ".join(f"{name} {cost / bare:.2f}" for name, cost in costs.items()))
    with Running("ours") as server:
        each = idle_bytes(server, IDLE) / 1000
        print(f"idle       {each:6.1f} kB a socket ({IDLE:,} of them)", flush=True)
    with Running("ours") as server:
        seconds, cpu_s = fanned(server, FANS)
        print(f"fan-out    {seconds * 1000:6.1f} ms to {FANS:,} sockets, read by one program beside it;")
        print(f"           {cpu_s * 1000:6.1f} ms of the server's processor time")


if __name__ == "__main__":
    main()
