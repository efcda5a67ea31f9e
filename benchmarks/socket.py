"""What a message costs the server beside uvicorn's bare echo and python-socketio, in one run, each in a process alone.

- CPU per message: many clients speak to the server, and the server's own processor time is divided by the messages.
  Ours is asked for its own topics over its own database: each client says where its cursor is in a project of its own,
  where others echo. The frame is decoded, the topic looked up, the right checked, the payload parsed into its type,
  traced, counted against five token buckets, told to the others in the project, and answered by a task.
- Fan-out: seconds from one member's broadcast until the last of 1,000 other sockets has it: that somebody types, in
  `chat:`. Who reads them is a program beside the server that waits for all of them at once and only takes the bytes.
- Idle: resident memory per socket that has joined `user:me`, where notices wait, and says nothing.

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
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect

from rubber_duck.scope import Actor

MESSAGES = 20_000
CLIENTS = 20
WINDOW = 50
FANS = 1_000
IDLE = 5_000
GREETING = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBkdWNrcyEhIQ==\r\n\r\n"
)


def serve_ours(port: int) -> None:
    """Our server's own topics over its own database, with limits that this measurement does not reach.

    Ann owns as many projects as there are clients, and a conversation in the first; `Told` says where they are.
    """
    import uvicorn  # noqa: PLC0415  # each server imports what it alone needs

    from rubber_duck.app import App, open_app  # noqa: PLC0415  # as above
    from rubber_duck.channels.socket import Socket, SocketLimits  # noqa: PLC0415  # as above
    from rubber_duck.cluster.cluster import Limit  # noqa: PLC0415  # as above
    from rubber_duck.server.asgi import Server  # noqa: PLC0415  # as above
    from rubber_duck.server.desk import Member  # noqa: PLC0415  # as above
    from rubber_duck.server.doors import doors  # noqa: PLC0415  # as above
    from rubber_duck.server.guard import Names  # noqa: PLC0415  # as above
    from rubber_duck.server.line import LINE, Line, Wiring  # noqa: PLC0415  # as above
    from rubber_duck.server.websocket import Connection  # noqa: PLC0415  # as above
    from rubber_duck.settings import load  # noqa: PLC0415  # as above

    wiring, free = Wiring(), Limit(rate=1e9, burst=1e9)
    limits = replace(SocketLimits(), messages=free, channel_messages=free, requests=10_000)

    async def serve(application: App, home: Path) -> None:
        server = Server(application, Names.of(frozenset(), is_secure=False))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "websocket":
                await server.asgi(scope, receive, send)
                return
            await receive()
            await send({"type": "websocket.accept"})
            desk = server.desk
            member = Member(await desk.accounts.standing(key), "0" * 32, "127.0.0.1")
            socket = Socket(member.scope(), dict(doors(desk, member)), desk.cluster, limits=limits)
            socket.meter = desk.metrics
            connection = Connection(scope["extensions"][LINE][LINE], member, socket, wiring)
            with server.connections.held(connection):
                await connection.serve()

        key = await _furnish(application, home)
        await uvicorn.Server(uvicorn.Config(app, port=port, **(SERVED | {"ws": Line, "lifespan": "on"}))).serve()

    async def run() -> None:
        with tempfile.TemporaryDirectory() as name:
            variables = {
                "DUCK_HOME": name,
                "DUCK_SERVER_RATE_FACTOR": "100000",
                "DUCK_WORKFLOWS_IN_SERVER": "false",
                "DUCK_LOG_LEVEL": "error",
            }
            async with open_app(load(os.environ | variables)) as application:
                await serve(application, Path(name))

    asyncio.run(run())


async def _furnish(application: Any, home: Path) -> str:  # Any: the application, which only one of the servers imports
    """Ann's key. Her projects and her conversation are told on standard output."""
    from rubber_duck.accounts.roles import Role  # noqa: PLC0415  # as above
    from rubber_duck.conversations.conversation import Speaker, Turn  # noqa: PLC0415  # as above
    from rubber_duck.scope import Scope  # noqa: PLC0415  # as above
    from rubber_duck.server.asgi import coming_in  # noqa: PLC0415  # as above

    accounts, _ = coming_in(application)
    scope, parts = Scope.local(), application.parts
    ann = await accounts.add_user(scope, "ann", Role.PERSON)
    projects = []
    for number in range(CLIENTS):
        (home / f"p{number}").mkdir()
        projects.append((await parts.workspace.add_project(scope, str(home / f"p{number}"))).id)
        await accounts.set_role(scope, projects[-1], "ann", Role.OWNER)
    hers = replace(scope, actor=Actor(str(ann.id), "ann"), project=projects[0]).on_installation()
    now = datetime.now(UTC)
    question, answer = Turn(0, Speaker.PERSON, "hello", (), "", now), Turn(0, Speaker.MODEL, "hello", (), "m", now)
    talk = await parts.conversations.said(hers, None, question, answer)
    print(json.dumps({"projects": list(map(str, projects)), "talk": str(talk.id)}), flush=True)
    key: str = (await accounts.add_key(scope, "ann")).text
    return key


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
    greet: Callable[[ClientConnection, str], Awaitable[None]]
    message: Callable[[int, str], str]


