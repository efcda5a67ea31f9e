"""The outline of a file for people: its symbols as a tree, each with its head and its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.symbols import FileSymbols, Symbol, SymbolKind

_JOINED: Final = re.compile(r"([(\[]) |,? (?=[)\]])")
"""What joining the lines of a head leaves inside its brackets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an outline. `head` is the signature, or the name where there is none; lines are 1-based.

    `decorators` are as written, without `@`. `spec` is the type that stands apart from the signature, as in Elixir.
    """

    kind: SymbolKind
    name: str
    head: str
    start_line: int
    end_line: int
    doc: str
    children: tuple[Entry, ...] = ()
    decorators: tuple[str, ...] = ()
    spec: str = ""


def outline(found: FileSymbols, *, with_private: bool = True) -> tuple[Entry, ...]:
    """The symbols of a file as a tree in source order; private ones, with all inside them, can be left out."""
    children: list[list[int]] = [[] for _ in found.symbols]
    roots: list[int] = []
    for index, symbol in enumerate(found.symbols):
        (roots if symbol.parent is None else children[symbol.parent]).append(index)
    entries: dict[int, Entry] = {}
    for index in range(len(found.symbols) - 1, -1, -1):  # children stand after their parents
        symbol = found.symbols[index]
        kept = _shown(found.symbols, children[index], with_private=with_private)
        entries[index] = Entry(
            symbol.kind,
            symbol.name,
            _JOINED.sub(r"\1", symbol.signature) or symbol.name,
            symbol.start_line,
            symbol.end_line,
            symbol.doc,
            tuple(entries[child] for child in kept),
            symbol.decorators,
            "" if symbol.type_hint in symbol.signature or symbol.arity is None else symbol.type_hint,
        )
    return tuple(entries[root] for root in _shown(found.symbols, roots, with_private=with_private))


def render(entries: Sequence[Entry], *, indent: int = 2) -> str:
    """The outline as text: one line an entry, `head` and its lines, children indented by `indent` spaces."""
    lines: list[str] = []
    stack = [(entry, 0) for entry in reversed(entries)]
    while stack:
        entry, depth = stack.pop()
        place = f"{entry.start_line}" if entry.start_line == entry.end_line else f"{entry.start_line}-{entry.end_line}"
        lines.append(f"{' ' * indent * depth}{_label(entry)}  [{place}]\n")
        stack.extend((child, depth + 1) for child in reversed(entry.children))
    return "".join(lines)


def _label(entry: Entry) -> str:
    head = entry.head if entry.head != entry.name else f"{entry.kind} {entry.name}"
    spec = f"  {entry.spec.removeprefix(entry.name)}" if entry.spec else ""
    return "".join(f"@{each} " for each in entry.decorators) + head + spec


def _shown(symbols: Sequence[Symbol], indexes: Sequence[int], *, with_private: bool) -> list[int]:
    return [index for index in indexes if with_private or not symbols[index].is_private]
