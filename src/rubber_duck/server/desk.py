"""What every connection and request of a server shares, and what one connection knows of its member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rubber_duck.accounts.accounts import Accounts, actor_of
from rubber_duck.accounts.own_settings import OwnSettings
from rubber_duck.accounts.signing_in import SigningIn
from rubber_duck.accounts.user import Standing
from rubber_duck.app import App
from rubber_duck.channels.presence import Presence
from rubber_duck.channels.stream import Streams
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.server.census import Census
from rubber_duck.server.copies import Copies
from rubber_duck.server.freshness import Freshness
from rubber_duck.server.hooks import Hooks
from rubber_duck.server.limits import Limits
from rubber_duck.server.metrics import Metrics
from rubber_duck.server.permits import Permits
from rubber_duck.server.remotes import Remotes
from rubber_duck.server.siblings import Siblings
from rubber_duck.server.watching import Watches
from rubber_duck.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The open application and what the server has beside it.

    `sockets` says which are open, `uptime_s` for how many seconds it has served.
    """

    app: App
    database: Database
    accounts: Accounts
    signing_in: SigningIn
    cluster: Cluster
    limits: Limits
    permits: Permits
    streams: Streams
    presence: Presence
    copies: Copies
    metrics: Metrics
    siblings: Siblings
    sockets: Callable[[], Census]
    uptime_s: Callable[[], float]
    watches: Watches
    freshness: Freshness
    remotes: Remotes
    hooks: Hooks
    own_settings: OwnSettings


@dataclass(slots=True)
class Member:
    """Who sits behind one connection: the standing is read anew whenever anybody's rights changed."""

    standing: Standing
    trace: str
    address: str = ""

    def scope(self) -> Scope:
        """What they may do outside of every project."""
        return Scope(actor_of(self.standing.user), None, self.standing.rights, self.trace)


def installation(trace: str) -> Scope:
    """The owner of every project of a server, for what the server itself does with them."""
    return Scope(Actor.local(), None, frozenset({Right.PROJECT_CREATE, Right.PROJECT_READ}), trace)
