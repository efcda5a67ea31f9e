"""Runs the server on an address of this machine until it is told to stop, and then ends within five seconds."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import uvicorn
from uvicorn.config import SSL_PROTOCOL_VERSION, create_ssl_context

from rubber_duck.app import App
from rubber_duck.errors import InvalidInput
from rubber_duck.server.asgi import Server
from rubber_duck.server.gate import Crowd, gate, make_room
from rubber_duck.server.guard import Names
from rubber_duck.server.line import Line
from rubber_duck.server.port import bound, taken
from rubber_duck.server.proxies import Proxied
from rubber_duck.server.siblings import Sibling
from rubber_duck.settings.tree import ServerSettings
from rubber_duck.workspace.copied import check_folder_of_copies

STOP_S: Final = 4
"""Seconds that open requests have when the server stops."""

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_FRAME_BYTES: Final = 6_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is: an address and a port, and how it is reached from other machines, if it is."""

    host: str
    port: int
    server: ServerSettings = field(default_factory=ServerSettings)

    @property
    def has_tls(self) -> bool:
        """Whether it speaks TLS itself."""
        return bool(self.server.certificate)

    @property
    def url(self) -> str:
        """Its address as people write it: by its first name where it has one and TLS, which is of that name."""
        names, proxies = self.server.names, self.server.proxies
        if not names or not (self.has_tls or proxies):
            return self.here
        is_whole = not self.has_tls or ":" in names[0]  # a proxy's port is its own; a name may say it
        return f"https://{names[0]}" if is_whole else f"https://{names[0]}:{self.port}"

    @property
    def here(self) -> str:
        """Where it listens."""
        named = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.has_tls else 'http'}://{named}:{self.port}"

    def hosts(self) -> frozenset[str]:
        """Every `Host` that it answers to."""
        named = f"[{self.host}]" if ":" in self.host else self.host
        own = {f"{name}:{self.port}" for name in (named, "localhost", "127.0.0.1", "[::1]")}
        return frozenset(own | {name for each in self.server.names for name in (each, f"{each}:{self.port}")})

    def check(self) -> None:
        """Raises InvalidInput for another address than this machine's own, unless it has TLS or a declared proxy."""
        settings = self.server
        if bool(settings.certificate) != bool(settings.private_key):
            raise InvalidInput("server.certificate and server.private_key belong together: set both")
        for path in filter(None, (settings.certificate, settings.private_key)):
            if not os.path.isfile(path):
                raise InvalidInput(f"there is no file {path!r}, which is named in server.certificate or private_key")
        if settings.certificate:
            _check_pair(settings.certificate, settings.private_key)
        if self.host not in LOOPBACK and not self.has_tls and not settings.proxies:
            raise InvalidInput(
                f"{self.host!r} can be reached from other machines, and what is said could be read on the way: set "
                "server.certificate and server.private_key, or say in server.proxies which proxy has TLS"
            )
        if self.host not in LOOPBACK and not settings.names:
            raise InvalidInput("say in server.names by which name it is called, e.g. duck.example")


def _check_pair(certificate: str, private_key: str) -> None:
    try:
        create_ssl_context(certificate, private_key, "is not encrypted", SSL_PROTOCOL_VERSION, 0, None, None)
    except OSError as error:  # ssl's own is one
        raise InvalidInput(
            f"{certificate!r} and {private_key!r} are no certificate with its private key, which is not encrypted, in "
            f"PEM: {error.strerror or error}"
        ) from error


async def run(
    app: App, place: Place, *, on_ready: Callable[[Server], Awaitable[None]], sibling: Sibling | None = None
) -> None:
    """Serve until a signal ends it, on a port that a `sibling` shares with the other processes of the same server.

    Raises InvalidInput for an address, InvalidSettings, Unavailable for a port that is taken.
    """
    place.check()
    bound(place.host, place.port, shared=sibling is not None).close()
    check_folder_of_copies(app.settings)
    settings = place.server
    server = Server(app, Names.of(place.hosts(), is_secure=place.has_tls or bool(settings.proxies)), sibling=sibling)
    make_room(settings.connections)
    crowd = Crowd(settings.connections, 0 if settings.proxies else settings.connections_per_address)
    is_proxied = bool(settings.proxies) and not place.has_tls
    config = uvicorn.Config(
        Proxied(server, settings.proxies) if is_proxied else server,
        http=gate(crowd, Line),
        host=place.host,
        port=place.port,
        ws=Line,
        ws_max_size=_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies) and not is_proxied,
        forwarded_allow_ips=list(settings.proxies) or None,
        ssl_certfile=settings.certificate or None,
        ssl_keyfile=settings.private_key or None,
        h11_max_incomplete_event_size=64_000,
        timeout_graceful_shutdown=STOP_S,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_worth_it)
    running = _Running(config, server, on_ready)
    await running.serve([bound(place.host, place.port, shared=True)] if sibling is not None else None)
    if not running.started:
        raise taken(place.host, place.port)


def _is_worth_it(record: logging.LogRecord) -> bool:
    """Not what uvicorn says of each socket that is refused with an answer: it looks for a handshake alone."""
    return record.getMessage() != "ASGI callable returned without completing handshake."


class _Running(uvicorn.Server):
    """uvicorn, which tells when it is ready, and hangs up on open sockets before it waits for them."""

    def __init__(self, config: uvicorn.Config, server: Server, on_ready: Callable[[Server], Awaitable[None]]) -> None:
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
            await self._on_ready(self._server)

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """As uvicorn's, after every socket was told."""
        self._server.connections.end_all()
        await super().shutdown(sockets)
