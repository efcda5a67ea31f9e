"""What a suggestion is looked at in: a text that is parsed once, and the few statements around the cursor."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import open_source
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.ground import Clearing, Ground

PYTHON = "def first(a):\n    if a:\n        return 1\n\n    return 2\n\n\n"
TYPESCRIPT = "class A {\n  first() {\n    go();\n\n    return 2;\n  }\n}\n"
ELIXIR = "defmodule A do\n  def first(a) do\n    go(a)\n\n    a\n  end\n\n"
FILES = {
    "python": ("a.py", PYTHON + "def other():\n    pass\n\n\n" * 9),
    "ecmascript": ("a.ts", TYPESCRIPT + "function f() {\n  g();\n}\n" * 9),
    "elixir": ("a.ex", ELIXIR + "  def f(x) do\n    g(x)\n  end\n\n" * 9 + "end\n"),
}
LANGUAGES = {"python": "python", "ecmascript": "typescript", "elixir": "elixir"}


def clearing(family: str) -> Clearing:
    """The empty line of the file of a family."""
    words = lexicon(family)
    assert words is not None
    path, text = FILES[family]
    file = Ground().parsed(path, LANGUAGES[family], text)
    return Clearing(file, LANGUAGES[family], text.index("\n\n") + 1, words.containers)


@pytest.mark.parametrize("family", FILES)
@pytest.mark.parametrize(("line", "is_whole"), [("    go(1)", True), ("    go(1", False), ("    go(1))", False)])
def test_a_line_is_whole_among_its_neighbours_as_it_is_in_the_file(family: str, line: str, is_whole: bool) -> None:
    path, text = FILES[family]
    at = text.index("\n\n") + 1
    whole = open_source(path, f"{text[:at]}{line}{text[at:]}".encode(), LANGUAGES[family])
    assert clearing(family).is_whole(line) == is_whole == (not whole.problems)


@pytest.mark.parametrize("line", ["    else:\n        pass", "    elif b:\n        pass"])
def test_a_branch_goes_with_the_statement_before_it(line: str) -> None:
    assert clearing("python").is_whole(line)


def test_a_text_that_changed_is_parsed_as_if_it_were_new() -> None:
    ground = Ground()
    for text in ("x = 'é'\n\ny = 2\n", "x = 'è'\n\ny = 2\n", "x = 'è'\ny = (\n", "x = 'è'\ny = 3\n", "y = 3\n"):
        file = ground.parsed("a.py", "python", text)
        fresh = open_source("a.py", text.encode(), "python")
        assert (file.content, file.problems, str(file.tree.root_node)) == (
            fresh.content,
            fresh.problems,
            str(fresh.tree.root_node),
        )
