"""Definitions of random JavaScript modules in other modules: do the programs still do what they did, in that order.

`python -m benchmarks.moving [N] [SEED]`: so many moves that are made. Node loads each program before and after; one
that then differs is printed and the status is 1.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rubber_duck.code.refactoring.ecmascript_move import move
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import DuckError

DEFINITIONS: Final = (
    *("function #(x = 1) { log.push('#', x); return @ }", "const # = (x) => [x, @]", "const # = bump()", "let # = 1"),
    *("class # { y = @; z() { return @ } }", "class # extends Base { w() { return @ } }", "const # = () => typeof @"),
    *("const # = { n: 1, m() { return @ } }", "const # = 7", "function # () { return [@, @] }"),
    "function #(x) { return x ? #(x - 1) : @ }",
)
USES: Final = ("log.push(String(@))", "log.push(typeof @)", "log.push('loaded %')", "bump()", "", "", "")
RUN: Final = """
import { pathToFileURL } from 'node:url'
const said = async (folder) => {
  try {
    return JSON.stringify((await import(pathToFileURL(folder + '/main.mjs'))).log)
  } catch (e) { return e.name + e.message.slice(0, 60) }
}
const differ = [], seen = {}
for (let i = 0; i < +process.argv[2]; i++) {
  const folder = process.argv[1] + '/' + i
  const before = await said(folder + '/before'), after = await said(folder + '/after')
  const how = before[0] === '[' ? 'ran' : before
  seen[how] = (seen[how] || 0) + 1
  if (before !== after) differ.push([i, before, after])
}
console.log(JSON.stringify([differ, seen]))
"""
CALL: Final = """log.push(typeof #, typeof # === 'object' ? #.m?.() : String(#).length)
try { log.push(#(1)) } catch { try { log.push(new #().y) } catch { log.push(0) } }"""
BASE: Final = """export const log = []
let count = 0
export function bump() { log.push('bump'); return ++count }
export class Base { b() { return 'b' } }
"""


def project(dice: random.Random) -> dict[str, str]:
    """Random modules, each of which imports some of those before it, and `main.mjs`, which uses all."""
    texts = {"lib/base.mjs": BASE}
    exported: dict[str, list[str]] = {}
    for number in range(dice.randrange(2, 5)):
        path = f"{dice.choice(('', 'lib/', 'src/deep/'))}m{number}.mjs"
        lines = [f"import {{ log, bump, Base }} from '{_said(path, 'lib/base.mjs')}'"]
        known: list[str] = []
        for other, names in exported.items():
            if names and dice.random() < 0.6:
                taken = dice.sample(names, min(len(names), dice.randrange(1, 3)))
                listed = [each if dice.random() < 0.7 else f"{each} as {each}_" for each in taken]
                lines.append(f"import {{ {', '.join(listed)} }} from '{_said(path, other)}'")
                known += [each.rpartition(" ")[2] for each in listed]
        exported[path] = []
        for at in range(dice.randrange(1, 5)):
            name = f"d{number}_{at}"
            text = _filled(dice, dice.choice(DEFINITIONS).replace("#", name), known)
            if dice.random() < 0.7:
                exported[path].append(name)
                text = f"export {text}"
            lines += [f"// about {name}", text, ""]
            known.append(name)
            lines.append(_filled(dice, dice.choice(USES), known).replace("%", path))
        if dice.random() < 0.2 and exported[path]:
            lines.append(f"export {{ {exported[path][0]} as again{number} }}")
        texts[path] = "\n".join(lines) + "\n"
    offering = {path: names for path, names in exported.items() if names}
    passed = [
        f"export {{ {names[0]} as passed{at} }} from './{path}'" for at, (path, names) in enumerate(offering.items())
    ]
    texts["passing.mjs"] = "\n".join([*passed, "export const own = 1", ""])
    main = ["import { log } from './lib/base.mjs'", "import './passing.mjs'"]
    order = list(offering)
    dice.shuffle(order)
    main += [f"import {{ {', '.join(offering[path])} }} from './{path}'" for path in order]
    main += [CALL.replace("#", name) for names in offering.values() for name in names]
    texts["main.mjs"] = "\n".join([*main, "export { log }", ""])
    return texts


def _said(importer: str, target: str) -> str:
    ups = importer.count("/")
    return ("../" * ups if ups else "./") + target


def _filled(dice: random.Random, text: str, known: list[str]) -> str:
    while "@" in text:
        text = text.replace("@", dice.choice([*known, "1", "'s'", "bump", "Base"]), 1)
    return text


def moved(dice: random.Random, texts: dict[str, str]) -> list[dict[str, str] | None]:
    """What becomes of a project when each of its definitions is somewhere else; None where that is refused."""
    places = [
        Spot(path, number)
        for path, text in texts.items()
        for number, line in enumerate(text.split("\n"), 1)
        if re.match(r"(?:export )?(?:function|const|class|let) d\d", line)
    ]
    found: list[dict[str, str] | None] = []
    for spot in places:
        to = dice.choice([*(each for each in texts if each != spot.path), "lib/fresh.mjs", "fresh.mjs"])
        try:
            done = move(texts, spot, to)
            found.append({**texts, **done.texts})
        except DuckError:
            found.append(None)
    return found


def main(count: int, seed: int) -> int:
    """Make so many, and load them."""
    node = shutil.which("node")
    if node is None:
        sys.exit("there is no node on the path to run the programs with")
    dice = random.Random(f"moving {seed}")
    made, refused = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        while made < count:
            texts = project(dice)
            for after in moved(dice, texts):
                refused += after is None
                if after is not None:
                    _write(Path(folder) / str(made) / "before", texts)
                    _write(Path(folder) / str(made) / "after", after)
                    made += 1
        argv = [node, "--input-type=module", "-e", RUN, "--", folder, str(made)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        differ, seen = json.loads(done.stdout)
        print(f"move: {made} made, {refused} refused, {len(differ)} programs differ; they {seen}")
        for number, before, after in differ[:2]:
            for name in ("before", "after"):
                for path in sorted((Path(folder) / str(number) / name).rglob("*.mjs")):
                    print(f"--- {name} {path.relative_to(folder)}", path.read_text(), sep="\n")
            print(before, after, sep="\n")
    return 1 if differ else 0


def _write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(numbers or [300])[:1], *(numbers[1:2] or [1])))
