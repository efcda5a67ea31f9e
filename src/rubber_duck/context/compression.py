"""Says code in fewer tokens: the heads of definitions without their bodies."""

from __future__ import annotations

from collections.abc import Sequence

from rubber_duck.code.symbols import Symbol, SymbolKind

_BODIES = frozenset((SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.PROPERTY, SymbolKind.MACRO))


def elide(lines: Sequence[str], symbols: Sequence[Symbol], *, keep: range = range(0), only: range | None = None) -> str:
    """The text of `lines` (the first is line 1) with the bodies of functions replaced by one line `…`.

    Of `only` these lines (1-based), if they are given, and then `symbols` are those in them. A body that has a line in
    `keep` stays. The head of a definition is taken for as many lines as its signature spans: those up to the first
    that is indented deeper and follows a line that ends the head. A definition that is not in `lines` to its end is
    passed over.
    """
    gone: set[int] = set()
    marks: dict[int, str] = {}
    for symbol in symbols:
        if symbol.kind not in _BODIES or symbol.end_line - symbol.line < 3:
            continue
        if symbol.end_line > len(lines):
            continue  # the file became shorter since it was looked through
        body = _body(lines, symbol)
        if not body or set(body) & set(keep) or body.start in gone:
            continue
        gone.update(body)
        first = lines[body.start - 1]
        marks[body.start] = f"{first[: len(first) - len(first.lstrip())]}…"
    told = []
    for number in range(1, len(lines) + 1) if only is None else only:
        if number in marks:
            told.append(marks[number])
        if number not in gone:
            told.append(lines[number - 1])
    return "\n".join(told)


def _body(lines: Sequence[str], symbol: Symbol) -> range:
    """The lines of the body: after the head, up to a closing line that stands no deeper than the head."""
    margin = _indent(lines[symbol.line - 1])
    first = symbol.line + 1
    while first <= symbol.end_line and not _ends_head(lines[first - 2]):
        first += 1
    last = symbol.end_line
    if last > first and _indent(lines[last - 1]) <= margin and lines[last - 1].strip():
        last -= 1
    return range(first, last + 1)


def _ends_head(line: str) -> bool:
    return line.rstrip().endswith((":", "{", " do", "=>", "->"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
