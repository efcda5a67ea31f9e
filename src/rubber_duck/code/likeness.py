"""Whether a variable is called like a class, where nothing else says what it holds."""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SHORTEST: Final = 3


def resembles(variable: str, class_name: str) -> bool:
    """Whether they go together: `runner` and CliRunner, `ctx` and Context. The last word of the variable decides."""
    words = [part.lower() for part in _PART.findall(class_name.rpartition(".")[2])]
    said = [part.lower() for part in _PART.findall(variable)][-1:]
    return any(word == part or _is_short_for(part, word) for part in said for word in words)


def _is_short_for(part: str, word: str) -> bool:
    """Whether the letters of `part` stand in `word` in that order, beginning with the first: `ctx`, `cmd`."""
    if len(part) < _SHORTEST or part[0] != word[0]:
        return False
    rest = iter(word)
    return all(letter in rest for letter in part)
