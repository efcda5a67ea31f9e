"""Python's symbols, held against `ast` on the standard library and against examples by hand."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.symbols import Export, FileSymbols, ImportEdge, ImportedName, ReferenceKind, Symbol, SymbolKind
from tests.unit.code.python_oracle import facts_of_ast, facts_of_symbols

PACKAGES = ("asyncio", "collections", "concurrent", "email", "http", "importlib", "json", "logging", "unittest", "xml")


def found(source: str, path: str = "a.py") -> FileSymbols:
    return extract(open_source(path, source.encode(), "python"))


def symbol(source: str, name: str) -> Symbol:
    return next(each for each in found(source).symbols if each.qualified_name == name)


@pytest.mark.parametrize("package", PACKAGES)
def test_definitions_and_imports_equal_those_of_ast_on_the_standard_library(package: str) -> None:
    folder = Path(sysconfig.get_path("stdlib")) / package
    compared = 0
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        try:
            expected = facts_of_ast(content)
        except (SyntaxError, ValueError):  # files that are wrong on purpose
            continue
        compared += 1
        assert facts_of_symbols(extract(open_source(path.name, content, "python"))) == expected, path.name
    assert compared > 0


def test_a_method_knows_its_class_head_and_doc() -> None:
    method = symbol(
        "class A(B):\n    @staticmethod\n    async def f(a, b: int = 1, *c, d, **e) -> str:\n"
        '        """First\n        line.\n\n        More.\n        """\n',
        "A.f",
    )
    assert (method.kind, method.parent, method.line, method.start_line, method.end_line) == (
        SymbolKind.METHOD,
        0,
        3,
        2,
        8,
    )
    assert method.signature == "async def f(a, b: int = 1, *c, d, **e) -> str"
    assert (method.arity, method.arity_least, method.type_hint, method.doc) == (3, 2, "str", "First line.")
    assert (method.is_async, method.is_static, method.decorators) == (True, True, ("staticmethod",))


def test_kinds_follow_from_place_and_decorators() -> None:
    source = (
        "LIMIT = 1\nname: str = ''\nT = TypeVar('T')\nPair: TypeAlias = tuple\ntype Row[T] = list[T]\n"
        "class C:\n    x = 1\n    def m(self): y = 1\n    @property\n    def p(self): ...\n    @p.setter\n"
        "    def p(self, v): ...\ndef f():\n    def g(): ...\n"
    )
    assert [(each.kind.value, each.qualified_name) for each in found(source).symbols] == [
        ("constant", "LIMIT"),
        ("variable", "name"),
        ("type", "T"),
        ("type", "Pair"),
        ("type", "Row"),
        ("class", "C"),
        ("field", "C.x"),
        ("method", "C.m"),
        ("property", "C.p"),
        ("property", "C.p"),
        ("function", "f"),
        ("function", "f.g"),
    ]


def test_all_decides_what_is_exported() -> None:
    result = found("__all__ = ['a']\n__all__ += ['b']\n__all__.extend(['c'])\ndef a(): ...\ndef d(): ...\n")
    assert result.exports == (Export("a", 1, "a"), Export("b", 2, "b"), Export("c", 3, "c"))
    assert [each.name for each in result.symbols if each.is_exported] == ["a"]


def test_without_all_names_without_an_underscore_are_exported() -> None:
    assert [each.name for each in found("def a(): ...\ndef _b(): ...\nC = 1\n").symbols if each.is_exported] == [
        "a",
        "C",
    ]


def test_imports_of_every_form() -> None:
    source = "import a.b as c, d\nfrom . import x as y\nfrom ..e import *\nif z:\n    import w\n"
    assert found(source).imports == (
        ImportEdge("a.b", 1, "import", alias="c"),
        ImportEdge("d", 1, "import"),
        ImportEdge("", 2, "from", (ImportedName("x", "y"),), level=1),
        ImportEdge("e", 3, "from", (ImportedName("*"),), level=2),
        ImportEdge("w", 5, "import", is_conditional=True),
    )


def test_references_say_how_a_name_is_mentioned() -> None:
    source = "import a\ndef f(p: T, q=r):\n    x, o.w = a.m(p, k=q)\n    for i in x: del i\n"
    assert [(each.name, each.kind.value, each.line) for each in found(source).references] == [
        ("a", "import", 1),
        ("p", "write", 2),
        ("T", "type", 2),
        ("q", "write", 2),
        ("r", "read", 2),
        ("x", "write", 3),
        ("o", "read", 3),
        ("w", "write", 3),
        ("a", "read", 3),
        ("m", "call", 3),
        ("p", "read", 3),
        ("q", "read", 3),
        ("i", "write", 4),
        ("x", "read", 4),
        ("i", "write", 4),
    ]


def test_patterns_of_match_bind_names() -> None:
    source = "match v:\n    case P(a=b, c=1) | [d, *e] | {'k': f, **g} as h: pass\n    case m.n: pass\n"
    references = found(source).references
    assert [each.name for each in references.of_kind(ReferenceKind.WRITE)] == ["b", "d", "e", "f", "g", "h"]
    for first, last in ((1, 2), (2, 2), (0, 99), (3, 2), (50, 60), (-5, 1)):
        assert references.between(first, last) == [each for each in references if first <= each.line <= last]


def test_columns_of_references_count_code_points() -> None:
    references = found("ä = 'öö' + x\n# ü\ny = ä\n").references
    assert [(each.name, each.line, each.column) for each in references] == [
        ("ä", 1, 1),
        ("x", 1, 12),
        ("y", 3, 1),
        ("ä", 3, 5),
    ]


def test_a_broken_file_gives_what_can_be_read_and_says_where_it_breaks() -> None:
    result = found("def good(): ...\nclass (:\n    x = \ndef also(): ...\n")
    assert {"good", "also"} <= {each.name for each in result.symbols}
    assert result.problems


def test_syntax_newer_than_this_interpreter_is_read() -> None:
    source = "type A[T = int] = list[T]\nclass B[T]: ...\ndef f[**P](x: P.args): ...\nx = f'{y!r:{'a'}}'\n"
    result = found(source)
    assert [each.name for each in result.symbols] == ["A", "B", "f", "x"]
