"""Symbols and references from a syntax tree, collected by the same walk in which the rules run."""

from __future__ import annotations

import importlib
import threading
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import defaultdict
from itertools import compress, count, repeat
from operator import attrgetter
from typing import Final, NamedTuple

from rubber_duck.code.grammar import Grammar, grammar
from rubber_duck.code.language import language
from rubber_duck.code.source import BOM, Node, SourceFile
from rubber_duck.code.symbols import (
    KINDS,
    Export,
    FileSymbols,
    ImportEdge,
    ReferenceKind,
    References,
    Symbol,
    SymbolKind,
)
from rubber_duck.code.walk import Table, Visit, table, walk

READ, CALL, WRITE, IMPORT, TYPE, JSX = (KINDS.index(kind) for kind in ReferenceKind)
HIDDEN: Final = len(KINDS)
"""Marks an identifier that is no mention: the name in its own definition, a key, the name of an argument."""

_SHOWN: Final = bytes(number != HIDDEN for number in range(256))
_HIDDEN: Final = bytes((HIDDEN,))
_START, _END = attrgetter("start_byte"), attrgetter("end_byte")
_extractors = threading.local()


class Enclosing(NamedTuple):
    """A symbol that the walk is inside of, up to `end_byte`."""

    end_byte: int
    symbol: int
    qualified_name: str
    kind: SymbolKind


class Extractor(ABC):
    """Collects what one file defines and mentions; made once a dialect and used for file after file.

    A subclass registers, in `visits`, functions that call `define` and that `mark` identifiers. Identifiers are
    only collected during the walk and read afterwards in one go: that is most of the speed. A mark is keyed by the
    byte where the identifier *ends*, because the callee of a call ends where its last name ends.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.file: SourceFile
        self.content = b""
        self.line_starts = [0]
        self.mentions: list[Node] = []
        self.marks: dict[int, int] = {}
        self.symbols: list[Symbol] = []
        self.imports: list[ImportEdge] = []
        self.exports: list[Export] = []
        self.enclosing: list[Enclosing] = []
        self.doc = ""
        self.enter: Table = table(grammar, self.visits())
        self.leave: Table = table(grammar, self.leaving())

    @abstractmethod
    def visits(self) -> list[tuple[str, Visit]]:
        """`(node kind, function)` pairs to call before a node's children."""

    def leaving(self) -> list[tuple[str, Visit]]:
        """`(node kind, function)` pairs to call after a node's children."""
        return []

    def begin(self, file: SourceFile) -> None:
        """Forget the last file and turn to `file`; call it before the walk."""
        self.file = file
        self.content = file.content
        self.line_starts = file.line_starts
        self.mentions.clear()  # the tables hold this very list's `append`
        self.marks = {}
        self.symbols = []
        self.imports = []
        self.exports = []
        self.enclosing = []
        self.doc = ""

    def finish(self) -> FileSymbols:
        """What was found; call it after the walk. The nodes are let go."""
        found = FileSymbols(
            tuple(self.symbols),
            self._references(),
            tuple(self.imports),
            tuple(self.exports),
            self.doc,
            self.file.problems,
        )
        self.mentions.clear()
        return found

    def inside(self, start_byte: int) -> Enclosing | None:
        """The innermost symbol around `start_byte`, which may not lie before an earlier one."""
        enclosing = self.enclosing
        while enclosing and enclosing[-1].end_byte <= start_byte:
            enclosing.pop()
        return enclosing[-1] if enclosing else None

    def define(self, symbol: Symbol, *, encloses: bool = True) -> int:
        """Add a symbol; its index. What begins before its end is inside of it, if it `encloses`."""
        index = len(self.symbols)
        self.symbols.append(symbol)
        if encloses:
            self.enclosing.append(Enclosing(symbol.end_byte, index, symbol.qualified_name, symbol.kind))
        return index

    def line_of(self, start_byte: int) -> int:
        """The 1-based line of a byte."""
        return bisect_right(self.line_starts, start_byte)

    def text(self, node: Node) -> str:
        """The source text of `node`."""
        return self.content[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def one_line(self, start_byte: int, end_byte: int) -> str:
        """The text of the bytes with every run of white space as one space, at most 400 characters."""
        written = self.content[start_byte:end_byte]
        if b"\n" not in written and b"  " not in written and b"\t" not in written and len(written) <= 400:
            return written.decode("utf-8", "replace").strip()
        written = written.replace(b"\\\n", b" ")
        text = " ".join(written.decode("utf-8", "replace").split())
        return text if len(text) <= 400 else text[:399] + "…"

    def _references(self) -> References:
        # One pass a column, in C where that is faster: one Python loop over all of them costs twice as much.
        content, mentions = self.content, self.mentions
        starts: list[int] = list(map(_START, mentions))
        ends: list[int] = list(map(_END, mentions))
        kinds = bytes(map(self.marks.get, ends, repeat(READ)))
        if HIDDEN in kinds:
            shown = kinds.translate(_SHOWN)
            starts, ends = list(compress(starts, shown)), list(compress(ends, shown))
            kinds = kinds.translate(None, _HIDDEN)
        names: defaultdict[bytes, int] = defaultdict(count().__next__)
        indexes = [names[content[start:end]] for start, end in zip(starts, ends, strict=True)]
        lines = self.file.line_starts
        if not content.isascii():
            starts, lines = _code_points(content, starts)
            if content.startswith(BOM):
                lines[0] = 1
        decoded = tuple(name.decode("utf-8", "replace") for name in names)
        return References(decoded, indexes, kinds, starts, lines)


def extractor(language_name: str, dialect: str) -> Extractor:
    """A new extractor for a dialect; keep it for many files, but use it for one at a time.

    The analyser merges its tables `enter` and `leave` with those of the rules, so that one walk serves both.
    """
    module, _, name = language(language_name).extraction.partition(":")
    found: Extractor = getattr(importlib.import_module(module), name)(grammar(language_name, dialect))
    return found


def extract(file: SourceFile) -> FileSymbols:
    """Symbols, references, imports and exports of one file. LimitExceeded when it is nested too deeply."""
    held: dict[str, Extractor] | None = getattr(_extractors, "held", None)
    if held is None:
        held = _extractors.held = {}
    found = held.get(file.dialect)
    if found is None:
        found = held[file.dialect] = extractor(file.language, file.dialect)
    found.begin(file)
    walk(file, found.enter, found.leave)
    return found.finish()


def _code_points(content: bytes, offsets: list[int]) -> tuple[list[int], list[int]]:
    """The ascending byte `offsets`, each at the beginning of a character, as counts of code points; so the line starts.

    Only lines that are not ASCII are looked into; what lies between them moves as a whole.
    """
    found: list[int] = []
    starts: list[int] = []
    at = start = surplus = 0
    for line in content.split(b"\n"):
        starts.append(start - surplus)
        if not line.isascii():
            upto = bisect_right(offsets, start, at)
            found += [offset - surplus for offset in offsets[at:upto]]
            at = upto
            last = 0
            while at < len(offsets) and offsets[at] <= start + len(line):
                surplus += _surplus(line[last : offsets[at] - start])
                last = offsets[at] - start
                found.append(offsets[at] - surplus)
                at += 1
            surplus += _surplus(line[last:])
        start += len(line) + 1
    found += [offset - surplus for offset in offsets[at:]]
    return found, starts


def _surplus(text: bytes) -> int:
    """How many more bytes than code points."""
    return len(text) - len(text.decode("utf-8", "replace"))
