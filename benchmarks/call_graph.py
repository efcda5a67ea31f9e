"""Call edges of PyCG's micro-benchmark: 119 small programs, each about one way of calling, beside jedi.

An edge leads from the function (or the file) that calls to a function of the program; a class that is called stands for
its `__init__`. Our edges are made for impact, where a missing one costs more than one too many: a function that is only
mentioned where it may be called later is an edge, too. So they are counted without and with what is mentioned.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jedi

from benchmarks.cosqa import CASES
from rubber_duck.code.calls import call_graph
from rubber_duck.code.code import detect, open_source
from rubber_duck.code.edges import CallGraph, CallKind
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import GraphFile
from rubber_duck.code.scopes import CALLABLE, CLASSES
from rubber_duck.code.symbols import ReferenceKind

FILE = "pycg_micro.jsonl.gz"

Edges = frozenset[tuple[str, str]]
Answer = Callable[[Mapping[str, str]], Edges]


def main() -> None:
    """Print precision, recall and how many programs are told exactly."""
    place = CASES / FILE
    if not place.is_file():
        print(f"the cases are not in {CASES}: not measured")
        return
    with gzip.open(place, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    wanted = [_wanted(case["files"], case["edges"]) for case in cases]
    print(f"{len(cases)} programs, {sum(map(len, wanted))} edges\n")
    answers: tuple[tuple[str, Answer], ...] = (
        ("ours, called", lambda files: ours(files, with_mentioned=False)),
        ("ours, mentioned", lambda files: ours(files, with_mentioned=True)),
        ("jedi", theirs),
    )
    for name, answer in answers:
        found = [answer(case["files"]) for case in cases]
        hits = sum(len(mine & true) for mine, true in zip(found, wanted, strict=True))
        said, true = sum(map(len, found)), sum(map(len, wanted))
        exact = sum(mine == right for mine, right in zip(found, wanted, strict=True))
        print(f"{name:<16}precision {hits / said:.3f}  recall {hits / true:.3f}  exact {exact}")


def ours(files: Mapping[str, str], *, with_mentioned: bool) -> Edges:
    """The calls in our graph."""
    graph = call_graph({path: _read(path, text) for path, text in files.items()}, files)
    found: set[tuple[str, str]] = set()
    for edge in graph.edges:
        if edge.kind is not CallKind.CALL and not (with_mentioned and edge.kind is CallKind.MENTION):
            continue
        source = graph.definitions[edge.source]
        target = _function(graph, edge.target)
        if target:
            found.add((_name(source.path, source.name), target))
    return frozenset(found)


def theirs(files: Mapping[str, str]) -> Edges:
    """What jedi infers for each name that is called."""
    found: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        project = jedi.Project(folder)
        for path, text in files.items():
            script = jedi.Script(text, path=Path(folder, path), project=project)
            own = _read(path, text).symbols
            names = call_graph({path: _read(path, text)}, {path: text})
            for reference in own.references.of_kind(ReferenceKind.CALL):
                inner = [
                    each
                    for each in names.definitions
                    if each.name and each.kind in CALLABLE and each.start_line < reference.line <= each.end_line
                ]
                source = max(inner, key=lambda each: each.start_line).name if inner else ""
                found |= {
                    (_name(path, source), each) for each in _inferred(script, reference.line, reference.column - 1)
                }
    own_names = {_name(path, "") for path in files}
    return frozenset(each for each in found if each[1].partition(".")[0] in own_names)


def _inferred(script: jedi.Script, line: int, column: int) -> Iterator[str]:
    try:
        names = script.infer(line, column)
    except Exception:  # noqa: BLE001  # whatever goes wrong inside of jedi: then it has no answer
        return
    for each in names:
        if each.full_name and each.type in ("function", "class"):
            yield each.full_name + (".__init__" if each.type == "class" else "")


def _function(graph: CallGraph, number: int) -> str:
    """The function that is called; of a class its `__init__` or the nearest inherited one; empty if there is none."""
    definition = graph.definitions[number]
    if definition.kind in CALLABLE:
        return _name(definition.path, definition.name)
    if definition.kind not in CLASSES or not definition.name:
        return ""
    waiting = [number]
    while waiting:
        each = waiting.pop(0)
        own = graph.definitions[each]
        made = graph.numbers.get((own.path, f"{own.name}.__init__"))
        if made is not None:
            return _name(own.path, f"{own.name}.__init__")
        held = (edge for edge in graph.edges if edge.source == each and edge.kind is CallKind.HOLDS)
        waiting += [edge.target for edge in held if graph.definitions[edge.target].kind in CLASSES]
    return ""


def _wanted(files: Mapping[str, str], edges: Mapping[str, list[str]]) -> Edges:
    own = {_name(path, "").partition(".")[0] for path in files}
    return frozenset(
        (source, target) for source in edges for target in edges[source] if target.partition(".")[0] in own
    )


def _name(path: str, name: str) -> str:
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{module}.{name}" if name else module


def _read(path: str, text: str) -> GraphFile:
    language = detect(path, None)
    if language is None:
        raise ValueError(path)
    return GraphFile(language, extract(open_source(path, text.encode(), language)))


if __name__ == "__main__":
    main()
