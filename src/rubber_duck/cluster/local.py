"""The cluster of one process: everything is in its memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from rubber_duck.cluster.port import Allowance, Cluster, ClusterHealth, Lease, Limit

MOST_KEYS: Final = 10_000
"""So many buckets and kept values are remembered; of more, those that were not asked for longest are forgotten."""


class LocalCluster(Cluster):
    """Five verbs over dictionaries. `clock` gives seconds from any point."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._leases: dict[str, tuple[object, float]] = {}
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def lease(self, key: str, *, for_s: float) -> Lease | None:
        """As the port has it."""
        held = self._leases.get(key)
        if held is not None and held[1] > self._clock():
            return None
        owner = object()
        self._leases[key] = (owner, self._clock() + for_s)
        return _LocalLease(self, key, owner)

    async def allow(self, key: str, limit: Limit, *, cost: float = 1.0) -> Allowance:
        """As the port has it."""
        now = self._clock()
        tokens, since = self._buckets.get(key, (limit.burst, now))
        tokens = min(limit.burst, tokens + (now - since) * limit.rate)
        allowed = tokens >= cost
        if allowed:
            tokens -= cost
        self._buckets[key] = (tokens, now)
        _forget_oldest(self._buckets, key)
        return Allowance(allowed, tokens, 0.0 if allowed else (cost - tokens) / limit.rate)

    async def health(self) -> ClusterHealth:
        """There are no others."""
        return ClusterHealth(ok=True, detail="this process alone")

    def extend(self, key: str, owner: object, for_s: float) -> bool:
        """Move the end of a lease that `owner` still holds."""
        held = self._leases.get(key)
        if held is None or held[0] is not owner or held[1] <= self._clock():
            return False
        self._leases[key] = (owner, self._clock() + for_s)
        return True

    def give_up(self, key: str, owner: object) -> None:
        """Forget a lease if `owner` holds it."""
        held = self._leases.get(key)
        if held is not None and held[0] is owner:
            del self._leases[key]

    async def _tell_others(self, topic: str, message: bytes) -> None:
        """There are none."""

    async def _listen(self, topic: str) -> None:
        """There is nobody else to listen to."""

    async def _listen_no_more(self, topic: str) -> None:
        """As `_listen`."""

    async def _kept(self, key: str) -> bytes | None:
        value, until = self._values.get(key, (b"", 0.0))
        return value if key in self._values and until > self._clock() else None

    async def _keep(self, key: str, made: bytes, for_s: float) -> None:
        self._values[key] = (made, self._clock() + for_s)
        _forget_oldest(self._values, key)

    async def _disconnect(self) -> None:
        """There is no connection."""


class _LocalLease(Lease):
    def __init__(self, cluster: LocalCluster, key: str, owner: object) -> None:
        self._cluster = cluster
        self._key = key
        self._owner = owner

    async def renew(self, for_s: float) -> bool:
        return self._cluster.extend(self._key, self._owner, for_s)

    async def release(self) -> None:
        self._cluster.give_up(self._key, self._owner)


def _forget_oldest(
    kept: OrderedDict[str, tuple[float, float]] | OrderedDict[str, tuple[bytes, float]], key: str
) -> None:
    kept.move_to_end(key)
    if len(kept) > MOST_KEYS:
        kept.popitem(last=False)
