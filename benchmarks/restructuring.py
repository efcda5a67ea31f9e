"""Functions made of pieces of random JavaScript programs, and variables put back: do they still do what they did.

`python -m benchmarks.restructuring [N] [SEED]`: so many of each that are made. Node runs each program before and after;
one that then differs is printed and the status is 1.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from benchmarks.extraction import HEAD, TAIL, Make, compared, expression, filled
from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_function import extract_function
from rubber_duck.code.refactoring.ecmascript_inline_function import inline
from rubber_duck.code.refactoring.refactored import Spot, Stretch
from rubber_duck.code.source import SourceFile
from rubber_duck.errors import DuckError

SIMPLE: Final = (
    *("log.push(@)", "own = @", "own += @", "v = @", "v = v + 1", "w = @", "let z# = @", "const c# = @", "var y# = @"),
    *("fns.push(() => v)", "fns.push(() => { own = @; return own })", "const h# = (x) => x + @", "o.n = @", "w++"),
    *("const { k# = @ } = { k#: @ }", "log.push(fns.length && fns[0]())", "const q# = @; log.push(q#)"),
    *("const j# = @; log.push(j# + @)", "const i# = own; log.push(i#, i#)", "let t#; t# = @; log.push(t#)"),
    *(
        "return @",
        "log.push(typeof v, typeof u)",
        "var u = (u || 0) + 1; log.push(u)",
        "log.push([v, w].map((x) => x + v))",
    ),
    *(
        "const m# = { v, w }; log.push(m#)",
        "const d# = 3; fns.push(() => d#)",
        "const e# = @; const r# = @; log.push(e#, r#)",
    ),
)
BLOCKS: Final = (
    *(
        "if (@) {",
        "} else {",
        "for (let i# = 0; i# < 2; i#++) {",
        "for (const n# of [@, 2]) {",
        "while (v < 3 && fuel-- > 0) {",
    ),
    *(
        "try {",
        "} catch (e) {",
        "} finally {",
        "function f#(par, v) {",
        "const g# = (par) => {",
        "do {",
        "switch (v) { case 1:",
    ),
    *("lab: for (const s# of [1]) {", "{"),
)
CLOSED: Final = {"do {": "} while (false)"}
LEAVING: Final = ("break", "continue", "log.push(v)")


def block(dice: random.Random, depth: int, numbers: Iterator[int], *, in_loop: bool = False) -> list[str]:
    """Random statements, each on lines of its own."""
    lines: list[str] = []
    for _ in range(dice.randrange(1, 4)):
        number = str(next(numbers))
        if depth and dice.random() < 0.4:
            head = dice.choice(BLOCKS)
            is_loop = head.startswith(("for", "while", "do", "lab")) or (in_loop and head.startswith("if"))
            inner = block(dice, depth - 1, numbers, in_loop=is_loop)
            lines += _whole(dice, head, number, inner)
        elif in_loop and dice.random() < 0.1:
            lines.append(f"if ({expression(dice, 1)}) {dice.choice(LEAVING)}")
        else:
            parts = dice.choice(SIMPLE).replace("#", number).split("; ")
            lines += (
                [filled(each, dice, dice.randrange(3)) for each in parts]
                if "{ own" not in parts[0]
                else [filled("; ".join(parts), dice, 1)]
            )
    return lines


def _whole(dice: random.Random, head: str, number: str, inner: list[str]) -> list[str]:
    body = [f"  {each}" for each in inner]
    head = filled(head.replace("#", number), dice, 1) if not head.startswith("}") else head
    if head == "} else {":
        return [f"if ({expression(dice, 1)}) {{", *body, "} else {", "  w = w + 2", "}"]
    if head.startswith("} "):
        return ["try {", *body, head, "  log.push(v, w)", "}"]
    if head == "try {":
        return [head, *body, "} catch {", "  log.push(own, v, w)", "}"]
    called = head.split("(")[0].removeprefix("function ")
    if head.startswith("function"):
        return [head, *body, "}", f"log.push({called}(v, 2))"]
    if head.startswith("const g"):
        return [head, *body, "}", f"log.push(g{number}(w))"]
    return [head, *body, CLOSED.get(head, "}")]


def program(dice: random.Random) -> str:
    """A random program, with variables of several kinds and functions that keep them."""
    lines = block(dice, 3, iter(range(1000)))
    before = ["let v = 1, w = own", "let fuel = 9", "const fns = []"]
    after = ["log.push(v, w, fns.map((f) => f()))"]
    return (
        HEAD
        + "".join(f"  {each};\n" if not each.endswith("{") else f"  {each}\n" for each in (*before, *lines, *after))
        + TAIL
    )


def _inside(file: SourceFile, text: str) -> range:
    return range(text.index("let v = 1"), text.index("  log.push(a, own"))


def functions(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its pieces become functions; None where that is refused."""
    file = open_source("a.js", text.encode(), "javascript")
    inside = _inside(file, text)
    blocks = [each for each in file.descendants(file.tree.root_node) if each.type == "statement_block"]
    spans = []
    for each in blocks:
        held = [one for one in each.named_children if one.start_byte in inside]
        for at in range(len(held)):
            last = held[min(at + dice.randrange(3), len(held) - 1)]
            spans.append((held[at].start_byte, last.end_byte))
    nodes = [each for each in file.descendants(file.tree.root_node) if each.start_byte in inside]
    spans = dice.sample(spans, min(6, len(spans)))
    spans += [(each.start_byte, each.end_byte) for each in dice.sample(nodes, min(2, len(nodes)))]
    return [_tried(partial(_extracted, file, text, span)) for span in spans]


