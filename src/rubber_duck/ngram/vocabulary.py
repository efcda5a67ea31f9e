"""The tokens of a project as numbers: every name its own, rare strings and numbers one class each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.ngram.lexicon import COMMENT, LAYOUT, NAME, NUMBER, STRING, SYMBOL, Lexicon

Ids = NDArray[np.int32]
"""Tokens by number, in order."""

START, STRING_CLASS, NUMBER_CLASS, SAME, DEEPER, OUT_1, OUT_2, OUT_3, LINE_END = range(9)
"""Numbers that are no token of the text: the start of a file, a rare string, a rare number; then the ends of a line
by the indentation that follows (as before, deeper, one, two, more levels out), and any of those, to be predicted."""

RANKS: Final = 16
"""So many of the latest names are told apart where a name is written as "the second latest one"."""

FIRST_RANK: Final = 16
FIRST_NEW: Final = FIRST_RANK + RANKS
"""In a skeleton: the number of the latest name, and of the first way in which a name that is not among them looks."""

FIRST_TEXT: Final = 64
"""The number of the first real token."""

LOCAL: Final = 1 << 20
"""Where the numbers begin of tokens that one open file alone has."""

KEPT_STRINGS: Final = 200
KEPT_NUMBERS: Final = 30
"""So many of the commonest strings and numbers keep a number of their own."""

_DROPPED: Final = -1
_FIRST_WIDTH: Final = -2
_MAX_WIDTH: Final = 400
_LONGEST_KEPT: Final = 64
_MOST_PARTED: Final = 8192
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


class Reader(dict[str, int]):
    """Token text → number; what is not known yet gets the next number, layout `_FIRST_WIDTH - column`."""

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self.lexicon = lexicon
        self.texts: list[str] = []
        self.kinds = bytearray()
        self.first = FIRST_TEXT

    def __missing__(self, token: str) -> int:
        kind = self.lexicon.kind(token)
        if kind == LAYOUT:
            found = _FIRST_WIDTH - min(self.lexicon.width(token), _MAX_WIDTH)
        elif kind == COMMENT:
            found = _DROPPED
        elif kind == STRING and len(token) > _LONGEST_KEPT:
            found = STRING_CLASS  # documentation, mostly: never among the commonest, and megabytes in all
        else:
            found = self.assign(token, kind)
        if len(token) <= _LONGEST_KEPT:
            self[token] = found
        return found

    def assign(self, token: str, kind: int) -> int:
        """The number of a token that has none yet."""
        self.texts.append(token)
        self.kinds.append(kind)
        return self.first + len(self.texts) - 1

    def number(self, name: str) -> int | None:
        """The number of a name, a new one for a name that no text has had; None for what is no name and not known."""
        return self[name] if name.isidentifier() else self.get(name)

    def read(self, text: str) -> Ids:
        """The numbers of a text's tokens, layout as negative numbers still, comments left out."""
        found: Ids = np.array([*map(self.__getitem__, self.lexicon.split(text))], dtype=np.int32)
        kept: Ids = found[found != _DROPPED]
        return kept


class Vocabulary:
    """The tokens of one project in one family of languages.

    `texts[n]` and `kinds[n]` are those of the number n; below FIRST_TEXT they are empty. It grows when a file with
    new names is read, and never forgets.
    """

    def __init__(self, lexicon: Lexicon, texts: Sequence[str] = (), kinds: bytes | None = None) -> None:
        self.lexicon = lexicon
        self.texts = [""] * FIRST_TEXT + list(texts)
        found = kinds if kinds is not None else bytes(lexicon.kind(text) for text in texts)
        self.kinds = bytearray([SYMBOL]) * FIRST_TEXT + bytearray(found)
        self.kinds[STRING_CLASS], self.kinds[NUMBER_CLASS] = STRING, NUMBER
        self.ids = {text: number for number, text in enumerate(self.texts) if text}
        self.parts_of: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, token: str) -> int | None:
        """The number of a token's text, or None."""
        return self.ids.get(token)

    def add(self, token: str, kind: int) -> int:
        """The number of a new name or symbol."""
        self.ids[token] = len(self.texts)
        self.texts.append(token)
        self.kinds.append(kind)
        return len(self.texts) - 1

    def add_literals(self, text: str) -> None:
        """Number the strings and numbers of a text that no file has, unless some of the files' own have no number."""
        for kind, most in ((STRING, KEPT_STRINGS), (NUMBER, KEPT_NUMBERS)):
            if self.kinds.count(kind) > most:
                continue
            for token in dict.fromkeys(self.lexicon.split(text)):
                if self.lexicon.kind(token) == kind and token not in self.ids and len(token) <= _LONGEST_KEPT:
                    self.add(token, kind)

    def parts(self, number: int) -> frozenset[str]:
        """The words inside a name, in lower case; none for what is not a name."""
        found = self.parts_of.get(number)
        if found is None:
            found = split_name(self.texts[number]) if self.kinds[number] == NAME else frozenset()
            if len(self.parts_of) >= _MOST_PARTED:
                self.parts_of.clear()
            self.parts_of[number] = found
        return found


