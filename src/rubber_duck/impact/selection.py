"""Which tests to run for a change: those that likely run what is changed, and those for which something else speaks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rubber_duck.code.edges import Definition
from rubber_duck.impact.evidence import evidence
from rubber_duck.impact.forest import forest
from rubber_duck.impact.reasons import Reason, Reasons
from rubber_duck.impact.tests import Test
from rubber_duck.impact.weighed import Matrix, Weighed
from rubber_duck.impact.wording import Wording
from rubber_duck.storage.coverage import Recording

Flags: TypeAlias = "NDArray[np.bool_]"

THRESHOLD: Final = 0.01
"""A test is chosen if its probability over the root of how many tests are expected is more. Where few tests run a
definition, each one that is missed is a greater loss; so less is asked of them. Chosen on packages that the forest does
not know: four tests of ten then hold about .89 of those that run a definition."""

MOST_ASKED: Final = 0.15
"""A test that is likelier than this is chosen, however many are expected."""

_CHUNK: Final = 128
_MOST_PAIRS: Final = 200_000
"""So many tests times targets are judged at once; each pair takes some 500 bytes."""

_LEAST_EXPECTED: Final = 0.3
_CERTAIN: Final = 1.0
_LOADED: Final = 0.5
_PARAMETERS: Final = re.compile(r"\[.*\]$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A test to run. `probability`, in [0, 1], that it runs something changed, as far as can be told."""

    name: str
    path: str
    probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """What was recorded: for each file of the project the tests, by name, that ran each line. `tests`: all of them."""

    lines: Mapping[str, Mapping[str, frozenset[int]]]
    tests: frozenset[str]


