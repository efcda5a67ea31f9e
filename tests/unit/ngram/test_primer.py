"""What a language says in every project: it speaks where the project's own code is silent, and gives way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.code.code import open_source
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.ngram import Cursor, open_ngram
from rubber_duck.ngram.primer import primer
from rubber_duck.ngram.suggestion import Suggestion
from rubber_duck.settings import IndexSettings, load
from rubber_duck.workspace.paths import Root
from tests.factories import write_tree

LANGUAGES = {"python": ("a.py", "python"), "ecmascript": ("a.tsx", "typescript"), "elixir": ("a.ex", "elixir")}


async def offered(folder: Path, prefix: str, *, path: str = "new.py", language: str = "python") -> list[str]:
    """What is offered behind `prefix` in a new file of the project in `folder`."""
    return [each.text for each in await suggested(folder, prefix, path=path, language=language)]


async def suggested(
    folder: Path, prefix: str, *, path: str = "new.py", language: str = "python"
) -> tuple[Suggestion, ...]:
    """The same with scores and reasons."""
    async with open_ngram(load({"DUCK_HOME": str(folder.parent / "home")})) as ngram:
        cursor = Cursor(path, language, prefix, "\n")
        found = await ngram.complete(Root(folder), IndexSettings(), cursor, count=3)
    return found.suggestions


@pytest.mark.parametrize("family", LANGUAGES)
def test_every_family_has_a_page_that_its_language_understands(family: str) -> None:
    path, language = LANGUAGES[family]
    assert lexicon(family) is not None
    assert primer(family).count("\n") > 200
    assert open_source(path, primer(family).encode(), language).problems == ()


@pytest.mark.parametrize(
    ("path", "language", "prefix", "wanted"),
    [
        ("new.py", "python", "import os\n\nif __name__ == ", '"__main__":'),
        ("new.py", "python", "class Duck:\n    def __init__(", "self"),
        ("new.py", "python", "for i in range(", "len("),
        ("new.ts", "typescript", "export async fu", "nction"),
        ("new.ts", "typescript", "for (let i = 0; i < items.", "length"),
        ("new.ex", "elixir", "defmodule Pond do\n  def start_link(opts) do\n    GenServer.", "start_link("),
        ("new.ex", "elixir", "defmodule Pond do\n  def init(opts) ", "do"),
    ],
)
async def test_in_an_empty_project_the_language_speaks(
    tmp_path: Path, path: str, language: str, prefix: str, wanted: str
) -> None:
    folder = write_tree(tmp_path / "pond", {"README.md": ""})
    found = await offered(folder, prefix, path=path, language=language)
    assert any(each.startswith(wanted) for each in found), found


async def test_it_is_written_as_is_usual_and_said_to_be_the_languages(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "pond", {"a.py": "import os\n\n\ndef read(path):\n    return 1\n"})
    found = await suggested(folder, "def read(path):\n    with open(")
    assert any(each.text.startswith("path") and each.text.endswith(") as file:") for each in found)
    assert {each.reason for each in found} == {"language"}


async def test_what_the_project_says_goes_before(tmp_path: Path) -> None:
    ours = "def swim(pond):\n    for i in range(pond.depth):\n        dive(i)\n"
    folder = write_tree(tmp_path / "pond", {f"{name}.py": ours for name in "abcd"})
    assert (await offered(folder, "def float(pond):\n    for i in range("))[0].startswith("pond.depth)")


async def test_nothing_of_the_page_counts_as_the_projects_own(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "pond", {"a.py": "x = 1\n"})
    async with open_ngram(load({"DUCK_HOME": str(tmp_path / "home")})) as ngram:
        found = await ngram.complete(Root(folder), IndexSettings(), Cursor("b.py", "python", "x", ""), count=1)
        assert (found.files, found.tokens < 20) == (1, True)
    assert await offered(folder, "from a import ") == []
    assert not any(each.startswith("ter") for each in await offered(folder, "value.set"))
