"""The completion engine turns a place in a file into a cursor, and says clearly what is no place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest

from rubber_duck import telemetry
from rubber_duck.call import Call, Parts
from rubber_duck.engines.complete import Accepted, Candidate, Complete, CompleteAnswer
from rubber_duck.engines.engine import parse_request
from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded, NotFound
from rubber_duck.llm.llm import open_llm
from rubber_duck.ngram.ngram import open_ngram
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.telemetry.events import Value
from tests.factories import write_tree

CODE = """\
def price(item):
    total = item.net + item.tax
    return total


def cost(item):
    total = item.net + item.tax
    return total
"""
REST = Candidate(text="item.net + item.tax", score=0.0, reason="folder", ends_line=True)


class Shop:
    """A project with one file, and the engine that completes in it."""

    def __init__(self, folder: Path, call: Call) -> None:
        self.folder = folder
        self.call = call
        self.told: list[tuple[str, Mapping[str, Value]]] = []

    async def ask(self, **request: object) -> CompleteAnswer:
        """The answer to a suggestion asked for in the file `b.py`."""
        parsed = parse_request(Complete, {"type": "suggest", "path": "b.py", "directory": str(self.folder)} | request)
        return await Complete().run(parsed, self.call)

    async def texts(self, **request: object) -> list[str]:
        """The texts of the candidates."""
        return [each.text for each in (await self.ask(**request)).candidates]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    folder = write_tree(tmp_path / "shop", {"a.py": CODE, "b.py": CODE, "notes.txt": "nothing\n"})
    settings = Settings(home=str(tmp_path / "home"))
    async with open_ngram(settings) as ngram, open_llm(settings) as llm:
        found = Shop(folder, Call(Scope.local(), Parts(settings, {"ngram": ngram, "llm": llm})))
        with telemetry.listening(lambda name, fields: found.told.append((name, fields))):
            yield found


async def test_a_line_and_a_column_make_a_cursor(shop: Shop) -> None:
    answer = await shop.ask(line=2, column=13, cut=True)
    first = msgspec.structs.replace(answer.candidates[0], score=0.0)
    assert first == REST
    assert (answer.language, answer.files, answer.trained, answer.extended) == ("python", 2, True, False)
    assert answer.latency_ms > 0


async def test_the_text_may_come_with_the_request(shop: Shop) -> None:
    content = "def tax(item):\n    total = \n"
    assert (await shop.texts(line=2, column=13, content=content))[0] == "item.net + item.tax"
    assert (await shop.texts(prefix="def tax(item):\n    total = "))[0] == "item.net + item.tax"


async def test_what_stands_behind_the_cursor_counts_unless_it_is_cut(shop: Shop) -> None:
    silent = await shop.ask(line=2, column=13)
    assert (silent.candidates, silent.silence) == ((), "word")
    assert (await shop.texts(line=2, column=13, cut=True))[0] == "item.net + item.tax"


async def test_columns_count_characters_and_lines_may_end_as_on_windows(shop: Shop) -> None:
    content = "é = 1\r\ndef tax(item):\r\n    total = \r\n    return total\r\n"
    assert (await shop.texts(line=3, column=13, content=content))[0] == "item.net + item.tax"


async def test_no_more_candidates_come_than_were_asked_for(shop: Shop) -> None:
    assert len(await shop.texts(prefix="def ", count=1)) == 1


async def test_what_was_offered_and_taken_is_told(shop: Shop) -> None:
    await shop.ask(prefix="def tax(item):\n    total = ")
    accepted = Accepted(language="python", rank=1, characters=19, thought_ms=700)
    assert await Complete().run(accepted, shop.call) == CompleteAnswer(language="python")
    told = {name: dict(fields) for name, fields in shop.told if name.startswith("completion.")}
    assert told["completion.shown"].pop("latency_ms", None) is not None
    assert told["completion.shown"].pop("candidates") in (1, 2, 3)
    assert told == {
        "completion.shown": {"language": "python", "reason": "folder", "extended": False},
        "completion.accepted": {"language": "python", "rank": 1, "characters": 19, "thought_ms": 700},
    }


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({}, InvalidInput, "there is no cursor"),
        ({"line": 1, "prefix": "x"}, InvalidInput, "the cursor is given twice"),
        ({"content": "x", "prefix": "x"}, InvalidInput, "the cursor is given twice"),
        ({"line": 99}, InvalidInput, "line 99 is behind the end: 'b.py' has 9 lines"),
        ({"line": 1, "column": 99}, InvalidInput, "column 99 is behind the end of line 1, of 16 characters"),
        ({"path": "missing.py", "line": 1}, NotFound, "missing.py"),
        ({"path": ".", "line": 1}, InvalidInput, "is a folder"),
        ({"path": "notes.txt", "line": 1}, InvalidInput, "in no language"),
        ({"line": 1, "language": "cobol"}, InvalidInput, "cobol"),
    ],
)
async def test_what_is_no_place_is_refused_with_a_reason(
    shop: Shop, request_: dict[str, object], error: type[DuckError], message: str
) -> None:
    with pytest.raises(error, match=message):
        await shop.ask(**request_)


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"count": 11}, {"line": 0}, {"column": 0}, {"prefix": "x" * 5_000_001}]
)
def test_a_request_beyond_its_limits_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((InvalidInput, LimitExceeded), match="the request for 'complete' is not valid"):
        parse_request(Complete, {"type": "suggest", "path": "b.py"} | wrong)
