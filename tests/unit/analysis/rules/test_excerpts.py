"""What was judged by hand stays so: on excerpts of real code right findings are made, and mended ones are not."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from rubber_duck.analysis.analyzer import Analyzer
from rubber_duck.analysis.rule_set import RuleSet
from rubber_duck.analysis.suppression import suppressed

FOLDER = Path(__file__).parents[3] / "data" / "excerpts"
LANGUAGES = {".py": "python", ".js": "javascript", ".ts": "typescript", ".ex": "elixir", ".exs": "elixir"}
PLACES = [json.loads(line) for line in (FOLDER / "index.jsonl").read_text(encoding="utf-8").splitlines()]
ANALYZER = Analyzer(RuleSet({}))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place['rule']}-{place['file']}-{place['line']}")
def test_a_labelled_place_is_reported_if_that_is_right_and_left_alone_if_it_is_wrong(place: dict[str, object]) -> None:
    path = PurePosixPath(str(place["path"]))
    content = (FOLDER / str(place["file"])).read_bytes()
    analysis = ANALYZER.analyze(str(path), content, LANGUAGES[path.suffix]).analysis
    shown = [each for each in suppressed(analysis.findings, analysis.suppressions) if each.suppressed is None]
    lines = [each.span.start_line for each in shown if each.rule == place["rule"]]
    assert (place["line"] in lines) == place["right"], lines


def test_every_excerpt_is_used_and_lies_beside_its_licence() -> None:
    used = {str(place["file"]) for place in PLACES}
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*") if path.name != "LICENSE"}
    assert there == used
    assert {path.parent.name for path in FOLDER.glob("*/LICENSE")} == {name.partition("/")[0] for name in used}
