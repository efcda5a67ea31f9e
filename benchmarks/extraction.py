"""Expressions of random JavaScript programs under a name: whether the programs still say and do what they did.

`python -m benchmarks.extraction [N] [SEED]`: so many extractions that are made. Node runs each program before and
after; one that then differs is printed and the status is 1.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_extract import extract_variable
from rubber_duck.code.refactoring.refactored import Stretch
from rubber_duck.errors import DuckError

HEAD: Final = """const log = []
let g = 0
const K = 7
const o = { n: 1, p: { q: 2 }, arr: [1, 2, 3], nul: null, f(x) { this.n += 1; log.push('f' + x); return this.n } }
function bump() { g += 1; o.n += 1; o.p.q += 1; o.arr.push(g); log.push('b' + g); return g }
function two(x, y) { log.push('t' + x + y); return x }
function* gen() { for (const v of [1, 2]) { g += 1; yield v } }
async function run(par) {
  let a = 1
  let own = 3
  const b = 2
  function setA() { a += 10; log.push('a' + a); return a }
"""
TAIL: Final = """  log.push(a, own, b, par)
}
return run(5).then(() => log.push(g, JSON.stringify(o)), (e) => log.push(e.name)).then(() => JSON.stringify(log))
"""
LEAVES: Final = (
    *("1", "'s'", "a", "b", "g", "own", "par", "K", "o.n", "o.p.q", "o.arr[0]", "o.arr.length", "bump()", "setA()"),
    *("o.f(1)", "true", "null", "o.nul?.x", "o.p?.q"),
)
SHAPES: Final = (
    *("(@ + @)", "(@ === @)", "(@ && @)", "(@ || @)", "(@ ?? @)", "(@ < @)", "(@ ? @ : @)", "[@, @][0]", "!@"),
    *("({ k: @, j: @ }).k", "`x${@}y${@}`", "(@, @)", "two(@, @)", "o.f(@)", "o.nul?.z(@)", "o?.f(@)", "(await @)"),
    *("((x = @) => x + @)()", "o.arr[@]", "[...gen(), @].length", "(own = @)", "(o.n++ + @)", "({ [@]: @ })"),
    *("(delete o.arr[@])", "(o.f)(@)", "two(...[@, @])", "(own += @)", "String(@)", "log.push(@)", "typeof @"),
)
STATEMENTS: Final = (
    *("log.push(@)", "own = @", "o.n = @", "o.arr[@] = @", "const { k# = @ } = { j: @ }", "if (@) log.push(@)"),
    *("for (const v of [@, @]) log.push(v + @)", "const z# = @, y# = @", "switch (@) { case @: log.push(9) }"),
    *("void ([o.arr[@], own] = [@, @])", "o.p.q += @", "log.push(o.f(@) + o.n)", "void @"),
)
RUN: Final = """
const pairs = JSON.parse(require('fs').readFileSync(0))
const Program = Object.getPrototypeOf(async function () {}).constructor
const said = async (text) => { try { return await new Program(text)() } catch (e) { return e.name } }
;(async () => {
  const differ = []
  for (const [i, [before, after]] of pairs.entries()) if ((await said(before)) !== (await said(after))) differ.push(i)
  console.log(JSON.stringify(differ))
})()
"""


def filled(shape: str, dice: random.Random, depth: int) -> str:
    """The shape with an expression in each of its places."""
    first, *rest = shape.split("@")
    return first + "".join(f"{expression(dice, depth)}{each}" for each in rest)


def expression(dice: random.Random, depth: int) -> str:
    """A random expression."""
    return filled(dice.choice(SHAPES), dice, depth - 1 - dice.randrange(2)) if depth > 0 else dice.choice(LEAVES)


def program(dice: random.Random) -> str:
    """A random program; each statement on a line of its own."""
    lines = [filled(dice.choice(STATEMENTS), dice, dice.randrange(1, 4)) for _ in range(3)]
    return HEAD + "".join(f"  {line.replace('#', str(number))};\n" for number, line in enumerate(lines)) + TAIL


def extractions(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its expressions get a name; None where that is refused."""
    file = open_source("a.js", text.encode(), "javascript")
    inside = range(text.index("\n", text.index("  function setA")), text.index("  log.push(a, own"))
    nodes = [each for each in file.descendants(file.tree.root_node) if each.start_byte in inside]
    found: list[str | None] = []
    for node in dice.sample(nodes, min(6, len(nodes))):
        (line, column), (last, end) = file.position(node.start_byte), file.position(node.end_byte)
        try:
            done = extract_variable({"a.js": text}, Stretch("a.js", line, last, column, end), "fresh")
            found.append(done.texts["a.js"])
        except DuckError:
            found.append(None)
    return found


Make = Callable[[random.Random, str], list[str | None]]
Pairs = list[tuple[str, str]]


def under_node(pairs: Pairs) -> list[int]:
    """Which of the pairs of programs do not say and do the same under Node."""
    node = shutil.which("node")
    if node is None:
        sys.exit("there is no node on the path to run the programs with")
    done = subprocess.run([node, "-e", RUN], input=json.dumps(pairs), capture_output=True, text=True, check=True)
    differ: list[int] = json.loads(done.stdout)
    return differ


def compared(
    kind: str,
    count: int,
    seed: int,
    ways: tuple[Callable[[random.Random], str], Make],
    differing: Callable[[Pairs], list[int]] = under_node,
) -> int:
    """Draw programs and make so many of them with `ways`, run them, and say how many differ."""
    dice = random.Random(f"{kind} {seed}")
    draw, make = ways
    pairs: Pairs = []
    refused = 0
    while len(pairs) < count:
        text = draw(dice)
        for after in make(dice, text):
            refused += after is None
            pairs += [(text, after)] if after is not None else []
    differ = differing(pairs)
    print(f"{kind}: {len(pairs)} made, {refused} refused, {len(differ)} programs differ", flush=True)
    for number in differ[:3]:
        print(*pairs[number], sep="\n->\n")
    return len(differ)


def main(count: int, seed: int) -> int:
    """Make so many, and run them."""
    return 1 if compared("extraction", count, seed, (program, extractions)) else 0


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(numbers or [1000])[:1], *(numbers[1:2] or [1])))
