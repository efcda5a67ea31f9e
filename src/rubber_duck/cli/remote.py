"""A server's answers to commands: over its socket, with a client that comes back by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, Final

from rubber_duck.call import Delta, Progress
from rubber_duck.channels.client import Client, open_client
from rubber_duck.channels.wire import Address, dial
from rubber_duck.cli.elsewhere import Request, There, check_size, project_meant, says_where, translated
from rubber_duck.cli.pieces import Result
from rubber_duck.cli.profiles import Profile

ME: Final = "cli:me"


class Server:
    """An open connection to a server. `folder` is where the person stands."""

    def __init__(self, client: Client, profile: Profile, folder: str) -> None:
        self._client = client
        self._profile = profile
        self._folder = folder
        self._joined: dict[str, Any] = {}  # Any: JSON that the server said at the join

    async def hello(self) -> dict[str, Any]:
        """Who one is there."""
        said: dict[str, Any] = await self._join(ME)  # Any: as above
        return said

    async def ask(self, topic: str, event: str, payload: object = None) -> Any:  # Any: JSON
        """One question; the answer."""
        await self._join(topic)
        return json.loads(await self._client.ask(topic, event, payload))

    async def run(self, name: str, request: Request) -> AsyncGenerator[Progress | Delta | Result, None]:
        """Let an engine of the server answer; the last piece is the Result."""
        if name == "projects" and request.get("type") == "list" and not request.get("removed"):
            yield Result({"projects": [_listed(each) for each in await self.projects()]})
            return
        topic, sent = ME, request
        if says_where(name, request):
            there = await self.meant(request)
            topic, sent = f"code:{there.id}", translated(name, request, there, self._folder)
        check_size(sent)
        await self._join(topic)
        asked = {"engine": name, "request": sent}
        async with aclosing(self._client.follow(topic, "run", asked)) as pieces:
            async for said in pieces:
                content = json.loads(said.payload)
                if said.is_last:
                    yield Result(content)
                elif said.event == "delta":
                    yield Delta(content["text"])
                else:
                    yield Progress(content["done"], content["total"], content["note"])

    @property
    def is_over(self) -> bool:
        """Whether the server could not be come back to."""
        return self._client.is_over

    async def projects(self) -> list[dict[str, str]]:
        """The projects in which one has a role."""
        found: list[dict[str, str]] = (await self.ask(ME, "projects"))["projects"]
        return found

    async def meant(self, request: Request) -> There:
        """The project that a request is about."""
        return project_meant(request, await self.projects(), self._profile.project, self._folder)

    async def _join(self, topic: str) -> Any:  # Any: JSON
        if topic not in self._joined or not self._client.has_joined(topic):
            self._joined[topic] = json.loads(await self._client.join(topic))
        return self._joined[topic]


@asynccontextmanager
async def open_server(profile: Profile, folder: str, tell: Callable[[str], None]) -> AsyncIterator[Server]:
    """Connect; `tell` gets a sentence when the connection is cut and when it is back."""
    way = partial(dial, Address(profile.url, profile.key))
    async with open_client(Client(way, tell=tell)) as client:
        yield Server(client, profile, folder)


def _listed(project: dict[str, str]) -> dict[str, Any]:  # Any: a view of a project
    """A project of the server as the command line lists them; its folder there is nobody's business here."""
    return {**project, "root": f"(on the server, as {project['role']})", "present": True}
