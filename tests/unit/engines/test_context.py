"""The context engine tells what is there now, again where nothing has changed, and nothing of anybody else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.analysis.analysis import Analysis
from rubber_duck.analysis.known import Known
from rubber_duck.analysis.worker import TASK
from rubber_duck.app import PARTS, App, Opened, Part, open_app
from rubber_duck.code.workers import Workers
from rubber_duck.engines.context import ContextAnswer
from rubber_duck.errors import Denied, InvalidInput, NotFound
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import Settings, load
from rubber_duck.storage.cache import Cache
from rubber_duck.workspace.programs import find_program, run_program
from tests.factories import write_tree

LATER_NS = 3_600_000_000_000
POND = {
    "pyproject.toml": "",
    "duck.py": 'def swim(far):\n    """Swims."""\n    return far\n',
    "nest.py": "from duck import swim\n\n\ndef home():\n    return swim(3)\n",
}


@asynccontextmanager
async def _open_later(settings: Settings, opened: Opened) -> AsyncIterator[Analysis]:
    """The analysis, an hour later: as if the files had been written long ago."""
    cache = Cache(Path(settings.home) / "cache.db")
    workers = Workers(1, TASK, memory_bytes=settings.workers.memory_bytes)
    try:
        yield Analysis(Known(cache), workers, now_ns=lambda: time.time_ns() + LATER_NS)
    finally:
        await workers.close()
        cache.close()


@asynccontextmanager
async def application(home: Path) -> AsyncIterator[App]:
    settings = load({"DUCK_HOME": str(home), "DUCK_WORKERS_COUNT": "1"})
    parts = [Part("analysis", (), _open_later) if part.name == "analysis" else part for part in PARTS]
    async with open_app(settings, for_engines=["context", "search", "projects"], parts=parts) as opened:
        yield opened


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with application(tmp_path / "home") as opened:
        yield opened


async def ask(app: App, folder: Path, *, scope: Scope | None = None, **request: object) -> ContextAnswer:
    answer = await app.run("context", {"directory": str(folder), **request}, scope or Scope.local())
    assert isinstance(answer, ContextAnswer)
    return answer


async def test_what_was_told_is_told_again_while_nothing_changes(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    first = await ask(app, pond, place="nest.py:5")
    second = await ask(app, pond, place="nest.py:5")
    assert (first.cached, second.cached) == (False, True)
    assert (second.text, second.parts, second.refused) == (first.text, first.parts, first.refused)


async def test_what_was_told_is_told_again_by_the_next_process(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    answers = []
    for _ in range(2):
        async with application(tmp_path / "home") as app:
            answers.append(await ask(app, pond, place="nest.py:5"))
    assert [each.cached for each in answers] == [False, True]
    assert answers[0].text == answers[1].text


async def test_another_ask_is_answered_from_what_is_known_of_the_files(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    await ask(app, pond, place="nest.py:5")
    said: list[str] = []
    with telemetry.listening(lambda name, fields: said.append(name)):
        answer = await ask(app, pond, place="nest.py:4")
    assert not answer.cached
    assert "workspace.scanned" not in said


async def test_a_changed_file_is_told_as_it_is_now(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    await ask(app, pond, place="nest.py:5")
    write_tree(pond, {"duck.py": "def swim(far):\n    return far * 1000\n"})
    answer = await ask(app, pond, place="nest.py:5")
    assert not answer.cached
    assert "far * 1000" in answer.text
    assert "Swims" not in answer.text


async def test_deleted_and_renamed_files_are_told_no_more(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND | {"fly.py": "def fly():\n    return 'up'\n"})
    write_tree(
        pond, {"nest.py": "from duck import swim\nfrom fly import fly\n\n\ndef home():\n    return swim(fly())\n"}
    )
    assert {"duck.py", "fly.py"} <= {part.path for part in (await ask(app, pond, place="nest.py:6")).parts}
    (pond / "duck.py").rename(pond / "goose.py")
    (pond / "fly.py").unlink()
    answer = await ask(app, pond, place="nest.py:6")
    assert not {"duck.py", "fly.py"} & {part.path for part in answer.parts}
    assert "'up'" not in answer.text


async def test_a_file_that_is_ignored_later_is_told_no_more_and_refused_by_name(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    question = "which function swims"
    assert "Swims" in (await ask(app, pond, query=question)).text
    assert "Swims" in (await ask(app, pond, place="nest.py:5")).text
    write_tree(pond, {".duckignore": "duck.py\n"})
    assert "Swims" not in (await ask(app, pond, query=question)).text
    assert "Swims" not in (await ask(app, pond, place="nest.py:5")).text
    with pytest.raises(NotFound, match=r"'duck\.py' is not among .*ignored: by \.duckignore"):
        await ask(app, pond, place="duck.py:1")


async def test_a_reader_with_fewer_rights_is_never_served_what_another_was_told(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    await ask(app, pond, place="nest.py:5")
    local = Scope.local()
    with pytest.raises(Denied):
        await ask(app, pond, place="nest.py:5", scope=replace(local, rights=frozenset({Right.PROJECT_READ})))
    fewer = await ask(
        app, pond, place="nest.py:5", scope=replace(local, rights=frozenset({Right.FILE_READ, Right.PROJECT_READ}))
    )
    assert not fewer.cached
    other = await ask(app, pond, place="nest.py:5", scope=replace(local, actor=Actor("other", "other")))
    assert not other.cached


CANARY = "canary_of_the_other_project"
QUESTIONS = ("where is swim defined", CANARY, f"/{CANARY[:12]}/", "bird", "class")


async def test_nothing_of_one_project_is_in_the_contexts_of_another(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    secret = f'def swim(far):\n    """{CANARY}"""\n    {CANARY} = far\n    return {CANARY}\n'
    cage = {
        "pyproject.toml": "",
        "AGENTS.md": CANARY,
        "duck.py": secret,
        f"{CANARY}.py": secret,
        "nest.py": POND["nest.py"],
    }
    other = write_tree(tmp_path / "cage", cage)
    places = ("nest.py:5", "duck.py:2")
    for _ in range(2):  # the second time by another process, from what the first one kept
        async with application(tmp_path / "home") as app:
            for strategy in ("", "fim", "retrieval", "long_window"):
                for place in places:
                    assert CANARY in (await ask(app, other, place=place, strategy=strategy, budget_tokens=8000)).text
                    told = await ask(app, pond, place=place, strategy=strategy, budget_tokens=8000)
                    assert CANARY not in repr(told)
            for query in QUESTIONS:
                await ask(app, other, query=query)
                told = await ask(app, pond, query=query, budget_tokens=8000)
                assert CANARY not in repr(told)


async def test_a_folder_that_becomes_another_project_is_not_told_as_the_old_one(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    await ask(app, pond, place="nest.py:5")
    pond.rename(tmp_path / "old")
    write_tree(pond, POND | {"duck.py": "def swim(far):\n    return 'elsewhere'\n"})
    answer = await ask(app, pond, place="nest.py:5")
    assert "elsewhere" in answer.text
    assert "Swims" not in answer.text


@pytest.mark.parametrize("mark", ["\x0c", "\x1c", "\u2028", "\u0085"])
async def test_a_place_is_where_the_parser_counts_it(app: App, tmp_path: Path, mark: str) -> None:
    pond = write_tree(tmp_path / "pond", {**POND, "duck.py": f"# a{mark}b{mark}c\n{POND['duck.py']}"})
    (told,) = [part for part in (await ask(app, pond, place="nest.py:5")).parts if part.path == "duck.py"]
    assert (told.start_line, told.end_line) == (2, 4)
    assert 'def swim(far):\n    """Swims."""\n    return far\n' in (await ask(app, pond, place="nest.py:5")).text
    with pytest.raises(InvalidInput, match="4 lines"):
        await ask(app, pond, place="duck.py:5")


async def test_a_file_is_told_in_the_encoding_that_it_declares(app: App, tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\ndef grüß(far):\n    return far\n"
    pond = write_tree(tmp_path / "pond", {**POND, "gruss.py": text.encode("latin-1")})
    assert "def grüß(far):" in (await ask(app, pond, place="gruss.py:3")).text
    write_tree(pond, {"gruss.py": b"\xef\xbb\xbfdef swim(far):\r\n    return far\r\n"})
    found = (await ask(app, pond, place="gruss.py:1")).text
    assert ("def swim(far):\n    return far\n" in found, "\ufeff" in found) == (True, False)


async def test_a_name_with_a_line_break_is_a_name(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", {**POND, "a\nb.py": "def c():\n    return 1\n"})
    assert "return 1" in (await ask(app, pond, place="a\nb.py:2")).text


async def test_what_was_told_of_a_purged_project_is_forgotten(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    await ask(app, pond, place="nest.py:5")
    await app.run("projects", {"type": "remove", "project": "pond"}, Scope.local())
    await app.run("projects", {"type": "purge", "project": "pond"}, Scope.local())
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").glob("cache.db*"))
    assert b"def home():" not in kept
    assert not (await ask(app, pond, place="nest.py:5")).cached


QUERIES = (
    "swims " + " ".join(f"word{number}" for number in range(1_000)),
    'why does "duck swim hang?',
    "fix lang: detection where it swims",
    "make the --swims flag quiet",
    "what of /swims( and path:nowhere -swims?",
    "Swims: `duck.swim()`. " + "x" * 9_000,
)


async def test_a_question_is_read_as_people_write_it(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    for question in QUERIES:
        told = await ask(app, pond, query=question, strategy="retrieval")
        assert "duck.py" in {part.path for part in told.parts}, question
    told = await ask(app, pond, query=QUERIES[0], strategy="long_window")
    assert "duck.py" in {part.path for part in told.parts}


async def test_a_question_without_a_word_and_a_place_in_a_huge_line_are_answered(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND | {"huge.js": ";".join(f"let v{n} = swim(w{n})" for n in range(5_000))})
    without = await ask(app, pond, query="?! --", strategy="retrieval")
    assert {part.kind for part in without.parts} == {"map"}
    found = await ask(app, pond, place="huge.js:1:90", strategy="retrieval")
    assert "huge.js" in {part.path for part in (*found.parts, *found.refused) if part.kind == "found"}


async def test_how_old_a_file_is_the_history_says_where_there_is_one(app: App, tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", POND)
    for line in ("init -q", "add duck.py", "-c user.name=duck -c user.email=duck@example.org commit -q -m swim"):
        done = await run_program(
            [find_program("git") or "git", *line.split()],
            cwd=pond,
            environment={"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"},
        )
        assert done.returncode == 0, done.stderr
    answer = await ask(app, pond, place="nest.py:5")
    recency = {part.path: part.recency for part in answer.parts}
    assert (recency["duck.py"], recency["nest.py"]) == (0.0, 1.0)
