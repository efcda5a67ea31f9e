"""Imports of JavaScript and TypeScript and aliases of Elixir in order; and a JavaScript expression under a name."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring import ecmascript_extract, ecmascript_imports, elixir_aliases
from rubber_duck.code.refactoring.refactored import Stretch
from rubber_duck.errors import InvalidInput, Refused


def organised(text: str, path: str = "a.ts") -> str:
    return ecmascript_imports.organise({path: text}, path).texts[path]


def test_imports_that_stand_together_are_sorted_merged_and_rid_of_what_is_unused() -> None:
    text = (
        "// head\nimport { z, a } from './near'\nimport React from 'react'\nimport { b, type C, gone } from '../far'\n"
        "import d from './near'\nimport type { T } from 'lib'\nimport * as ns from 'lib'\n\n"
        "export const x: C<T> = [z, a, b, d, ns.x, <React.X />]\n"
    )
    assert organised(text, "a.tsx") == (
        "// head\nimport * as ns from 'lib'\nimport type { T } from 'lib'\nimport React from 'react'\n"
        "import { b, type C } from '../far'\nimport d, { a, z } from './near'\n\n"
        "export const x: C<T> = [z, a, b, d, ns.x, <React.X />]\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "import 'b'\nimport x from 'a'\nx\n",  # what is loaded for its effects stays where it is
        "import y from 'b'\n// of a\nimport x from 'a'\nx, y\n",
        "import y from 'b'\n\nimport x from 'a'\nx, y\n",
        "import x from './d.json' with { type: 'json' }\n",
        "import { a /* first */, b } from 'c'\n",
        "import a from 'c'\neval('a')\n",
        "import React from 'react'\nexport const x = <div />\n",
        "/** @type {Foo} */\nimport { Foo } from 'c'\n",
        "import { a } from 'c'; a()\n",
        "export { b } from 'b'\nexport { a } from 'a'\n",
    ],
)
def test_left_as_it_is(text: str) -> None:
    assert organised(text, "a.jsx") == text


def test_a_module_of_which_nothing_is_used_is_still_loaded_where_that_may_do_something() -> None:
    done = ecmascript_imports.organise({"a.js": 'import { a } from "c";\n'}, "a.js")
    assert (done.texts["a.js"], len(done.notes)) == ('import "c";\n', 1)
    assert organised("import { a } from 'c'\nimport type { B } from 'd'\n") == ""


def test_many_names_stay_one_a_line_and_line_ends_stay() -> None:
    text = "import {\r\n    b,\r\n    a\r\n} from 'c'\r\na, b\r\n"
    assert organised(text) == "import {\r\n    a,\r\n    b\r\n} from 'c'\r\na, b\r\n"


def test_the_second_time_nothing_changes() -> None:
    once = organised("import {b,a} from 'c';\nimport q from 'b';\nimport {c} from 'c';\na, b, c, q;\n")
    assert once == "import q from 'b';\nimport {a, b, c} from 'c';\na, b, c, q;\n"
    assert organised(once) == once


def aliased(text: str) -> str:
    return elixir_aliases.organise({"a.ex": text}, "a.ex").texts["a.ex"]


def module(aliases: str, body: str) -> str:
    return f"defmodule Nest do\n{aliases}\n  def go, do: {body}\nend\n"


def test_aliases_are_sorted_and_rid_of_what_is_unused() -> None:
    before = module("  alias Pond.{Goose, Duck}\n  alias Lake.Swan\n  alias A.Gone\n", "{Duck.x(), %Goose{}, Swan}")
    after = module("  alias Lake.Swan\n  alias Pond.{Duck, Goose}\n", "{Duck.x(), %Goose{}, Swan}")
    assert aliased(before) == after


@pytest.mark.parametrize(
    ("aliases", "body"),
    [
        ("  alias Z.Foo\n  alias Foo.Bar\n", "{Foo, Bar}"),  # the second is said by the name of the first
        ("  alias Z.Foo\n  alias A.Foo\n", "Foo"),
        ("  alias Z.Foo\n", "quote(do: 1)"),
        ("  alias Z.Foo\n", '~H"<Foo.x />"'),
        ("  alias Z.Foo\n  # why\n  alias A.Bar\n", "{Foo, Bar}"),
    ],
)
def test_aliases_left_as_they_are(aliases: str, body: str) -> None:
    assert aliased(module(aliases, body)) == module(aliases, body)


def extracted(text: str, chosen: str, name: str = "far", path: str = "a.js") -> str:
    at = text.index(chosen)
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    stretch = Stretch(path, line, line, column, column + len(chosen))
    return ecmascript_extract.extract_variable({path: text}, stretch, name).texts[path]


@pytest.mark.parametrize(
    ("text", "chosen", "after"),
    [
        ("f(a + b);\n", "a + b", "const far = a + b;\nf(far);\n"),
        ("function f(x) {\n  return g(x).y\n}\n", "g(x)", "function f(x) {\n  const far = g(x)\n  return far.y\n}\n"),
        ("export const x = a.b.c;\n", "a.b", "const far = a.b;\nexport const x = far.c;\n"),
        ("{\n  if (a > 1) g()\n}\n", "a > 1", "{\n  const far = a > 1\n  if (far) g()\n}\n"),
        ("for (const x of f()) g(x)\n", "f()", "const far = f()\nfor (const x of far) g(x)\n"),
        ("x = a && b\n", "a", "const far = a\nx = far && b\n"),
        ("`${a}`.x()\n", "a", "const far = a;\n`${far}`.x()\n"),
    ],
)
def test_an_expression_becomes_a_const_before_its_statement(text: str, chosen: str, after: str) -> None:
    assert extracted(text, chosen) == after


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("x = a && b.c\n", "b.c"),
        ("x = a ? b.c : d\n", "b.c"),
        ("x = a?.f(b.c)\n", "b.c"),
        ("while (b.c) f()\n", "b.c"),
        ("for (let i = 0; i < b.c; i++) f()\n", "b.c"),
        ("if (x) f()\nelse if (b.c) g()\n", "b.c"),
        ("if (x) f(b.c)\n", "b.c"),
        ("const f = x => x + b.c\n", "b.c"),
        ("function f(x = b.c) {}\n", "b.c"),
        ("f(g(), b.c)\n", "b.c"),
        ("b.c()\n", "b.c"),
        ("b.c = 1\n", "b.c"),
        ("b.c += d.e\n", "d.e"),
        ("delete b.c\n", "b.c"),
        ("f(x = 1)\n", "x = 1"),
        ("let x = 1, y = b.c\n", "b.c"),
        ("class A { x = b.c }\n", "b.c"),
        ("f(far, b.c)\n", "b.c"),
        ("a + b * c\n", "a + b"),
        ("switch (x) { case b.c: f() }\n", "b.c"),
    ],
)
def test_refused_to_be_a_const(text: str, chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(text, chosen)


def test_in_typescript_what_gets_its_type_from_its_place_stays_there() -> None:
    with pytest.raises(Refused):
        extracted("f({ a: 'x' })\n", "{ a: 'x' }", path="a.ts")
    assert extracted("f({ a: 'x' })\n", "{ a: 'x' }") == "const far = { a: 'x' }\nf(far)\n"
