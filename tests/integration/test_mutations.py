"""Damaged files through the whole analysis: nothing crashes or hangs, and no other file's findings change."""

from __future__ import annotations

from pathlib import Path

from rubber_duck.analysis.finding import Finding
from tests.factories import write_tree
from tests.unit.analysis.mutations import mutated, originals
from tests.unit.analysis.projects import analysis_in, outcome_of

MUTATIONS = 2_000
SEED = 20_261_120
PATIENCE_S = "2"


async def test_two_thousand_damaged_files_neither_crash_nor_hang_nor_disturb_the_others(tmp_path: Path) -> None:
    whole = {f"good/{name}": content for name, content in originals().items()}
    alone = write_tree(tmp_path / "alone", whole)
    together = write_tree(tmp_path / "together", {**whole, **dict(mutated(MUTATIONS, SEED))})
    async with analysis_in(tmp_path / "home1", DUCK_WORKERS_FILE_TIMEOUT_S=PATIENCE_S) as (analysis, settings):
        expected = await outcome_of(analysis, settings, alone)
    async with analysis_in(tmp_path / "home2", DUCK_WORKERS_FILE_TIMEOUT_S=PATIENCE_S) as (analysis, settings):
        outcome = await outcome_of(analysis, settings, together)
    bad = [each for each in outcome.problems if each.reason in {"crashed", "rule_failed", "ruff_failed"}]
    assert bad == []
    assert (
        len({file.path for file in outcome.files} | {each.path for each in outcome.problems}) == len(whole) + MUTATIONS
    )
    assert _good(outcome.files) == _good(expected.files)
    assert sum(len(found) for found in _good(expected.files).values()) > 0


def _good(files: object) -> dict[str, tuple[Finding, ...]]:
    assert isinstance(files, tuple)
    return {file.path: file.findings for file in files if file.path.startswith("good/")}
