"""What is forgotten goes from whatever tells it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from rubber_duck.memory.remembered import Kind, Memory
from rubber_duck.memory.striking import struck
from tests.unit.memory.test_recall import held

FACT = "The vault of the Lisbon office opens with 7731"
NEW = UUID(int=99)


def left(memory: Memory) -> str | None:
    """What is left of a memory beside which FACT is forgotten; as it was when it is not touched."""
    fact = held(FACT)[0]
    other = replace(memory, id=UUID(int=7))
    found = list(struck([fact, other], {fact.id}, lambda: NEW))
    if not found:
        return f"{other.text}{other.answer}"
    ((old, new),) = found
    assert old is other
    assert new is None or new.id == NEW
    return None if new is None else f"{new.text}{new.answer}"


@pytest.mark.parametrize(
    ("kind", "text", "then"),
    [
        (Kind.SUMMARY, f"{FACT}. The heron sleeps.", "The heron sleeps."),
        (Kind.SUMMARY, f"By the way, {FACT.lower()}!", None),
        (Kind.SUMMARY, "The Lisbon vault opens with 7731. The heron sleeps.", "The heron sleeps."),
        (Kind.SUMMARY, "The office of Oslo has no vault.", "The office of Oslo has no vault."),
        (Kind.FACT, f"{FACT}. It was changed in Oslo.", "It was changed in Oslo."),
        (Kind.FACT, "The Lisbon vault opens with 7731", "The Lisbon vault opens with 7731"),
        (Kind.INTERACTION, f"Hello,\n{FACT}. The heron\u2028sleeps.", "Hello,\nThe heron sleeps."),
    ],
)  # fmt: skip
def test_only_sentences_that_tell_it_go(kind: Kind, text: str, then: str | None) -> None:
    assert left(replace(held(text)[0], kind=kind)) == then


def test_what_is_anothers_or_of_another_project_stays() -> None:
    for other in (replace(held(FACT)[0], actor="ben"), replace(held(FACT)[0], project=UUID(int=5))):
        assert left(other) == FACT
