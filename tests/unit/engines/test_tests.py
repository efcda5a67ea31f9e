"""Tests are run in the sandbox before they are shown, whoever wrote them; those that fail are said so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rubber_duck.app import open_app
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import fake_provider
from tests.models import answering, connect

FILES = {
    "pyproject.toml": "",
    "src/pond.py": (
        "def turn(xs: list[int]) -> list[int]:\n    return xs[::-1]\n\n\n"
        "def first(xs: list[int]) -> int:\n    return xs[0]\n"
    ),
    "pond.ts": "export const x = 1\n",
}
GOOD = "```python\nfrom pond import turn\n\n\ndef test_turn():\n    assert turn([1, 2]) == [2, 1]\n```"


async def asked_for(tmp_path: Path, at: str, *said: str, **request: Any) -> Any:  # Any: an answer
    pond = write_tree(tmp_path / "pond", FILES)
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["tests"]) as app:
            return await app.run("tests", {"at": at, "directory": str(pond), **request}, Scope.local())


def text(answer: Any) -> str:  # Any: as above
    return "".join(hunk.text for file in answer.files for hunk in file.hunks)


async def test_hypothesis_writes_property_tests_without_a_model(tmp_path: Path) -> None:
    answer = await asked_for(tmp_path, "src/pond.py:1")
    assert (answer.by, answer.passed, answer.failed) == ("hypothesis", 1, ())
    assert "pond.turn(xs=xs)" in text(answer)
    assert [file.path for file in answer.files] == ["test_pond_turn.py"]
    assert not (tmp_path / "pond" / "test_pond_turn.py").exists()


async def test_a_property_test_that_fails_is_said_with_its_reason(tmp_path: Path) -> None:
    answer = await asked_for(tmp_path, "src/pond.py:5")
    assert (answer.passed, [each.name for each in answer.failed]) == (0, ["test_fuzz_first"])
    assert "IndexError" in answer.failed[0].why


async def test_what_a_model_writes_is_run_and_repaired_before_it_is_shown(tmp_path: Path) -> None:
    wrong = GOOD.replace("[2, 1]\n", "[1, 2]\n")
    answer = await asked_for(tmp_path, "src/pond.py:1", "def (", wrong, GOOD, model=True)
    assert (answer.by, answer.tries, answer.passed, answer.failed) == ("model", 3, 1, ())


async def test_a_test_that_fails_under_a_name_with_spaces_is_not_passed_over(tmp_path: Path) -> None:
    many = """```python
import pytest
from pond import turn


@pytest.mark.parametrize("text", ["fine", "hello - world"])
def test_turn(text):
    assert turn([1]) == [1]
    assert " " not in text
```"""
    answer = await asked_for(tmp_path, "src/pond.py:1", many, GOOD, model=True)
    assert (answer.passed, answer.failed, answer.tries) == (1, (), 2)


async def test_a_models_tests_reach_nothing_outside_of_the_sandbox(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    hostile = f"```python\ndef test_it():\n    open({str(secret)!r}, 'w').write('gone')\n```"
    answer = await asked_for(tmp_path, "src/pond.py:1", hostile, model=True)
    assert secret.read_text() == "x"
    assert [each.name for each in answer.failed] == ["test_it"]


async def test_without_a_provider_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    answer = await asked_for(tmp_path, "src/pond.py:1", model=True)
    assert ("duck llm connect" in answer.note, answer.files) == (True, ())


async def test_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Python only"):
        await asked_for(tmp_path, "pond.ts")
