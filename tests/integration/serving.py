"""Runs `duck serve` as its operators do, and speaks to it as a plain client does."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import select
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from websockets.sync.client import ClientConnection, connect

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.roles import Role
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.integration.duck import COMMAND, duck, environment
from tests.servers import PostgresServer, RedisServer
from tests.templates import make_home
from tests.unit.cli.calling import call

START_S = 60.0
_NO_CLOCK = {"DUCK_MEMORY_CONSOLIDATE": "", "DUCK_PRIVACY_SWEEP": ""}  # a test is no other for the time of the day


@dataclass(slots=True)
class Served:
    """A running server: its process, its port, its home folder and the variables it has."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    variables: dict[str, str]

    @property
    def http(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        """Where its socket is."""
        return f"ws://127.0.0.1:{self.port}/socket/websocket"

    def admin(self, *arguments: str) -> str:
        """What `duck admin …` prints."""
        return ran("admin", *arguments, home=self.home, **self.variables)

    def key_for(self, name: str, *, role: str = "person", project: str = "", project_role: str = "member") -> str:
        """The key of a new user, with a role in a project if one is named."""
        with ThreadPoolExecutor(1) as pool:  # a test may have a running loop
            return pool.submit(asyncio.run, self._admitted(name, Role(role), project, Role(project_role))).result()

    async def _admitted(self, name: str, role: Role, project: str, project_role: Role) -> str:
        """As `duck admin` does it, without three processes that import everything."""
        url = self.variables.get("DUCK_DATABASE_URL", f"sqlite:///{self.home}/duck.db")
        async with open_database(DatabaseSettings(url=url)) as database:
            accounts = Accounts(database, LocalCluster(), clock=lambda: datetime.now(UTC))
            await accounts.add_user(Scope.local(), name, role)
            if project:
                await accounts.set_role(Scope.local(), UUID(project), name, project_role)
            return (await accounts.add_key(Scope.local(), name)).text


def ran(*arguments: str, home: Path, **variables: str) -> str:
    """What a command prints that has to end well."""
    done = duck(*arguments, home=home, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ran_here(*arguments: str, home: Path, **variables: str) -> str:
    """What a command that has to end well prints; it runs in this process, unless that has a loop already."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return ran(*arguments, home=home, **variables)
    done = call(*arguments, script=None, DUCK_HOME=str(home), **variables)
    assert done.code == 0, done.err
    return done.out


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(home: Path, *options: str, program: Sequence[str] = COMMAND, **variables: str) -> Iterator[Served]:
    """A server that is ready; ended by SIGTERM. `program` is `duck`, or one that knows more than it."""
    port = free_port()
    make_home(home)
    with (home.parent / f"log-{port}").open("w") as log:
        process = subprocess.Popen(
            [*program, "serve", "--port", str(port), *options],
            env=environment(home, **{**_NO_CLOCK, **variables}),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        said = process.stdout.readline() if ready else ""
        assert f":{port}" in said, (home.parent / f"log-{port}").read_text()
        yield Served(process, port, home, variables)
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def two_nodes(
    folder: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> Iterator[tuple[Served, Served, str]]:
    """Two servers on one PostgreSQL and one Redis, and the id of a project of theirs."""
    with postgres_server.database() as name:
        shared = {
            "DUCK_DATABASE_URL": postgres_server.url(name),
            "DUCK_CLUSTER_URL": redis_server.url,
            "DUCK_CLUSTER_PREFIX": name,
        }
        project = project_at(folder / "hello", folder / "home", **shared)
        with serving(folder / "home", **shared) as here, serving(folder / "home", **shared) as there:
            yield here, there, project


def project_at(folder: Path, home: Path, **variables: str) -> str:
    """The id of a project with one file that says hello, opened and indexed."""
    folder.mkdir()
    (folder / "hello.py").write_text("def greet(name):\n    return 'hello ' + name\n")
    ran("index", "update", os.fspath(folder), home=home, **variables)
    listed = json.loads(ran_here("projects", "list", "--json", home=home, **variables))
    found: str = listed["projects"][0]["id"]
    return found


@dataclass(slots=True)
class Client:
    """A plain client of the protocol, as anybody would write one from its page in the reference."""

    wire: ClientConnection
    _refs: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _joins: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def at(cls, url: str, key: str) -> Iterator[Client]:
        """A connected client."""
        headers = {"Authorization": f"Bearer {key}"}
        with connect(f"{url}?vsn=2.0.0", additional_headers=headers, open_timeout=30, compression=None) as wire:
            yield cls(wire)

    def ask(self, topic: str, event: str, payload: object = None) -> dict[str, Any]:  # Any: JSON
        """The reply to a request; what else comes is passed over."""
        ref = str(next(self._refs))
        if event == "phx_join":
            self._joins[topic] = ref
        self.wire.send(json.dumps([self._joins.get(topic), ref, topic, event, payload or {}]))
        while True:
            received = json.loads(self.wire.recv(timeout=30))
            if received[1] == ref and received[3] == "phx_reply":
                reply: dict[str, Any] = received[4]  # Any: JSON
                return reply

    def wait_for_the_end(self) -> NoReturn:
        """Receive until the server closes, which raises ConnectionClosed."""
        while True:
            self.wire.recv(timeout=30)
