"""A fix makes its finding disappear and brings none, or it is not offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rubber_duck.app import open_app
from rubber_duck.engines.verifying import added, is_gone
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


def test_a_finding_is_gone_when_its_rule_finds_less_and_another_is_added_when_it_finds_more() -> None:
    one, two = make_finding(rule="a"), make_finding(rule="b")
    assert is_gone(one, (one, one, two), (one, two))
    assert not is_gone(one, (one, two), (one,))
    assert added((one,), (one, two)) == (two,)
    assert added((one, two), (one,)) == ()
