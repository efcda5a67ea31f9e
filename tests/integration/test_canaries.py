"""Nothing of one project reaches a model for another, and no secret reaches it: every engine, memory and cache."""

from __future__ import annotations

from pathlib import Path

from rubber_duck.engines.engine import engines
from tests.canaries import ASKING, KINDS, PROJECTS, canary, judged

REQUESTS = 400
"""Every kind in every second project; `python -m benchmarks.canaries` asks 5,000."""


async def test_no_foreign_canary_and_no_secret_is_in_any_byte_sent_to_a_provider(tmp_path: Path) -> None:
    verdict = await judged(tmp_path, REQUESTS)
    assert (verdict.mixed, verdict.leaked) == (0, ())
    assert verdict.seen == {canary(number) for number in range(PROJECTS)}
    assert verdict.shared == 0, "an answer was given in two projects"
    assert set(verdict.counts) == set(KINDS)
    assert sum(verdict.counts.values()) == REQUESTS


def test_every_engine_that_asks_a_model_is_among_what_is_asked() -> None:
    engines.discover()
    assert {name for name, each in engines.items() if each.role is not None} == set(ASKING) <= set(KINDS)
