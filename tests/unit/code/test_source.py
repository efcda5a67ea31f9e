"""The text, the places and the calls of one parsed file."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.walk import table, walk

CALLS = ("call", "call_expression", "new_expression")


def nodes(file: SourceFile, *kinds: str) -> list[Node]:
    found: list[Node] = []
    walk(file, table(file.grammar, [(kind, found.append) for kind in kinds]), table(file.grammar, []))
    return found


def opened(path: str, text: str) -> SourceFile:
    language = detect(path, None)
    assert language is not None
    return open_source(path, text.encode(), language)


@pytest.mark.parametrize(
    ("path", "text", "name", "callee"),
    [
        ("a.py", "cursor.execute(x)", "execute", "cursor.execute"),
        ("a.py", "execute(x)", "execute", "execute"),
        ("a.py", '" ".join(x)', "join", ".join"),
        ("a.py", "(f or g)(x)", "", ""),
        ("a.js", "a?.b.c(x)", "c", "a.b.c"),
        ("a.ts", "new Foo.Bar<string>(x)", "Bar", "Foo.Bar"),
        ("a.ts", "this.#secret!.run(x)", "run", "this.#secret.run"),
        ("a.tsx", "import('x')", "import", "import"),
        ("a.ex", "System.cmd(x)", "cmd", "System.cmd"),
        ("a.ex", ":os.cmd(x)", "cmd", ":os.cmd"),
        ("a.ex", "fun.(x)", "", "fun"),
    ],
)
def test_a_call_tells_the_name_and_the_dotted_callee(path: str, text: str, name: str, callee: str) -> None:
    file = opened(path, text)
    call = nodes(file, *CALLS)[0]
    assert (file.name_of_call(call), file.callee(call)) == (name, callee)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("a.py", r'"a\n\x41"', "a\nA"),
        ("a.py", r'r"a\n"', r"a\n"),
        ("a.py", '"""a"""', "a"),
        ("a.py", 'f"{a}"', None),
        ("a.py", 'f"a"', "a"),
        ("a.js", r"'\u{41}'", "A"),
        ("a.js", "`a`", "a"),
        ("a.js", "`${a}`", None),
        ("a.ex", '"a"', "a"),
        ("a.ex", '"#{a}"', None),
        ("a.ex", r"~S(a\n)", r"a\n"),
        ("a.ex", '"""\na\n"""', "\na\n"),
    ],
)
def test_a_plain_string_has_a_value_and_an_interpolated_one_has_none(path: str, text: str, value: str | None) -> None:
    file = opened(path, text)
    string = nodes(file, "string", "template_string", "sigil")[0]
    assert (file.string_value(string), file.is_interpolated(string)) == (value, value is None)


def test_adjacent_python_strings_are_joined() -> None:
    file = opened("a.py", "('a' 'b')")
    assert file.string_value(nodes(file, "concatenated_string")[0]) == "ab"


def test_columns_count_code_points_and_lines_begin_at_one() -> None:
    file = opened("a.py", "x = 1\nyé = 'ñ' + z\n")
    z = next(node for node in nodes(file, "identifier") if file.text(node) == "z")
    assert file.span(z.start_byte, z.end_byte) == (2, 12, 2, 13)
    assert (file.lines, file.line(2), file.line(9)) == (2, "yé = 'ñ' + z", "")


def test_ancestors_are_the_path_to_the_visited_node() -> None:
    file = opened("a.py", "def f():\n    return g()\n")
    seen: list[list[str]] = []
    walk(
        file,
        table(file.grammar, [("call", lambda node: seen.append([above.type for above in file.ancestors]))]),
        table(file.grammar, []),
    )
    assert seen == [["module", "function_definition", "block", "return_statement"]]


def test_enter_comes_before_the_children_and_leave_after_them() -> None:
    file = opened("a.py", "f(g())")
    seen: list[str] = []
    walk(
        file,
        table(file.grammar, [("call", lambda node: seen.append("enter " + file.text(node)))]),
        table(file.grammar, [("call", lambda node: seen.append("leave " + file.text(node)))]),
    )
    assert seen == ["enter f(g())", "enter g()", "leave g()", "leave f(g())"]


@pytest.mark.parametrize(
    ("path", "text", "inside"),
    [
        ("a.py", "'a' 'b'", ["string_content"] * 2),
        ("a.py", r"f'{a}' '\n'", ["string_content"]),
        ("a.js", "'a' + `b`", ["string_fragment"] * 2),
        ("a.ts", "'a'", ["string_fragment"]),
        ("a.ex", "\"a\" <> 'b'", ["quoted_content"] * 2),
    ],
)
def test_a_plain_string_is_entered_for_those_who_ask_for_what_is_in_it(path: str, text: str, inside: list[str]) -> None:
    file = opened(path, text)
    assert [node.type for node in nodes(file, "string_content", "string_fragment", "quoted_content")] == inside


def test_a_string_that_somebody_waits_to_leave_is_left() -> None:
    file = opened("a.py", "f('a')")
    seen: list[str] = []
    walk(file, table(file.grammar, []), table(file.grammar, [("string", lambda node: seen.append(file.text(node)))]))
    assert seen == ["'a'"]


@pytest.mark.parametrize("text", ["f'{a}'", "f'a{b}'", "'a' f'{b!r}'", "f'''{\nc}'''"])
def test_names_inside_a_string_are_met(text: str) -> None:
    assert len(nodes(opened("a.py", text), "identifier")) == 1


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("a/b.py", None, "python"),
        ("B.PYI", None, "python"),
        ("a.mjs", None, "javascript"),
        ("a.d.ts", None, "typescript"),
        ("a.tsx", None, "typescript"),
        ("mix.exs", None, "elixir"),
        ("bin/run", b"#!/usr/bin/env python3.11\n", "python"),
        ("bin/run", b"#!/usr/bin/env -S node --harmony\n", "javascript"),
        ("bin/run", b"#!/usr/local/bin/elixir\n", "elixir"),
        ("bin/run", b"#!/bin/sh\n", None),
        ("bin/run", b"#!" + b"/" * 100_000, None),
        ("README", None, None),
        (".py", None, None),
        ("a.txt", b"#!/usr/bin/python\n", None),
    ],
)
def test_a_language_is_told_by_suffix_name_or_first_line(path: str, head: bytes | None, language: str | None) -> None:
    assert detect(path, head) == language
