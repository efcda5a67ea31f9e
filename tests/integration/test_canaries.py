"""Nothing of one project reaches a model for another, and no secret reaches it: every engine, memory and cache."""

from __future__ import annotations

from pathlib import Path

from rubber_duck.engines.engine import engines
from tests.canaries import ASKING, KINDS, PEOPLE, PROJECTS, allowed, canary, judged, word_of

REQUESTS = 400
"""Every kind in every second project; `python -m benchmarks.canaries` asks 5,000."""


async def test_no_foreign_canary_and_no_secret_is_in_any_byte_sent_to_a_provider(tmp_path: Path) -> None:
    verdict = await judged(tmp_path, REQUESTS)
    assert (verdict.mixed, verdict.leaked) == (0, ())
    words = {word_of(number, who) for number in range(PROJECTS) for who in range(len(PEOPLE))}
    known = {canary(number) for number in range(PROJECTS)} | words
    assert verdict.seen <= known
    assert len(verdict.seen) > len(known) // 2, "few words were told, so that few could be told to others"
    assert verdict.shared == 0, "an answer was given in two projects"
    assert verdict.heard > REQUESTS // 3, "few answers came out, so that few could be compared"
    assert set(verdict.counts) == set(KINDS)
    assert sum(verdict.counts.values()) == REQUESTS


def test_words_of_two_projects_or_people_are_seen() -> None:
    assert allowed({canary(3), word_of(3, 1)})
    assert not allowed({canary(3), canary(4)})
    assert not allowed({word_of(3, 0), word_of(3, 1)})
    assert not allowed({canary(3), word_of(4, 1)})


def test_every_engine_that_asks_a_model_is_among_what_is_asked() -> None:
    engines.discover()
    assert {name for name, each in engines.items() if each.role is not None} == set(ASKING) <= set(KINDS)
