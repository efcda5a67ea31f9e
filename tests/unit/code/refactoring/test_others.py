"""Renames in JavaScript, TypeScript and Elixir: what is declared once is followed, everything else is refused."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring import ecmascript, elixir
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import Refused

FILES = {
    "src/duck.ts": "export function swim(far: number) {\n  return { far, swim };\n}\nconst twice = swim(2);\n",
    "src/index.ts": "export { swim } from './duck';\nexport * from './nest';\n",
    "src/nest.ts": (
        "import { swim } from './duck.js';\nimport { swim as paddle } from './index';\n"
        "export const home = () => swim(1);\npaddle(2);\n"
    ),
}


def test_an_exported_function_is_renamed_in_every_file_that_takes_it() -> None:
    done = ecmascript.rename(FILES, Spot("src/duck.ts", 1, 17), "drift")
    assert done.texts == {
        "src/duck.ts": (
            "export function drift(far: number) {\n  return { far, swim: drift };\n}\nconst twice = drift(2);\n"
        ),
        "src/index.ts": "export { drift } from './duck';\nexport * from './nest';\n",
        "src/nest.ts": (
            "import { drift } from './duck.js';\nimport { drift as paddle } from './index';\n"
            "export const home = () => drift(1);\npaddle(2);\n"
        ),
    }
    assert done.notes == ("'swim' is exported: who uses it from outside the project has to follow",)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("function f(a) { return a }\nfunction g(f) { return f }\n", "h"),
        ("function f(a) { return a }\nf(b)\n", "b"),
        ("function f(a) { return a }\neval('f(1)')\n", "h"),
        ("function f(a) { return a }\n{ const f = 1 }\n", "h"),
        ("{ let f = 1 }\nf()\n", "h"),
        ("import { f } from 'elsewhere';\nf()\n", "h"),
        ("f()\n", "h"),
    ],
)
def test_refused_in_javascript(text: str, new: str) -> None:
    column = text.split("\n", maxsplit=1)[0].index("f", (text.startswith("function") and 8) or 0) + 1
    with pytest.raises(Refused):
        ecmascript.rename({"a.js": text}, Spot("a.js", 1, column), new)


@pytest.mark.parametrize(
    "other",
    [
        "import * as duck from './duck';\nduck.swim(1);\n",
        "const { swim } = require('./duck');\n",
        "import { swim } from '@pond/duck';\n",
        "import { swim } from './duck';\nfunction f(swim) {}\n",
    ],
)
def test_a_file_that_takes_it_in_a_way_that_cannot_be_followed_refuses_all(other: str) -> None:
    with pytest.raises(Refused):
        ecmascript.rename({**FILES, "src/other.ts": other}, Spot("src/duck.ts", 1, 17), "drift")


def test_a_script_shares_its_names_with_the_others_of_a_page() -> None:
    files = {"duck.js": "function swim(far) { return far }\nswim(1)\n", "page.js": "swim(2)\n"}
    with pytest.raises(Refused, match=r"'page\.js' says 'swim' too"):
        ecmascript.rename(files, Spot("duck.js", 1, 10), "drift")
    alone = ecmascript.rename({"duck.js": files["duck.js"], "page.js": "go()\n"}, Spot("duck.js", 1, 10), "drift")
    assert alone.texts == {"duck.js": "function drift(far) { return far }\ndrift(1)\n"}
    assert alone.notes == ("'duck.js' is a script: pages that load it may use 'swim'",)


@pytest.mark.parametrize("path", ["lib/duck.d.ts", "lib/duck.js"])
def test_declarations_and_what_they_declare_are_left_alone(path: str) -> None:
    files = {
        "lib/duck.d.ts": "export declare function swim(far: number): number;\n",
        "lib/duck.js": "export function swim(far) { return far }\n",
    }
    with pytest.raises(Refused, match="declare"):
        ecmascript.rename(files, Spot(path, 1, files[path].index("swim") + 1), "drift")


POND = """\
defmodule Pond do
  def swim(far), do: far |> clip() |> clip(3)
  defp clip(far), do: clip(far, 9)
  defp clip(far, most) when far > most, do: most
  defp clip(far, _most), do: far
  def all(list), do: Enum.map(list, &clip/1)
