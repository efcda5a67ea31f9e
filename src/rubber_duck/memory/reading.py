"""Takes texts apart: sentences, items of lists and rows of tables under their heading, and what code sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")
_ITEM: Final = re.compile(r"^\s*(?:[-*•+]|\d{1,3}[.)])\s+(?=\S)")
_RULE: Final = re.compile(r"^[\s|:+=_*-]*$")
_TITLE: Final = re.compile(r"^\s*#{1,6}\s+")
_SENTENCE: Final = re.compile(
    r"(?<=[.!?…])(?<!\b(?:Dr|Mr|Ms|Nr|No|vs|ca)\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bz\.B\.)[\"'”»)\]]*\s+(?![a-zß-öø-ÿа-яё])"
    r"|(?<=[。！？])|;\s+"
)
_SETS: Final = re.compile(
    r"""^\s*(?:(?:export|const|let|var|set|final|static|-)\s+)*["']?(?P<name>[A-Za-z_][\w.\-]{1,60})["']?
    (?:\s*:\s*[A-Za-z_][\w\[\], |.]{0,40}(?=\s*=))?\s*(?:=|:|=>|:=)\s*
    (?P<value>["'`][^"'`]{1,100}["'`]|-?\d[\w.:%/-]{0,40}|true|false|True|False|(?<=:\s)[\w./:@-]{1,80})\s*[,;]?\s*
    (?:[\#/].*)?$""",
    re.VERBOSE,
)
_NO_NAMES: Final = frozenset({"return", "import", "from", "else", "try", "finally", "default", "case", "if", "self"})
_UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_MOST_CHARACTERS: Final = 600
_MOST_SET: Final = 12
"""Lines of one block of code that set something; more of them are a file and no remark."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, an item or row with the heading above it, or a line of code. `is_first` of its text."""

    text: str
    head: str = ""
    is_code: bool = False
    is_first: bool = False

    @property
    def is_unspaced(self) -> bool:
        """Whether it is written without spaces, in a language that leaves out what was named before."""
        return bool(_UNSPACED.search(self.text))


def units(text: str) -> Iterator[Unit]:
    """The units of a text in their order."""
    head, is_code, is_first, has_set = "", False, True, 0
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code, has_set = not is_code, 0
            continue
        if is_code:
            found = _SETS.match(line)
            if found is not None and has_set < _MOST_SET and found["name"] not in _NO_NAMES:
                has_set += 1
                yield Unit(f"{found['name']} = {found['value']}", head, is_code=True)
            continue
        if not line.strip() or _RULE.match(line):
            continue
        if _TITLE.match(line):
            head = f"{_TITLE.sub('', line).strip().rstrip(':')}:"
            continue
        is_row = line.lstrip().startswith("|")
        if is_row or _ITEM.match(line):
            cells = (cell.strip() for cell in line.strip().strip("|").split("|")) if is_row else (_ITEM.sub("", line),)
            for sentence in sentences(", ".join(cell for cell in cells if cell)):
                yield Unit(sentence, head)
            continue
        head = ""
        for sentence in sentences(line):
            if sentence.endswith((":", "：")):
                head = sentence
                continue
            yield Unit(sentence, is_first=is_first)
            is_first = False


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph; one that is very long comes in parts."""
    for piece in _SENTENCE.split(text):
        words = " ".join(piece.split())
        while len(words) > _MOST_CHARACTERS:
            at = words.rfind(" ", 0, _MOST_CHARACTERS)
            at = at if at > 0 else _MOST_CHARACTERS
            yield words[:at]
            words = words[at:].lstrip()
        if words:
            yield words


def plain_sentences(text: str) -> Iterator[str]:
    """The sentences of a text without its code."""
    return (each.text for each in units(text) if not each.is_code)


def spoken(text: str) -> str:
    """A sentence as it is spoken: whatever its capitals, its white space, and the mark at its end."""
    return " ".join(text.casefold().split()).strip(".!?…。！？,; ")
