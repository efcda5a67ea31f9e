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


@dataclass(frozen=True, slots=True)
class Generation:
    """Code that a model wrote for a task: its last draft, as `edits`, and how it came about.

    `place` is the file, or the lines, that it was to belong to, `problems` what a check said of the drafts that failed.
    `is_sound`: the last one passed. `written` is its number in the journal, 0: it was only shown.
    """

    id: UUID
    task: str
    place: str
    edits: str
    model: str
    tries: int
    problems: tuple[str, ...]
    is_sound: bool
    written: int
    created_at: datetime
