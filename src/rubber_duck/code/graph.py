"""Which file of a project imports which, what comes from outside, and where imports go in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rubber_duck.code.language import family
from rubber_duck.code.modules import ElixirModules, PathModules, PythonModules
from rubber_duck.code.symbols import FileSymbols


@dataclass(frozen=True, slots=True)
class Edge:
    """The file `source` imports the file `target` at `line` of `source`; both are paths in the project."""

    source: str
    target: str
    line: int


@dataclass(frozen=True, slots=True)
class ImportGraph:
    """The imports of a project.

    - `edges`: one a pair of files, with the first line that says so; sorted.
    - `external`: file → the modules it takes from outside the project, sorted.
    - `cycles`: groups of files each of which reaches every other of its group; sorted, each from its least path.
    """

    edges: tuple[Edge, ...]
    external: Mapping[str, tuple[str, ...]]
    cycles: tuple[tuple[str, ...], ...]

    def imports_of(self, path: str) -> tuple[str, ...]:
        """The files that the file at `path` imports."""
        return tuple(edge.target for edge in self.edges if edge.source == path)

    def importers_of(self, path: str) -> tuple[str, ...]:
        """The files that import the file at `path`."""
        return tuple(edge.source for edge in self.edges if edge.target == path)


@dataclass(frozen=True, slots=True)
class GraphFile:
    """One file of the project: its language's name and what was found in it."""

    language: str
    symbols: FileSymbols


def resolve(files: Mapping[str, GraphFile]) -> ImportGraph:
    """The import graph of `files`, path (posix, relative to the project) → file.

    Nothing is read: only these files exist. An import that several files could answer goes to the nearest.
    """
    python = PythonModules(path for path, file in files.items() if family(file.language) == "python")
    paths = PathModules(path for path, file in files.items() if family(file.language) == "ecmascript")
    elixir = ElixirModules((path, file.symbols) for path, file in files.items() if family(file.language) == "elixir")
    resolvers = {"python": python.targets, "ecmascript": paths.targets, "elixir": elixir.targets}
    edges: dict[tuple[str, str], int] = {}
    external: dict[str, tuple[str, ...]] = {}
    for path, file in files.items():
        outside: set[str] = set()
        resolver = resolvers.get(family(file.language))
        if resolver is None:
            continue
        for module, line, targets in resolver(path, file.symbols):
            if not targets and module:
                outside.add(module)
            for target in targets:
                if target != path:
                    edges[path, target] = min(line, edges.get((path, target), line))
        if outside:
            external[path] = tuple(sorted(outside))
    found = tuple(Edge(source, target, line) for (source, target), line in sorted(edges.items()))
    return ImportGraph(found, dict(sorted(external.items())), cycles((edge.source, edge.target) for edge in found))


def cycles(edges: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The strongly connected components of two or more nodes (Tarjan 1972, without recursion)."""
    following: dict[str, list[str]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
        following.setdefault(target, [])
    search = _Search(following)
    for root in following:
        if root not in search.number:
            search.visit(root)
    return tuple(sorted(tuple(sorted(group)) for group in search.groups))


class _Search:
    """Tarjan's algorithm: `low[n]` is the least number reachable from n through at most one back edge."""

    def __init__(self, following: Mapping[str, Sequence[str]]) -> None:
        self._following = following
        self.number: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._open: list[str] = []
        self._is_open: set[str] = set()
        self.groups: list[list[str]] = []

    def visit(self, root: str) -> None:
        """Number everything reachable from `root`."""
        work = [(root, iter(self._following[root]))]
        self._enter(root)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in self.number:
                    self._enter(target)
                    work.append((target, iter(self._following[target])))
                    break
                if target in self._is_open:
                    self._low[node] = min(self._low[node], self.number[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    self._low[parent] = min(self._low[parent], self._low[node])
                if self._low[node] == self.number[node]:
                    self._close(node)

    def _enter(self, node: str) -> None:
        self.number[node] = self._low[node] = len(self.number)
        self._open.append(node)
        self._is_open.add(node)

    def _close(self, node: str) -> None:
        group: list[str] = []
        while not group or group[-1] != node:
            group.append(self._open.pop())
            self._is_open.discard(group[-1])
        if len(group) > 1:
            self.groups.append(group)
