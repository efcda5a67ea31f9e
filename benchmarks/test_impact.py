"""Which tests run which functions of click 8.5.0, and how well `duck impact` tells from the code alone.

Beside it, a search for the function's name in the tests. Recall is how many of the tests that run a function are
chosen, by function (macro) and over all pairs (micro); the share is how many of all tests are chosen. Functions that no
test runs are left out. Nothing was trained or tuned on click.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.corpus import click
from benchmarks.cosqa import CASES
from rubber_duck.code.calls import call_graph
from rubber_duck.code.code import detect, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import GraphFile
from rubber_duck.impact.selection import probabilities, selected
from rubber_duck.impact.tests import Test, tests_of
from rubber_duck.impact.weighed import Matrix, Weighed
from rubber_duck.impact.wording import Wording

FILE = "click_test_impact.jsonl.gz"
CURVE = (0.02, 0.015, 0.01, 0.0075, 0.005, 0.0025)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a folder as `duck impact` sees them."""

    files: Mapping[str, GraphFile]
    texts: Mapping[str, str]
    graph: Weighed
    tests: tuple[Test, ...]

    def body(self, number: int) -> frozenset[int]:
        """The lines of a definition behind its head and before what is defined in it."""
        definition = self.graph.definitions[number]
        symbol = next(
            each
            for each in self.files[definition.path].symbols.symbols
            if each.qualified_name == definition.name and each.start_line == definition.start_line
        )
        heads = self.texts[definition.path].split("\n")[symbol.line - 1 : symbol.end_line]
        head = next((at for at, line in enumerate(heads) if line.rstrip().endswith(":")), 0)
        lines = set(range(symbol.line + head + 1, symbol.end_line + 1))
        for (path, name), inner in self.graph.numbers.items():
            if path == definition.path and name.startswith(f"{definition.name}."):
                within = self.graph.definitions[inner]
                lines -= set(range(within.start_line, within.end_line + 1))
        return frozenset(lines)


@dataclass(frozen=True, slots=True)
class Figures:
    """Recall by function and over all pairs, the share of the tests chosen, and of functions that miss none."""

    macro: float
    micro: float
    share: float
    safe: float

    def __str__(self) -> str:
        return f"recall {self.macro:.3f} (micro {self.micro:.3f})  share {self.share:.3f}  safe {self.safe:.0%}"


def main() -> None:
    """Print the figures of both, and what other thresholds would give."""
    place = CASES / FILE
    if not place.is_file():
        print(f"the cases are not in {CASES}: not measured")
        return
    with gzip.open(place, "rt", encoding="utf-8") as lines:
        cases = [case for line in lines if (case := json.loads(line))["tests"]]
    started = time.process_time()
    code = snapshot(click(), ("src/", "tests/"))
    targets = [code.graph.numbers[f"src/click/{case['module']}", case["qual"]] for case in cases]
    likely = probabilities(code.graph, code.tests, targets, Wording(code.graph, code.texts, code.tests))
    took_s = time.process_time() - started
    names = {test.name: row for row, test in enumerate(code.tests)}
    truth = np.zeros(likely.shape, dtype=np.float32)
    for column, case in enumerate(cases):
        truth[[names[each] for each in case["tests"]], column] = 1
    print(f"{len(cases)} functions, {len(names)} tests; a function is run by {truth.mean():.3f} of the tests\n")
    print(f"{'grep for the name':<22}{figures(_named(code, targets), truth)}")
    print(f"{'duck impact':<22}{figures(selected(likely), truth)}\n")
    for threshold in CURVE:
        print(f"  threshold {threshold:<10}{figures(selected(likely, threshold), truth)}")
    print(f"\n{took_s:.1f} s of CPU time for all functions at once")


def snapshot(folder: Path, below: Sequence[str]) -> Snapshot:
    """The files in `folder` whose relative paths begin with one of `below`."""
    files: dict[str, GraphFile] = {}
    texts: dict[str, str] = {}
    for place in sorted(folder.rglob("*.py")):
        path = place.relative_to(folder).as_posix()
        language = detect(path, b"") if path.startswith(tuple(below)) else None
        if language is not None:
            content = place.read_bytes()
            files[path] = GraphFile(language, extract(open_source(path, content, language)))
            texts[path] = content.decode("utf-8", "replace")
    graph = call_graph(files, texts)
    return Snapshot(
        files, texts, Weighed(graph), tests_of(graph, {path: file.language for path, file in files.items()})
    )


def figures(chosen: Matrix, truth: Matrix) -> Figures:
    """What was chosen against what runs; tests are rows, functions columns, each of which some test runs."""
    hits = (chosen * truth).sum(axis=0)
    wanted = truth.sum(axis=0)
    return Figures(
        float((hits / wanted).mean()),
        float(hits.sum() / wanted.sum()),
        float(chosen.mean()),
        float((hits == wanted).mean()),
    )


def _named(code: Snapshot, targets: Sequence[int]) -> Matrix:
    """Tests in whose text the function's name stands as a word."""
    chosen = np.zeros((len(code.tests), len(targets)), dtype=np.float32)
    lines = {path: text.split("\n") for path, text in code.texts.items()}
    for row, test in enumerate(code.tests):
        own = code.graph.definitions[test.definition]
        said = set(re.findall(r"\w+", "\n".join(lines[own.path][own.start_line - 1 : own.end_line])))
        for column, number in enumerate(targets):
            chosen[row, column] = code.graph.definitions[number].short_name in said
    return chosen


if __name__ == "__main__":
    main()
