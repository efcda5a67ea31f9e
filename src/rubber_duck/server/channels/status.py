"""`status:SERVER`: how the server does, for those who operate it."""

from __future__ import annotations

import msgspec

from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right
from rubber_duck.server.desk import Desk
from rubber_duck.server.health import examine


class Status(Channel):
    """Health on demand. There is one server in a topic's name: `status:server`."""

    name = "status"
    right = Right.ADMINISTER

    def __init__(self, seat: Seat, subject: str, desk: Desk) -> None:
        super().__init__(seat, subject)
        self.desk = desk
        if subject != "server":
            raise NotFound("the topic of operators is 'status:server'")

    @on("health", right=Right.ADMINISTER)
    async def health(self, payload: NoPayload, push: Push) -> msgspec.Struct:
        """The same as `GET /health`."""
        return await examine(self.desk)
