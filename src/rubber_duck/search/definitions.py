"""Cuts code into chunks: one for each definition, one for each stretch of code between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rubber_duck.code.source import SourceFile
from rubber_duck.code.symbols import FileSymbols, Symbol, SymbolKind
from rubber_duck.search.chunk import MODULE_CODE, Chunk
from rubber_duck.search.windows import WINDOW_BYTES, cut_lines, trimmed

INNER: Final = frozenset({SymbolKind.FIELD, SymbolKind.CONSTANT, SymbolKind.VARIABLE, SymbolKind.TYPE})
"""Symbols that are found in the chunk around them and have none of their own."""

CALLABLE: Final = frozenset({SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.PROPERTY, SymbolKind.MACRO})

LARGE_BYTES: Final = 6_000
"""What is defined inside a function is part of its chunk, unless the function is larger than this."""

FEW_TOKENS: Final = 3
"""A stretch of fewer tokens goes with what follows it."""

_TOKEN = re.compile(rb"\w")
_TOKENS = re.compile(rb"\w+")
_QUOTE = re.compile(rb"[rRuU]?[\"']")  # a docstring belongs to what is around it
_OF_MODULE = re.compile(rb"[ \t]*@moduledoc\b")
_ATTRIBUTE = re.compile(rb"[ \t]*@")
_FILE: Final = -1


class _Run(NamedTuple):
    """Code that belongs to the symbol `owner` and to none inside of it. `is_head`: it begins the symbol."""

    owner: int
    start: int
    end: int
    is_head: bool


def cut_code(file: SourceFile, found: FileSymbols, prose: Sequence[tuple[int, int]]) -> list[Chunk]:
    """The chunks of a parsed file, in order; every token lies in exactly one. `prose` are its spans, in order."""
    symbols = found.symbols
    runs = _joined(file.content, _led(file, list(_runs(file, symbols)), prose))
    inner = _inner_names(symbols, runs)
    return [chunk for run, names in zip(runs, inner, strict=True) for chunk in _chunks(file, found, run, names)]


def _runs(file: SourceFile, symbols: Sequence[Symbol]) -> Iterator[_Run]:
    """The file from its beginning to its end as runs."""
    position, stack = 0, [(_FILE, len(file.content))]
    fresh = True
    for index, symbol in enumerate(symbols):
        if symbol.kind in INNER or symbol.start_byte < position:
            continue
        while stack[-1][1] <= symbol.start_byte:
            owner, end = stack.pop()
            yield _Run(owner, position, end, fresh and owner != _FILE)
            position, fresh = end, False
        owner, end = stack[-1]
        if symbol.end_byte > end or not _is_own(symbols, owner, symbol):
            continue
        yield _Run(owner, position, symbol.start_byte, fresh and owner != _FILE)
        position, fresh = symbol.start_byte, True
        stack.append((index, symbol.end_byte))
    while stack:
        owner, end = stack.pop()
        yield _Run(owner, position, end, fresh and owner != _FILE)
        position, fresh = end, False


def _is_own(symbols: Sequence[Symbol], owner: int, symbol: Symbol) -> bool:
    """Whether `symbol` gets a chunk although it lies in `owner`."""
    if owner == _FILE or symbols[owner].kind not in CALLABLE:
        return True
    return symbols[owner].end_byte - symbols[owner].start_byte > LARGE_BYTES


def _led(file: SourceFile, runs: list[_Run], prose: Sequence[tuple[int, int]]) -> list[_Run]:
    """The comments and attributes right above a definition are moved into its head."""
    starts = [start for start, _ in prose]
    led: list[_Run] = []
    for run in runs:
        if run.is_head and led and led[-1].end == run.start > led[-1].start:
            start = _lead(file, led[-1].start, run.start, (starts, prose))
            led[-1] = led[-1]._replace(end=start)
            run = run._replace(start=start)  # noqa: PLW2901  # the same run, longer
        led.append(run)
    return led


def _lead(file: SourceFile, least: int, start: int, prose: tuple[list[int], Sequence[tuple[int, int]]]) -> int:
    """Where what leads the definition at `start` begins, not before `least`."""
    starts, spans = prose
    line = bisect_right(file.line_starts, start) - 1
    begin = start
    while line > 0 and file.line_starts[line - 1] >= least:
        at = file.line_starts[line - 1]
        text = file.content[at : file.line_starts[line]]
        first = at + len(text) - len(text.lstrip())
        around = bisect_right(starts, first) - 1
        is_comment = around >= 0 and spans[around][1] > first and not _QUOTE.match(file.content, spans[around][0])
        if (not is_comment and not _ATTRIBUTE.match(text)) or _OF_MODULE.match(text):
            break
        line, begin = line - 1, at
    return begin


def _joined(content: bytes, runs: list[_Run]) -> list[_Run]:
    """Without empty runs; those of a few tokens are part of the next one, at the end of the last one."""
    joined: list[_Run] = []
    small: int | None = None
    for run in runs:
        start = run.start if small is None else small
        if not run.is_head and not _has_tokens(content, start, run.end):
            if small is None and _TOKEN.search(content, run.start, run.end):
                small = run.start
            continue
        joined.append(run._replace(start=start))
        small = None
    if small is not None:
        if joined:
            joined[-1] = joined[-1]._replace(end=len(content))
        else:
            joined.append(_Run(_FILE, small, len(content), False))
    return joined


def _has_tokens(content: bytes, start: int, end: int) -> bool:
    found = _TOKENS.finditer(content, start, end)
    return sum(1 for _ in zip(range(FEW_TOKENS), found, strict=False)) == FEW_TOKENS


def _inner_names(symbols: Sequence[Symbol], runs: Sequence[_Run]) -> list[list[str]]:
    """For each run, the names that are declared in it and have no run of their own."""
    own = {run.owner for run in runs if run.is_head}
    starts = [run.start for run in runs]
    names: list[list[str]] = [[] for _ in runs]
    for index, symbol in enumerate(symbols):
        if index not in own and runs:
            names[max(0, bisect_right(starts, symbol.start_byte) - 1)].append(symbol.name)
    return names


def _chunks(file: SourceFile, found: FileSymbols, run: _Run, names: list[str]) -> Iterator[Chunk]:
    """The run as one chunk, or as several when it is long; only the first is the head."""
    symbol = found.symbols[run.owner] if run.owner != _FILE else None
    spans = list(cut_lines(file.content, run.start, run.end, 2 * WINDOW_BYTES))
    for number, span in enumerate(spans):
        head = symbol if run.is_head and number == 0 else None
        start, end = trimmed(file.content, *span)
        yield Chunk(
            kind=head.kind.value if head is not None else MODULE_CODE,
            name=symbol.name if symbol is not None else "",
            qualified_name=symbol.qualified_name if symbol is not None else "",
            start_byte=start,
            end_byte=end,
            start_line=bisect_right(file.line_starts, start),
            end_line=bisect_right(file.line_starts, end - 1),
            is_head=head is not None,
            signature=head.signature if head is not None else "",
            doc=head.doc if head is not None else found.doc if symbol is None and run.start == 0 and not number else "",
            defines=tuple(dict.fromkeys(names)) if number == 0 else (),
        )
