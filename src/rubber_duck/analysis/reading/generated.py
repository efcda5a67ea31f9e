"""Whether a program wrote a file: then nobody mends it here, however it reads."""

from __future__ import annotations

import re
from typing import Final

from rubber_duck.code.source import SourceFile

_COMMENT: Final = re.compile(rb"[ \t]*(?:#+|//+!?|/\*+!?|\*+)[ \t]*(?P<text>[^\n]*)")
_SAYS_SO: Final = re.compile(
    rb"@generated\b|(?:auto(?:matically)?[- ]?)?generated (?:by|from|with|using|file|code|automatically)\b|"
    rb"(?:this|the) (?:file|code|module|source) (?:is|was|has been) (?:auto(?:matically)?[- ]?)?generated\b|"
    rb"[^\n]{0,80}\b(?-i:DO NOT (?:EDIT|MODIFY|CHANGE))\b",
    re.IGNORECASE,
)
_LINES_READ: Final = 20
_HEAD_BYTES: Final = 4_000
_MINIFIED_BYTES_PER_LINE: Final = 400
_SMALLEST_MINIFIED: Final = 1_000


def is_generated(file: SourceFile) -> bool:
    """Whether a comment in the file's first lines says that a program wrote it, or ECMAScript is minified.

    A docstring does not count: it speaks of what the code does. Minified is what has more than 400 bytes a line.
    """
    content = file.content
    if file.family == "ecmascript" and len(content) > max(_SMALLEST_MINIFIED, file.lines * _MINIFIED_BYTES_PER_LINE):
        return True
    for line in content[:_HEAD_BYTES].split(b"\n")[:_LINES_READ]:
        comment = _COMMENT.match(line)
        if comment is not None and _SAYS_SO.match(comment["text"]):
            return True
    return False
