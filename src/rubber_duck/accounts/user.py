"""The values of accounts: users, keys, standings, entries of the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from rubber_duck.accounts.roles import Role
from rubber_duck.scope import Right


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service. A disabled one can do nothing; nobody is ever deleted, because the audit names them."""

    id: UUID
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key. `rights` None: all that its user has; else at most these.

    `made_with` is the id of the key with which it was made, "" for none; with that one it is revoked.
    """

    id: str
    user_id: UUID
    label: str
    rights: frozenset[Right] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    made_with: str = ""


class CredentialKind(StrEnum):
    """What somebody came in with."""

    KEY = "key"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody came in with: a key, or a session of a person who signed in. `id` finds it again, and is no secret.

    `rights` None: all that the user has; else at most these.
    """

    kind: CredentialKind
    id: str
    rights: frozenset[Right] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may do on the server now."""

    user: User
    credential: Credential
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class Invitation:
    """That somebody may become a user. `name` "": whoever comes first, as in the first run of a server."""

    name: str
    role: Role
    project_id: UUID | None
    project_role: Role | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the audit. `digest` is over all of it and the digest before."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the audit is whole: how many entries, and what is wrong with the first that is not."""

    entries: int
    wrong: str
