"""The code under a finding, cut to fit and split into what comes before, in and after the underlined place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, get_character_cell_size

from rubber_duck.analysis.finding import Span
from rubber_duck.analysis.visible import visible_character

_TAB_CELLS: Final = 4
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line as shown: safe to print, tabs expanded, `…` where it was cut. `marked` is never empty."""

    number: int
    before: str
    marked: str
    after: str

    @property
    def offset_cells(self) -> int:
        """The terminal cells left of the underline: East Asian wide characters take two, combining marks none."""
        return cell_len(self.before)

    @property
    def marked_cells(self) -> int:
        """The length of the underline in terminal cells, at least 1."""
        return max(1, cell_len(self.marked))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first and, where a finding spans several, the last line; `skipped` lines between them are not shown."""

    lines: tuple[CodeLine, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class _Glyph:
    text: str
    cells: int


def excerpt(lines: Mapping[int, str], span: Span, width: int) -> Excerpt | None:
    """The code at `span` in at most `width` cells a line, or None when `lines` does not hold its first line."""
    first = lines.get(span.start_line)
    if first is None:
        return None
    if span.end_line <= span.start_line:
        line = _code_line(span.start_line, first, (span.start_column - 1, span.end_column - 1), width)
        return Excerpt((line,), 0)
    top = _code_line(span.start_line, first, (span.start_column - 1, _end(first)), width)
    # An end in column 1 takes in only the line break before it.
    end_line, end = (span.end_line, span.end_column - 1) if span.end_column > 1 else (span.end_line - 1, None)
    last = lines.get(end_line)
    if last is None or end_line == span.start_line:
        return Excerpt((top,), end_line - span.start_line)
    end = _end(last) if end is None else end
    start = min(_indent(last), max(0, end - 1))
    return Excerpt((top, _code_line(end_line, last, (start, end), width)), end_line - span.start_line - 1)


def _code_line(number: int, text: str, mark: tuple[int, int], width: int) -> CodeLine:
    """`mark` is [start, end) in code points. Only `width` characters either side are looked at: a line may be huge."""
    length = _end(text)
    start = min(max(mark[0], 0), length)
    end = min(max(mark[1], start + 1), max(length, start + 1))
    if end <= length <= width and text.isascii() and text.isprintable():  # most lines of most programs
        return CodeLine(number, text[:start], text[start:end], text[end:])
    low, high = max(0, start - width), min(length, start + width)
    before = _glyphs(text[low:start])
    marked = _glyphs(text[start : min(end, high)], _cells(before)) or [_Glyph(" ", 1)]
    after = _glyphs(text[end:high], _cells(before) + _cells(marked)) if end < high else []
    if low == 0 and high == length and _cells(before) + _cells(marked) + _cells(after) <= width:
        return CodeLine(number, _text(before), _text(marked), _text(after))
    return _clipped(number, (before, marked, after), (low > 0, max(end, high) < length or end > high), width)


def _clipped(
    number: int, parts: tuple[list[_Glyph], list[_Glyph], list[_Glyph]], cut: tuple[bool, bool], width: int
) -> CodeLine:
    """Give the marked place room first, then what is before it, then what is after. One cell an ellipsis."""
    before, marked, after = parts
    kept = _leading(marked, max(1, width - 2))
    room = max(0, width - 2 - _cells(kept))
    # All of what comes before, if it fits: where a line starts says most about it. Otherwise half the room.
    fits = not cut[0] and _cells(before) <= room
    left = before if fits else _trailing(before, max(0, room - min(_cells(after), room // 2)))
    right = _leading(after, room - _cells(left))
    whole = len(kept) == len(marked)
    right = right if whole else []
    before_text = ("" if fits else _ELLIPSIS) + _text(left)
    complete = whole and len(right) == len(after) and not cut[1]
    return CodeLine(number, before_text, _text(kept), _text(right) + ("" if complete else _ELLIPSIS))


def _glyphs(text: str, column: int = 0) -> list[_Glyph]:
    glyphs = []
    for character in text:
        if character == "\t":
            shown = " " * (_TAB_CELLS - column % _TAB_CELLS)
            cells = len(shown)
        else:
            shown = visible_character(character)
            cells = get_character_cell_size(character) if shown == character else len(shown)
        column += cells
        glyphs.append(_Glyph(shown, cells))
    return glyphs


def _leading(glyphs: list[_Glyph], cells: int) -> list[_Glyph]:
    used = 0
    for index, glyph in enumerate(glyphs):
        used += glyph.cells
        if used > cells:
            return glyphs[:index]
    return glyphs


def _trailing(glyphs: list[_Glyph], cells: int) -> list[_Glyph]:
    return _leading(glyphs[::-1], cells)[::-1]


def _cells(glyphs: list[_Glyph]) -> int:
    return sum(glyph.cells for glyph in glyphs)


def _text(glyphs: list[_Glyph]) -> str:
    return "".join(glyph.text for glyph in glyphs)


def _end(line: str) -> int:
    end = len(line)
    while end and line[end - 1] in "\r\n":
        end -= 1
    return end


def _indent(line: str) -> int:
    # Not `len(line) - len(line.lstrip())`: that copies a line of a megabyte for each finding on it.
    return next((index for index, character in enumerate(line) if not character.isspace()), 0)
