"""A model's completion repeats nothing, breaks nothing, and does not outlive its request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.app import App, open_app
from rubber_duck.call import Delta, Progress
from rubber_duck.code.code import open_source
from rubber_duck.engines.filling import Fitting, is_complete, without_suffix
from rubber_duck.ngram.ngram import Cursor
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import Answer, Asked, FakeProvider, Send, event, fake_provider, head, sending
from tests.models import connect

BEFORE = "def area(width, height):\n    return width * height\n\n\ndef half(width, height):\n    return "
AFTER = "\n\n\ndef twice(width):\n    return 2 * width\n"


def streaming(*texts: str) -> Answer:
    parts = [event({"choices": [{"index": 0, "text": text, "finish_reason": None}]}) for text in texts]
    end = event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
    return sending(head(), *parts, end, b"data: [DONE]\n\n")


async def stalled(asked: Asked, send: Send) -> None:
    """Begin to answer, and never go on."""
    await send(head() + event({"choices": [{"index": 0, "text": "ar", "finish_reason": None}]}))
    await asyncio.Event().wait()


def telling(begun: asyncio.Event) -> Answer:
    """As `stalled`, and tells that it was asked."""

    async def answer(asked: Asked, send: Send) -> None:
        begun.set()
        await stalled(asked, send)

    return answer


@asynccontextmanager
async def completing(tmp_path: Path, *answers: Answer) -> AsyncIterator[tuple[App, dict[str, Any], FakeProvider]]:
    pond = write_tree(tmp_path / "pond", {"pyproject.toml": "", "a.py": BEFORE + "1" + AFTER})
    async with fake_provider(*answers) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["complete"]) as app:
            request = {"type": "suggest", "path": str(pond / "a.py"), "prefix": BEFORE, "suffix": AFTER}
            yield app, request, fake


async def test_a_models_text_stands_among_those_of_the_project_which_come_at_once(tmp_path: Path) -> None:
    heard: list[Delta | Progress] = []
    async with completing(tmp_path, streaming("area(width, ", "height) / 2", AFTER)) as (app, request, _):
        answer = await app.run("complete", request, Scope.local(), heard.append)
        without = await app.run("complete", {**request, "model": False}, Scope.local())
    found = {each.reason: each.text for each in answer.candidates}
    assert found["model"] == "area(width, height) / 2"
    assert [each.text for each in heard if isinstance(each, Delta)] == [each.text for each in without.candidates][:1]
    assert "model" not in {each.reason for each in without.candidates}


async def test_what_is_typed_along_an_answer_asks_no_model_again(tmp_path: Path) -> None:
    async with completing(tmp_path, streaming("area(width, height) / 2")) as (app, request, fake):
        await app.run("complete", request, Scope.local())
        answer = await app.run("complete", {**request, "prefix": f"{BEFORE}area("}, Scope.local())
        assert len(fake.asked) == 1
        await app.run("complete", {**request, "prefix": f"{BEFORE}half("}, Scope.local())
        assert len(fake.asked) == 2
    assert "width, height) / 2" in {each.text for each in answer.candidates}


async def test_a_cancel_closes_the_stream_to_the_provider(tmp_path: Path) -> None:
    begun = asyncio.Event()
    async with completing(tmp_path, telling(begun)) as (app, request, fake):
        task = asyncio.create_task(app.run("complete", request, Scope.local()))
        await asyncio.wait_for(begun.wait(), 20)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(fake.asked[0].closed.wait(), 5)
    assert task.cancelled()


async def test_a_model_that_is_too_slow_is_left_and_the_others_stand(tmp_path: Path) -> None:
    async with completing(tmp_path, stalled) as (app, request, fake):
        answer = await app.run("complete", {**request, "wait_s": 0.05}, Scope.local())
        for asked in fake.asked:  # a slow machine does not even ask in that time
            await asyncio.wait_for(asked.closed.wait(), 60)
    assert answer.note == "the model did not answer within 0.05 s"
    assert "model" not in {each.reason for each in answer.candidates}


@pytest.mark.parametrize("said", ["area(width", ") + (", "```python\nreturn 1\n```", "\n\ndef twice(width):\n"])
async def test_what_does_not_fit_is_not_offered(tmp_path: Path, said: str) -> None:
    async with completing(tmp_path, streaming(said)) as (app, request, _):
        answer = await app.run("complete", request, Scope.local())
    for each in answer.candidates:
        whole = f"{BEFORE}{each.text}{AFTER}".encode()
        assert not open_source("a.py", whole, "python").problems


@pytest.mark.parametrize(
    ("said", "suffix", "kept"),
    [
        ("a, b)", ")\n", "a, b"),
        ("a, b):", "):\n    pass\n", "a, b"),
        ("len(items)", ")\n", "len(items)"),
        ("len(items))", ")\n", "len(items)"),
        ("f(x))", "))\n", "f(x)"),
        ("items[0]", "]\n", "items[0]"),
        ("f(a)[0]):", "):\n", "f(a)[0]"),
        ("x + 1\nreturn x\nmore", "\nreturn x\n", "x + 1"),
        ("pure", " return\n", "pure"),
        ("one\ntwo", "rest", "one"),
        ("width", "\n", "width"),
    ],
)
def test_the_text_ends_before_it_repeats_what_follows(said: str, suffix: str, kept: str) -> None:
    assert without_suffix(said, suffix) == kept


@pytest.mark.parametrize("said", ["len(items)", "len(items))", "(a, b)[0]", "[x for x in items]", "{'a': f(b)}"])
def test_what_closes_its_own_brackets_is_offered_before_one_that_the_editor_closed(said: str) -> None:
    found = Fitting(Cursor("a.py", "python", "def show(items, a, b, f):\n    print(", ")\n")).fit(said)
    assert found == (said if said.count("(") == said.count(")") else said[:-1])


SHOP = """def total(items):
    result = 0
    for item in items:
        result += item.price
    log(result)
    return result


