"""How long a revoked key is still worth something: two server processes on one PostgreSQL, with Redis up and stopped.

The promise (SECURITY.md): new requests are refused within 1 s, open sockets end within 5 s, also with Redis gone. Each
key has a socket open on one node and asks over HTTP on the other; the longest of all is printed.

    python -m benchmarks.revocation [--keys 200]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.keys import IssuedKey
from rubber_duck.accounts.roles import Role
from rubber_duck.cluster.cluster import open_cluster
from rubber_duck.scope import Scope
from rubber_duck.settings import ClusterSettings, DatabaseSettings
from rubber_duck.storage.database import open_database
from rubber_duck.storage.installation import shared_key
from tests.integration.serving import Served, serving
from tests.servers import RedisServer, running_postgres, running_redis, wheel_binaries

AT_ONCE = 10
PATIENCE_S = 20.0
POLL_S = 0.05


@dataclass
class Longest:
    """Seconds from a revocation's end until it held."""

    sockets: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)

    def line(self, title: str) -> str:
        """As a line of the report."""
        shown = []
        for name, found in (("open sockets", self.sockets), ("new requests", self.requests)):
            shown.append(f"{name} {statistics.median(found):.2f} s median, {max(found):.2f} s longest")
        return f"{title:<14} {len(self.sockets)} keys: {'; '.join(shown)}"


@dataclass(frozen=True)
class Team:
    """Two nodes and the accounts behind them."""

    nodes: tuple[Served, Served]
    accounts: Accounts
    redis: RedisServer

    async def measure(self, keys: int) -> Longest:
        """Revoke so many keys, a few at a time."""
        longest = Longest()
        for begin in range(0, keys, AT_ONCE):
            made = [await self.accounts.add_key(Scope.local(), "bob") for _ in range(min(AT_ONCE, keys - begin))]
            await asyncio.gather(*(self._revoke(each, number, longest) for number, each in enumerate(made)))
        return longest

    async def _revoke(self, key: IssuedKey, number: int, longest: Longest) -> None:
        here, there = self.nodes[number % 2], self.nodes[(number + 1) % 2]
        headers = {"Authorization": f"Bearer {key.text}"}
        async with connect(f"{here.socket}?vsn=2.0.0", additional_headers=headers, proxy=None) as wire:
            await self.accounts.revoke_key(Scope.local(), key.id)
            since = time.monotonic()
            ended, refused = await asyncio.gather(_ended(wire), asyncio.to_thread(_refused, there, headers, since))
            longest.requests.append(refused)
            longest.sockets.append(ended - since)


async def _ended(wire: ClientConnection) -> float:
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await wire.recv()
        except ConnectionClosed:
            return time.monotonic()


def _refused(node: Served, headers: dict[str, str], since: float) -> float:
    """Seconds until a request is refused."""
    while time.monotonic() - since < PATIENCE_S:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{node.http}/api/v1/me", headers=headers), timeout=20):
                pass
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 401:
                    return time.monotonic() - since
        time.sleep(POLL_S)
    return PATIENCE_S


@asynccontextmanager
async def team(folder: Path) -> AsyncIterator[Team]:
    """Two nodes on one PostgreSQL and one Redis, and a user."""
    with _servers() as (database_url, redis):
        shared = {"DUCK_DATABASE_URL": database_url, "DUCK_CLUSTER_URL": redis.url}
        with serving(folder / "home", **shared) as one, serving(folder / "home", **shared) as two:
            async with (
                open_database(DatabaseSettings(url=database_url)) as database,
                open_cluster(ClusterSettings(url=redis.url), partial(shared_key, database, "cluster")) as cluster,
            ):
                accounts = Accounts(database, cluster, clock=lambda: datetime.now(UTC))
                await accounts.add_user(Scope.local(), "bob", Role.PERSON)
                yield Team((one, two), accounts, redis)


@contextmanager
def _servers() -> Iterator[tuple[str, RedisServer]]:
    with (
        running_postgres(wheel_binaries(), authority=None) as postgres,
        running_redis() as redis,
        postgres.database() as name,
    ):
        yield postgres.url(name), redis


async def measured(keys: int) -> dict[str, Longest]:
    """With Redis up, and with Redis stopped."""
    with tempfile.TemporaryDirectory() as name:
        async with team(Path(name)) as found:
            up = await found.measure(keys)
            found.redis.kill()
            return {"Redis up": up, "Redis stopped": await found.measure(keys)}


def main() -> None:
    """Print the longest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200, help="How many keys are revoked in each of the two states.")
    for title, longest in asyncio.run(measured(parser.parse_args().keys)).items():
        print(longest.line(title), flush=True)


if __name__ == "__main__":
    main()
