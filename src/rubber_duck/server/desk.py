"""What every connection of a server shares, and what one connection knows of its member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rubber_duck.accounts.accounts import Accounts, actor_of
from rubber_duck.accounts.user import Standing
from rubber_duck.app import App
from rubber_duck.channels.presence import Presence
from rubber_duck.channels.stream import Streams
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.scope import Scope


@dataclass(frozen=True, slots=True)
class Desk:
    """The open application and what the server has beside it.

    `sockets` says how many are open, `uptime_s` for how many seconds it has served.
    """

    app: App
    accounts: Accounts
    cluster: Cluster
    streams: Streams
    presence: Presence
    sockets: Callable[[], int]
    uptime_s: Callable[[], float]


@dataclass(slots=True)
class Member:
    """Who sits behind one connection: the standing is read anew whenever anybody's rights changed."""

    standing: Standing
    trace: str

    def scope(self) -> Scope:
        """What they may do outside of every project."""
        return Scope(actor_of(self.standing.user), None, self.standing.rights, self.trace)
