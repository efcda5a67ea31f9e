"""Which words a chunk holds, where in it they stand, and how often: one byte for each word.

A word of a function's name tells more than one of its body, so they are counted by field.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.search.chunk import SECTION, WINDOW, Chunk
from rubber_duck.search.words import MAX_WORD, TOKEN, Words, counted, words_of_name

NAME, ARGUMENTS, DOC, REST, BODY, DEFINES = 1, 2, 4, 8, 16, 32
"""Bits of a code: the word stands in the chunk's name, its arguments, the first paragraph of its documentation (or its
heading), the rest of its prose (further paragraphs, comments), its body; or it is the name of something declared here.
"""

TIMES_SHIFT: Final = 6
TIMES: Final = (1.0, 2.0, 3.5, 6.0)
"""What the two highest bits of a code stand for: how often the word is in the body, or else in the rest."""

_MOST: Final = 5
_TIMES: Final = tuple(level << TIMES_SHIFT for level in (0, 0, 1, 2, 2, 3))  # for up to once, twice, four times, more

FIELDS: Final = 5
_LONGEST: Final = 65_535


@dataclass(frozen=True, slots=True)
class Counts:
    """Word → code, and how many words each of the five fields has."""

    codes: dict[str, int]
    lengths: tuple[int, ...]


def count_words(content: bytes, chunk: Chunk, prose: Sequence[tuple[int, int]], words: Words) -> Counts:
    """The words of one chunk. `prose` are the spans of comments and documentation in `content`, in order."""
    said, done = _parted(content, chunk, prose)
    if chunk.signature:
        done = done.replace(chunk.signature, " ", 1)
    is_definition = chunk.is_head and chunk.kind not in (SECTION, WINDOW)
    name = words_of_name(chunk.name) if is_definition else ()
    arguments = _without(counted(chunk.signature, words), name) if chunk.signature else {}
    doc = counted(chunk.doc if is_definition or chunk.doc else chunk.name, words)
    rest = _without(counted(said, words), doc) if said else {}
    body = counted(done, words)
    codes = {word: _TIMES[min(times, _MOST)] | BODY for word, times in body.items()}
    for word, times in rest.items():
        codes[word] = codes.get(word, _TIMES[min(times, _MOST)]) | REST
    for bit, field in ((NAME, name), (ARGUMENTS, arguments), (DOC, doc)):
        for word in field:
            codes[word] = codes.get(word, 0) | bit
    for bits, names in ((DEFINES, chunk.defines), (DEFINES | NAME, (chunk.name,) if is_definition else ())):
        for word in filter(None, map(name_word, names)):
            codes[word] = codes.get(word, 0) | bits
    totals = (len(name), *(sum(field.values()) for field in (arguments, doc, rest, body)))
    return Counts(codes, tuple(min(_LONGEST, total) for total in totals))


def name_word(name: str) -> str:
    """The word under which a declared name is found: its last token, in lower case; `""` when it has none."""
    tokens = TOKEN.findall(name)
    return tokens[-1].lower() if tokens and len(tokens[-1]) <= MAX_WORD else ""


def _without(found: dict[str, int], others: Iterable[str]) -> dict[str, int]:
    """`found` without a mention for each of the `others`' words."""
    for word in others:
        found.pop(word, None)
    return found


def _parted(content: bytes, chunk: Chunk, prose: Sequence[tuple[int, int]]) -> tuple[str, str]:
    """The chunk's prose, and everything else in it."""
    said: list[bytes] = []
    done: list[bytes] = []
    position = chunk.start_byte
    at = max(0, bisect_right(prose, (position, 0)) - 1)
    while at < len(prose) and prose[at][0] < chunk.end_byte:
        start, end = max(position, prose[at][0]), min(chunk.end_byte, prose[at][1])
        if end > start:
            done.append(content[position:start])
            said.append(content[start:end])
            position = end
        at += 1
    done.append(content[position : chunk.end_byte])
    return b"\n".join(said).decode("utf-8", "replace"), b"\n".join(done).decode("utf-8", "replace")
