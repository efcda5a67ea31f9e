"""Strikes what is forgotten out of what else holds it: summaries that tell it, and what says it in the same words."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from rubber_duck.memory.reading import sentences, spoken
from rubber_duck.memory.remembered import Kind, Memory, Tier
from rubber_duck.memory.words import terms_of

_LEAST_SHARE: Final = 0.6
"""A sentence of a summary that holds so many of the words of what is forgotten tells it."""

_LEAST_TERMS: Final = 2


def struck(
    held: Sequence[Memory], gone: Collection[UUID], new_id: Callable[[], UUID]
) -> Iterator[tuple[Memory, Memory | None]]:
    """Of the memories `held` those that tell what is forgotten, and what is left of each; None when nothing is.

    What is long term says one thing, so it is looked for; an interaction or a summary is forgotten as it is.
    """
    forgotten = [each for each in held if each.id in gone and each.tier is Tier.LONG]
    for memory in held:
        said = [each.text for each in forgotten if (each.project, each.actor) == (memory.project, memory.actor)]
        if memory.id in gone or not said:
            continue
        text, answer = (_without(each, said, memory.kind) for each in (memory.text, memory.answer))
        if (text, answer) == (memory.text, memory.answer):
            continue
        terms = terms_of(f"{text}\n{answer}")
        is_left = len(set(terms)) >= _LEAST_TERMS or (memory.kind is Kind.INTERACTION and bool(terms))
        yield memory, replace(memory, id=new_id(), text=text, answer=answer, terms=terms) if is_left else None


def _without(text: str, said: Sequence[str], kind: Kind) -> str:
    """The text without the sentences that tell one of the sayings; lines without one stay as they are."""
    lines = []
    for line in text.split("\n"):
        told = list(sentences(line))
        kept = [sentence for sentence in told if not any(_tells(sentence, each, kind) for each in said)]
        lines.append(line if len(kept) == len(told) else " ".join(kept))
    return "\n".join(lines)


def _tells(sentence: str, said: str, kind: Kind) -> bool:
    """Whether a sentence says it: in the same words, or, in a summary, with most of its words."""
    words, forgotten = f" {spoken(sentence)} ", f" {spoken(said)} "
    terms = set(terms_of(sentence))
    is_part = len(terms) >= _LEAST_TERMS and forgotten.endswith(words)  # it was told with what it needs before it
    if forgotten in words or is_part:
        return True
    wanted = set(terms_of(said))
    shared = len(wanted & terms)
    return kind is Kind.SUMMARY and shared >= max(_LEAST_TERMS, math.ceil(_LEAST_SHARE * len(wanted)))
