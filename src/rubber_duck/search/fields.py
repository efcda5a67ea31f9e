"""Which words a chunk holds, where in it they stand, and how often: one byte for each word.

A word of a function's name tells more than one of its body, so they are counted by field.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.search.chunk import SECTION, WINDOW, Chunk
from rubber_duck.search.words import MAX_WORD, TOKEN, Words, counted

NAME, ARGUMENTS, DOC, REST, BODY, DEFINES = 1, 2, 4, 8, 16, 32
"""Bits of a code: the word stands in the chunk's name, its arguments, the first paragraph of its documentation (or its
heading), the rest of its prose (further paragraphs, comments), its body; or it is the name of something declared here.
"""

TIMES_SHIFT: Final = 6
TIMES: Final = (1.0, 2.0, 3.5, 6.0)
"""What the two highest bits of a code stand for: how often the word is in the body, or else in the rest."""

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
    own = counted(chunk.name, words) if chunk.is_head else Counter[str]()
    is_code = chunk.kind not in (SECTION, WINDOW)
    name, title = (own, Counter[str]()) if is_code else (Counter[str](), own)
    arguments = counted(chunk.signature, words) - name if chunk.signature else Counter[str]()
    doc = counted(chunk.doc, words) if chunk.doc else title
    rest = counted(said, words) - doc if said else Counter[str]()
    body = counted(done, words)
    codes: dict[str, int] = {}
    for bit, field in ((BODY, body), (REST, rest)):
        for word, times in field.items():
            codes[word] = codes.get(word, _times(times)) | bit
    for bit, field in ((NAME, name), (ARGUMENTS, arguments), (DOC, doc)):
        for word in field:
            codes[word] = codes.get(word, 0) | bit
    for word in map(name_word, chunk.defines):
        codes[word] = codes.get(word, 0) | DEFINES
    if is_code and chunk.is_head:
        word = name_word(chunk.name)
        codes[word] = codes.get(word, 0) | DEFINES | NAME
    codes.pop("", None)
    lengths = (field.total() for field in (name, arguments, doc, rest, body))
    return Counts(codes, tuple(min(_LONGEST, length) for length in lengths))


def name_word(name: str) -> str:
    """The word under which a declared name is found: its last token, in lower case; `""` when it has none."""
    tokens = TOKEN.findall(name)
    return tokens[-1].lower() if tokens and len(tokens[-1]) <= MAX_WORD else ""


def _times(times: int) -> int:
    """How often, as the two highest bits of a code."""
    return (0 if times < 2 else 1 if times == 2 else 2 if times < 5 else 3) << TIMES_SHIFT


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