def _extracted(file: SourceFile, text: str, span: tuple[int, int]) -> str:
    (line, column), (last, end) = file.position(span[0]), file.position(span[1])
    return extract_function({"a.js": text}, Stretch("a.js", line, last, column, end), "fresh").texts["a.js"]


def called(dice: random.Random) -> str:
    """A random program with a function of one expression, and calls of it."""
    bodies = [_with_parameters(dice, expression(dice, dice.randrange(1, 3))) for _ in range(2)]
    alone = re.sub(r"\by\b", "x", bodies[1])
    heads = (f"function fn0(x, y) {{ return {bodies[0]} }}", f"const fn1 = (x) => {alone}")
    calls = [
        filled(each, dice, dice.randrange(2))
        for each in dice.sample(
            (
                "log.push(fn0(@, @))",
                "own = fn1(@)",
                "fn1(@)",
                "fns.push(() => fn0(v, @))",
                "const z = fn0(@, own) + @",
                "if (fn1(@)) log.push(fn1(v))",
                "{ const w = 7; log.push(fn0(w, @)) }",
                "for (const x of [1]) log.push(fn1(@), x)",
            ),
            dice.randrange(1, 4),
        )
    ]
    lines = ["let v = 1, w = own", "const fns = []", *heads, *calls, "log.push(v, w, fns.map((f) => f()))"]
    return HEAD + "".join(f"  {each}{'' if each.startswith('function') else ';'}\n" for each in lines) + TAIL


def _with_parameters(dice: random.Random, text: str) -> str:
    names = {"par": "x", "own": "y", "K": "x", "a": "y", "1": "x"}
    return re.sub(r"\b(?:par|own|K|a|1)\b", lambda found: names[found[0]] if dice.random() < 0.6 else found[0], text)


def inlined_functions(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when its functions are put where they are called; None where that is refused."""
    lines = text.splitlines()
    spots = [Spot("a.js", number) for number, line in enumerate(lines, 1) if re.search(r"(function|const) fn\d", line)]
    return [_tried(partial(_inlined, text, spot)) for spot in spots]


def inlinings(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its variables are put where they are read."""
    file = open_source("a.js", text.encode(), "javascript")
    inside = _inside(file, text)
    names = [
        each.child_by_field_name("name")
        for each in file.descendants(file.tree.root_node)
        if each.type == "variable_declarator" and each.start_byte in inside
    ]
    spots = [Spot("a.js", *file.position(each.start_byte)) for each in names if each is not None]
    return [_tried(partial(_inlined, text, spot)) for spot in spots]


def _inlined(text: str, spot: Spot) -> str:
    return inline({"a.js": text}, spot).texts["a.js"]


def _tried(make: Callable[[], str]) -> str | None:
    try:
        return make()
    except DuckError:
        return None


def main(count: int, seed: int) -> int:
    """Every kind, one after the other."""
    kinds: dict[str, tuple[Callable[[random.Random], str], Make]] = {
        "extract function": (program, functions),
        "inline variable": (program, inlinings),
        "inline function": (called, inlined_functions),
    }
    differ = [compared(kind, count, seed, each) for kind, each in kinds.items()]
    return 1 if any(differ) else 0


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(numbers or [1000])[:1], *(numbers[1:2] or [1])))
