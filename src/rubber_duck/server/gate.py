"""Counts connections, of all and of each address, and hangs up on those that are too many or say nothing."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rubber_duck import telemetry
from rubber_duck.server.limits import network_of

HEADERS_S: Final = 30.0
"""A client that has not said in so many seconds what it wants says nothing."""

_FILES_BESIDE: Final = 1_000
"""Files that a server has open beside its connections, at most."""


class Crowd:
    """The connections of one process: at most `most` of all, and `per_address` of one network, 0 for any number."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._by_network: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._by_network.total()

    def enter(self, address: str) -> Callable[[], None] | bytes:
        """What is called when it leaves, or else what it is answered."""
        network = network_of(address)
        if len(self) >= self._most:
            return _refusal(503, "unavailable", "this server has as many connections as it takes; try again later")
        if self._per_address and self._by_network[network] >= self._per_address:
            return _refusal(429, "rate_limited", f"your address has {self._per_address} connections; close one")
        self._by_network[network] += 1

        def leave() -> None:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]

        return leave


class Gate(HttpToolsProtocol):
    """One connection of a crowd; one that becomes a socket is the crowd's until its line is lost."""

    crowd: ClassVar[Crowd]
    line: ClassVar[type[Any]]  # Any: its type names a library that is not named here
    headers_s: ClassVar[float]

    _leave: Callable[[], None] | None = None
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Let it in, or say why not."""
        super().connection_made(transport)
        entered = self.crowd.enter(self.client[0] if self.client else "")
        if isinstance(entered, bytes):
            telemetry.count("http.turned_away")
            transport.write(entered)
            transport.close()
            return
        self._leave = entered
        self._wait()

    def on_message_begin(self) -> None:
        """It begins to say what it wants."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """It has said so."""
        self._wait_no_more()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Listen to it, unless it was turned away."""
        if self._leave is not None:  # one that was turned away is not listened to
            super().data_received(data)

    def handle_websocket_upgrade(self) -> None:
        """It becomes a socket."""
        leave, self._leave = self._leave, None
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, self.line)
        protocol.lost = leave

    def connection_lost(self, exc: Exception | None) -> None:
        """It leaves."""
        self._wait_no_more()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._wait_no_more()
        self._patience = self.loop.call_later(self.headers_s, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def gate(crowd: Crowd, line: type[Any], *, headers_s: float = HEADERS_S) -> type[Gate]:  # Any: as above
    """uvicorn's HTTP for a crowd, whose sockets are carried by `line`."""
    return type("Gate", (Gate,), {"crowd": crowd, "line": line, "headers_s": headers_s})


def make_room(connections: int) -> None:
    """Let this process have as many files open as it takes, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _refusal(status: int, code: str, detail: str) -> bytes:
    body = msgspec.json.encode(
        {"type": "about:blank", "title": code.replace("_", " "), "status": status, "detail": detail, "code": code,
         "retryable": True}
    )  # fmt: skip
    head = (
        f"HTTP/1.1 {status} {'Too Many Requests' if status == 429 else 'Service Unavailable'}\r\n"
        f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\nretry-after: 5\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
