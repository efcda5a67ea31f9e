"""Whether a file's text mentions something, looked up once a file however often a rule asks."""

from __future__ import annotations

import re

from rubber_duck.code.source import Node, SourceFile


def mentions(file: SourceFile, what: bytes | re.Pattern[bytes], within: Node | None = None) -> bool:
    """Whether the text of `within`, or of the whole file, holds `what`."""
    start, end = (within.start_byte, within.end_byte) if within is not None else (0, len(file.content))
    key = (__name__, what, start, end)
    found = file.kept.get(key)
    if found is None:
        if isinstance(what, bytes):
            found = file.content.find(what, start, end) >= 0
        else:
            found = what.search(file.content, start, end) is not None
        file.kept[key] = found
    return found is True
