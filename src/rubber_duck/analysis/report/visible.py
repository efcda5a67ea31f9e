"""Text of strangers, made safe to show: what a terminal or a reader could be fooled by is written as an escape.

Control and ANSI characters, bidirectional and zero-width characters, lone surrogates, unassigned and private
characters, and every space but the ordinary and the ideographic one become `\\x1b`, `\\u202e` and so on. A byte
that was not valid UTF-8 and was read with `surrogateescape` is shown as that byte, `\\xff`.
"""

from __future__ import annotations

import re
from typing import Final

_IDEOGRAPHIC_SPACE: Final = "\u3000"
_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """`text` on one line: runs of tabs and line breaks become one space, dangerous characters are escaped."""
    if text.isprintable():
        return text
    return _escape(_BREAKS.sub(" ", text))


def visible_name(text: str) -> str:
    """A path or name: as `visible`, but tabs and line breaks are escaped too, because they are part of it."""
    return text if text.isprintable() else _escape(text)


def visible_block(text: str) -> str:
    """`text` on several lines: line feeds stay, tabs become four spaces, dangerous characters are escaped."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(visible_name(line) for line in lines)


def visible_character(character: str) -> str:
    """One character of source code, or its escape; a tab is escaped too."""
    if character.isprintable() or character == _IDEOGRAPHIC_SPACE:
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


def _escape(text: str) -> str:
    return "".join(map(visible_character, text))
