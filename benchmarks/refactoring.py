"""Refactorings at random places of click, whose own tests say whether it still does what it did.

`python -m benchmarks.refactoring [N] [SEED]`: N places for each kind, in a copy of click 8.5.0. A refactoring is
refused, or it is made, one upon the other; after every ten click's tests run, and if one fails that passed, they run
after each of the ten. What breaks click is printed and the status is 1.
"""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import click
from rubber_duck.code.refactoring.python.extract import extract_function, extract_variable
from rubber_duck.code.refactoring.python.inline import inline_variable
from rubber_duck.code.refactoring.python.inline_function import inline_function
from rubber_duck.code.refactoring.python.move import move
from rubber_duck.code.refactoring.python.rename import rename
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Stretch
from rubber_duck.errors import DuckError

AT_ONCE = 10
PLACES = 40
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Try:
    """One refactoring at one place."""

    kind: str
    what: str
    make: Callable[[dict[str, str]], Refactored]


def texts_of(folder: Path) -> dict[str, str]:
    """The Python files of click and of its tests, and its packaging."""
    found = [*(folder / "src").rglob("*.py"), *(folder / "tests").rglob("*.py"), folder / "pyproject.toml"]
    return {os.fspath(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(found)}


def tries(texts: dict[str, str], dice: random.Random, kind: str, name: str) -> Iterator[Try]:
    """Places in click's own code, in a random order."""
    own = [path for path in texts if path.startswith("src/")]
    trees = {path: ast.parse(texts[path]) for path in own}
    wanted = _NODES[kind]
    places = [(path, node) for path in own for node in ast.walk(trees[path]) if isinstance(node, wanted)]
    if kind in ("inline function", "move"):
        tops = {id(node) for tree in trees.values() for node in tree.body}
        places = [(path, node) for path, node in places if id(node) in tops]
    dice.shuffle(places)
    for path, node in places:
        yield from _try(kind, path, node, name, dice)


_NODES: dict[str, tuple[type[ast.AST], ...]] = {
    "rename": (ast.FunctionDef, ast.ClassDef, ast.Name, ast.arg),
    "extract variable": (ast.Call, ast.BinOp, ast.Attribute, ast.Compare),
    "extract function": (ast.If, ast.For, ast.Assign, ast.Call, ast.With),
    "inline variable": (ast.Name,),
    "inline function": (ast.FunctionDef,),
    "move": (ast.FunctionDef, ast.ClassDef),
}


def _try(kind: str, path: str, node: ast.AST, name: str, dice: random.Random) -> Iterator[Try]:
    assert isinstance(node, ast.stmt | ast.expr | ast.arg)  # the kinds of _NODES are these
    is_named = isinstance(node, ast.FunctionDef | ast.ClassDef)
    spot = Spot(path, node.lineno, 0 if is_named else node.col_offset + 1)
    what = f"{kind} {path}:{node.lineno}:{node.col_offset + 1}"
    last, end = node.end_lineno or node.lineno, (node.end_col_offset or 0) + 1
    whole = Stretch(path, node.lineno, last, node.col_offset + 1, end)
    lines = Stretch(path, node.lineno, last)
    match kind:
        case "rename":
            yield Try(kind, what, lambda texts: rename(texts, spot, name))
        case "extract variable":
            yield Try(kind, what, lambda texts: extract_variable(_only(texts, path), whole, name))
        case "extract function":
            stretch = whole if isinstance(node, ast.expr) else lines
            yield Try(kind, what, lambda texts: extract_function(_only(texts, path), stretch, name))
        case "inline variable" if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield Try(kind, what, lambda texts: inline_variable(_only(texts, path), spot))
        case "inline function":
            yield Try(kind, what, lambda texts: inline_function(texts, spot))
        case "move":
            to = dice.choice(["src/click/fresh_module.py", "src/click/utils.py", "src/click/exceptions.py"])
            yield Try(kind, f"{what} to {to}", lambda texts: move(texts, spot, to))


def _only(texts: dict[str, str], path: str) -> dict[str, str]:
    return {path: texts[path]}


def failing(folder: Path, texts: dict[str, str]) -> frozenset[str] | None:
    """The tests that fail with `texts` in a copy; None when they cannot run at all."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "click"
        shutil.copytree(folder, copy)
        for path, text in texts.items():
            (copy / path).write_text(text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": os.fspath(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", "--tb=no", "--maxfail=20"]
        done = subprocess.run(argv, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return frozenset(_FAILED.findall(done.stdout)) if done.returncode in (0, 1) else None


def tried(folder: Path, kind: str, count: int, seed: int) -> list[str]:
    """Try one kind at so many places; what broke click."""
    dice = random.Random(f"{kind} {seed}")
    held = texts_of(folder)
    before = failing(folder, held)
    assert before is not None  # click's tests run
    refused = made = 0
    broke: list[str] = []
    steps: list[tuple[str, dict[str, str]]] = []
    for number in range(count):
        each = next(tries(held, dice, kind, f"fresh_{number}"), None)
        if each is None:
            continue
        try:
            done = each.make(held)
        except DuckError:
            refused += 1
            continue
        made += 1
        held = {**held, **done.texts}
        steps.append((each.what, held))
        if len(steps) == AT_ONCE or number == count - 1:
            found = _looked_at(folder, steps, before)
            broke += found
            steps = []
            if found:
                held = texts_of(folder)
    broke += _looked_at(folder, steps, before)
    print(f"{kind:<18} {made:>3} made, {refused:>3} refused, {len(broke)} broke click", flush=True)
    return broke


def _looked_at(folder: Path, steps: list[tuple[str, dict[str, str]]], before: frozenset[str]) -> list[str]:
    """The first step after which a test fails that did not; empty when none does."""
    if not steps or _is_whole(failing(folder, steps[-1][1]), before):
        return []
    return [next(what for what, texts in steps if not _is_whole(failing(folder, texts), before))]


def _is_whole(after: frozenset[str] | None, before: frozenset[str]) -> bool:
    return after is not None and after <= before


def _numbers(given: list[str]) -> tuple[int, int]:
    return int(given[0]) if given else PLACES, int(given[1]) if len(given) > 1 else 1


def main() -> int:
    """Every kind, one after the other."""
    count, seed = _numbers(sys.argv[1:])
    folder = click()
    broke = [each for kind in _NODES for each in tried(folder, kind, count, seed)]
    print(*broke, sep="\n")
    return 1 if broke else 0


if __name__ == "__main__":
    sys.exit(main())
