"""What a conversation is: turns in their order, of one person in one project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Speaker(StrEnum):
    """Who speaks."""

    PERSON = "person"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said. `told` names what the model was shown with it; `model` who answered, empty for a person.

    `number` counts from 1 in each conversation.
    """

    number: int
    speaker: Speaker
    text: str
    told: tuple[str, ...]
    model: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its turns. `title` is the beginning of the first of them."""

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int
