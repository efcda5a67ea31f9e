"""The server as an ASGI application: the socket, and HTTP by the table of routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from fastapi import FastAPI, Request, Response, WebSocket
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from rubber_duck import telemetry
from rubber_duck.accounts.accounts import CHANGED, Accounts
from rubber_duck.accounts.own_settings import OwnSettings
from rubber_duck.accounts.signing_in import SigningIn
from rubber_duck.accounts.tokens import Tokens
from rubber_duck.app import App
from rubber_duck.channels.presence import open_presence
from rubber_duck.channels.stream import open_streams
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.scope import new_trace
from rubber_duck.server.answering import Answering
from rubber_duck.server.api.table import ROUTES
from rubber_duck.server.copies import Copies
from rubber_duck.server.desk import Desk
from rubber_duck.server.freshness import Freshness
from rubber_duck.server.guard import Names
from rubber_duck.server.health import memory_bytes
from rubber_duck.server.hooks import Hooks
from rubber_duck.server.limits import Limits
from rubber_duck.server.metrics import Family, Metrics
from rubber_duck.server.permits import Permits
from rubber_duck.server.queues import work
from rubber_duck.server.remotes import Remotes
from rubber_duck.server.secret import server_secret
from rubber_duck.server.siblings import Sibling, open_siblings
from rubber_duck.server.watching import Watches
from rubber_duck.server.websocket import Connections
from rubber_duck.storage.database import Database
from rubber_duck.telemetry.recorder import counting

SOCKET: Final = "/socket/websocket"


class Server:
    """The routes over one open application, for as long as it lives.

    `names` are those it answers to. `sibling`: which of several processes this is.
    """

    def __init__(self, app: App, names: Names, *, sibling: Sibling | None = None) -> None:
        self._sibling = sibling
        own = app.settings.server
        self.connections = Connections(per_person=own.sockets_per_person, per_address=own.connections_per_address)
        self._app = app
        self._names = names
        self._desk: Desk | None = None
        self.asgi = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=self._lifespan)
        self.asgi.router.redirect_slashes = False
        answering = Answering(names, lambda: self.desk)
        for route in ROUTES:
            self.asgi.add_api_route(route.full_path, answering.endpoint(route), methods=[route.method.value])

        async def missing(request: Request, _: Exception) -> Response:
            return await answering.missing(request)

        self.asgi.add_exception_handler(HTTPException, missing)

    @property
    def desk(self) -> Desk:
        """What connections and requests share; there while the application runs."""
        assert self._desk is not None
        return self._desk

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        cluster, node = _cluster_of(self._app), new_trace()
        async with AsyncExitStack() as stack:
            accounts, signing_in = coming_in(self._app)
            streams = await stack.enter_async_context(open_streams(cluster, node))
            presence = await stack.enter_async_context(open_presence(cluster, node))
            await stack.enter_async_context(await cluster.subscribe(CHANGED, self.connections.rights_changed))
            began, metrics = time.monotonic(), Metrics()
            stack.enter_context(counting(metrics.add))

            def uptime_s() -> float:
                return time.monotonic() - began

            def numbers() -> tuple[Family, ...]:
                return metrics.families(
                    self.connections.census(),
                    memory_bytes=memory_bytes(),
                    uptime_s=uptime_s(),
                    tasks=len(asyncio.all_tasks()),
                )

            siblings = await stack.enter_async_context(open_siblings(cluster, self._sibling, numbers))
            settings = self._app.settings
            copies = Copies(settings)
            every_s = settings.workspace.fetch_minutes * 60.0
            desk = Desk(
                app=self._app,
                database=_database_of(self._app),
                accounts=accounts,
                signing_in=signing_in,
                cluster=cluster,
                limits=Limits(cluster, factor=settings.server.rate_factor),
                permits=Permits(),
                streams=streams,
                presence=presence,
                copies=copies,
                metrics=metrics,
                siblings=siblings,
                sockets=self.connections.census,
                uptime_s=uptime_s,
                watches=Watches(settings),
                freshness=Freshness(self._app, cluster),
                remotes=Remotes(self._app.parts.workspace, copies, cluster, every_s=every_s),
                hooks=Hooks(_database_of(self._app), _now),
                own_settings=OwnSettings(_database_of(self._app), cluster, _now),
            )
            self._desk = desk
            self._app.supervisor.start("rights", lambda: self.connections.watch(accounts, desk.permits))
            self._app.supervisor.start("remotes", desk.remotes.work)
            if settings.workflows.in_server:
                self._app.supervisor.start("queues", lambda: work(self._app))
            telemetry.emit("server.opened", hosts=" ".join(sorted(self._names.hosts)))
            yield
            self.connections.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI has it. The socket stands before the routes, and keeps nothing of theirs while it is open."""
        if scope["type"] == "websocket" and scope["path"] == SOCKET:
            await self.connections.accept(WebSocket(scope, receive, send), self.desk, self._names)
        else:
            await self.asgi(scope, receive, send)


def coming_in(app: App) -> tuple[Accounts, SigningIn]:
    """The accounts over the application's database, and the ways in. Raises InvalidSettings for a weak secret."""
    database, tokens = _database_of(app), Tokens(server_secret(app.settings), _now)
    runs = app.settings.server.runs_commands
    accounts = Accounts(database, _cluster_of(app), clock=_now, tokens=tokens, runs_commands=runs)
    return accounts, SigningIn(database, accounts, tokens, clock=_now)


def _now(clock: Callable[..., datetime] = datetime.now) -> datetime:
    return clock(UTC)


def _database_of(app: App) -> Database:
    database = app.parts.opened["database"]
    assert isinstance(database, Database)
    return database


def _cluster_of(app: App) -> Cluster:
    cluster = app.parts.opened["cluster"]
    assert isinstance(cluster, Cluster)
    return cluster
