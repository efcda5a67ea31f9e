"""What a file offers to others, and which of them take it: names that must not go away unnoticed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck.code.code import detect, family, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.modules import PathModules, PythonModules
from rubber_duck.code.refactoring.refactored import Texts
from rubber_duck.code.symbols import FileSymbols, ImportEdge, ReferenceKind, SymbolKind

_MODULES: Final = frozenset({SymbolKind.MODULE, SymbolKind.PROTOCOL, SymbolKind.IMPLEMENTATION})
_HEAD: Final = 4_000


@dataclass(frozen=True, slots=True)
class Taking:
    """That the file `path` takes `name` from another file, as its 1-based `line` shows."""

    path: str
    line: int
    name: str


def offered(path: str, text: str) -> frozenset[str]:
    """The names that other files may take from this one: what it defines at its top, exports and passes on.

    In Elixir these are the public functions and macros of its modules.
    """
    known = _facts(path, text)
    if known is None:
        return frozenset()
    kind, facts = known
    if kind == "elixir":
        return frozenset(
            each.name
            for each in facts.symbols
            if each.parent is not None and not each.is_private and each.kind not in _MODULES
        )
    found = {each.name for each in facts.symbols if each.parent is None}
    if kind == "python":
        found |= {name.alias or name.name for edge in facts.imports for name in edge.names}
        found |= {edge.alias or edge.module.partition(".")[0] for edge in facts.imports if not edge.names}
        return frozenset(found)
    return frozenset(each.name for each in facts.exports)


def takings(texts: Texts, of: str, names: Collection[str]) -> list[Taking]:
    """Where other files of `texts` take one of `names` from the file `of`, by path and line.

    A file that imports the whole module and mentions the name behind a dot counts as taking it.
    """
    known = _facts(of, texts[of]) if of in texts else None
    if known is None or not names:
        return []
    said = {"import" if name == "default" else name for name in names}  # a default has another name in each file
    word = re.compile("|".join(rf"(?<![\w$]){re.escape(name)}(?![\w$])" for name in sorted(said)))
    mentioning = [path for path in sorted(texts) if path != of and word.search(texts[path])]
    if known[0] == "elixir":
        return _in_elixir(texts, mentioning, known[1], names)
    modules = PythonModules(texts) if known[0] == "python" else PathModules(texts)
    found: list[Taking] = []
    for path in mentioning:
        theirs = _facts(path, texts[path])
        if theirs is None or theirs[0] != known[0]:
            continue
        for edge in theirs[1].imports:
            alone = msgspec.structs.replace(theirs[1], imports=(edge,))
            if any(of in targets for _, _, targets in modules.targets(path, alone)):
                found += (Taking(path, line, name) for name, line in _taken(edge, theirs[1], of, names))
    return sorted(dict.fromkeys(found), key=lambda each: (each.path, each.line, each.name))


def _taken(edge: ImportEdge, facts: FileSymbols, of: str, names: Collection[str]) -> Iterator[tuple[str, int]]:
    taken = {name.name for name in edge.names}
    stem = posixpath.splitext(posixpath.basename(of))[0]
    is_whole = not taken or bool(taken & {"*", stem})
    for name in names:
        if name in taken:
            yield name, edge.line
        elif is_whole:
            uses = [each for each in facts.references.named(name) if each.kind is not ReferenceKind.IMPORT]
            if uses:
                yield name, uses[0].line


def _in_elixir(texts: Texts, paths: list[str], facts: FileSymbols, names: Collection[str]) -> list[Taking]:
    modules = {each.qualified_name.rpartition(".")[2] for each in facts.symbols if each.kind in _MODULES}
    before, after = ("|".join(map(re.escape, sorted(each))) or "$^" for each in (modules, names))
    calls = re.compile(rf"\b(?:{before})\.({after})(?![\w?!])")
    return [
        Taking(path, number, found[1])
        for path in paths
        for number, line in enumerate(texts[path].split("\n"), 1)
        for found in calls.finditer(line)
    ]


def _facts(path: str, text: str) -> tuple[str, FileSymbols] | None:
    content = text.encode("utf-8", "surrogateescape")
    language = detect(path, content[:_HEAD])
    if language is None:
        return None
    return family(language), extract(open_source(path, content, language))
