"""What the docstring of a module, class or function says first."""

from __future__ import annotations

import re
from typing import Final

from rubber_duck.code.source import Node, SourceFile

_QUOTE = re.compile(rb'([rRuUbB]{0,2})("""|\'\'\'|"|\')')
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_BLANK_LINE_BYTES = re.compile(rb"\n[ \t]*\n")
_BEGINNINGS: Final = frozenset((*(bytes((byte,)) for byte in b"\"'rRuUbBfF#\xef"), b""))
"""How the text of a body begins that has a docstring, perhaps after comments or a byte order mark."""


def docstring(body: Node | None, file: SourceFile) -> str:
    """The first paragraph, on one line, of the string that stands first in `body`; empty when none does."""
    if body is None:
        return ""
    content, start = file.content, body.start_byte
    if content[start : start + 1] not in _BEGINNINGS:  # most bodies without one are told by this
        return ""
    first = body.named_child(0) if body.named_child_count else None
    while first is not None and content.startswith(b"#", first.start_byte):
        first = first.next_named_sibling
    if first is None or first.type != "expression_statement":
        return ""
    string = first.named_child(0) if first.named_child_count else None
    if string is not None and string.type == "concatenated_string":
        written_as = [content[part.start_byte : part.start_byte + 1] for part in string.named_children]
        return "" if {b"f", b"F"} & set(written_as) else _first_paragraph(string, file)
    if string is None or string.type != "string":
        return ""
    written = content[string.start_byte : string.end_byte]
    quote = _QUOTE.match(written)
    if quote is None or b"b" in quote[1].lower():
        return ""
    text = written[quote.end() : len(written) - len(quote[2])].strip()
    if b"\\" in text and b"r" not in quote[1].lower():  # what looks like one paragraph may be several
        return _first_paragraph(string, file)
    end = _BLANK_LINE_BYTES.search(text)
    return " ".join((text[: end.start()] if end else text).decode("utf-8", "replace").split())


def _first_paragraph(string: Node, file: SourceFile) -> str:
    written = (file.string_value(string) or "").strip()
    return " ".join(_BLANK_LINE.split(written, maxsplit=1)[0].split())
