"""How often somebody may ask: buckets per address, key, person, project and class of route, on all nodes together.

While Redis is gone nobody can say what other nodes were asked. What is expensive is refused then, and for the rest this
node counts alone.
"""

from __future__ import annotations

import functools
import ipaddress
import math
import time
from collections.abc import Callable, Mapping
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
    SIGNAL = "signal"
    """What others are told and nobody keeps: where one is, that one types."""


PER_PERSON: Final[Mapping[RouteClass, Limit]] = {
    RouteClass.READ: Limit(rate=20.0, burst=100.0),
    RouteClass.WRITE: Limit(rate=2.0, burst=30.0),
    RouteClass.SIGN_IN: Limit(rate=0.2, burst=10.0),
    RouteClass.RUN: Limit(rate=2.0, burst=20.0),
    RouteClass.SIGNAL: Limit(rate=30.0, burst=100.0),
}
PER_PROJECT: Final[Mapping[RouteClass, Limit]] = {
    each: Limit(limit.rate * 10, limit.burst * 10) for each, limit in PER_PERSON.items()
}
PER_ADDRESS: Final = Limit(rate=100.0, burst=500.0)
SIGN_IN_PER_ADDRESS: Final = Limit(rate=0.5, burst=20.0)
SIGN_IN_PER_NAME: Final = Limit(rate=1.0, burst=100.0)
"""Over all networks together: it takes many of them to hold somebody up, and nobody who came from theirs before."""

_ALONE_S: Final = 5.0
"""For so long this node counts alone once the others could not be asked: to find that out may take seconds."""

_SITE_BITS: Final = 64
_EXPENSIVE: Final = frozenset({RouteClass.RUN, RouteClass.SIGN_IN})


Taken = tuple[str, Limit, Allowance]
"""A bucket, its limit, and what is left in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what: an address, and who it is as far as that is known."""

    cost: RouteClass
    address: str
    standing: Standing | None = None
    project: str = ""


@dataclass(frozen=True, slots=True)
class Purse:
    """What something costs, and the buckets that it is taken from: those of one person first."""

    cost: RouteClass
    buckets: tuple[tuple[str, Limit], ...]


class Limits:
    """The buckets of one node's requests, over HTTP and the socket alike; `factor` times as wide as usual."""

    def __init__(self, cluster: Cluster, *, factor: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any point."""
        self._cluster = cluster
        self._factor = factor
        self._clock = clock
        self._alone = LocalCluster(clock=clock)
        self._alone_until = -math.inf

    async def take(self, asked: Asked) -> dict[str, str]:
        """Take a token from every bucket that applies; the `RateLimit` headers of the emptiest.

        What one's own buckets refuse takes nothing from those that others share, so that nobody holds others up.
        Raises RateLimited, and Unavailable for what is expensive while nobody can say.
        """
        return _headers_of(await self.spend(self.purse(asked)))

    def purse(self, asked: Asked) -> Purse:
        """From where it is taken when the same is asked again and again."""
        return Purse(asked.cost, tuple((key, self._wide(limit)) for key, limit in _buckets(asked)))

    async def spend(self, purse: Purse) -> list[Taken]:
        """As `take`, without the headers, which a socket has none of.

        One bucket after the other: where no other node is asked, each takes a microsecond.
        """
        return [await self._take(purse.cost, key, limit) for key, limit in purse.buckets]

    async def take_name(self, name: str, network: str, *, is_known: bool) -> dict[str, str]:
        """As `take`, for who says to be `name`, before a password is looked at.

        Guesses count against the network they come from, so that nobody locks somebody else out. All networks together
        have a wider bucket, which those are spared from where the person came from before: `is_known`.
        """
        here = f"name-sign-in:{name}@{network}"
        left = await self._take(RouteClass.SIGN_IN, here, self._wide(PER_PERSON[RouteClass.SIGN_IN]))
        if not is_known:  # asked only now: what was refused already must not empty the bucket that others share
            await self._take(RouteClass.SIGN_IN, f"name-anywhere:{name}", self._wide(SIGN_IN_PER_NAME))
        return _headers_of([left])

    def _wide(self, limit: Limit) -> Limit:
        return Limit(limit.rate * self._factor, max(1.0, limit.burst * self._factor))

    async def _take(self, cost: RouteClass, key: str, limit: Limit) -> Taken:
        """What is left then."""
        if cost not in _EXPENSIVE and self._clock() < self._alone_until:
            allowance = await self._alone.allow(key, limit)
        else:
            try:
                allowance = await self._cluster.allow(key, limit)
            except Unavailable:
                self._alone_until = self._clock() + _ALONE_S
                if cost in _EXPENSIVE:
                    raise
                allowance = await self._alone.allow(key, limit)
        if not allowance.allowed:
            wait_s = allowance.retry_after_s
            raise RateLimited(f"too many requests of this {_what(key)}; try again in {wait_s:.1f} s", wait_s)
        return key, limit, allowance


def _headers_of(taken: list[Taken]) -> dict[str, str]:
    """Those of the bucket that is emptiest, as a share of what it holds."""
    key, limit, least = min(taken, key=lambda each: each[2].remaining / each[1].burst)
    return headers(_what(key), limit, least)


@functools.lru_cache(maxsize=10_000)
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


def _buckets(asked: Asked) -> list[tuple[str, Limit]]:
    """Those of one person, then those that people at one address share, then those of a project."""
    cost, found = asked.cost, list[tuple[str, Limit]]()
    if asked.standing is not None:
        found.append((f"person-{cost.value}:{asked.standing.user.id}", PER_PERSON[cost]))
        found.append((f"key-{cost.value}:{asked.standing.credential.id}", PER_PERSON[cost]))
    if asked.address:
        network = network_of(asked.address)
        found.append((f"address:{network}", PER_ADDRESS))
        if cost is RouteClass.SIGN_IN:
            found.append((f"address-sign-in:{network}", SIGN_IN_PER_ADDRESS))
    if asked.project:
        found.append((f"project-{cost.value}:{asked.project}", PER_PROJECT[cost]))
    return found


def _what(key: str) -> str:
    return key.split(":", maxsplit=1)[0].split("-", maxsplit=1)[0]
