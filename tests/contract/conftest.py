"""Both twins of the database and of the cluster: what is promised above them is tried on each, on real servers."""

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
from tests.servers import RedisServer

_prefixes = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """Settings of an empty database of either kind."""
    if request.param == "sqlite":
        yield DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
        return
    server = request.getfixturevalue("postgres_server")
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
