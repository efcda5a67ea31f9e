"""A definition in another JavaScript or TypeScript module: every import follows, and nothing is loaded otherwise."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.ecmascript_move import move
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import InvalidInput, Refused

POND = {
    "src/duck.ts": (
        "import { log } from '../log'\n"
        "import { feed, type Food } from './food'\n\n"
        "export interface Beak { width: number }\n\n"
        "// how far\n"
        "export function swim(far: number, food?: Food) {\n  return feed(far, food)\n}\n\n"
        "log(swim(1))\n"
    ),
    "src/food.ts": "export type Food = string\nexport const feed = (n: number, food?: Food) => [n, food]\n",
    "src/index.ts": "export { swim as paddle, type Beak } from './duck'\n",
    "app.ts": "import { swim, type Beak } from './src/duck'\nexport const far = (b: Beak) => swim(b.width)\n",
    "log.ts": "export const log = (x: unknown) => console.log(x)\n",
}
A = "import { b } from './b.js'\nexport function f() { return b }\nexport const own = 1\n"


def test_a_definition_moves_with_its_comment_and_every_import_follows() -> None:
    done = move(POND, Spot("src/duck.ts", 7), "src/deep/swimming.ts")
    assert done.texts == {
        "src/duck.ts": (
            "import { log } from '../log'\nimport { swim } from './deep/swimming'\n\n"
            "export interface Beak { width: number }\n\nlog(swim(1))\n"
        ),
        "src/deep/swimming.ts": (
            "import type { Food } from '../food'\nimport { feed } from '../food'\n\n// how far\n"
            "export function swim(far: number, food?: Food) {\n  return feed(far, food)\n}\n"
        ),
        "src/index.ts": "export { type Beak } from './duck'\nexport { swim as paddle } from './deep/swimming'\n",
        "app.ts": (
            "import { type Beak } from './src/duck'\nimport { swim } from './src/deep/swimming'\n"
            "export const far = (b: Beak) => swim(b.width)\n"
        ),
    }
    assert "has to follow" in done.notes[0]


def test_a_type_is_imported_as_one() -> None:
    done = move(
        {**POND, "src/food.ts": f"{POND['src/food.ts']}console.log(1)\n"}, Spot("src/duck.ts", 4), "src/food.ts"
    )
    assert "import { swim } from './src/duck'\nimport { type Beak } from './src/food'\n" in done.texts["app.ts"]


def test_a_file_that_does_something_is_still_loaded() -> None:
    texts = {
        "a.mjs": "import './x.mjs'\nexport const far = 1\nconsole.log(2)\n",
        "b.mjs": "import { far } from './a.mjs'\nconsole.log(far)\n",
        "x.mjs": "console.log(1)\n",
    }
    done = move(texts, Spot("a.mjs", 2), "far.mjs")
    assert done.texts["b.mjs"] == "import './a.mjs'\nimport { far } from './far.mjs'\nconsole.log(far)\n"
    assert "still loaded" in done.notes[0]


def test_where_it_was_taken_before_it_stands_before_its_uses() -> None:
    texts = {
        "a.mjs": "export const far = 1\nexport const near = 2\n",
        "b.mjs": "import { far, near } from './a.mjs'\nconsole.log(far, near)\n",
    }
    done = move(texts, Spot("a.mjs", 1), "b.mjs")
    assert done.texts["b.mjs"] == "import { near } from './a.mjs'\n\nexport const far = 1\nconsole.log(far, near)\n"


@pytest.mark.parametrize(
    ("changed", "place", "to", "why"),
    [
        ({"c.js": "const m = await import(`./${p}.js`)\nm.f()\n"}, 2, "n.js", "may load 'a.js'"),
        ({"c.js": "import * as m from './a.js'\nconst { f } = m\n"}, 2, "n.js", "whole module"),
        ({"c.js": "import * as m from './a.js'\ng(m)\n"}, 2, "n.js", "whole module"),
        ({"a.js": "export default function f() {}\n"}, 1, "n.js", "default"),
        ({"a.js": "export let f = 1\n"}, 1, "n.js", "no function, class"),
        ({"a.js": "export const f = g()\n"}, 1, "n.js", "has to be done"),
        ({"a.js": "export class f { static x = g() }\n"}, 1, "n.js", "has to be done"),
        ({"a.js": "export const f = 1, g = 2\n"}, 1, "n.js", "together"),
        ({"a.js": "const g = 1\nexport function f() { return g }\n"}, 2, "n.js", "does not export"),
        ({"a.js": "export let g = 1\nexport function f() { g = 2 }\n"}, 2, "n.js", "gives 'g' a value"),
        ({"a.js": "export const g = 1\nexport function f() { return g }\nf()\n"}, 2, "n.js", "load each other"),
        ({"a.js": "export function f() { return import.meta.url }\n"}, 1, "n.js", "belongs to its file"),
        ({"a.js": "export function f() { return require('x') }\n"}, 1, "n.js", "belongs to its file"),
        ({"a.js": "function f() {}\nf()\n"}, 1, "n.js", "no module"),
        ({"b.js": "export const b = 1\nexport const f = 2\n"}, 2, "b.js", "used already"),
        ({"b.js": "export const b = 1\nconst own = b\n", "a.js": f"{A}f()\n"}, 2, "b.js", ""),
        ({"n.js": "export const n = g()\n"}, 2, "n.js", "at another time"),
        ({"c.js": "import * as a from './a.js'\na.f()\n"}, 2, "n.js", "through the whole module"),
        ({"c.js": "export * from './a.js'\n"}, 2, "n.js", "passes on all"),
        ({"c.js": "const { f } = require('./a.js')\n"}, 2, "n.js", "cannot be told"),
        ({"c.js": "const a = await import('./a.js')\na.f()\n"}, 2, "n.js", "cannot be told"),
        ({"c.js": "import { f } from '@/a'\nf()\n"}, 2, "n.js", "may be 'a.js'"),
        ({"c.js": "import { f } from './a.js' // why\nf()\n"}, 2, "n.js", "would be lost"),
        ({"lib/package.json": "{}"}, 2, "lib/n.js", "another package"),
        ({}, 2, "n.mjs", "the same kind of module"),
        ({}, 2, "a.js", "another file"),
    ],
)
def test_refused_to_move(changed: dict[str, str], place: int, to: str, why: str) -> None:
    texts = {"a.js": A, "b.js": "export const b = 1\n", "c.js": "import { f } from './a.js'\nf()\n", **changed}
    if not why:
        assert move(texts, Spot("a.js", place), to).texts["b.js"].endswith("export function f() { return b }\n")
        return
    source = "b.js" if "used already" in why else "a.js"
    with pytest.raises((Refused, InvalidInput), match=why):
        move(texts, Spot(source if source != to else "a.js", place), to)
