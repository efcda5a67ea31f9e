"""What may lead from one definition to another, kept by column: a project has hundreds of thousands of edges."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, overload

from rubber_duck.code.guards import UNGUARDED, Guard
from rubber_duck.code.symbols import SymbolKind


class CallKind(StrEnum):
    """How one definition leads to another: it calls or mentions it, holds it, or is given it as a fixture."""

    CALL = "call"
    MENTION = "mention"
    HOLDS = "holds"
    FIXTURE = "fixture"


KINDS: Final = tuple(CallKind)
"""The numbers of the kinds in `Edges.kinds`."""

OPTIONAL: Final = 1
LIKELY: Final = 2
"""The bits of `Edges.flags`."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, method or class, or with an empty `name` the code of a file outside of all; lines as in Symbol.

    Where a name is defined several times, as overloads, a property's setter or further clauses are, the lines are those
    of the longest, and `others` has first and last lines of the rest.
    """

    path: str
    name: str
    kind: SymbolKind
    start_line: int
    end_line: int
    others: tuple[tuple[int, int], ...] = ()

    @property
    def stretches(self) -> tuple[tuple[int, int], ...]:
        """First and last lines of all that defines it, from the top of the file."""
        return tuple(sorted(((self.start_line, self.end_line), *self.others)))

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """The qualified name of what it is defined in; empty at the top of a file."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class CallEdge:
    """The definition number `source` may lead to number `target`, at `line` of the source's file.

    `choices`: how many definitions could be meant there, 1 when it is certain. `is_optional`: passed over by an
    operator on the very line. `is_likely`: among several, what stands before the dot speaks for this one.
    """

    source: int
    target: int
    line: int
    kind: CallKind
    choices: int = 1
    guard: Guard = UNGUARDED
    is_optional: bool = False
    is_likely: bool = False


class Edges(Sequence[CallEdge]):
    """Edges sorted by source and target, of each pair the surest; the columns run in parallel.

    `guard_numbers` point into `guards`, `kinds` into `KINDS`.
    """

    __slots__ = ("choices", "flags", "guard_numbers", "guards", "kinds", "lines", "sources", "targets")

    def __init__(self) -> None:
        self.sources = array("i")
        self.targets = array("i")
        self.lines = array("i")
        self.choices = array("i")
        self.guard_numbers = array("i")
        self.kinds = bytearray()
        self.flags = bytearray()
        self.guards: list[Guard] = [UNGUARDED]

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, index: int) -> CallEdge: ...
    @overload
    def __getitem__(self, index: slice) -> list[CallEdge]: ...
    def __getitem__(self, index: int | slice) -> CallEdge | list[CallEdge]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        flags = self.flags[index]
        return CallEdge(
            self.sources[index],
            self.targets[index],
            self.lines[index],
            KINDS[self.kinds[index]],
            self.choices[index],
            self.guards[self.guard_numbers[index]],
            bool(flags & OPTIONAL),
            bool(flags & LIKELY),
        )

    def __iter__(self) -> Iterator[CallEdge]:
        return map(self.__getitem__, range(len(self)))


class Gathering:
    """The edges from the definitions of one file while they are found; of each pair the surest stays."""

    def __init__(self, edges: Edges, numbers: dict[Guard, int]) -> None:
        self._edges = edges
        self._numbers = numbers
        self._weights: dict[int, float] = {}
        self._best: dict[tuple[int, int], tuple[float, int]] = {}
        self._rows: dict[tuple[int, int], tuple[int, int, int, int, int]] = {}

    def number(self, guard: Guard) -> int:
        """The guard's number, by which edges name it."""
        number = self._numbers.get(guard)
        if number is None:
            number = self._numbers[guard] = len(self._edges.guards)
            self._edges.guards.append(guard)
        return number

    def add(self, source: int, target: int, site: tuple[int, int, int, int], flags: int) -> None:
        """`site`: the line, the kind's number, how many definitions could be meant, the guard's number."""
        if source == target:
            return
        line, kind, choices, guard = site
        weight = self._weight(guard)
        if flags:
            weight *= (0.6 if flags & OPTIONAL else 1) * (choices if flags & LIKELY else 1)
        sureness = (weight / choices, -line)
        pair = (source, target)
        known = self._best.get(pair)
        if known is None or sureness > known:
            self._best[pair] = sureness
            self._rows[pair] = (line, kind, choices, guard, flags)

    def has(self, source: int, target: int) -> bool:
        """Whether the pair has an edge."""
        return (source, target) in self._rows

    def close(self) -> None:
        """Put what was found at the end of the edges, which stay sorted if files come in the order of the numbers."""
        edges = self._edges
        pairs = sorted(self._rows)
        rows = [self._rows[pair] for pair in pairs]
        edges.sources.extend([pair[0] for pair in pairs])
        edges.targets.extend([pair[1] for pair in pairs])
        edges.lines.extend([row[0] for row in rows])
        edges.kinds.extend([row[1] for row in rows])
        edges.choices.extend([row[2] for row in rows])
        edges.guard_numbers.extend([row[3] for row in rows])
        edges.flags.extend([row[4] for row in rows])

    def _weight(self, number: int) -> float:
        weight = self._weights.get(number)
        if weight is None:
            guard = self._edges.guards[number]
            weight = self._weights[number] = 0.6**guard.branches * 0.3**guard.rescues * 0.9**guard.exits
        return weight


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The definitions of a project, by number, and what may lead from one to another; the surest edge of each pair."""

    definitions: tuple[Definition, ...]
    edges: Edges
    numbers: Mapping[tuple[str, str], int]
    """(path, qualified name) → number."""