def empty(items):
    return not items
"""


@pytest.mark.parametrize(
    ("behind", "said", "kept"),
    [
        ("        result += item.price\n", "    log(result)", ""),
        ("        result += item.price\n", "    return result", ""),
        ("        result += item.price\n", "    check(result)\n    return result", "    check(result)"),
        ("        result += item.price\n", "    check(result)\n    return resu", "    check(result)"),
        ("        result += item.price\n", "    if not result:\n        return result", None),
        ("    result = 0\n", "    for item in items:", ""),
        ("    return result\n", "\n\ndef empty(items):\n    return not items\n", ""),
        ("    return result\n", "\n\ndef full(items):\n    return not empty(items)", None),
    ],
)
def test_no_line_below_is_said_again_on_a_line_of_its_own(behind: str, said: str, kept: str | None) -> None:
    at = SHOP.index(behind) + len(behind)
    found = Fitting(Cursor("a.py", "python", SHOP[:at], "\n" + SHOP[at:])).fit(said)
    assert found == (said if kept is None else kept)


def test_a_line_that_is_typed_already_is_not_finished_as_the_next_one() -> None:
    assert Fitting(Cursor("a.py", "python", "def f(result):\n    ret", "\n    return result\n")).fit("urn result") == ""


def test_more_is_not_waited_for_where_it_would_be_thrown_away() -> None:
    assert is_complete("x\n", ")\n")
    assert is_complete("x\nreturn y\n", "\nreturn y\n")
    assert not is_complete("x\nreturn y", "\nreturn y\n")  # it may become another line yet
    assert not is_complete("x\n", "\nreturn y\n")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab()[]:, \n=+", max_size=30), st.sampled_from((AFTER, ")\n", "\n", "", " + b\n")))
def test_whatever_a_model_says_the_file_parses_and_nothing_is_repeated(said: str, suffix: str) -> None:
    prefix = "def f(a, b):\n    return (" if suffix == ")\n" else "def f(a, b):\n    return "
    found = Fitting(Cursor("a.py", "python", prefix, suffix)).fit(said)
    if found:
        assert without_suffix(found, suffix) == found
        assert not open_source("a.py", f"{prefix}{found}{suffix}".encode(), "python").problems
