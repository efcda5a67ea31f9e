"""The values of notices: what somebody is told, and by which ways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

BOX: Final = "user:"
"""What the name of a member's box begins with; their id follows, as in the topic of theirs."""

EVENT: Final = "notice"


class Kind(StrEnum):
    """Why somebody is told: their run finished or failed, a run waits for their word, or a budget is used up."""

    FINISHED = "finished"
    FAILED = "failed"
    APPROVAL = "approval"
    BUDGET = "budget"


class By(StrEnum):
    """How a notice travels beside the box: as mail, or as a signed request to a webhook."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is to be told. Of two with one `key`, they are told only the first.

    `title` is one line; `text` says more, `run` and `project` say of what.
    """

    kind: Kind
    key: str
    title: str
    text: str = ""
    run: str = ""
    project: UUID | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it is kept for its member: numbered from 1."""

    number: int
    kind: Kind
    title: str
    text: str
    run: str
    project: str
    at: datetime
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Way:
    """How a member is told: `to` is their mail address, or the name of a webhook that an administrator made."""

    by: By
    to: str
    kinds: frozenset[Kind]
