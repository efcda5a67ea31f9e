"""Small projects on disk and an open analysis for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rubber_duck.analysis.analysis import Analysis, open_analysis
from rubber_duck.analysis.outcome import Outcome
from rubber_duck.analysis.target import target
from rubber_duck.settings import Settings, load

HUNGRY = f"import a{',a' * 20_000}"
"""More than 128 MB for ruff, and milliseconds for anybody else."""


def settings_in(home: Path, **variables: str) -> Settings:
    """Settings with their home in a temporary folder."""
    return load({"DUCK_HOME": str(home), "DUCK_PROFILE": "test", **variables})


@asynccontextmanager
async def analysis_in(home: Path, **variables: str) -> AsyncIterator[tuple[Analysis, Settings]]:
    """An open analysis."""
    settings = settings_in(home, **variables)
    async with open_analysis(settings) as analysis:
        yield analysis, settings


async def outcome_of(analysis: Analysis, settings: Settings, *paths: Path) -> Outcome:
    """Analyse the paths."""
    return await analysis.run(target([str(path) for path in paths], "", settings), lambda done, total, note: None)


def found(outcome: Outcome) -> list[tuple[str, int, str]]:
    """(path, line, rule) of every finding, in order."""
    return [(each.path, each.span.start_line, each.rule) for file in outcome.files for each in file.findings]
