"""Python's lexical tokens (Python 3 reference, chapter 2)."""

from __future__ import annotations

import keyword
import re
from typing import Final

from rubber_duck.ngram.lexicon import Lexicon

_PATTERN: Final = re.compile(
    r"""
    [^\W\d]\w*+(?!["'])
    | (?:(?:\\|\#[^\n]*+)?\r?\n[ \t\f]*+)++
    | (?:[-+*/%@&|^=<>!:]=|\*\*=?|//=?|->|<<=?|>>=?|\.\.\.|[-+*/%@&|^=<>~.,:;()\[\]{}`!?$\\](?!(?<=\.)\d))
    | [a-zA-Z]{0,2}(?:
        \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?
        | '{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?
        | "(?:[^"\\\n]|\\.)*+"?
        | '(?:[^'\\\n]|\\.)*+'?
      )
    | \.?\d(?:[\w.]|(?<=[eE])[-+])*+
    | \#[^\n]*+
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)

LEXICON: Final = Lexicon(
    family="python",
    pattern=_PATTERN,
    keywords=frozenset(keyword.kwlist),
    indent=4,
    comments=("#",),
    owners=frozenset({"class"}),
    functions=frozenset({"def"}),
    receivers=frozenset({"self", "cls"}),
    openers=frozenset({":"}),
    body="\n    pass",
    tails=(":",),
)
