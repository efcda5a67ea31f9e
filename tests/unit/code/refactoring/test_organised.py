"""Imports of JavaScript and TypeScript and aliases of Elixir in order."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring import ecmascript_imports, elixir_aliases


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


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ("", False),
        ('{"compilerOptions": {"strict": true}}', False),
        ('{"extends": "./base.json", "compilerOptions": {"verbatimModuleSyntax": false}}', False),
        ('{"compilerOptions": {"verbatimModuleSyntax": true}}', True),
        ('{"compilerOptions": {"preserveValueImports": true}}', True),
        ('{"compilerOptions": {"importsNotUsedAsValues": "preserve"}}', True),
        ('{"extends": "@tsconfig/strictest"}', True),
    ],
)
def test_what_typescript_loads_although_nothing_of_it_is_used_is_still_loaded(config: str, kept: bool) -> None:
    text = 'import { b } from "./b";\nimport { type T } from "./t";\nimport type { U } from "./u";\n\nexport {};\n'
    done = ecmascript_imports.organise({"a.ts": text}, "a.ts", config).texts["a.ts"]
    loaded = 'import "./b";\nimport "./t";\n' if kept else ""
    assert done == f"{loaded}\nexport {{}};\n"
