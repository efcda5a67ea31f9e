"""What is generated can be placed, parses and brings no findings, or it is not offered; nothing is written unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rubber_duck.app import open_app
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import fake_provider
from tests.models import MODEL, answering, connect

FILES = {
    "pyproject.toml": "",
    "AGENTS.md": "Names are of birds.\n",
    "pond.py": "def swim(far):\n    return far\n",
    "nest.py": "from pond import swim\n\n\ndef home():\n    return swim(3)\n",
}


def block(new: str, path: str = "pond.py") -> str:
    search = "" if path != "pond.py" else "def swim(far):\n    return far\n"
    return f"{path}\n<<<<<<< SEARCH\n{search}=======\n{search}{new}>>>>>>> REPLACE\n"


GOOD = block("\n\ndef dive(deep):\n    return swim(deep)\n")
BROKEN = block("\n\ndef dive(deep:\n")
UNSAFE = block("\n\ndef dive(deep):\n    return eval(deep)\n")


async def generated(tmp_path: Path, *said: object, **request: Any) -> tuple[Any, list[Any]]:  # Any: an answer, JSON
    pond = write_tree(tmp_path / "pond", FILES)
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["generate"]) as app:
            asked = {"task": "let a duck dive as it does swim", "directory": str(pond), "at": "pond.py", **request}
            answer = await app.run("generate", asked, Scope.local())
            if answer.files and request.get("approve") is None and said:
                again = {**asked, "edits": answer.edits, "approve": answer.digest}
                before = (pond / "pond.py").read_text()
                assert before == FILES["pond.py"]
                written = await app.run("generate", again, Scope.local())
                assert written.written == 1
        return answer, [each.json for each in fake.asked]


async def test_the_model_is_told_the_file_the_rules_and_what_a_search_finds(tmp_path: Path) -> None:
    answer, asked = await generated(tmp_path, GOOD)
    assert (answer.told[:2], answer.tries, answer.model) == (("AGENTS.md", "pond.py"), 1, MODEL)
    assert "nest.py:4" in answer.told
    user = asked[0]["messages"][1]["content"]
    assert "Names are of birds." in user
    assert (tmp_path / "pond" / "pond.py").read_text().endswith("def dive(deep):\n    return swim(deep)\n")


async def test_what_does_not_parse_or_brings_findings_goes_back(tmp_path: Path) -> None:
    answer, _ = await generated(tmp_path, BROKEN, UNSAFE, "No edits.", GOOD)
    assert answer.tries == 4
    assert "no longer parses" in answer.problems[0]
    assert "unsafe-eval" in answer.problems[1]
    assert answer.problems[2] == "there are no edits in the answer"
    assert [file.path for file in answer.files] == ["pond.py"]


async def test_without_repair_a_bad_draft_is_the_end_and_nothing_is_offered(tmp_path: Path) -> None:
    answer, asked = await generated(tmp_path, BROKEN, GOOD, techniques=[])
    assert (answer.files, len(asked)) == ((), 1)
    assert "no draft passed" in answer.note


async def test_thought_and_feedback_are_kept_apart_from_the_code(tmp_path: Path) -> None:
    said = [{"queries": ["home"]}, {"queries": []}, {"steps": ["reuse swim"]}, GOOD]
    answer, asked = await generated(tmp_path, *said, techniques=["repair", "thought", "feedback"])
    assert (answer.steps, answer.queries, len(asked)) == (("reuse swim",), ("home",), 4)
    assert "reuse swim" not in answer.edits


async def test_hostile_edits_are_refused_whatever_the_model_says(tmp_path: Path) -> None:
    for path in ("../outside.py", ".git/hooks/pre-commit", "duck.toml"):
        answer, _ = await generated(tmp_path, block("x = 1\n", path))
        assert answer.files == ()
    assert not (tmp_path / "outside.py").exists()


async def test_without_a_provider_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    answer, _ = await generated(tmp_path)
    assert (answer.files, "duck llm connect" in answer.note) == ((), True)
