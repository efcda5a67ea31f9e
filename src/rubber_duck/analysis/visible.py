"""Text of strangers, made safe to show: what a terminal or a reader could be fooled by is written as an escape.

Control and ANSI characters, bidirectional and zero-width characters, all that Unicode says to draw as nothing, lone
surrogates, unassigned and private characters, and every space but the ordinary and the ideographic one become
`\\x1b`, `\\u202e` and so on. A byte that was not valid UTF-8 and was read with `surrogateescape` is shown as that
byte, `\\xff`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt (16.0): drawn as nothing where not supported."""

_BLANK: Final = "\u2800\ufffc"
"""Symbols by their category, yet drawn as nothing: an empty Braille cell, and a place for something else."""

_UNSEEN: Final = re.compile(f"[{_IGNORABLE}{_BLANK}]")
_STRANGE: Final = re.compile(r"[^\n -~]")
_IDEOGRAPHIC_SPACE: Final = "\u3000"
_BYTE: Final = re.compile("[\udc80-\udcff]")
_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """`text` on one line: runs of tabs and line breaks become one space, dangerous characters are escaped."""
    if is_visible(text):
        return text
    return _escape(_BREAKS.sub(" ", text))


def visible_name(text: str) -> str:
    """A path or name: as `visible`, but tabs and line breaks are escaped too, because they are part of it."""
    return text if is_visible(text) else _escape(text)


def visible_block(text: str) -> str:
    """`text` on several lines: line feeds stay, tabs become four spaces, dangerous characters are escaped."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(visible_name(line) for line in lines)


def is_visible(text: str) -> bool:
    """Whether each character of `text` can be seen, and for what it is."""
    return text.isprintable() and (text.isascii() or _UNSEEN.search(text) is None)


def visible_json(document: str) -> str:
    """A JSON document of the same values, with what would be an escape in `visible` as JSON's own `\\u202e`."""
    return _STRANGE.sub(_json_character, document)


def visible_character(character: str) -> str:
    """One character of source code, or its escape; a tab is escaped too."""
    if is_visible(character) or character == _IDEOGRAPHIC_SPACE:
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def shortened(text: str, characters: int) -> str:
    """At most `characters` of `text`, then `…`; a file's name or a message may be as long as somebody likes."""
    return text if len(text) <= characters else text[:characters] + "…"


def scrubbed(text: str) -> str:
    """`text` as valid Unicode: a lone surrogate becomes the six characters `\\udc80`; nothing else changes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def reversible(path: str) -> str:
    """A path as valid Unicode that says which bytes it has: a byte that is not UTF-8 is `\\xff`, a backslash two.

    No two paths have the same form. A surrogate that stands for no byte, which no file's name has, is `\\ud800`.
    """
    if path.isascii() and "\\" not in path:
        return path
    doubled = path.replace("\\", "\\\\")
    return scrubbed(_BYTE.sub(_byte, doubled))


def valid(tree: Any) -> Any:  # Any: a tree of plain JSON
    """The same tree with valid Unicode only: a byte of a file's name that is not UTF-8 is `\\xff` in its text."""
    match tree:
        case str():
            return tree if tree.isascii() else scrubbed(_BYTE.sub(_byte, tree))
        case Mapping():
            return {valid(key): valid(value) for key, value in tree.items()}
        case list() | tuple():
            return [valid(each) for each in tree]
        case _:
            return tree


def _byte(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]) - 0xDC00:02x}"


def _escape(text: str) -> str:
    return "".join(map(visible_character, text))


def _json_character(match: re.Match[str]) -> str:
    character = match[0]
    return character if is_visible(character) or character == _IDEOGRAPHIC_SPACE else json.dumps(character)[1:-1]
