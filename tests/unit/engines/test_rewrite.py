"""What a model refactors parses, keeps what others use, passes the tests if asked to, and is shown first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rubber_duck.app import open_app
from rubber_duck.errors import Conflict, Denied, InvalidInput, StaleVersion
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import fake_provider
from tests.models import MODEL, answering, connect

FILES = {
    "pyproject.toml": "",
    "pond.py": (
        "def swim(far):\n    if far == 1:\n        return 10\n    if far == 2:\n        return 20\n    return 0\n\n\n"
        "def dive(deep):\n    return -deep\n"
    ),
    "nest.py": "from pond import swim\n\n\ndef home():\n    return swim(1)\n",
    "test_pond.py": (
        "from pond import swim\n\n\ndef test_swim():\n    assert [swim(n) for n in (1, 2, 3)] == [10, 20, 0]\n"
    ),
}
OLD = FILES["pond.py"].partition("\n\n\n")[0] + "\n"


def block(new: str, old: str = OLD, path: str = "pond.py") -> str:
    return f"{path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


GOOD = block("def swim(far):\n    return {1: 10, 2: 20}.get(far, 0)\n")
WRONG = block("def swim(far):\n    return {1: 10, 2: 20}[far]\n")
GONE = block("def paddle(far):\n    return {1: 10, 2: 20}.get(far, 0)\n")
ELSEWHERE = block("def house():\n", "def home():\n", "nest.py")
BROKEN = block("def swim(far:\n")
TWO = GOOD + block("def dive(deep):\n    return 0 - deep\n", "def dive(deep):\n    return -deep\n")

ASKED = {"what": "rewrite", "at": "pond.py:1-6", "to": "a table instead of the ifs"}


async def rewritten(
    tmp_path: Path,
    *said: object,
    scope: Scope | None = None,
    **request: Any,  # Any: JSON
) -> tuple[Any, list[Any]]:  # Any: an answer, JSON
    pond = tmp_path / "pond"
    if not pond.exists():
        write_tree(pond, FILES)
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["refactor"]) as app:
            answer = await app.run("refactor", {**ASKED, "directory": str(pond), **request}, scope or Scope.local())
        return answer, [each.json for each in fake.asked]


async def test_a_patch_is_shown_and_then_written_as_it_was_shown(tmp_path: Path) -> None:
    answer, asked = await rewritten(tmp_path, GOOD)
    assert ([file.path for file in answer.files], answer.tries, answer.model) == (["pond.py"], 1, MODEL)
    assert (tmp_path / "pond" / "pond.py").read_text() == FILES["pond.py"]
    user = asked[0]["messages"][1]["content"]
    assert "nest.py:1: from pond import swim" in user
    assert "lines 1 to 6 of pond.py" in user
    with pytest.raises(StaleVersion):
        await rewritten(tmp_path, edits=answer.edits, approve="0" * 64)
    written, asked = await rewritten(tmp_path, edits=answer.edits, approve=answer.digest)
    assert (written.written, asked) == (1, [])
    assert "{1: 10, 2: 20}" in (tmp_path / "pond" / "pond.py").read_text()


async def test_what_breaks_a_file_or_a_user_of_it_goes_back_until_it_does_not(tmp_path: Path) -> None:
    answer, _ = await rewritten(tmp_path, BROKEN, GONE, ELSEWHERE, GOOD)
    assert answer.tries == 4
    assert "no longer parses" in answer.problems[0]
    assert answer.problems[1] == "'nest.py' line 1 takes 'swim' from 'pond.py', which has it no more"
    assert answer.problems[2].startswith("'nest.py' may not be changed")
    assert [file.path for file in answer.files] == ["pond.py"]


async def test_several_files_change_together_where_they_are_named(tmp_path: Path) -> None:
    users = [block(FILES[path].replace("swim", "paddle"), FILES[path], path) for path in ("nest.py",)]
    both = block(FILES["pond.py"].replace("swim", "paddle"), FILES["pond.py"]) + "".join(users)
    test = block(FILES["test_pond.py"].replace("swim", "paddle"), FILES["test_pond.py"], "test_pond.py")
    answer, _ = await rewritten(tmp_path, both, both + test, also=["nest.py", "test_pond.py"])
    assert "'test_pond.py' line 1 takes 'swim'" in answer.problems[0]
    assert [file.path for file in answer.files] == ["nest.py", "pond.py", "test_pond.py"]


async def test_a_draft_that_fails_the_projects_tests_goes_back_with_what_failed(tmp_path: Path) -> None:
    answer, asked = await rewritten(tmp_path, WRONG, GOOD, tests=True)
    assert (answer.tries, answer.notes) == (2, ())
    assert "test_pond.py::test_swim: KeyError: 3" in answer.problems[0]
    assert "KeyError" in asked[1]["messages"][-1]["content"]


async def test_tests_are_only_run_for_who_may_run_commands(tmp_path: Path) -> None:
    scope = Scope(Actor.local(), None, frozenset(Right) - {Right.COMMAND_RUN}, "t")
    with pytest.raises(Denied):
        await rewritten(tmp_path, GOOD, scope=scope, tests=True)


async def test_a_draft_may_not_decide_how_tests_are_run(tmp_path: Path) -> None:
    passing = "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"
    for path in ("conftest.py", "sub/conftest.py", "pytest.ini"):
        answer, _ = await rewritten(tmp_path, WRONG + block(passing if path[-2:] == "py" else "[pytest]\n", "", path))
        assert answer.problems[0] == f"'{path}' tells how tests are run, and was not named: leave it alone"


async def test_single_hunks_are_taken(tmp_path: Path) -> None:
    answer, _ = await rewritten(tmp_path, TWO)
    assert [hunk.number for file in answer.files for hunk in file.hunks] == [1, 2]
    shown, _ = await rewritten(tmp_path, edits=answer.edits, hunks=[2])
    assert shown.digest != answer.digest
    await rewritten(tmp_path, edits=answer.edits, hunks=[2], approve=shown.digest)
    text = (tmp_path / "pond" / "pond.py").read_text()
    assert text == FILES["pond.py"].replace("return -deep", "return 0 - deep")


async def test_repairs_are_bounded_and_nothing_is_offered_then(tmp_path: Path) -> None:
    said = [BROKEN.replace("far", name) for name in ("a", "b", "c", "d", "e")]
    answer, asked = await rewritten(tmp_path, *said)
    assert (answer.files, answer.tries, len(asked)) == ((), 4, 4)
    assert "no draft passed" in answer.notes[0]


async def test_edits_that_do_not_pass_are_not_written_by_handing_them_in(tmp_path: Path) -> None:
    for edits in (GONE, block("x = 1\n", "", "../out.py"), block("x = 1\n", "", ".git/hooks/post-commit")):
        with pytest.raises(Conflict):
            await rewritten(tmp_path, edits=edits)


async def test_without_a_provider_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    answer, _ = await rewritten(tmp_path)
    assert (answer.files, "duck llm connect" in answer.notes[0]) == ((), True)


async def test_without_an_instruction_nothing_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="say in words"):
        await rewritten(tmp_path, GOOD, to=" ")
