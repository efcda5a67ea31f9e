"""Syntax that JavaScript and TypeScript have and their grammars (0.25 and 0.23) do not know."""

from __future__ import annotations

import re
from typing import Final

_VARIANCE: Final = re.compile(rb"(?:[<,]|\*/|//[^\n]*\n)\s*(?:(?:in|out|const)\s+)*\Z")
"""What stands before a type parameter or its modifiers: `<in T, out U, const V>` (TypeScript 4.7 and 5.0)."""

_MODIFIERS: Final = re.compile(rb"(?:in|out|const)(?:\s+(?:in|out|const))*\Z")
_PARAMETER: Final = re.compile(rb"(?:(?:in|out|const)\s+)*[A-Za-z_$][\w$]*\Z")
_AFTER_MODIFIER: Final = re.compile(rb"\b(?:in|out|const)\s+\Z")
_RESERVED_NAME: Final = re.compile(rb"as\s+[a-z]+\Z")
"""`export { x as null }`: any word may be the outer name in an import or export clause."""

_OPTIONAL: Final = re.compile(rb"\babstract\Z|[\w$]\s*\?\s*\Z")
_OPTIONAL_METHOD: Final = re.compile(rb"\s*\??\s*\(")
"""`abstract?(): void` and a line break behind the mark of an optional method: the parser misses a name there."""

_CLAUSE: Final = re.compile(rb"\b(?:export|import)\b[^{}]*\{[^{}]*\Z")
_WINDOW_BYTES: Final = 4_000
_DECLARATIONS: Final = (".d.ts", ".d.mts", ".d.cts")


def is_newer(path: str, content: bytes, start_byte: int, end_byte: int) -> bool:
    """Whether the text at [start_byte, end_byte) is one of these forms.

    In a declaration file it always is: the compiler wrote it, so it cannot be wrong.
    """
    if path.lower().endswith(_DECLARATIONS):
        return True
    text = content[start_byte:end_byte]
    before = content[max(0, start_byte - _WINDOW_BYTES) : start_byte]
    if not text:
        return _OPTIONAL.search(before) is not None and _OPTIONAL_METHOD.match(content, end_byte) is not None
    if _MODIFIERS.match(text) and _VARIANCE.search(before):
        return True
    if _PARAMETER.match(text) and _AFTER_MODIFIER.search(before) and _VARIANCE.search(before):
        return True
    return _RESERVED_NAME.match(text) is not None and _CLAUSE.search(before) is not None
