"""Two nodes of one cluster."""

from __future__ import annotations

from dataclasses import dataclass

from rubber_duck.cluster.cluster import Cluster


async def shared() -> bytes:
    """The key that the nodes of these tests share."""
    return b"k" * 32


@dataclass(frozen=True, slots=True)
class Nodes:
    """Two processes' views of one cluster; in a cluster of one process they are the same."""

    here: Cluster
    there: Cluster
