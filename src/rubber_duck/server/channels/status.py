"""`status:SERVER`: how the server does, for those who operate it."""

from __future__ import annotations

import msgspec

from rubber_duck.channels.channel import NoPayload, Push, Seat, on
from rubber_duck.engines.jobs import QueueView, queue_views
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.health import examine
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.topic import Topic


class QueuesView(msgspec.Struct, frozen=True):
    """The queues in which there ever was a run."""

    queues: tuple[QueueView, ...]


class Status(Topic):
    """Health and queues on demand, and `job` pushed when anybody's run gets further.

    There is one server in a topic's name: `status:server`.
    """

    name = "status"
    right = Right.ADMINISTER

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        if subject != "server":
            raise NotFound("the topic of operators is 'status:server'")

    @on("health", right=Right.ADMINISTER, cost=RouteClass.READ)
    async def health(self, payload: NoPayload, push: Push) -> msgspec.Struct:
        """The same as `GET /health`."""
        return await examine(self.desk)

    @on("jobs", right=Right.ADMINISTER, cost=RouteClass.READ)
    async def jobs(self, payload: NoPayload, push: Push) -> QueuesView:
        """How the queues do, over everybody's runs."""
        found = await self.desk.app.parts.workflows.counts_of_all(self.seat.scope)
        return QueuesView(queue_views(found))
