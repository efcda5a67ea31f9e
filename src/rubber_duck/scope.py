"""Who asks, on which project, with which rights, under which trace: the first argument of whatever touches a tenant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from rubber_duck.errors import Denied


class Right(StrEnum):
    """What an actor may do. Each engine, route, message and job declares one."""

    PROJECT_CREATE = "project.create"
    PROJECT_READ = "project.read"
    PROJECT_WRITE = "project.write"
    PROJECT_PURGE = "project.purge"
    FILE_READ = "file.read"
    FILE_WRITE = "file.write"
    FILE_PURGE = "file.purge"
    ANALYSIS_RUN = "analysis.run"
    COMMAND_RUN = "command.run"
    WORKFLOW_RUN = "workflow.run"
    CATALOG_READ = "catalog.read"
    ACCOUNT_OWN = "account.own"
    CONVERSATION_READ = "conversation.read"
    CONVERSATION_WRITE = "conversation.write"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a service. `id` is stable and never shown to other tenants."""

    id: str
    name: str

    @classmethod
    def local(cls) -> Actor:
        """The one person who uses RubberDuck in their own process, without accounts."""
        return cls(id="local", name="local")


@dataclass(frozen=True, slots=True)
class Scope:
    """One request's authority. `project` is None where no single project is meant (listing, creating).

    `key` is the id of the API key that the actor came with, "" for none: what they queue stops when it is revoked.
    `lent_by`: whose the projects are, where they are not the actor's own; see `owner`.
    """

    actor: Actor
    project: UUID | None
    rights: frozenset[Right]
    trace: str
    key: str = ""
    lent_by: str = ""

    @classmethod
    def local(cls, *, project: UUID | None = None) -> Scope:
        """Every right, for the person at this machine; a fresh trace."""
        return cls(Actor.local(), project, frozenset(Right), new_trace())

    @property
    def owner(self) -> str:
        """The id of the actor whose projects are meant. What is said, remembered and spent is the actor's own."""
        return self.lent_by or self.actor.id

    def require(self, right: Right) -> None:
        """Raise Denied unless this scope holds `right`."""
        if right not in self.rights:
            raise Denied(f"{self.actor.name!r} may not do this: the right {right.value!r} is missing")

    def within(self, project: UUID) -> Scope:
        """The same authority, narrowed to one project."""
        return replace(self, project=project)

    def on_installation(self) -> Scope:
        """The same authority on projects of the installation, as every project of a server is."""
        return replace(self, lent_by=Actor.local().id)


def new_trace() -> str:
    """A correlation id: 16 random bytes in hexadecimal, as W3C Trace Context wants a trace-id."""
    return secrets.token_hex(16)
