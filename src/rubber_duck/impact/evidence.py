"""What speaks for a test running a definition: numbers for each pair, by which they are ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rubber_duck.impact.reach import reach
from rubber_duck.impact.spoken import overlap
from rubber_duck.impact.suited import suited
from rubber_duck.impact.tests import Test
from rubber_duck.impact.topics import Topics, alike
from rubber_duck.impact.weighed import Matrix, Weighed
from rubber_duck.impact.wording import Wording, file_words, own_name, words

_LEAST: Final = 1e-5


def evidence(graph: Weighed, tests: Sequence[Test], targets: Sequence[int], wording: Wording) -> dict[str, Matrix]:
    """Name → a value for each test (rows) and each target (columns)."""
    found = reach(graph, targets)
    rows = [test.definition for test in tests]
    ways = {
        "probable": found.probable[rows],
        "certain": found.certain[rows],
        "unguarded": found.unguarded[rows],
        "near": found.near[rows],
    }
    result = {name: np.log(np.maximum(values, _LEAST)) for name, values in ways.items()}
    result |= _worded(graph, targets, wording)
    files = _groups([test.path for test in tests])
    result |= _suited(graph, tests, targets, (wording, files, found.probable))
    for name in ("probable", "certain", "unguarded", "near"):
        result[f"{name}_rank"] = _rank(result[name])
        result[f"{name}_best"] = result[name] - result[name].max(axis=0, keepdims=True)
    for name in ("named", "triggered", "worded"):
        result[f"{name}_rank"] = _rank(result[name])
    for name in ("probable", "named", "triggered", "worded", "mentioned"):
        result[f"{name}_file"] = _mean_by(result[name], files)
    ones = np.ones((len(tests), 1), dtype=np.float32)
    result["reaching"] = ones * (ways["probable"] > 0.001).mean(axis=0)
    result["reaching_likely"] = ones * (ways["probable"] > 0.3).mean(axis=0)
    result["mean_probable"] = ones * ways["probable"].mean(axis=0)
    result["best_probable"] = ones * result["probable"].max(axis=0)
    result["mean_unguarded"] = ones * result["unguarded"].mean(axis=0)
    result["mentioning"] = ones * result["mentioned"].mean(axis=0)
    sizes = np.array([[np.log1p(len(wording.body(row)))] for row in rows], dtype=np.float32)
    result["test_size"] = sizes * np.ones((1, len(targets)), dtype=np.float32)
    return {name: values.astype(np.float32) for name, values in result.items()}


def _suited(
    graph: Weighed,
    tests: Sequence[Test],
    targets: Sequence[int],
    known: tuple[Wording, Sequence[Sequence[int]], Matrix],
) -> dict[str, Matrix]:
    wording, files, probable = known
    said = wording.tests
    found = suited(graph, tests, targets, said, probable)
    topics = Topics(graph)
    values = {
        "c_full": np.log(np.maximum(found.full, _LEAST)),
        "c_guard": np.log(np.maximum(found.guard, _LEAST)),
        "c_hard": np.log(np.maximum(found.hard, _LEAST)),
        "topic": alike([topics.of(number) for number in targets], said.words),
    }
    result = dict(values)
    for name, each in values.items():
        result[f"{name}_rank"] = _rank(each)
        result[f"{name}_best"] = each - each.max(axis=0, keepdims=True)
        result[f"{name}_mean"] = np.ones_like(each) * each.mean(axis=0, keepdims=True)
        result[f"{name}_file"] = _mean_by(each, files)
    return result


def _worded(graph: Weighed, targets: Sequence[int], wording: Wording) -> dict[str, Matrix]:
    said = wording.tests
    definitions = [graph.definitions[number] for number in targets]
    names = [words(own_name(each)) for each in definitions]
    owners = [words(each.owner) for each in definitions]
    bodies = [words(wording.body(number)) for number in targets]
    exact = [frozenset({own_name(each)}) for each in definitions]
    classes = [frozenset({each.owner.rpartition(".")[2]} if each.owner else ()) for each in definitions]
    triggers = [wording.trigger(number) for number in targets]
    folders = [file_words(each.path) for each in definitions]
    return {
        "mentioned": overlap(exact, said.tokens),
        "owner_mentioned": overlap(classes, said.tokens),
        "named": overlap(names, said.words),
        "owner_named": overlap(owners, said.words),
        "titled": overlap(names, said.titles),
        "triggered": overlap(triggers, said.words),
        "worded": overlap(bodies, said.words),
        "titled_body": overlap([each | more for each, more in zip(names, triggers, strict=True)], said.titles),
        "file_alike": overlap(folders, said.files),
    }


def _rank(values: Matrix) -> Matrix:
    """The share of tests that have less, and half of those that have as much."""
    ordered = np.sort(values, axis=0)
    ranked = np.empty_like(values)
    for column in range(values.shape[1]):
        below = np.searchsorted(ordered[:, column], values[:, column], side="left")
        upto = np.searchsorted(ordered[:, column], values[:, column], side="right")
        ranked[:, column] = (below + upto) / (2 * len(values))
    return ranked


def _groups(paths: Sequence[str]) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for row, path in enumerate(paths):
        rows.setdefault(path, []).append(row)
    return list(rows.values())


def _mean_by(values: Matrix, groups: Sequence[Sequence[int]]) -> Matrix:
    found = np.empty_like(values)
    for rows in groups:
        found[rows] = values[rows].mean(axis=0, keepdims=True)
    return found
