"""Files become chunks: each token in exactly one, definitions whole, prose by its headings, the rest by lines."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rubber_duck.search.chunk import MAX_CHUNKS, Chunk
from rubber_duck.search.record import Record
from rubber_duck.search.windows import WINDOW_BYTES, cut_prose, cut_text
from rubber_duck.search.worker import IndexedFile, IndexItem, index_item
from tests.factories import write_tree

SOURCES = Path(__file__).parents[2] / "data" / "sources"


def indexed(folder: Path, path: str, text: str | bytes, language: str, *, has_grammar: bool = True) -> IndexedFile:
    write_tree(folder, {path: text})
    return index_item(IndexItem(os.fsencode(folder), os.fsencode(path), language, has_grammar, 20_000_000))


def chunks_of(found: IndexedFile) -> list[Chunk]:
    return list(Record(found.content, np.arange(len(found.vocabulary))).chunks())


def shown(found: IndexedFile) -> list[tuple[str, str, int, int]]:
    return [(chunk.kind, chunk.qualified_name, chunk.start_line, chunk.end_line) for chunk in chunks_of(found)]


PYTHON = '''"""A pond."""
import os

DEPTH = 3


# Swims.
# And dives.
@decorated
class Duck(Bird):
    """A bird."""

    legs = 2

    def swim(self, far):
        def paddle():
            return far
        return paddle()

    wet = True
    feathers = os.environ["FEATHERS"]

    def quack(self): pass


if __name__ == "__main__":
    Duck().swim(1)
'''

ELIXIR = '''defmodule Pond.Duck do
  @moduledoc "A bird."

  @doc """
  Swims.

  Far.
  """
  @spec swim(integer) :: integer
  def swim(far) do
    far + 1
  end

  @legs 2
  def legs, do: @legs
end
'''

TYPESCRIPT = """import { Bird } from "./bird";

/** Swims. */
export class Duck extends Bird {
  legs = 2;
  swim(far: number) { return far; }
}

export const quack = () => "quack";
"""


def test_python_is_cut_at_its_definitions(tmp_path: Path) -> None:
    assert shown(indexed(tmp_path, "a.py", PYTHON, "python")) == [
        ("code", "", 1, 4),
        ("class", "Duck", 7, 13),
        ("method", "Duck.swim", 15, 18),
        ("code", "Duck", 20, 21),
        ("method", "Duck.quack", 23, 23),
        ("code", "", 26, 27),
    ]


def test_elixir_and_typescript_are_cut_with_what_stands_above(tmp_path: Path) -> None:
    assert shown(indexed(tmp_path, "a.ex", ELIXIR, "elixir")) == [
        ("module", "Pond.Duck", 1, 2),
        ("function", "Pond.Duck.swim", 4, 12),
        ("function", "Pond.Duck.legs", 14, 16),
    ]
    assert shown(indexed(tmp_path, "a.ts", TYPESCRIPT, "typescript")) == [
        ("code", "", 1, 1),
        ("class", "Duck", 3, 5),
        ("method", "Duck.swim", 6, 6),
        ("function", "quack", 9, 9),
    ]


def test_a_long_function_is_cut_into_pieces_of_which_one_is_the_head(tmp_path: Path) -> None:
    body = "".join(f"    value_{number} = call_{number}(argument)\n" for number in range(400))
    found = chunks_of(indexed(tmp_path, "a.py", f"def long():\n{body}", "python"))
    assert [chunk.is_head for chunk in found] == [True] + [False] * (len(found) - 1)
    assert {chunk.qualified_name for chunk in found} == {"long"}
    assert max(chunk.end_byte - chunk.start_byte for chunk in found) <= 2 * WINDOW_BYTES


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.name)
def test_every_token_is_in_exactly_one_chunk(path: Path) -> None:
    content = path.read_bytes()
    item = IndexItem(os.fsencode(path.parent), os.fsencode(path.name), "python", True, 20_000_000)
    found = chunks_of(index_item(item))
    position = 0
    for chunk in found:
        assert not content[position : chunk.start_byte].strip(b" \t\n,)]}:\\\"'")
        assert chunk.start_byte < chunk.end_byte
        position = chunk.end_byte
    assert not content[position:].strip()


def test_prose_is_cut_by_its_headings_but_not_by_what_is_fenced() -> None:
    text = b"Intro.\n\n# Pond\nWater.\n```\n# not one\n```\n## Ducks\n\nBirds.\n\nTitle\n=====\nEnd.\n"
    found = [(chunk.qualified_name, chunk.start_line, chunk.end_line) for chunk in cut_prose(text)]
    assert found == [("", 1, 1), ("Pond", 3, 7), ("Pond > Ducks", 8, 10), ("Title", 12, 14)]
    assert [chunk.qualified_name for chunk in cut_prose(b"Pond\n====\n\nOne\n~~~\nx\n\nTwo\n~~~\n")] == [
        "Pond",
        "Pond > One",
        "Pond > Two",
    ]
    assert cut_prose(b"") == []


def test_other_text_is_cut_by_lines_and_never_inside_a_character() -> None:
    assert cut_text(b" \n") == []
    lines = b"".join(b"line %d\n" % number for number in range(2_000))
    assert b"".join(lines[chunk.start_byte : chunk.end_byte] + b"\n" for chunk in cut_text(lines)) == lines
    for text in ("ü" * 5_000, "用户" * 5_000, "a" * 9_999, "word " * 3_000):
        content = text.encode()
        pieces = [content[chunk.start_byte : chunk.end_byte].decode() for chunk in cut_text(content)]
        assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
        assert max(map(len, pieces)) <= WINDOW_BYTES


def test_what_cannot_be_read_or_parsed_says_why(tmp_path: Path) -> None:
    assert indexed(tmp_path, "a.py", b"\0\0", "python").problem == "it is not text: it holds NUL bytes"
    deep = indexed(tmp_path, "b.py", "(" * 3_000 + ")" * 3_000 + "\nfound = 1\n", "python")
    assert deep.problem == "cut without looking at its syntax: the file is nested deeper than 1,000 levels"
    assert "found" in deep.vocabulary
    many = indexed(tmp_path, "c.py", "def f(): pass\n" * (MAX_CHUNKS + 1), "python")
    assert many.problem == f"it has {MAX_CHUNKS + 1:,} pieces, of which the first {MAX_CHUNKS:,} are found"
    gone = index_item(IndexItem(os.fsencode(tmp_path), b"gone.py", "python", True, 100))
    assert (gone.problem, gone.content) == ("there is no 'gone.py'", b"")
    assert indexed(tmp_path, "d.py", "# Code generated by x. DO NOT EDIT.\n", "python").is_generated
