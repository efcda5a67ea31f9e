"""What events of topics cost: over any number of sockets as much as over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import Credential, CredentialKind, Standing, User
from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.channels.socket import Socket
from rubber_duck.channels.testing import MemoryClient
from rubber_duck.cluster.cluster import Allowance, Limit
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.scope import Right, Scope
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import Limits, RouteClass
from rubber_duck.server.topic import Topic
from rubber_duck.storage.keys import new_key


class Shelf(Topic):
    """Something to read, and something to be told."""

    name = "shelf"
    right = Right.CATALOG_READ

    async def authorize(self, member: Scope) -> Scope:
        """In which project it stands is known only now."""
        self.charged = "shop"
        return await super().authorize(member)

    @on("read", right=Right.CATALOG_READ, cost=RouteClass.READ)
    async def read(self, payload: NoPayload, push: Push) -> None:
        """Read it."""

    @on("wave", right=Right.CATALOG_READ, cost=RouteClass.SIGNAL)
    async def wave(self, payload: NoPayload, push: Push) -> None:
        """Be seen."""

    @on("purge", right=Right.PROJECT_PURGE, cost=RouteClass.RUN)
    async def purge(self, payload: NoPayload, push: Push) -> None:
        """What only some may do."""


class Noted(LocalCluster):
    """Notes what was taken from which bucket; no second passes."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self.taken = list[str]()

    async def allow(self, key: str, limit: Limit, *, cost: float = 1.0) -> Allowance:
        """As in one process."""
        self.taken.append(key.split(":", maxsplit=1)[0])
        return await super().allow(key, limit, cost=cost)


class Hall:
    """Sockets of people in one place; no second passes."""

    def __init__(self) -> None:
        # of everything on the desk a topic needs nothing else here
        self.noted = Noted()
        self.desk = cast("Desk", SimpleNamespace(limits=Limits(self.noted)))
        self.people = {name: User(new_key(), name, Role.PERSON, datetime(2026, 1, 1, tzinfo=UTC)) for name in "ab"}

    async def sitting(self, name: str) -> MemoryClient:
        """Another socket of that person, on which the shelf is joined."""
        credential = Credential(CredentialKind.KEY, name, None, None)
        standing = Standing(self.people[name], credential, frozenset({Right.CATALOG_READ}))
        member = Member(standing, "0" * 32, "203.0.113.9")

        def door(seat: Seat, subject: str) -> Channel:
            return Shelf(seat, subject, self.desk, member)

        client = MemoryClient(Socket(member.scope(), {"shelf": door}, LocalCluster(), clock=lambda: 0.0))
        await client.join("shelf:a")
        return client


async def _allowed(clients: list[MemoryClient], event: str) -> int:
    """How often it was, asked forty times on each."""
    answers = [await client.ask("shelf:a", event) for client in clients for _ in range(40)]
    assert {answer["response"]["code"] for answer in answers if answer["status"] != "ok"} <= {"rate_limited"}
    return sum(answer["status"] == "ok" for answer in answers)


async def test_a_join_costs_what_reading_does() -> None:
    hall = Hall()
    client = await hall.sitting("a")
    answers = [await client.ask("shelf:a", "phx_join") for _ in range(120)]
    assert sum(answer["status"] == "ok" for answer in answers) == 99
    assert {answer["response"]["code"] for answer in answers if answer["status"] != "ok"} == {"rate_limited"}
    await client.socket.close()


async def test_who_joins_again_too_often_stays_joined_as_before() -> None:
    hall = Hall()
    clients = [await hall.sitting("a") for _ in range(3)]
    assert await _allowed(clients, "read") == 97
    assert (await clients[0].join("shelf:a"))["response"]["code"] == "rate_limited"
    assert (await clients[0].ask("shelf:a", "wave"))["status"] == "ok"
    for client in clients:
        await client.socket.close()


async def test_what_is_read_in_a_project_counts_there_though_the_join_did_not_know_it_yet() -> None:
    hall = Hall()
    client = await hall.sitting("a")
    await client.ask("shelf:a", "read")
    own = ["person-read", "key-read", "address"]
    assert hall.noted.taken == [*own, *own, "project-read"]
    await client.socket.close()


async def test_who_reads_over_many_sockets_reads_no_more_than_over_one() -> None:
    hall = Hall()
    mine = [await hall.sitting("a") for _ in range(4)]
    assert await _allowed(mine, "read") == 96  # and four joins
    assert await _allowed(mine, "wave") == 100  # which is counted by itself
    assert await _allowed([await hall.sitting("b")], "read") == 40
    for client in mine:
        await client.socket.close()


async def test_what_one_may_not_do_costs_nobody_anything() -> None:
    hall = Hall()
    client = await hall.sitting("a")
    answers = [await client.ask("shelf:a", "purge") for _ in range(30)]
    assert {answer["response"]["code"] for answer in answers} == {"denied"}
    await client.socket.close()


def test_an_event_that_does_not_say_what_it_costs_is_no_event_of_a_topic() -> None:
    with pytest.raises(InvalidDeclaration, match="has to say what it costs"):

        class Free(Topic):
            """As it must not be."""

            name = "free"
            right = Right.CATALOG_READ

            @on("read", right=Right.CATALOG_READ)
            async def read(self, payload: NoPayload, push: Push) -> None:
                """Read it."""