end
"""


def test_a_private_function_is_renamed_with_all_its_clauses_calls_and_captures() -> None:
    done = elixir.rename({"pond.ex": POND}, Spot("pond.ex", 3, 8), "cut")
    assert done.texts == {"pond.ex": POND.replace("clip", "cut")}
    assert elixir.rename(done.texts, Spot("pond.ex", 3, 8), "clip").texts == {"pond.ex": POND}


@pytest.mark.parametrize(
    ("line", "column", "new", "change"),
    [
        (2, 7, "go", ("", "")),
        (3, 8, "far", ("", "")),
        (3, 8, "cut", ("def all(list)", "def all(clip)")),
        (3, 8, "cut", ("&clip/1", "apply(Pond, :clip, [1])")),
        (3, 8, "cut", ("def all", 'def page(assigns), do: ~H"<.clip far={1} />"\n  def all')),
        (3, 8, "cut", ("def all", 'embed_templates "pond/*"\n  def all')),
        (3, 8, "cut", ("def all", "defmacro m(), do: quote(do: clip(1))\n  def all")),
    ],
)
def test_refused_in_elixir(line: int, column: int, new: str, change: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        elixir.rename({"pond.ex": POND.replace(*change) if change[0] else POND}, Spot("pond.ex", line, column), new)


WHOLE = "export function swim(far) { return far }\nexport const depth = 2;\n"


@pytest.mark.parametrize(
    "use",
    [
        "const { swim } = duck;\n",
        "const { swim: paddle } = duck;\n",
        "const { 'swim': paddle } = duck;\n",
        "const { swim = 1 } = duck;\n",
        "const { depth, ...rest } = duck;\n",
        "let swim;\n({ swim } = duck);\n",
        "duck[key](1);\n",
        "duck['sw' + 'im'](1);\n",
        "use(duck);\n",
        "const all = { ...duck };\n",
        "export { duck };\n",
        "duck?.swim(1);\n",
    ],
)
def test_what_takes_it_out_of_the_whole_module_refuses_all(use: str) -> None:
    files = {"duck.mjs": WHOLE, "pond.mjs": f"import * as duck from './duck.mjs';\n{use}"}
    with pytest.raises(Refused, match="whole module"):
        ecmascript.rename(files, Spot("duck.mjs", 1, 17), "drift")


def test_what_takes_other_things_out_of_the_whole_module_is_no_hindrance() -> None:
    use = "import * as duck from './duck.mjs';\nconst { depth } = duck;\nduck.depth + duck['depth'] + duck?.depth;\n"
    done = ecmascript.rename({"duck.mjs": WHOLE, "pond.mjs": use}, Spot("duck.mjs", 1, 17), "drift")
    assert done.texts == {"duck.mjs": WHOLE.replace("swim", "drift")}


def test_a_module_that_is_passed_on_as_a_whole_refuses_all() -> None:
    files = {"duck.mjs": WHOLE, "all.mjs": "export * as duck from './duck.mjs';\n"}
    with pytest.raises(Refused, match="passes on the whole module"):
        ecmascript.rename(files, Spot("duck.mjs", 1, 17), "drift")


def test_a_path_that_is_worked_out_may_lead_to_it() -> None:
    def renamed(path: str, rest: str) -> tuple[str, ...]:
        files = {"ducks/duck.mjs": WHOLE, "pond.mjs": f"const found = await import({path});\n{rest}"}
        return ecmascript.rename(files, Spot("ducks/duck.mjs", 1, 17), "drift").notes

    with pytest.raises(Refused, match=r"may load 'ducks/duck\.mjs'"):
        renamed("`./ducks/${kind}.mjs`", "found.swim();\n")
    said = "line 1 of 'pond.mjs' loads what it works out: it may take 'swim' from there"
    assert said in renamed("'./ducks/' + kind", "found[key]();\n")
    assert said in renamed("kind", "")
    assert said not in renamed("'./geese/' + kind", "found.swim();\n")
