"""Grows the trees by which `duck impact` ranks tests, from packages whose tests ran under coverage; never from click.

    python -m benchmarks.impact_training FOLDER …

Each folder is an unpacked source distribution in which its tests ran once, each in a context of its own:
`pytest --cov=src --cov-context=test --cov-report=`. Packages that were used: cleo 2.1.0, flask 3.1.3, h11 0.16.0,
httpx 0.28.1, itsdangerous 2.2.0, jinja2 3.1.6, marshmallow 4.4.0, mistune 3.4.0, prompt_toolkit 3.0.53, sqlparse 0.6.1,
structlog 26.1.0, tomlkit 0.15.2, webob 1.8.11, werkzeug 3.1.9. Each package is also judged by trees grown without it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np

from benchmarks.test_impact import Figures, figures, snapshot
from rubber_duck.code.scopes import CALLABLE
from rubber_duck.impact.evidence import evidence
from rubber_duck.impact.forest import FILE, Forest
from rubber_duck.impact.selection import THRESHOLD, read_covered, selected
from rubber_duck.impact.tests import belongs_to_tests
from rubber_duck.impact.weighed import Matrix
from rubber_duck.impact.wording import Wording
from rubber_duck.storage.coverage import Recording, read_recording

TREES, LEAVES, SAMPLED, FOLDS = 100, 20, 40, 3
OPTIONS: Final[dict[str, Any]] = {  # Any: options of several types
    "objective": "binary",
    "num_leaves": LEAVES,
    "learning_rate": 0.05,
    "min_data_in_leaf": 100,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "lambda_l2": 5,
    "num_threads": 2,
    "verbose": -1,
    "seed": 0,
}


@dataclass(frozen=True, slots=True)
class Package:
    """For each test and each function that some test runs: the evidence, and whether it runs it."""

    name: str
    evidence: Mapping[str, Matrix]
    runs: Matrix


def main() -> None:
    """Grow the trees, judge each package by others, and write the file."""
    packages = [each for folder in sys.argv[1:] if (each := package(Path(folder))) is not None]
    if not packages:
        print(__doc__)
        return
    for fold in range(min(FOLDS, len(packages))):
        held = packages[fold::FOLDS]
        others = [each for each in packages if each not in held]
        if others:
            forest = Forest(stored(grown(others)))
            for each in held:
                print(each.name, judged(forest, each), flush=True)
    place = Path(__file__).parents[1] / "src" / "rubber_duck" / "impact" / FILE
    place.write_bytes(stored(grown(packages)))
    print(f"written: {place.stat().st_size:,} bytes")


def package(folder: Path) -> Package | None:
    """The evidence in one package, and what coverage recorded; None where it recorded nothing of its tests."""
    inner = "src" if (folder / "src").is_dir() else folder.name.rpartition("-")[0]
    code = snapshot(folder, (f"{inner}/", "tests/"))
    names = [test.name for test in code.tests]
    recorded = read_recording((folder / ".coverage").read_bytes(), lambda file: True)
    ran = {
        path: {name: lines for name, lines in each.items() if name.endswith("|run")}
        for path, each in recorded.lines.items()
    }
    covered = read_covered(Recording(recorded.contexts, ran), str(folder.resolve()), code.files.keys(), names)
    if covered is None:
        return None
    targets: list[int] = []
    rows: list[list[bool]] = []
    for (path, _), number in code.graph.numbers.items():
        if code.graph.definitions[number].kind not in CALLABLE or belongs_to_tests(path) or path not in covered.lines:
            continue
        own = code.body(number)
        runs = [not own.isdisjoint(covered.lines[path].get(each, frozenset())) for each in names]
        if any(runs):
            targets.append(number)
            rows.append(runs)
    found = evidence(code.graph, code.tests, targets, Wording(code.graph, code.texts, code.tests))
    print(f"{folder.name}: {len(names)} tests, {len(targets)} functions", flush=True)
    return Package(folder.name, found, np.array(rows, dtype=np.float32).T)


def grown(packages: Sequence[Package]) -> lightgbm.Booster:
    """Trees over a sample of each function's tests; a package counts by the root of how many functions it has."""
    names = sorted(packages[0].evidence)
    chance = np.random.default_rng(0)
    columns: list[Matrix] = []
    answers: list[Matrix] = []
    weights: list[Matrix] = []
    for each in packages:
        values = np.stack([each.evidence[name] for name in names], axis=-1)
        for column in range(values.shape[1]):
            rows = chance.permutation(len(values))[:SAMPLED]
            columns.append(values[rows, column])
            answers.append(each.runs[rows, column])
            weights.append(np.full(len(rows), values.shape[1] ** -0.5 / len(rows), dtype=np.float32))
    weight = np.concatenate(weights)
    table = lightgbm.Dataset(
        np.concatenate(columns), np.concatenate(answers), weight=weight / weight.mean(), feature_name=names
    )
    return lightgbm.train(OPTIONS, table, TREES)


def stored(trees: lightgbm.Booster) -> bytes:
    """The trees as `rubber_duck.impact.forest` reads them."""
    nodes: list[tuple[int, float, int, int, float]] = []
    roots = [_flattened(tree["tree_structure"], nodes) for tree in trees.dump_model()["tree_info"]]
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        names=np.array(trees.feature_name()),
        feature=np.array(feature, dtype=np.int16),
        threshold=np.array(threshold, dtype=np.float64),
        left=np.array(left, dtype=np.int32),
        right=np.array(right, dtype=np.int32),
        value=np.array(value, dtype=np.float32),
        roots=np.array(roots, dtype=np.int32),
    )
    return content.getvalue()


def _flattened(node: dict[str, Any], nodes: list[tuple[int, float, int, int, float]]) -> int:  # Any: LightGBM's JSON
    at = len(nodes)
    if "split_feature" not in node:
        nodes.append((-1, 0.0, 0, 0, node["leaf_value"]))
        return at
    nodes.append((node["split_feature"], node["threshold"], 0, 0, 0.0))
    left = _flattened(node["left_child"], nodes)
    right = _flattened(node["right_child"], nodes)
    nodes[at] = (node["split_feature"], node["threshold"], left, right, 0.0)
    return at


def judged(forest: Forest, package: Package) -> Figures:
    """How well trees that do not know the package choose among its tests."""
    return figures(selected(forest.probability(package.evidence), THRESHOLD), package.runs)


if __name__ == "__main__":
    main()
