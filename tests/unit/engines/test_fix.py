"""A fix makes its finding disappear and brings none, or it is not offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rubber_duck.analysis.finding import Finding, Span
from rubber_duck.app import open_app
from rubber_duck.engines.verifying import Analysed, compared
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import make_finding, write_tree
from tests.fake_provider import fake_provider
from tests.models import answering, connect

CODE = "import os\nimport sys\n\n\ndef wet(pond):\n    if pond.depth > 0:\n        return True\n    return False\n\n\n"
CODE += "def run(text):\n    return eval(text)\n"

GOOD = """\
pond.py
<<<<<<< SEARCH
    return eval(text)
=======
    return text.strip()
>>>>>>> REPLACE
"""
SILENCED = GOOD.replace("text.strip()", "exec(text)")


async def asked(tmp_path: Path, *said: str, **request: Any) -> tuple[Any, list[Any]]:  # Any: an answer, JSON
    pond = write_tree(tmp_path / "pond", {"pyproject.toml": "", "pond.py": CODE})
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["fix"]) as app:
            answer = await app.run("fix", {"at": "pond.py", "directory": str(pond), **request}, Scope.local())
            if request.get("writes"):
                raise AssertionError
        return answer, [each.json for each in fake.asked]


def diff(answer: Any) -> str:  # Any: as above
    return "".join(hunk.text for file in answer.files for hunk in file.hunks)


async def test_what_rules_can_fix_is_fixed_at_once_and_the_rest_is_said(tmp_path: Path) -> None:
    answer, _ = await asked(tmp_path)
    assert "-import os\n" in diff(answer)
    assert "-import sys\n" in diff(answer)
    fates = {each.rule: (each.by, each.why) for each in answer.findings}
    assert fates["ruff/F401"] == ("rule", "")
    assert fates["unsafe-eval"] == ("", "no rule knows a fix for it")
    assert (tmp_path / "pond" / "pond.py").read_text() == CODE


async def test_only_the_finding_in_that_line_is_fixed(tmp_path: Path) -> None:
    answer, _ = await asked(tmp_path, at="pond.py:2")
    assert [each.line for each in answer.findings] == [2]
    assert "-import os\n" not in diff(answer)


async def test_a_model_fixes_what_no_rule_can_and_its_patch_is_analysed(tmp_path: Path) -> None:
    answer, said = await asked(tmp_path, SILENCED, GOOD, rule="unsafe-eval", model=True)
    assert "+    return text.strip()" in diff(answer)
    assert [each.by for each in answer.findings] == ["model"]
    assert "The finding" in said[1]["messages"][-1]["content"] or "finding" in said[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "said",
    [
        "I would rather not.",
        GOOD.replace("eval(text)", "eval(other)", 1),
        GOOD.replace("pond.py", "pyproject.toml"),
        GOOD.replace("text.strip()", "text.strip("),
        SILENCED,
        GOOD.replace("text.strip()", "eval(text)  # noqa: S307"),
        GOOD.replace("text.strip()", "eval(text)  # duck: ignore[unsafe-eval] -- it is mine"),
    ],
)
async def test_a_patch_that_fails_the_check_is_not_offered(tmp_path: Path, said: str) -> None:
    answer, asked_ = await asked(tmp_path, said, rule="unsafe-eval", model=True)
    assert answer.files == ()
    assert answer.findings[0].why.startswith("the model's patch was refused")
    assert len(asked_) == 2  # the same words again are the end of it


async def test_without_a_provider_the_rules_fixes_stand(tmp_path: Path) -> None:
    answer, _ = await asked(tmp_path, model=True)
    assert "-import os\n" in diff(answer)
    assert "duck llm connect" in answer.note


async def test_where_there_is_no_finding_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no finding"):
        await asked(tmp_path, at="pond.py:4")


THREE = "def {0}(text):\n    return eval(text)\n\n\n"
MANY = "".join(map(THREE.format, "abc"))
LAST = """\
pond.py
<<<<<<< SEARCH
def c(text):
    return eval(text)
=======
def c(text):
    return text.strip()
>>>>>>> REPLACE
"""
FIRST = LAST.replace("def c", "def a")


async def fixed(tmp_path: Path, at: str, *said: str) -> Any:  # Any: an answer
    pond = write_tree(tmp_path / "pond", {"pyproject.toml": "", "pond.py": MANY})
    async with fake_provider(*answering(*said)) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["fix"]) as app:
            request = {"at": at, "directory": str(pond), "rule": "unsafe-eval", "model": True}
            return await app.run("fix", request, Scope.local())


async def test_another_finding_of_the_same_rule_that_goes_is_not_the_one_that_was_meant(tmp_path: Path) -> None:
    answer = await fixed(tmp_path, "pond.py:2", LAST)
    assert (answer.files, answer.findings[0].by) == ((), "")
    assert "the finding of line 2 is still there" in answer.findings[0].why
    answer = await fixed(tmp_path, "pond.py:2", LAST, FIRST)
    assert answer.findings[0].by == "model"
    assert "-def" not in diff(answer)


async def test_of_several_findings_of_a_rule_each_has_to_be_gone(tmp_path: Path) -> None:
    answer = await fixed(tmp_path, "pond.py", LAST)
    assert (answer.files, [each.by for each in answer.findings]) == ((), ["", "", ""])
    answer = await fixed(tmp_path, "pond.py", "".join(LAST.replace("def c", f"def {name}") for name in "abc"))
    assert [each.by for each in answer.findings] == ["model"] * 3


def seen(content: str, *lines: int, message: str = "it is so") -> Analysed:
    """A file with a finding of one rule in each of these lines, from 1."""
    found = tuple(make_finding(span=Span(line, 1, line, 5), message=message) for line in lines)
    return Analysed(content.encode(), found)


def lines_of(found: tuple[Finding, ...]) -> list[int]:
    return [each.span.start_line for each in found]


@pytest.mark.parametrize(
    ("after", "gone", "new"),
    [
        (seen("a\nx\nc\ny\ne", 2, 4), [], []),
        (seen("new\nnew\na\nx\nc\ny\ne", 4, 6), [], []),
        (seen("a\nb\nc\ny\ne", 4), [2], []),
        (seen("a\nb\nc\ny\ne\nx", 4, 6), [2], [6]),
        (seen("a\nz\nc\ny\ne", 2, 4), [], []),
        (seen("a\nz\nw\nc\ny\ne", 2, 3, 5), [], [3]),
        (seen("a\nc\ny\ne", 3), [2], []),
        (seen("a\nx\nc\ny\ne", 2, 4, message="it is otherwise"), [], []),
    ],
)
def test_findings_are_told_by_their_rule_and_where_they_stand(after: Analysed, gone: list[int], new: list[int]) -> None:
    found = compared(seen("a\nx\nc\ny\ne", 2, 4), after)
    assert (lines_of(found.gone), lines_of(found.new)) == (gone, new)


def test_a_finding_of_another_rule_in_the_same_line_is_new() -> None:
    before, after = seen("x", 1), Analysed(b"x", (make_finding(rule="b", span=Span(1, 1, 1, 5)),))
    found = compared(before, after)
    assert (found.gone, found.new) == (before.findings, after.findings)
