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


TASK = "let a duck dive as it does swim"


async def generated(tmp_path: Path, *said: object, **request: Any) -> tuple[Any, list[Any]]:  # Any: an answer, JSON
    pond = tmp_path / "pond"
    if not (pond / "pond.py").exists():
        write_tree(pond, FILES)
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["generate"]) as app:
            asked = {"task": TASK, "directory": str(pond), "at": "pond.py", **request}
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
    assert (answer.told[0], answer.told[-1], answer.tries, answer.model) == ("AGENTS.md", "pond.py", 1, MODEL)
    assert "nest.py:4" in answer.told
    user = asked[0]["messages"][1]["content"]
    assert "Names are of birds." in user
    assert (tmp_path / "pond" / "pond.py").read_text().endswith("def dive(deep):\n    return swim(deep)\n")


async def test_a_task_of_many_words_is_searched_for_as_well(tmp_path: Path) -> None:
    task = f"{TASK}, " + " ".join(f"and so on with w{number}" for number in range(60))
    answer, _ = await generated(tmp_path, GOOD, task=task)
    assert ("nest.py:4" in answer.told, answer.tries) == (True, 1)


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


async def test_imports_that_the_code_lacks_are_added_where_there_is_no_doubt(tmp_path: Path) -> None:
    said = block("\n\ndef home_of(deep):\n    return Path(str(lake())) / json.dumps(deep)\n")
    write_tree(tmp_path / "pond", {"lake.py": "def lake():\n    return 1\n"})
    answer, _ = await generated(tmp_path, said)
    added = ("import json", "from lake import lake", "from pathlib import Path")
    assert answer.imports == tuple(f"pond.py: {line}" for line in added)
    assert (answer.tries, answer.problems) == (1, ())
    assert (tmp_path / "pond" / "pond.py").read_text().startswith("import json\nfrom lake import lake\nfrom pathlib")


async def test_a_name_that_nobody_knows_goes_back(tmp_path: Path) -> None:
    answer, _ = await generated(tmp_path, block("\n\ndef dive(deep):\n    return sink(deep)\n"), GOOD)
    assert "Undefined name `sink`" in answer.problems[0]


async def test_only_the_lines_that_were_named_change_and_imports(tmp_path: Path) -> None:
    outside = block("", "pond.py").replace("=======\ndef swim(far):", "=======\ndef swim(far, by=1):")
    inside = "pond.py\n<<<<<<< SEARCH\n    return far\n=======\n    return json.dumps(far)\n>>>>>>> REPLACE\n"
    answer, asked = await generated(tmp_path, outside, inside, at="pond.py:2-2")
    assert answer.problems == ("only lines 2 to 2 of 'pond.py' may change, not line 1",)
    assert "Only those lines may change" in asked[0]["messages"][1]["content"]
    assert (tmp_path / "pond" / "pond.py").read_text() == "import json\ndef swim(far):\n    return json.dumps(far)\n"


async def test_errors_of_types_go_back_where_the_project_checks_types(tmp_path: Path) -> None:
    write_tree(tmp_path / "pond", {"mypy.ini": "[mypy]\ndisallow_untyped_defs = True\n"})
    wrong = block("\n\ndef dive(deep: int) -> str:\n    return deep\n")
    right = block("\n\ndef dive(deep: int) -> str:\n    return str(deep)\n")
    answer, _ = await generated(tmp_path, wrong, right)
    assert (answer.checker, answer.tries) == ("mypy", 2)
    assert 'Incompatible return value type (got "int", expected "str")' in answer.problems[0]


async def test_what_was_generated_is_kept_shown_again_and_forgotten(tmp_path: Path) -> None:
    first, _ = await generated(tmp_path, GOOD, approve="")
    listed, _ = await generated(tmp_path, list=True)
    (view,) = listed.generations
    assert (view.id, view.task, view.at, view.sound, view.written) == (first.id, TASK, "pond.py", True, 0)
    again, _ = await generated(tmp_path, again=first.id[:8], task="", at="")
    assert (again.digest, again.edits) == (first.digest, GOOD)
    written, _ = await generated(tmp_path, again="last", approve=first.digest, task="", at="")
    listed, _ = await generated(tmp_path, list=True)
    assert listed.generations[0].written == written.written == 1
    files = [*(tmp_path / "home").glob("duck.db*")]
    assert any(TASK.encode() in path.read_bytes() for path in files)
    await generated(tmp_path, again="last", forget=True)
    listed, _ = await generated(tmp_path, list=True)
    assert listed.generations == ()
    assert not any(TASK.encode() in path.read_bytes() for path in (tmp_path / "home").glob("duck.db*"))


async def test_how_a_person_wants_code_is_told_and_what_they_asked_is_noted(tmp_path: Path) -> None:
    write_tree(tmp_path / "pond", FILES)
    async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["memory"]) as app:
        asked = {
            "type": "remember",
            "text": "I prefer f-strings.",
            "kind": "preference",
            "directory": str(tmp_path / "pond"),
        }
        await app.run("memory", asked, Scope.local())
    answer, asked_ = await generated(tmp_path, GOOD)
    assert answer.told[0] == "what is remembered of this person and project"
    assert "I prefer f-strings." in asked_[0]["messages"][1]["content"]


async def test_edits_that_do_not_pass_are_not_written_by_handing_them_in(tmp_path: Path) -> None:
    answer, _ = await generated(tmp_path, edits=UNSAFE)
    assert (answer.files, "unsafe-eval" in answer.note) == ((), True)
