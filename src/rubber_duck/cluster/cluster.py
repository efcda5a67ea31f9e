"""The front of the cluster: opens it, the same over one process and over Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from rubber_duck.cluster.local import LocalCluster
from rubber_duck.cluster.port import (
    Allowance,
    Cluster,
    ClusterHealth,
    Lease,
    Limit,
    Receive,
    Subscription,
)
from rubber_duck.settings import ClusterSettings

__all__ = [
    "Allowance",
    "Cluster",
    "ClusterHealth",
    "Lease",
    "Limit",
    "Receive",
    "Subscription",
    "open_cluster",
]

LOCAL: Final = "local:"
"""The URL of a cluster of one process."""

Key = Callable[[], Awaitable[bytes]]
"""Asks for the bytes that the nodes share: all who have the database, and nobody else."""


@asynccontextmanager
async def open_cluster(settings: ClusterSettings, key: Key) -> AsyncIterator[Cluster]:
    """The cluster at `settings.url`, closed at the end of the block; `key` is asked only where nodes share something.

    A Redis that cannot be reached is looked for until it is there. Raises InvalidSettings for what is no URL.
    """
    cluster = await _connect(settings, key)
    try:
        yield cluster
    finally:
        await cluster.close()


async def _connect(settings: ClusterSettings, key: Key) -> Cluster:
    if settings.url == LOCAL:
        return LocalCluster()
    from rubber_duck.cluster.redis import RedisCluster, RedisPlace  # noqa: PLC0415  # only the twin in use is loaded

    cluster = RedisCluster(RedisPlace(settings.url, settings.prefix, settings.timeout_s), await key())
    await cluster.open()
    return cluster