class FileReader(Reader):
    """Reads a file with a project's vocabulary, in which rare strings and numbers are one class each.

    What is new in the file joins the vocabulary if it `grows`; otherwise it gets numbers from LOCAL on, which mean
    something for this reader alone.
    """

    def __init__(self, vocabulary: Vocabulary, *, grows: bool = False) -> None:
        super().__init__(vocabulary.lexicon)
        self.vocabulary = vocabulary
        self.grows = grows
        self.first = LOCAL
        self._parts: dict[int, frozenset[str]] = {}

    def __missing__(self, token: str) -> int:
        found = self.vocabulary.ids.get(token)
        if found is None:
            return super().__missing__(token)
        self[token] = found
        return found

    def assign(self, token: str, kind: int) -> int:
        """The class of a string or number; the number of anything else."""
        if kind in (STRING, NUMBER):
            return STRING_CLASS if kind == STRING else NUMBER_CLASS
        return self.vocabulary.add(token, kind) if self.grows else super().assign(token, kind)

    def tokens(self, text: str) -> tuple[Ids, Ids]:
        """As `layout` gives them."""
        return layout(self.read(text), self.lexicon.indent)

    def text(self, number: int) -> str:
        """A token's text; `""` for a class or an end of line."""
        return self.texts[number - LOCAL] if number >= LOCAL else self.vocabulary.texts[number]

    def kind(self, number: int) -> int:
        """A token's kind."""
        return self.kinds[number - LOCAL] if number >= LOCAL else self.vocabulary.kinds[number]

    def parts(self, number: int) -> frozenset[str]:
        """As Vocabulary.parts."""
        if number < LOCAL:
            return self.vocabulary.parts(number)
        found = self._parts.get(number)
        if found is None:
            found = self._parts[number] = split_name(self.text(number))
        return found


def split_name(name: str) -> frozenset[str]:
    """`get_HTTPResponse2` → get, http, response, 2."""
    return frozenset(map(str.lower, _PARTS.findall(name)))


def layout(raw: Ids, indent: int, column: int = 0) -> tuple[Ids, Ids]:
    """From what a Reader gives: the tokens with ends of lines by their kind, and the next lines' columns (-1: no end).

    `column` is that of the first line; `indent` the columns of a level.
    """
    widths = np.where(raw <= _FIRST_WIDTH, _FIRST_WIDTH - raw, -1).astype(np.int32)
    at = np.flatnonzero(widths >= 0)
    found = raw.copy()
    change = np.diff(widths[at], prepend=column)
    levels = np.minimum((-change + indent - 1) // indent, 3)
    found[at] = np.where(change == 0, SAME, np.where(change > 0, DEEPER, OUT_1 - 1 + levels))
    return found, widths


def compact(reader: Reader, files: Sequence[Ids]) -> tuple[Vocabulary, Ids]:
    """The vocabulary of all that `reader` has read in `files`, and its number for each of the reader's numbers.

    Of strings only the KEPT_STRINGS commonest keep a number, of numbers the KEPT_NUMBERS commonest; ties go to what
    was read first.
    """
    counts = np.zeros(reader.first + len(reader.texts), np.int64)
    for file in files:
        counts += np.bincount(file[file > 0], minlength=len(counts))
    kinds = np.frombuffer(bytes(reader.first) + bytes(reader.kinds), np.uint8)
    kept = np.ones(len(counts), bool)
    kept[: reader.first] = False
    numbers = np.arange(len(counts), dtype=np.int32)
    for kind, limit, name in ((STRING, KEPT_STRINGS, STRING_CLASS), (NUMBER, KEPT_NUMBERS, NUMBER_CLASS)):
        of_kind = np.flatnonzero((kinds == kind) & kept)
        rare = of_kind[np.argsort(-counts[of_kind], kind="stable")[limit:]]
        kept[rare] = False
        numbers[rare] = name
    numbers[kept] = FIRST_TEXT + np.arange(np.count_nonzero(kept), dtype=np.int32)
    places = np.flatnonzero(kept) - reader.first
    vocabulary = Vocabulary(
        reader.lexicon, [reader.texts[at] for at in places], bytes(reader.kinds[at] for at in places)
    )
    return vocabulary, numbers
