"""What the topics of a server have in common: each event costs its member what a request over HTTP would."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.channels.channel import Channel, Event, Seat
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import Asked, Purse, RouteClass


class Topic(Channel, is_whole=False):
    """A channel of the server, as one member sees it. Every event of it says what it costs.

    `charged` is the id of the project in which that is, whose members share one allowance; "" outside of every one.
    """

    costs: ClassVar[dict[str, RouteClass]] = {}
    charged: str = ""

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject)
        self.desk = desk
        self.member = member
        self._purses: dict[tuple[RouteClass, str], Purse] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        try:
            cls.costs = {name: RouteClass(event.cost) for name, event in cls.events.items()}
        except ValueError as error:
            raise InvalidDeclaration(f"each event of {cls.name!r} has to say what it costs: {error}") from error

    async def afford_join(self) -> None:
        """A join costs what reading does."""
        await self.pay(RouteClass.READ)

    async def afford(self, event: Event) -> None:
        """Take what the event costs. Raises RateLimited, and Unavailable for a run while nobody can say."""
        await self.pay(self.costs[event.name])

    async def pay(self, cost: RouteClass) -> None:
        """Take what something costs besides."""
        purse = self._purses.get((cost, self.charged))  # some learn of their project only when they let somebody in
        if purse is None:
            address = "" if cost is RouteClass.SIGNAL else self.member.address  # a whole office may sit at one
            purse = self.desk.limits.purse(Asked(cost, address, self.member.standing, self.charged))
            self._purses[cost, self.charged] = purse
        await self.desk.limits.spend(purse)