async def _join(wire: ClientConnection, topic: str) -> None:
    await wire.send(json.dumps(["1", "1", topic, "phx_join", {}]))
    while "presence_state" not in str(await wire.recv()):
        continue


async def _nothing(wire: ClientConnection, topic: str) -> None:
    return


async def _connect(wire: ClientConnection, topic: str) -> None:
    await wire.recv()
    await wire.send("40")
    await wire.recv()


def _ours(number: int, topic: str) -> str:
    return f'["1","{number + 2}","{topic}","cursor",{{"path":"a.py","line":{number + 1},"column":7}}]'


def _socketio(number: int, topic: str) -> str:
    return f'42{number}["echo",{{"path":"a.py","line":{number + 1},"column":7}}]'


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
        self.process = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline()) if name == "ours" else {}
        self.topics = [f"code:{each}" for each in told.get("projects", [""] * CLIENTS)]
        self.talk = f"chat:{told.get('talk', '')}"
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
        assert self.process.stdout is not None
        self.process.stdout.close()

    def cpu_s(self) -> float:
        """Processor seconds so far."""
        times = self.usage.cpu_times()
        return float(times.user + times.system)


def _opened(port: int, path: str = "/") -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", compression=None, proxy=None, ping_interval=None)


async def echoed(peer: Peer, server: Running) -> None:
    """Every client sends its share, a window at a time, and reads the answers."""

    async def one(topic: str) -> None:
        async with _opened(server.port, peer.path) as wire:
            await peer.greet(wire, topic)
            sent = 0
            while sent < MESSAGES // CLIENTS:
                for number in range(WINDOW):
                    await wire.send(peer.message(sent + number, topic))
                for _ in range(WINDOW):
                    await wire.recv()
                sent += WINDOW

    await asyncio.gather(*map(one, server.topics))


@contextmanager
def joined(port: int, number: int, topic: str) -> Iterator[list[network.socket]]:
    """So many sockets that have joined a topic, with nothing of a client behind them."""
    with ExitStack() as stack:
        wires = []
        for _ in range(number):
            wire = stack.enter_context(network.create_connection(("127.0.0.1", port)))
            wire.setsockopt(network.IPPROTO_TCP, network.TCP_NODELAY, 1)
            wire.sendall(GREETING)
            while b"\r\n\r\n" not in wire.recv(4096):
                continue
            wire.sendall(_framed(["1", "1", topic, "phx_join", {}]))
            assert b'"ok"' in wire.recv(4096)
            wires.append(wire)
        yield wires


def fanned(server: Running, number: int) -> tuple[float, float]:
    """Seconds of one broadcast to so many sockets, the median of nine, and of the server's processor time for each."""
    with joined(server.port, number + 1, server.talk) as (sender, *wires), select.epoll() as arrived:
        for wire in wires:
            arrived.register(wire, select.EPOLLIN)
        by_number = {wire.fileno(): wire for wire in wires}
        took, before = [], server.cpu_s()
        for _ in range(9):
            missing = set(by_number)
            began = time.perf_counter()
            sender.sendall(_framed(["1", "9", server.talk, "typing", {"typing": True}]))
            while missing:
                for each, _ in arrived.poll():
                    assert by_number[each].recv(4096).endswith(b'"name":"ann","typing":true}]')
                    missing.remove(each)
            took.append(time.perf_counter() - began)
            time.sleep(0.1)
        return sorted(took)[4], (server.cpu_s() - before) / len(took)


def idle_bytes(server: Running, number: int) -> float:
    """Resident bytes per socket that has joined and says nothing."""
    before = server.usage.memory_info().rss
    with joined(server.port, number, "user:me"):
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
            asyncio.run(echoed(peer, server))  # warm
            before = server.cpu_s()
            asyncio.run(echoed(peer, server))
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
