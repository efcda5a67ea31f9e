"""How long a revoked key is still worth something: two server processes on one PostgreSQL, whatever Redis does.

The promise (SECURITY.md): requests that begin 1 s later are refused, and open sockets end within 5 s, with Redis up,
killed, or frozen: it stands still with its connections open, so that whoever asks it waits. Each key has a socket open
on one node, which has joined two topics, and asks over HTTP on the other; the longest of all is printed, from the
moment when the revocation was committed.

    python -m benchmarks.revocation [--keys 200]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
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
EVERY_S = 0.2


@dataclass
class Longest:
    """Seconds from a revocation's commit until sockets ended, and until requests began that were still answered."""

    sockets: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)

    def line(self, title: str) -> str:
        """As a line of the report."""
        shown = []
        for name, found in (("open sockets", self.sockets), ("new requests", self.requests)):
            shown.append(f"{name} {statistics.median(found):.2f} s median, {max(found):.2f} s longest")
        return f"{title:<14} {len(self.sockets)} keys: {'; '.join(shown)}"


class Noting(Accounts):
    """Accounts that note when each task's change of rights was committed, before they tell of it."""

    moments: dict[asyncio.Task[object] | None, float]

    async def tell(self) -> None:
        """As accounts do."""
        self.moments[asyncio.current_task()] = time.monotonic()
        await super().tell()


@dataclass(frozen=True)
class Team:
    """Two nodes and the accounts behind them."""

    nodes: tuple[Served, Served]
    accounts: Noting
    redis: RedisServer
    pool: ThreadPoolExecutor

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
        url = f"{here.socket}?vsn=2.0.0"
        async with connect(url, additional_headers=headers, proxy=None, open_timeout=PATIENCE_S) as wire:
            for topic in ("cli:me", "user:me"):
                await wire.send(json.dumps(["1", topic, topic, "phx_join", {}]))
                while json.loads(await wire.recv())[1] != topic:
                    continue
            revoking = asyncio.create_task(self.accounts.revoke_key(Scope.local(), key.id))
            ended, answered = await asyncio.gather(_ended(wire), self._answered(there, headers))
            await revoking
            since = self.accounts.moments[revoking]
            longest.requests.append(max(0.0, answered - since))
            longest.sockets.append(ended - since)

    async def _answered(self, node: Served, headers: dict[str, str]) -> float:
        """When the last request began that was still answered. Others begin whether those before have ended or not."""
        loop, asked = asyncio.get_running_loop(), list[asyncio.Future[float]]()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not any(each.done() and each.result() < 0 for each in asked):
            asked.append(loop.run_in_executor(self.pool, _asked, node, headers))
            await asyncio.sleep(EVERY_S)
        return max(await asyncio.gather(*asked))


async def _ended(wire: ClientConnection) -> float:
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await wire.recv()
        except ConnectionClosed:
            return time.monotonic()


def _asked(node: Served, headers: dict[str, str]) -> float:
    """When a request began, or -1.0 if it was refused."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{node.http}/api/v1/me", headers=headers), timeout=60):
            return began
    except urllib.error.HTTPError as error:
        with error:
            return -1.0 if error.code == 401 else began


@asynccontextmanager
async def team(folder: Path) -> AsyncIterator[Team]:
    """Two nodes on one PostgreSQL and one Redis, and a user."""
    with _servers() as (database_url, redis):
        shared = {"DUCK_DATABASE_URL": database_url, "DUCK_CLUSTER_URL": redis.url, "DUCK_SERVER_RATE_FACTOR": "1000"}
        with serving(folder / "home", **shared) as one, serving(folder / "home", **shared) as two:
            async with (
                open_database(DatabaseSettings(url=database_url)) as database,
                open_cluster(ClusterSettings(url=redis.url), partial(shared_key, database, "cluster")) as cluster,
            ):
                accounts = Noting(database, cluster, clock=lambda: datetime.now(UTC))
                accounts.moments = {}
                await accounts.add_user(Scope.local(), "bob", Role.PERSON)
                with ThreadPoolExecutor(200) as pool:
                    yield Team((one, two), accounts, redis, pool)


@contextmanager
def _servers() -> Iterator[tuple[str, RedisServer]]:
    with (
        running_postgres(wheel_binaries(), authority=None) as postgres,
        running_redis() as redis,
        postgres.database() as name,
    ):
        yield postgres.url(name), redis


async def measured(keys: int) -> dict[str, Longest]:
    """With Redis up, frozen, and killed."""
    with tempfile.TemporaryDirectory() as name:
        async with team(Path(name)) as found:
            longest = {"Redis up": await found.measure(keys)}
            found.redis.freeze()
            try:
                longest["Redis frozen"] = await found.measure(keys)
            finally:
                found.redis.thaw()
            found.redis.kill()
            return longest | {"Redis killed": await found.measure(keys)}


def main() -> None:
    """Print the longest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200, help="How many keys are revoked in each of the three states.")
    for title, longest in asyncio.run(measured(parser.parse_args().keys)).items():
        print(longest.line(title), flush=True)


if __name__ == "__main__":
    main()
