"""Limits of signing in: who guesses is held up, and cannot hold up whom they guess."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import Credential, CredentialKind, Standing, User
from rubber_duck.cluster.cluster import Allowance, Limit
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import RateLimited, Unavailable
from rubber_duck.server.limits import Asked, Limits, RouteClass, network_of
from rubber_duck.storage.keys import new_key


@pytest.fixture
def limits() -> Limits:
    """Full buckets, over a clock that stands."""
    return Limits(LocalCluster(clock=lambda: 0.0))


async def _exhaust(limits: Limits, name: str, network: str, *, is_known: bool = False) -> int:
    """How many guesses are let through."""
    for count in range(1000):
        try:
            await limits.take_name(name, network, is_known=is_known)
        except RateLimited:
            return count
    raise AssertionError("no guess was ever held up")


def _standing(name: str) -> Standing:
    user = User(new_key(), name, Role.PERSON, datetime(2026, 1, 1, tzinfo=UTC))
    return Standing(user, Credential(CredentialKind.KEY, name, None, None), frozenset())


async def test_who_asks_too_often_takes_nothing_from_the_others_in_the_project(limits: Limits) -> None:
    ann, bob = _standing("ann"), _standing("bob")
    allowed = 0
    for _ in range(1_000):
        with suppress(RateLimited):
            await limits.take(Asked(RouteClass.RUN, "203.0.113.9", ann, "shop"))
            allowed += 1
    assert allowed == 20
    assert (await limits.take(Asked(RouteClass.RUN, "203.0.113.9", bob, "shop")))["ratelimit"]


class Lost(LocalCluster):
    """One that does not answer, and counts how often it was asked."""

    asked = 0

    async def allow(self, key: str, limit: Limit, *, cost: float = 1.0) -> Allowance:
        """Not said."""
        self.asked += 1
        raise Unavailable("Redis stands still")


async def test_a_cluster_that_does_not_answer_is_not_waited_for_by_each_who_reads() -> None:
    lost, now, allowed = Lost(), 0.0, 0
    limits = Limits(lost, clock=lambda: now)
    ann = _standing("ann")
    for _ in range(1_000):
        with suppress(RateLimited):
            await limits.take(Asked(RouteClass.SIGNAL, "203.0.113.9", ann, "shop"))
            allowed += 1
    assert (allowed, lost.asked) == (100, 1)
    with pytest.raises(Unavailable):
        await limits.take(Asked(RouteClass.RUN, "203.0.113.9", ann))
    assert lost.asked == 2, "what is dear is not let through by a guess"
    now = 6.0
    await limits.take(Asked(RouteClass.READ, "", ann))
    assert lost.asked == 3, "it may be back"


async def test_every_bucket_is_as_many_times_as_wide_as_the_factor_says() -> None:
    wide = Limits(LocalCluster(clock=lambda: 0.0), factor=3.0)
    assert await _exhaust(wide, "ann", "203.0.113.9") == 30
    assert (await wide.take(Asked(RouteClass.RUN, "203.0.113.9")))["ratelimit-policy"] == '"address";q=1500;w=5'


async def test_who_guesses_from_one_place_does_not_lock_the_person_out(limits: Limits) -> None:
    assert await _exhaust(limits, "ann", "203.0.113.9") == 10
    assert (await limits.take_name("ann", "198.51.100.1", is_known=False))["ratelimit"].startswith('"name"')


async def test_guesses_from_many_places_are_held_up_and_the_persons_own_place_is_not(limits: Limits) -> None:
    let_through = sum([await _exhaust(limits, "ann", f"203.0.113.{place}") for place in range(30)])
    assert let_through == 100
    with pytest.raises(RateLimited, match="too many requests of this name"):
        await limits.take_name("ann", "198.51.100.1", is_known=False)
    await limits.take_name("ann", "198.51.100.1", is_known=True)
    await limits.take_name("bob", "203.0.113.1", is_known=False)


async def test_all_addresses_of_one_client_of_ipv6_count_as_one(limits: Limits) -> None:
    for number in range(20):
        await limits.take(Asked(RouteClass.SIGN_IN, f"2001:db8::{number:x}"))
    with pytest.raises(RateLimited):
        await limits.take(Asked(RouteClass.SIGN_IN, "2001:db8::ffff"))
    await limits.take(Asked(RouteClass.SIGN_IN, "2001:db8:0:1::1"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_whose_an_address_is(address: str, network: str) -> None:
    assert network_of(address) == network
