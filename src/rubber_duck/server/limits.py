"""How often somebody may ask: buckets per address, key, person, project and class of route, on all nodes together.

While Redis is gone nobody can say what other nodes were asked. What is expensive is refused then, and for the rest this
node counts alone.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.accounts.user import Standing
from rubber_duck.cluster.cluster import Allowance, Cluster, Limit
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import RateLimited, Unavailable


class RouteClass(StrEnum):
    """What a request costs."""

    READ = "read"
    WRITE = "write"
    SIGN_IN = "sign-in"
    RUN = "run"


PER_PERSON: Final[Mapping[RouteClass, Limit]] = {
    RouteClass.READ: Limit(rate=20.0, burst=100.0),
    RouteClass.WRITE: Limit(rate=2.0, burst=30.0),
    RouteClass.SIGN_IN: Limit(rate=0.2, burst=10.0),
    RouteClass.RUN: Limit(rate=2.0, burst=20.0),
}
PER_PROJECT: Final[Mapping[RouteClass, Limit]] = {
    each: Limit(limit.rate * 10, limit.burst * 10) for each, limit in PER_PERSON.items()
}
PER_ADDRESS: Final = Limit(rate=100.0, burst=500.0)
SIGN_IN_PER_ADDRESS: Final = Limit(rate=0.5, burst=20.0)
SIGN_IN_PER_NAME: Final = Limit(rate=1.0, burst=100.0)
"""Over all networks together: it takes many of them to hold somebody up, and nobody who came from theirs before."""

_SITE_BITS: Final = 64
_EXPENSIVE: Final = frozenset({RouteClass.RUN, RouteClass.SIGN_IN})


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what: an address, and who it is as far as that is known."""

    cost: RouteClass
    address: str
    standing: Standing | None = None
    project: str = ""


class Limits:
    """The buckets of one node's requests, over HTTP and the socket alike; `factor` times as wide as usual."""

    def __init__(self, cluster: Cluster, *, factor: float = 1.0) -> None:
        self._cluster = cluster
        self._factor = factor
        self._alone = LocalCluster()

    async def take(self, asked: Asked) -> dict[str, str]:
        """Take a token from every bucket that applies; the `RateLimit` headers of the emptiest.

        What one's own buckets refuse takes nothing from those that others share, so that nobody holds others up.
        Raises RateLimited, and Unavailable for what is expensive while nobody can say.
        """
        found = [await self._take(asked.cost, buckets) for buckets in _buckets(asked) if buckets]
        return min(found, key=lambda each: each[0])[1]

    async def take_name(self, name: str, network: str, *, is_known: bool) -> dict[str, str]:
        """As `take`, for who says to be `name`, before a password is looked at.

        Guesses count against the network they come from, so that nobody locks somebody else out. All networks together
        have a wider bucket, which those are spared from where the person came from before: `is_known`.
        """
        here = [(f"name-sign-in:{name}@{network}", PER_PERSON[RouteClass.SIGN_IN])]
        _, left = await self._take(RouteClass.SIGN_IN, here)
        if not is_known:  # asked only now: what was refused already must not empty the bucket that others share
            await self._take(RouteClass.SIGN_IN, [(f"name-anywhere:{name}", SIGN_IN_PER_NAME)])
        return left

    async def _take(self, cost: RouteClass, wanted: list[tuple[str, Limit]]) -> tuple[float, dict[str, str]]:
        """How full the emptiest of these buckets is then, from 0 to 1, and its headers."""
        wanted = [
            (key, Limit(limit.rate * self._factor, max(1.0, limit.burst * self._factor))) for key, limit in wanted
        ]
        answers = await asyncio.gather(*(self._allow(cost, key, limit) for key, limit in wanted))
        found = list(zip(wanted, answers, strict=True))
        for (key, _), allowance in found:
            if not allowance.allowed:
                wait_s = allowance.retry_after_s
                raise RateLimited(f"too many requests of this {_what(key)}; try again in {wait_s:.1f} s", wait_s)
        (key, limit), least = min(found, key=lambda each: each[1].remaining / each[0][1].burst)
        return least.remaining / limit.burst, headers(_what(key), limit, least)

    async def _allow(self, cost: RouteClass, key: str, limit: Limit) -> Allowance:
        try:
            return await self._cluster.allow(key, limit)
        except Unavailable:
            if cost in _EXPENSIVE:
                raise
            return await self._alone.allow(key, limit)


def network_of(address: str) -> str:
    """Whose an address is: an IPv6 client has 2^64 of them, which count as one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(found), _SITE_BITS), strict=False))
    return address


def headers(name: str, limit: Limit, allowance: Allowance) -> dict[str, str]:
    """The fields of draft-ietf-httpapi-ratelimit-headers-10."""
    window_s = max(1, round(limit.burst / limit.rate))
    return {
        "ratelimit-policy": f'"{name}";q={limit.burst:.0f};w={window_s}',
        "ratelimit": f'"{name}";r={int(allowance.remaining)};t={max(0, round(1 / limit.rate))}',
    }


def _buckets(asked: Asked) -> tuple[list[tuple[str, Limit]], ...]:
    """Those of one person, then those that people at one address share, then those of a project."""
    cost = asked.cost
    own, shared, project = list[tuple[str, Limit]](), list[tuple[str, Limit]](), list[tuple[str, Limit]]()
    if asked.standing is not None:
        own.append((f"person-{cost.value}:{asked.standing.user.id}", PER_PERSON[cost]))
        own.append((f"key-{cost.value}:{asked.standing.credential.id}", PER_PERSON[cost]))
    if asked.address:
        network = network_of(asked.address)
        shared.append((f"address:{network}", PER_ADDRESS))
        if cost is RouteClass.SIGN_IN:
            shared.append((f"address-sign-in:{network}", SIGN_IN_PER_ADDRESS))
    if asked.project:
        project.append((f"project-{cost.value}:{asked.project}", PER_PROJECT[cost]))
    return own, shared, project


def _what(key: str) -> str:
    return key.split(":", maxsplit=1)[0].split("-", maxsplit=1)[0]
