"""Python's lexical tokens (Python 3 reference, chapter 2)."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Sequence
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

_BEFORE: Final = {
    "elif": "if x: pass\n",
    "else": "if x: pass\n",
    "except": "try: pass\n",
    "finally": "try: pass\n",
    "case": "match x:\n  ",
}
_NEWER: Final = frozenset({"type", "class", "def", "async"})
"""How statements begin that a later Python than this one may understand better."""


def is_statement(tokens: Sequence[str]) -> bool:
    """Whether Python's own parser takes these tokens as a statement, with a body where they begin a block.

    tree-sitter takes more, `f(a=1, b)` among it. What stands in strings does not matter.
    """
    text = " ".join('""' if _is_string(token) else token for token in tokens)
    if not tokens or _parses(text, tokens):
        return True
    is_newer = tokens[0] == "type" or "[" in tokens[2 : 3 + (tokens[0] == "async")]
    return tokens[0] in _NEWER and is_newer and not _parses("type X = int", ("type",))


def _parses(text: str, tokens: Sequence[str]) -> bool:
    after = "\ndef f(): pass" if tokens[0] == "@" else " pass" if tokens[-1] == ":" else ""
    try:
        ast.parse(f"{_BEFORE.get(tokens[0], '')}{text}{after}")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if tokens[0] != "case":
            return False
        try:
            ast.parse(f"{text}{after}")  # a variable of that name
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _is_string(token: str) -> bool:
    return token[-1] in "\"'" and token.lstrip("rRbBuUfFtT")[:1] in {'"', "'"}


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
    opening="if x:",
    by_indentation=True,
    is_statement=is_statement,
    containers={"module": ("", ""), "block": ("if x:\n", "")},
)
