"""Follows a file while a person types in it, doing again only what lies behind the first change."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.ground import Ground
from rubber_duck.ngram.lexicon import COMMENT, KEYWORD, LAYOUT, NAME, STRING, Lexicon
from rubber_duck.ngram.vocabulary import layout

if TYPE_CHECKING:
    from rubber_duck.ngram.model import ProjectModel

MOST_TEXT: Final = 60_000
"""So many characters before the cursor are looked at, or up to a third less."""

_STEP: Final = 20_000
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEFORE_QUOTE: Final = re.compile(r"~?[a-zA-Z]*")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the cursor is: behind `partial`, the beginning of a word (or `""`). `inside`: in a comment or a string.

    `line` are the tokens between the start of the line and `partial`.
    """

    partial: str
    inside: bool
    line: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """In front of an end of line: how far in the text, how many tokens, the column of the line that ends there."""

    offset: int
    size: int
    column: int


class Session:
    """One open file and its draft."""

    def __init__(self, model: ProjectModel, path: str) -> None:
        self.model = model
        self.draft = Draft(model, path)
        self.ground = Ground()
        self._text = ""
        self._checkpoints = [_Checkpoint(0, 1, 0)]

    def move(self, prefix: str) -> Spot:
        """Bring the draft to where `prefix`, the text before the cursor, ends."""
        prefix = latest_text(prefix)
        start = self._unchanged(prefix)
        self.draft.cut(start.size)
        self._text = prefix
        lexicon = self.model.vocabulary.lexicon
        offsets: list[int] = []
        tokens: list[str] = []
        for match in lexicon.pattern.finditer(prefix, start.offset):
            offsets.append(match.start())
            tokens.append(match[0])
        partial, inside = _unfinished(lexicon, tokens, at_end=bool(tokens) and prefix.endswith(tokens[-1]))
        if partial or inside:
            tokens.pop()
        self._add(start, tokens, offsets)
        line: list[str] = []
        for token in reversed(tokens):
            kind = lexicon.kind(token)
            if kind == LAYOUT:
                break
            if kind != COMMENT:
                line.append(token)
        return Spot(partial, inside, tuple(reversed(line)))

    def _add(self, start: _Checkpoint, tokens: list[str], offsets: list[int]) -> None:
        reader = self.draft.reader
        numbers = np.array([reader[token] for token in tokens], dtype=np.int32)
        kept = numbers != -1
        found, columns = layout(numbers[kept], reader.lexicon.indent, start.column)
        column = start.column
        places = np.array(offsets[: len(tokens)], dtype=np.int64)[kept]
        for number, width, offset in zip(found.tolist(), columns.tolist(), places.tolist(), strict=True):
            if width >= 0:
                if offset > self._checkpoints[-1].offset:
                    self._checkpoints.append(_Checkpoint(offset, len(self.draft), column))
                column = width
            self.draft.push(number, width)

    def _unchanged(self, prefix: str) -> _Checkpoint:
        """The last checkpoint up to which, and one character on, the text is the same; later ones are dropped."""
        points = self._checkpoints

        def differs(point: _Checkpoint) -> bool:
            end = point.offset + 1
            return point.offset > 0 and (end > len(prefix) or prefix[:end] != self._text[:end])

        at = bisect_left(points, True, key=differs) - 1
        del points[max(at, 0) + 1 :]
        return points[-1]


def latest_text(prefix: str) -> str:
    """The end of a long text, from the start of a line at the left margin where there is one.

    Where it is cut moves by whole steps, so that one more character rarely changes all of it.
    """
    over = len(prefix) - MOST_TEXT
    if over <= 0:
        return prefix
    cut = prefix[(over // _STEP + 1) * _STEP :]
    at = cut.find("\n") + 1
    while 0 < at < _STEP and cut[at : at + 1] in " \t\r\n":
        at = cut.find("\n", at) + 1
    return cut[at:]


def _unfinished(lexicon: Lexicon, tokens: list[str], *, at_end: bool) -> tuple[str, bool]:
    """The word that is being typed, and whether the text ends inside of a comment or string."""
    if not at_end:
        return "", False
    last = tokens[-1]
    kind = lexicon.kind(last)
    if kind in (NAME, KEYWORD):
        return last, False
    if kind == COMMENT:
        return "", True
    return "", kind == STRING and not _is_closed(last)


def _is_closed(string: str) -> bool:
    """Whether a string token has its end. One that begins with three quotes ends with three."""
    begun = _BEFORE_QUOTE.match(string)
    body = string[begun.end() :] if begun else string
    quote = body[:1]
    if body[:3] == quote * 3 and quote in "\"'":
        return len(body) >= 6 and body.endswith(quote * 3)
    if string.startswith("~"):
        body = body.rstrip(_LETTERS)
    elif string.endswith(":"):
        body = body[:-1]
    escapes = len(body) - 1 - len(body[:-1].rstrip("\\"))
    return len(body) > 1 and body.endswith(_CLOSING.get(quote, quote)) and escapes % 2 == 0
