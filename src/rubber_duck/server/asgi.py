"""The server as an ASGI application: the socket, and health over HTTP; each route says which right it takes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket

from rubber_duck import telemetry
from rubber_duck.accounts.accounts import CHANGED, Accounts
from rubber_duck.app import App
from rubber_duck.channels.message import ErrorView
from rubber_duck.channels.presence import open_presence
from rubber_duck.channels.stream import open_streams
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import Denied, DuckError
from rubber_duck.scope import Right, new_trace
from rubber_duck.server import guard
from rubber_duck.server.desk import Desk
from rubber_duck.server.health import examine, is_ready
from rubber_duck.server.websocket import Connections
from rubber_duck.storage.database import Database

SOCKET: Final = "/socket/websocket"

ROUTES: Final[Mapping[str, Right | None]] = {
    "/health/live": None,
    "/health/ready": None,
    "/health": Right.ADMINISTER,
    SOCKET: None,
}
"""Every route and its right. None: anybody may ask; the socket lets in who has a key, and each topic has a right."""

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

Next = Callable[[Request], Awaitable[Response]]


class Server:
    """The routes over one open application, for as long as `opened` lasts."""

    def __init__(self, app: App, hosts: frozenset[str]) -> None:
        self.connections = Connections()
        self._app = app
        self._hosts = hosts
        self._desk: Desk | None = None
        self.asgi = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=self._lifespan)
        self.asgi.middleware("http")(self._guarded)
        self.asgi.add_api_route("/health/live", self._live)
        self.asgi.add_api_route("/health/ready", self._ready)
        self.asgi.add_api_route("/health", self._health)
        self.asgi.add_api_websocket_route(SOCKET, self._socket)

    @property
    def desk(self) -> Desk:
        """What connections share; there while the application runs."""
        assert self._desk is not None
        return self._desk

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        cluster, node = _cluster_of(self._app), new_trace()
        async with AsyncExitStack() as stack:
            accounts = accounts_of(self._app)
            streams = await stack.enter_async_context(open_streams(cluster, node))
            presence = await stack.enter_async_context(open_presence(cluster, node))
            await stack.enter_async_context(await cluster.subscribe(CHANGED, self.connections.rights_changed))
            began = time.monotonic()
            desk = Desk(
                self._app,
                accounts,
                cluster,
                streams,
                presence,
                self.connections.__len__,
                lambda: time.monotonic() - began,
            )
            self._desk = desk
            self._app.supervisor.start("rights", lambda: self.connections.watch(desk))
            telemetry.emit("server.opened", hosts=" ".join(sorted(self._hosts)))
            yield
            self.connections.end_all()

    async def _guarded(self, request: Request, following: Next) -> Response:
        try:
            guard.check_host(request.headers, self._hosts)
            right = ROUTES.get(request.scope["path"])
            if right is not None:
                standing = await self.desk.accounts.standing(guard.key_in(request.headers))
                if right not in standing.rights:
                    raise Denied(f"{standing.user.name!r} may not do this: the right {right.value!r} is missing")
            response = await following(request)
        except DuckError as error:
            response = _json(ErrorView.of(error), error.status)
        response.headers.update(_HEADERS)
        return response

    async def _live(self) -> Response:
        return _json({"ok": True})

    async def _ready(self) -> Response:
        ready = await is_ready(self.desk)
        return _json({"ok": ready}, 200 if ready else 503)

    async def _health(self) -> Response:
        health = await examine(self.desk)
        return _json(health, 200 if health.ok else 503)

    async def _socket(self, websocket: WebSocket) -> None:
        await self.connections.accept(websocket, self.desk, lambda: self._hosts)


def accounts_of(app: App) -> Accounts:
    """The accounts over the application's database."""
    database = app.parts.opened["database"]
    assert isinstance(database, Database)
    return Accounts(database, _cluster_of(app), clock=_now)


def _now(clock: Callable[..., datetime] = datetime.now) -> datetime:
    return clock(UTC)


def _cluster_of(app: App) -> Cluster:
    cluster = app.parts.opened["cluster"]
    assert isinstance(cluster, Cluster)
    return cluster


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
