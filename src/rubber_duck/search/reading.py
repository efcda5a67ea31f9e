"""Reads the files that may be hits: whether phrases and patterns hold there, and which lines show it best."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import re2

from rubber_duck.code.decoding import decode
from rubber_duck.code.language import languages
from rubber_duck.errors import DuckError
from rubber_duck.search.chunk import Chunk
from rubber_duck.search.hits import Line
from rubber_duck.search.patterns import Matcher, Matches
from rubber_duck.search.query import Pattern, Phrase
from rubber_duck.search.shelf import Loaded
from rubber_duck.search.stem import stem
from rubber_duck.search.words import words_of
from rubber_duck.workspace.paths import Root

SHOWN_LINES: Final = 3
MAX_LINE: Final = 240
"""Characters of a line that are shown; of a longer one, those around the best match."""

_BEFORE: Final = 40
_LOOKED_AT_LINES: Final = 400
_LONG_BYTES: Final = 6_000
"""Of a line that is longer, only what is in the chunk counts, up to as much of it again."""

_MATCH_WORTH: Final = 10
_HELD_FILES: Final = 64


@dataclass(frozen=True, slots=True)
class Text:
    """A file as it is now, in UTF-8. `is_current`: it is what was indexed, so that places in it are right."""

    content: bytes
    line_starts: list[int]
    is_current: bool
    _found: dict[Matcher, Matches] = field(default_factory=dict)

    def matches(self, matcher: Matcher) -> Matches:
        """The first matches in the whole text; looked for once."""
        if matcher not in self._found:
            self._found[matcher] = matcher.matches(self.content)
        return self._found[matcher]

    def line_of(self, byte: int) -> int:
        """The 1-based line of a byte."""
        return bisect_right(self.line_starts, byte)

    def line(self, number: int, chunk: Chunk) -> tuple[int, bytes]:
        """Where a 1-based line begins, and its text without its end; of a very long one, the part in `chunk`."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.content)
        if end - start > _LONG_BYTES:
            start, end = max(start, chunk.start_byte), min(end, chunk.end_byte)
        return start, self.content[start:end].rstrip(b"\r\n")


class Texts:
    """Reads files of one project, the last few only once."""

    def __init__(self, root: Root, limit_bytes: int) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._held: OrderedDict[int, Text | None] = OrderedDict()

    def of(self, file: Loaded) -> Text | None:
        """The file's text; None when it cannot be read any more."""
        if file.number not in self._held:
            self._held[file.number] = self._read(file)
            if len(self._held) > _HELD_FILES:
                self._held.popitem(last=False)
        return self._held[file.number]

    def _read(self, file: Loaded) -> Text | None:
        try:
            content = self._root.open_bytes(file.path, self._limit_bytes)
        except DuckError:
            return None
        is_current = hashlib.blake2b(content, digest_size=16).hexdigest() == file.content_hash
        known = languages.discover()
        text = decode(content, known[file.language].family if file.language in known else file.language).content
        starts = [0, *accumulate(len(line) + 1 for line in text.split(b"\n"))][:-1]
        return Text(text, starts, is_current)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must match in a chunk, what must not, and the `stems` of words that are worth showing."""

    stems: frozenset[str]
    required: tuple[Matcher, ...] = ()
    refused: tuple[Matcher, ...] = ()

    def holds(self, text: Text, chunk: Chunk) -> bool:
        """Whether the chunk is a hit."""
        return all(_spans(each, text, chunk) for each in self.required) and not any(
            _spans(each, text, chunk) for each in self.refused
        )

    def lines(self, text: Text, chunk: Chunk) -> tuple[Line, ...]:
        """The lines of the chunk that show best what was looked for, in order."""
        marked: defaultdict[int, _Marks] = defaultdict(_Marks)
        for start, end in (span for each in self.required for span in _spans(each, text, chunk)):
            number = text.line_of(start)
            first, line = text.line(number, chunk)
            marked[number].add(_MATCH_WORTH, (start - first, min(end - first, len(line))))
        last = min(chunk.end_line, chunk.start_line + _LOOKED_AT_LINES, len(text.line_starts))
        for number in range(chunk.start_line, last + 1) if self.stems else ():
            for common, span in self._words(text.line(number, chunk)[1]):
                marked[number].add(0 if common in marked[number].stems else 1, span)
                marked[number].stems.add(common)
        order = sorted(marked, key=lambda number: (-marked[number].worth, number))
        chosen = sorted(order[:SHOWN_LINES]) or [chunk.start_line]
        return tuple(_line(text.line(number, chunk)[1], number, marked[number].spans) for number in chosen)

    def _words(self, line: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
        """The stems of the query that stand in the line, and where."""
        for token in _TOKEN.finditer(line[:_LONG_BYTES]):
            for word in words_of(token[0].decode("utf-8", "replace")):
                if (common := stem(word)) in self.stems:
                    yield common, token.span()


def phrase_pattern(phrase: Phrase) -> Pattern:
    """An expression for the phrase, in whatever case and with whatever blanks."""
    source = r"\s+".join(re2.escape(part) for part in phrase.text.split())
    return Pattern(source, any_case=True, is_negative=phrase.is_negative)


_TOKEN = re.compile(rb"[\w\x80-\xff]+")


@dataclass(slots=True)
class _Marks:
    """What a line shows of what was looked for: how much, and where (bytes), each place with what it counts itself."""

    worth: int = 0
    spans: dict[tuple[int, int], int] = field(default_factory=dict)
    stems: set[str] = field(default_factory=set)

    def add(self, worth: int, span: tuple[int, int]) -> None:
        """One more place."""
        self.worth += worth
        self.spans[span] = self.spans.get(span, 0) + max(worth, 1)


def _spans(matcher: Matcher, text: Text, chunk: Chunk) -> list[tuple[int, int]]:
    """Where it matches inside the chunk, as bytes of the whole text; or where a match begins that ends behind it."""
    piece = text.content[chunk.start_byte : chunk.end_byte]
    found = [(start + chunk.start_byte, end + chunk.start_byte) for start, end in matcher.spans(piece)]
    if found:
        return found
    whole = text.matches(matcher)
    found = [span for span in whole.spans if chunk.start_byte <= span[0] < chunk.end_byte]
    if found or whole.are_all:
        return found
    following = next(matcher.spans(text.content, chunk.start_byte), None)
    return [following] if following is not None and following[0] < chunk.end_byte else []


def _line(written: bytes, number: int, spans: Mapping[tuple[int, int], int]) -> Line:
    """The line as text; bytes become code points, and a long line is cut around the place that counts most."""
    text = written.decode("utf-8", "replace")
    places = {(_points(written, start), _points(written, end)): worth for (start, end), worth in spans.items()}
    first = 0
    if len(text) > MAX_LINE:
        best = min(places, key=lambda place: (-places[place], place), default=(0, 0))
        first = max(0, min(best[0] - _BEFORE, len(text) - MAX_LINE))
        text = text[first : first + MAX_LINE]
    inside = [(max(0, start - first), min(end - first, len(text))) for start, end in sorted(places)]
    return Line(number, text, tuple((start, end) for start, end in inside if start < end))


def _points(written: bytes, byte: int) -> int:
    return len(written[:byte].decode("utf-8", "replace"))
