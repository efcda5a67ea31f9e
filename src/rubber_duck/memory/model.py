"""Lets a model say what of a session is worth keeping; its answer is checked, and never the only one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rubber_duck.llm.llm import LLM
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.memory.distil import Statement
from rubber_duck.memory.memory import Distil
from rubber_duck.memory.remembered import Kind
from rubber_duck.memory.words import terms_of
from rubber_duck.scope import Scope

_MOST_CHARACTERS: Final = 24_000
_ANSWER_TOKENS: Final = 1_000
_ASK: Final = (
    "You keep the notes of a coding assistant. From the conversation take what will still be useful in other sessions: "
    "facts about people, the project, its tools and decisions, what the person prefers, and their code style. Each as "
    "one short sentence that can be understood alone, with names instead of pronouns. Nothing that was not said, no "
    "code, no secrets. Then summarise the conversation in at most three sentences."
)

Sentences = Annotated[tuple[Annotated[str, Meta(max_length=600)], ...], Meta(max_length=40)]


class Notes(msgspec.Struct, frozen=True):
    """What is worth keeping of a conversation."""

    facts: Sentences
    preferences: Sentences
    style: Sentences
    summary: Annotated[str, Meta(max_length=2_000)]


def distiller(llm: LLM) -> Distil:
    """Asks the models for chat."""

    async def distil(scope: Scope, turns: Sequence[tuple[str, str]]) -> Sequence[Statement]:
        said = "\n\n".join(f"Person: {asked}\nAssistant: {answered}" for asked, answered in turns)[-_MOST_CHARACTERS:]
        prompt = Prompt((Message(Speaker.SYSTEM, _ASK), Message(Speaker.USER, said)), answer_tokens=_ANSWER_TOKENS)
        notes = (await llm.write_as(scope, Role.CHAT, prompt, Notes)).value
        kinds = ((Kind.FACT, notes.facts), (Kind.PREFERENCE, notes.preferences), (Kind.STYLE, notes.style))
        told = [Statement(text, kind, terms_of(text)) for kind, texts in kinds for text in texts if terms_of(text)]
        return [*told, Statement(notes.summary, Kind.SUMMARY, terms_of(notes.summary))]

    return distil
