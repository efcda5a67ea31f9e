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


def test_private_entries_can_be_left_out_and_the_rest_is_rendered_by_line() -> None:
    found = outline(extract(open_source("a.py", SOURCE.encode(), "python")), with_private=False)
    assert render(found) == (
        "constant LIMIT  [1]\nclass A(B)  [2-7]\n  x: int  [4]\n  def f(self, a)  [5-6]\n    def inner()  [6]\n"
    )
