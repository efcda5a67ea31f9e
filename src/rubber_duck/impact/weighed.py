"""A call graph with its edges as arrays, each with how likely it is gone and how sure it is what it leads to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rubber_duck.code.edges import KINDS, LIKELY, OPTIONAL, CallGraph, CallKind, Definition
from rubber_duck.code.guards import Guard
from rubber_duck.impact.tests import belongs_to_tests

Matrix: TypeAlias = "NDArray[np.float32]"
Numbers: TypeAlias = "NDArray[np.int64]"

BRANCH: Final = 0.5
RESCUE: Final = 0.1
LOOP: Final = 0.9
EXIT: Final = 0.8
PASSED_OVER: Final = 0.6
MENTIONED: Final = 0.8
"""How likely a call is made that stands below a condition, in a handler of errors …; once for each of them."""

_MOST_EXITS: Final = 4
_MENTION: Final = KINDS.index(CallKind.MENTION)
_CALL: Final = KINDS.index(CallKind.CALL)


class Weighed:
    """The graph, and for each edge `sources`, `targets`, `lines`, `choices`, `guarded` and `sure`, in (0, 1].

    `guarded`: how likely the call is made when its source runs. `sure`: how sure it is that it means this target.
    `is_spoken`: it is called or mentioned, and not only held or given.
    """

    def __init__(self, graph: CallGraph) -> None:
        edges = graph.edges
        self.definitions: tuple[Definition, ...] = graph.definitions
        self.numbers: Mapping[tuple[str, str], int] = graph.numbers
        self.guards: list[Guard] = edges.guards
        self.sources = _numbers(edges.sources)
        self.targets = _numbers(edges.targets)
        self.lines = _numbers(edges.lines)
        self.choices = _numbers(edges.choices)
        self.guard_numbers = _numbers(edges.guard_numbers)
        kinds = np.frombuffer(bytes(edges.kinds), dtype=np.uint8)
        flags = np.frombuffer(bytes(edges.flags), dtype=np.uint8)
        self.is_spoken: NDArray[np.bool_] = (kinds == _CALL) | (kinds == _MENTION)
        optional = np.where(flags & OPTIONAL, PASSED_OVER, 1) * np.where(kinds == _MENTION, MENTIONED, 1)
        likely = np.array([_of_guard(guard) for guard in edges.guards])
        self.guarded: Matrix = (likely[self.guard_numbers] * optional).astype(np.float32)
        doubt = 1 / np.maximum(self.choices, 1) ** 0.7
        is_plain = ((flags & LIKELY) != 0) | (self.choices == 1)
        self.sure: Matrix = np.where(is_plain, doubt, doubt * 0.7).astype(np.float32)
        self._order = np.argsort(self.targets, kind="stable")
        counted = np.bincount(self.targets, minlength=len(self.definitions))
        self._starts = np.concatenate([[0], np.cumsum(counted)])

    def into(self, numbers: Numbers | Collection[int]) -> Numbers:
        """The edges that lead to definitions, by definition, then in their own order."""
        wanted = np.asarray(numbers, dtype=np.int64)
        first, after = self._starts[wanted], self._starts[wanted + 1]
        return self._order[_ranges(first, after)]

    def out_of(self, number: int) -> Numbers:
        """The edges that lead away from one definition."""
        first, after = np.searchsorted(self.sources, [number, number + 1])
        return np.arange(first, after)

    def leading_to(self, targets: Collection[int]) -> NDArray[np.bool_]:
        """For each definition, whether one of the targets can be reached from it; the targets themselves can."""
        seen = np.zeros(len(self.definitions), dtype=np.bool_)
        layer = np.array(sorted(set(targets)), dtype=np.int64)
        seen[layer] = True
        while len(layer):
            found = np.unique(self.sources[self.into(layer)])
            layer = found[~seen[found]]
            seen[layer] = True
        return seen

    @cached_property
    def is_product(self) -> NDArray[np.bool_]:
        """For each definition, whether it has a name and stands in no file that is there for tests."""
        known: dict[str, bool] = {}
        for each in self.definitions:
            if each.path not in known:
                known[each.path] = not belongs_to_tests(each.path)
        return np.array([bool(each.name) and known[each.path] for each in self.definitions], dtype=np.bool_)


def _of_guard(guard: Guard) -> float:
    likely: float = (
        BRANCH**guard.branches * RESCUE**guard.rescues * LOOP**guard.loops * EXIT ** min(guard.exits, _MOST_EXITS)
    )
    return likely


def _numbers(column: object) -> Numbers:
    return np.array(column, dtype=np.int64)


def _ranges(first: Numbers, after: Numbers) -> Numbers:
    """The numbers of all half-open ranges, one range after the other."""
    sizes = after - first
    total = int(sizes.sum())
    if not total:
        return np.zeros(0, dtype=np.int64)
    begins = np.cumsum(sizes) - sizes
    return np.repeat(first - begins, sizes) + np.arange(total)
