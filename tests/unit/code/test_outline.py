"""The outline of a file."""

from __future__ import annotations

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.outline import Entry, outline, render
from rubber_duck.code.symbols import SymbolKind

SOURCE = '''LIMIT = 1
class A(B):
    """Of A."""
    x: int = 1
    def f(self, a):
        def inner(): ...
    def _g(self): ...
'''


def test_an_outline_nests_what_the_file_nests() -> None:
    found = outline(extract(open_source("a.py", SOURCE.encode(), "python")))
    inner = Entry(SymbolKind.FUNCTION, "inner", "def inner()", 6, 6, "")
    members = (
        Entry(SymbolKind.FIELD, "x", "x: int", 4, 4, ""),
        Entry(SymbolKind.METHOD, "f", "def f(self, a)", 5, 6, "", (inner,)),
        Entry(SymbolKind.METHOD, "_g", "def _g(self)", 7, 7, ""),
    )
    assert found == (
        Entry(SymbolKind.CONSTANT, "LIMIT", "LIMIT", 1, 1, ""),
        Entry(SymbolKind.CLASS, "A", "class A(B)", 2, 7, "Of A.", members),
    )


def test_an_entry_knows_its_decorators_and_a_spec_that_is_not_in_its_head() -> None:
    python = b"class A:\n    @property\n    @cache(size=3)\n    def x(self) -> int: ...\n"
    [[x]] = [each.children for each in outline(extract(open_source("a.py", python, "python")))]
    assert (x.head, x.decorators, x.spec) == ("def x(self) -> int", ("property", "cache(size=3)"), "")
    elixir = b"""
defmodule A do
  @impl true
  @spec f(integer, term) :: {:ok, term}
  def f(a, b \\\\ 1), do: {a, b}
  @type t :: integer
end
"""
    [[f, t]] = [each.children for each in outline(extract(open_source("a.ex", elixir, "elixir")))]
    assert (f.head, f.decorators, f.spec) == (
        "def f(a, b \\\\ 1)",
        ("impl true",),
        "f(integer, term) :: {:ok, term}",
    )
    assert (t.head, t.decorators, t.spec) == ("@type t :: integer", (), "")


def test_a_head_over_several_lines_reads_as_if_it_were_one() -> None:
    source = b"def f(\n    a,\n    b=[\n        1,\n    ],\n) -> dict[\n    str, int\n]: ...\n"
    assert outline(extract(open_source("a.py", source, "python")))[0].head == "def f(a, b=[1]) -> dict[str, int]"


def test_decorators_stand_before_what_they_decorate_and_a_spec_behind_it() -> None:
    entry = Entry(SymbolKind.METHOD, "x", "def x(self)", 2, 3, "", (), ("property", "cache(size=3)"), "x(a) :: b")
    assert render([entry]) == "@property @cache(size=3) def x(self)  (a) :: b  [2-3]\n"


def test_private_entries_can_be_left_out_and_the_rest_is_rendered_by_line() -> None:
    found = outline(extract(open_source("a.py", SOURCE.encode(), "python")), with_private=False)
    assert render(found) == (
        "constant LIMIT  [1]\nclass A(B)  [2-7]\n  x: int  [4]\n  def f(self, a)  [5-6]\n    def inner()  [6]\n"
    )
