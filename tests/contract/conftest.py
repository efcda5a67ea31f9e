"""Both twins of the database and of the cluster: what is promised above them is tried on each, on real servers.

A database with all tables is made once in a session and copied for each test, which takes a fifth of making it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from rubber_duck.cluster.cluster import open_cluster
from rubber_duck.settings import ClusterSettings, DatabaseSettings
from rubber_duck.storage.database import Database, open_database
from tests.contract.nodes import Nodes, shared
from tests.contract.notes import create_notes
from tests.servers import PostgresServer, RedisServer
from tests.templates import copy_database, fill

_prefixes = count()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database with all tables that nobody is connected with."""
    with postgres_server.database() as name:
        fill(DatabaseSettings(url=postgres_server.url(name)))
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """Settings of a database of either kind, with all tables and no row in them."""
    if request.param == "sqlite":
        copy_database(tmp_path / "duck.db")
        yield DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(template=request.getfixturevalue("postgres_template")) as name:
        yield DatabaseSettings(url=server.url(name))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """Settings of a database of either kind that nobody has opened yet."""
    if request.param == "sqlite":
        yield DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as name:
        yield DatabaseSettings(url=server.url(name))


@pytest.fixture
async def database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """An open database of either kind, with the product's tables and the table `notes`."""
    async with open_database(settings) as opened:
        await opened.run(create_notes)
        yield opened


@pytest.fixture(params=["local", "redis"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[Nodes]:
    """A cluster of either kind."""
    async with AsyncExitStack() as stack:
        if request.param == "local":
            cluster = await stack.enter_async_context(open_cluster(ClusterSettings(), shared))
            yield Nodes(cluster, cluster)
            return
        server: RedisServer = request.getfixturevalue("redis_server")
        settings = ClusterSettings(url=server.url, prefix=f"test{next(_prefixes)}", timeout_s=10.0)
        opened = [await stack.enter_async_context(open_cluster(settings, shared)) for _ in range(2)]
        yield Nodes(*opened)
