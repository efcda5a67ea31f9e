"""Refactorings at random places of Elixir's own library, whose tests say whether it still does what it did.

`python -m benchmarks.elixir_refactoring [N] [SEED]`: N of each kind in each of some files of Elixir 1.14.0, one upon
the other. `elixir` compiles each file and runs its tests; where one fails that passed, they run after each
refactoring. What breaks a file is printed and the status is 1.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import corpus
from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.elixir_extract import extract_variable
from rubber_duck.code.refactoring.elixir_function import extract_function
from rubber_duck.code.refactoring.elixir_inline_function import inline
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Stretch
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.errors import DuckError

FILES: Final = {
    "elixir/lib/uri.ex": "elixir/test/elixir/uri_test.exs",
    "elixir/lib/version.ex": "elixir/test/elixir/version_test.exs",
    "elixir/lib/option_parser.ex": "elixir/test/elixir/option_parser_test.exs",
    "elixir/lib/keyword.ex": "elixir/test/elixir/keyword_test.exs",
    "elixir/lib/string.ex": "elixir/test/elixir/string_test.exs",
    "elixir/lib/list.ex": "elixir/test/elixir/list_test.exs",
    "elixir/lib/code/formatter.ex": "elixir/test/elixir/code_formatter/general_test.exs",
    "elixir/lib/code/normalizer.ex": "elixir/test/elixir/code_normalizer/quoted_ast_test.exs",
    "elixir/lib/code/fragment.ex": "elixir/test/elixir/code_fragment_test.exs",
    "elixir/lib/inspect/algebra.ex": "elixir/test/elixir/inspect/algebra_test.exs",
    "elixir/lib/stream.ex": "elixir/test/elixir/stream_test.exs",
    "elixir/lib/path.ex": "elixir/test/elixir/path_test.exs",
    "elixir/lib/access.ex": "elixir/test/elixir/access_test.exs",
    "elixir/lib/calendar/iso.ex": "elixir/test/elixir/calendar/iso_test.exs",
    "elixir/lib/calendar/date.ex": "elixir/test/elixir/calendar/date_test.exs",
    "elixir/lib/module/types/pattern.ex": "elixir/test/elixir/module/types/pattern_test.exs",
    "ex_unit/lib/ex_unit/diff.ex": "ex_unit/test/ex_unit/diff_test.exs",
    "eex/lib/eex/compiler.ex": "eex/test/eex_test.exs",
}
RUN: Final = """
[source, test] = System.argv()
Code.compiler_options(ignore_module_conflict: true)
ExUnit.start(autorun: false, seed: 0, formatters: [])
Code.compile_file(source)
Code.require_file(test)
done = ExUnit.run()
IO.puts("ran #{done.total} #{done.failures}")
"""
TRIES: Final = 60

Make = Callable[[random.Random, str, str], Iterator[tuple[str, Callable[[], Refactored]]]]


def _stretch(file: SourceFile, first: Node, last: Node) -> Stretch:
    (line, column), (final, end) = file.position(first.start_byte), file.position(last.end_byte)
    return Stretch("file.ex", line, final, column, end)


def _nodes(text: str) -> tuple[SourceFile, list[Node]]:
    file = open_source("file.ex", text.encode(), "elixir")
    defined = [each for each in file.descendants(file.tree.root_node) if _word(file, each) in {"def", "defp"}]
    return file, [each for call in defined for each in file.descendants(call) if each.is_named]


def _word(file: SourceFile, node: Node) -> str:
    first = node.child(0) if node.type == "call" else None
    return file.text(first) if first is not None else ""


def variables(dice: random.Random, text: str, name: str) -> Iterator[tuple[str, Callable[[], Refactored]]]:
    """Expressions that may get a name."""
    file, nodes = _nodes(text)
    for node in dice.sample(nodes, min(TRIES, len(nodes))):
        yield file.text(node), partial(extract_variable, {"file.ex": text}, _stretch(file, node, node), name)


def functions(dice: random.Random, text: str, name: str) -> Iterator[tuple[str, Callable[[], Refactored]]]:
    """Statements and expressions that may become functions."""
    file, nodes = _nodes(text)
    for node in dice.sample(nodes, min(TRIES, len(nodes))):
        yield file.text(node), partial(extract_function, {"file.ex": text}, _stretch(file, node, node), name)
        block = list(node.named_children) if node.type in {"do_block", "body"} else []
        if len(block) > 1:
            first = dice.randrange(len(block) - 1)
            last = dice.randrange(first, len(block))
            stretch = _stretch(file, block[first], block[last])
            yield file.text(block[first]), partial(extract_function, {"file.ex": text}, stretch, name)


def inlined(dice: random.Random, text: str, name: str, *, of: str) -> Iterator[tuple[str, Callable[[], Refactored]]]:
    """Variables, or functions, that may be put where they are read; `name` is not needed."""
    file, nodes = _nodes(text)
    if of == "variable":
        chosen = [each for each in nodes if each.type == "identifier" and text.encode()[each.end_byte :][:3] == b" = "]
    else:
        named = {found[1] for found in re.finditer(r"defp (\w+)", text)}
        chosen = [each for each in nodes if each.type == "identifier" and file.text(each) in named]
    for node in dice.sample(chosen, min(2 * TRIES, len(chosen))):
        spot = Spot("file.ex", *file.position(node.start_byte))
        yield f"{file.text(node)} {name}", partial(inline, {"file.ex": text}, spot)


KINDS: Final[dict[str, Make]] = {
    "variables extracted": variables,
    "functions extracted": functions,
    "variables inlined": partial(inlined, of="variable"),
    "functions inlined": partial(inlined, of="function"),
}


def made(dice: random.Random, text: str, wanted: int, counted: Counter[str]) -> Iterator[tuple[str, str]]:
    """The text after each refactoring, one upon the other, with what was done."""
    number = 0
    for kind, make in KINDS.items():
        done = 0
        for _ in range(4 * wanted):
            for what, refactor in make(dice, text, f"fresh{number}"):
                try:
                    text = refactor().texts["file.ex"]
                except DuckError:
                    counted[f"{kind} refused"] += 1
                    continue
                counted[f"{kind} made"] += 1
                number, done = number + 1, done + 1
                yield f"{kind}: {what[:200]}", text
                break
            if done == wanted:
                break


def tested(elixir: str, folder: Path, text: str, test: Path) -> str:
    """How many tests ran and how many failed, or how the compiler ended."""
    source, script = folder / "file.ex", folder / "run.exs"
    source.write_text(text, encoding="utf-8")
    script.write_text(RUN, encoding="utf-8")
    done = subprocess.run([elixir, str(script), str(source), str(test)], capture_output=True, text=True, check=False)
    found = re.search(r"^ran \d+ \d+$", done.stdout, re.MULTILINE)
    return found[0] if found else done.stderr[-600:]


def main(wanted: int, seed: int) -> int:
    """Every file, one after the other."""
    elixir = shutil.which("elixir")
    root = corpus.elixir()
    if elixir is None or root is None:
        sys.exit("there is no elixir on the path, or no sources of Elixir 1.14.0: see benchmarks.corpus")
    library = root / "lib"
    counted: Counter[str] = Counter()
    broken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, test in FILES.items():
            before = (library / path).read_text(encoding="utf-8")
            steps = list(made(random.Random(f"{path} {seed}"), before, wanted, counted))
            expected = tested(elixir, folder, before, library / test)
            if not steps or tested(elixir, folder, steps[-1][1], library / test) == expected:
                print(f"{path}: {len(steps)} made, {expected}", flush=True)
                continue
            for what, text in steps:
                got = tested(elixir, folder, text, library / test)
                if got != expected:
                    broken += 1
                    print(f"{path}: {expected}, then {got} after {what}", flush=True)
                    break
    print(*(f"{kind}: {number}" for kind, number in sorted(counted.items())), f"files broken: {broken}", sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(numbers or [5])[:1], *(numbers[1:2] or [1])))
