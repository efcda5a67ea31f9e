"""Runs the server on an address of this machine until it is told to stop, and then ends within five seconds."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from rubber_duck.app import App
from rubber_duck.errors import InvalidInput, Unavailable
from rubber_duck.server.asgi import Server

STOP_S: Final = 4
"""Seconds that open requests have when the server stops."""

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_FRAME_BYTES: Final = 6_000_000


def check_address(host: str) -> None:
    """Raises InvalidInput for any address but this machine's own: there is no TLS yet."""
    if host not in LOOPBACK:
        raise InvalidInput(
            f"{host!r} can be reached from other machines, and this server has no TLS yet; "
            "serve 127.0.0.1, and let other machines in through ssh -L"
        )


async def run(app: App, host: str, port: int, *, on_ready: Callable[[], None]) -> None:
    """Serve until a signal ends it. Raises InvalidInput for an address, Unavailable for a port that is taken."""
    check_address(host)
    named = f"[{host}]" if ":" in host else host
    server = Server(app, frozenset({f"{name}:{port}" for name in (named, "localhost", "127.0.0.1", "[::1]")}))
    config = uvicorn.Config(
        server.asgi,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_max_size=_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
    running = _Running(config, server, on_ready)
    await running.serve()
    if not running.started:
        raise Unavailable(f"the port {port} of {host} is taken, or may not be used; choose another with --port")


class _Running(uvicorn.Server):
    """uvicorn, which tells when it is ready, and hangs up on open sockets before it waits for them."""

    def __init__(self, config: uvicorn.Config, server: Server, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._server = server
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM, once, and let the application close its parts after that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """As uvicorn's; a port that is taken does not end the process here."""  # Any: only uvicorn may name sockets
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True
            return
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """As uvicorn's, after every socket was told."""
        self._server.connections.end_all()
        await super().shutdown(sockets)
