"""The ways to connected providers: made when first needed, told of every secret, closed when nothing uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rubber_duck.errors import ProviderUnavailable
from rubber_duck.llm.breaker import Breaker, Thresholds
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.connections import Connection, Connections, read_connections
from rubber_duck.llm.flavors import flavor_named
from rubber_duck.llm.queue import FairQueue
from rubber_duck.llm.retrying import Patience, Retrying
from rubber_duck.settings import Settings

if TYPE_CHECKING:
    from rubber_duck.egress import Door
    from rubber_duck.llm.provider import Provider
    from rubber_duck.redaction import Redactor

ANTHROPIC_VERSION: Final = "2023-06-01"


@dataclass(slots=True, eq=False)
class Way:
    """The way to one provider. `users` are requests that are under way on it; a stale one is closed after them."""

    connection: Connection
    provider: Breaker
    redactor: Redactor
    queue: FairQueue
    users: int = 0
    is_stale: bool = False

    @asynccontextmanager
    async def turn(self, person: str, deadline: float) -> AsyncIterator[None]:
        """A place among the requests that are under way; see FairQueue.

        Raises ProviderUnavailable when the connection was changed before it came: an old key is not sent any more.
        """
        self.users += 1
        try:
            async with self.queue.turn(person, deadline):
                if self.is_stale:
                    raise _changed(self.connection)
                yield
        finally:
            self.users -= 1
            if self.is_stale and not self.users:
                await self.provider.close()


class Ways:
    """One way for each connection, as it is now in the file, which other processes may change."""

    def __init__(self, settings: Settings, clocks: Clocks, on_change: Callable[[], None]) -> None:
        """`on_change` is called when something else is connected than before."""
        self._settings = settings
        self._home = Path(settings.home)
        self._clocks = clocks
        self._on_change = on_change
        self._ways: dict[str, Way] = {}
        self._stale: list[Way] = []
        self._seen: Connections | None = None

    def connections(self) -> Connections:
        """What is connected now. Raises InvalidSettings for a file that others can read, or nobody can understand."""
        found = read_connections(self._home)
        if self._seen is not None and found != self._seen:
            self._renew(found)
        self._seen = found
        return found

    def held(self, name: str) -> Way | None:
        """The way to a provider, if one was made and is not stale."""
        return self._ways.get(name)

    def to(self, connection: Connection) -> Way:
        """The way to a provider, kept until its connection is changed.

        Raises ProviderUnavailable for a connection that is another by now: whoever asks has waited meanwhile.
        """
        held = self._ways.get(connection.name)
        if held is not None and held.connection == connection:
            return held
        if self._seen is not None and self._seen.providers.get(connection.name) != connection:
            raise _changed(connection)
        self._ways[connection.name] = way = self._made(connection)
        return way

    def redacted(self, text: str) -> str:
        """`text` without secrets, those of all connections among them."""
        from rubber_duck.redaction import Redactor  # noqa: PLC0415  # as below

        return Redactor(known_secrets(self.connections().providers.values(), self._settings)).text(text)

    async def tidy(self) -> None:
        """Close what is stale and unused."""
        waiting, self._stale = self._stale, []
        for way in waiting:
            if not way.users:
                await way.provider.close()

    async def close(self) -> None:
        """Close every way, used or not."""
        ways, self._ways, self._stale = [*self._ways.values(), *self._stale], {}, []
        for way in ways:
            await way.provider.close()

    def _renew(self, found: Connections) -> None:
        """Forget ways whose connection is another now; all others learn every key."""
        for name, way in list(self._ways.items()):
            if found.providers.get(name) != way.connection:
                way.is_stale = True
                self._stale.append(self._ways.pop(name))
            else:
                way.redactor.learn(known_secrets(found.providers.values(), self._settings))
        self._on_change()

    def _made(self, connection: Connection) -> Way:
        from rubber_duck.egress import Egress  # noqa: PLC0415  # an HTTP client: only who asks a model pays for it
        from rubber_duck.llm.provider import Setup, providers  # noqa: PLC0415  # as above
        from rubber_duck.redaction import Redactor  # noqa: PLC0415  # as above

        settings = self._settings.llm
        redactor = Redactor(known_secrets(self.connections().providers.values(), self._settings))
        setup = Setup(Egress(door(connection, self._settings), redactor), connection.flavor, settings.request_timeout_s)
        provider: Provider = providers.discover()[flavor_named(connection.flavor).kind].connect(setup)
        patience = Patience(self._clocks.sleep, self._clocks.random, settings.retries)
        thresholds = Thresholds(settings.breaker_failures, settings.breaker_successes, settings.breaker_open_s)
        breaker = Breaker(
            Retrying(provider, connection.name, patience), connection.name, thresholds, self._clocks.seconds
        )
        return Way(connection, breaker, redactor, FairQueue(settings.at_once, settings.most_waiting))


def _changed(connection: Connection) -> ProviderUnavailable:
    return ProviderUnavailable(f"the provider {connection.name!r} was changed while this waited; ask again")


def door(connection: Connection, settings: Settings) -> Door:
    """Where a connection leads; raises InvalidSettings for an address or a header that cannot be used."""
    from rubber_duck.egress import Door  # noqa: PLC0415  # as above

    headers = dict(connection.headers)
    if connection.key and connection.flavor == "anthropic":
        headers["x-api-key"] = connection.key
    elif connection.key:
        headers["Authorization"] = f"Bearer {connection.key}"
    if connection.flavor == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
    llm = settings.llm
    return Door(connection.url, headers, connection.is_private, llm.connect_timeout_s, llm.silence_s)


def known_secrets(connected: Iterable[Connection], settings: Settings) -> list[str]:
    """What must never be in a request's body: the keys of all providers, and the passwords of database and cluster."""
    keys = [value for each in connected for value in (each.key, *each.headers.values())]
    urls = (settings.database.url, settings.cluster.url)
    return [*keys, *(urlsplit(each).password or "" for each in urls)]