def probabilities(graph: Weighed, tests: Sequence[Test], targets: Sequence[int], wording: Wording) -> Matrix:
    """How likely each test (rows) runs each of `targets` (columns), from the code alone."""
    found = np.zeros((len(tests), len(targets)), dtype=np.float32)
    step = max(min(_MOST_PAIRS // max(len(tests), 1), _CHUNK), 1)
    for first in range(0, len(targets), step) if tests else ():
        chunk = targets[first : first + step]
        found[:, first : first + step] = forest().probability(evidence(graph, tests, chunk, wording))
    return found


def selected(probability: Matrix, threshold: float = THRESHOLD) -> Matrix:
    """Which tests (rows) to run for each target (columns), 1 or 0, given how likely each runs it."""
    expected = np.maximum(probability.sum(axis=0), _LEAST_EXPECTED)
    chosen: Matrix = (probability > np.minimum(threshold * np.sqrt(expected), MOST_ASKED)).astype(np.float32)
    return chosen


@dataclass(frozen=True, slots=True)
class Hints:
    """What else speaks for tests.

    `loading`: files that changed outside of all definitions, and those that load them, with the number of imports
    between. `covered`: what was recorded, if anything was. `why`: puts it into words.
    """

    loading: Mapping[str, int]
    covered: Covered | None
    why: Reasons


def choose(
    graph: Weighed, tests: Sequence[Test], targets: Sequence[int], wording: Wording, hints: Hints
) -> tuple[Chosen, ...]:
    """The tests for a change of `targets`, the likeliest first.

    The tests in files that load what changed outside of all definitions are chosen all. Where it was recorded whether a
    test runs a target, that decides, unless the test is changed itself or names what is changed.
    """
    likely = probabilities(graph, tests, targets, wording)
    known = _known(graph, tests, targets, hints.covered)
    wanted = np.where(known.is_recorded, known.ran, selected(likely) if targets else likely)
    unsure = np.where(known.is_recorded, 0, likely)
    changed = set(targets)
    found: list[Chosen] = []
    for row, test in enumerate(tests):
        loads = hints.loading.get(test.path)
        ran, is_recorded = bool(known.ran[row].any()), bool(known.is_recorded[row].any())
        if not is_recorded and loads is None and test.definition not in changed and not wanted[row].any():
            continue
        reasons = hints.why.of(test, covered=ran, loads=loads)
        stands_out = test.definition in changed or any(each.kind == "names" for each in reasons)
        probability = float(1 - np.prod(1 - (unsure if wanted[row].any() else likely)[row])) if targets else 0.0
        if ran or test.definition in changed:
            probability = _CERTAIN
        elif loads is not None:
            probability = max(probability, _LOADED)
        elif not (wanted[row].any() or (is_recorded and stands_out)):
            continue
        found.append(Chosen(test.name, test.path, probability, reasons or (_words(),)))
    return tuple(sorted(found, key=lambda each: (-each.probability, each.name)))


def _words() -> Reason:
    return Reason("words", "it has words in common with what is changed")


@dataclass(frozen=True, slots=True)
class _Known:
    """Of each test (rows) and target (columns): whether anything was recorded of both, and whether the test ran it."""

    is_recorded: Flags
    ran: Flags


def _known(graph: Weighed, tests: Sequence[Test], targets: Sequence[int], covered: Covered | None) -> _Known:
    """Lines move; so a definition counts as run if any line of it was.

    A target says something where its file was recorded, or where it is itself a test, which no other test runs: what
    records a package leaves its tests out.
    """
    shape = (len(tests), len(targets))
    known = _Known(np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool))
    if covered is None:
        return known
    recorded = np.array([test.name in covered.tests for test in tests], dtype=bool)
    rows = {test.name: row for row, test in enumerate(tests)}
    own = {test.definition for test in tests}
    for column, number in enumerate(targets):
        definition = graph.definitions[number]
        if definition.path in covered.lines:
            known.is_recorded[:, column] = recorded
            for name in _runners(definition, covered.lines[definition.path]):
                known.ran[rows[name], column] = True
        elif number in own:
            known.is_recorded[:, column] = recorded
    return known


def _runners(definition: Definition, lines: Mapping[str, frozenset[int]]) -> set[str]:
    """The tests that ran a line of the definition; its first line runs when it is made."""
    bodies = [range(first + 1, last + 1) or range(first, last + 1) for first, last in definition.stretches]
    return {test for test, ran in lines.items() if not all(ran.isdisjoint(body) for body in bodies)}


def unrecorded(
    graph: Weighed, tests: Sequence[Test], targets: Sequence[int], covered: Covered | None
) -> tuple[str, ...]:
    """The files of targets of which nothing was recorded, by path, where something was recorded at all."""
    if covered is None:
        return ()
    own = {test.definition for test in tests}
    paths = {graph.definitions[number].path for number in targets if number not in own}
    return tuple(sorted(paths - covered.lines.keys()))


def read_covered(recorded: Recording, root: str, paths: Collection[str], tests: Sequence[str]) -> Covered | None:
    """What coverage recorded, in the project's own names; None if it knows none of its tests.

    `root` is the project's folder, `paths` its files, `tests` their names. Contexts are those of pytest-cov
    (`path::test[parameters]|phase`) or of coverage itself (`package.module.test`).
    """
    names = {name: name for name in tests} | {_dotted(name): name for name in tests}
    known = {
        context: names.get(_PARAMETERS.sub("", context.rpartition("|")[0] or context)) for context in recorded.contexts
    }
    lines: dict[str, dict[str, frozenset[int]]] = {}
    for file, by_context in recorded.lines.items():
        path = own_path(file, root, paths)
        if path is None:
            continue
        own = lines.setdefault(path, {})
        for context, ran in by_context.items():
            name = known.get(context)
            if name is not None:
                own[name] = own.get(name, frozenset()) | ran
    found = frozenset(name for name in known.values() if name is not None)
    return Covered(lines, found) if found else None


def _dotted(name: str) -> str:
    path, _, rest = name.partition("::")
    return ".".join([*path.removesuffix(".py").split("/"), *rest.split("::")])


def own_path(file: str, root: str, paths: Collection[str]) -> str | None:
    """The file in the project: below its folder, or, recorded elsewhere, the longest end that the project has."""
    if file.startswith(f"{root}/"):
        own = file[len(root) + 1 :]
        return own if own in paths else None
    parts = file.replace("\\", "/").split("/")
    return next(("/".join(parts[at:]) for at in range(len(parts)) if "/".join(parts[at:]) in paths), None)
