"""What the lexical tokens of a family of languages are: one expression that splits a text, and what its words mean.

A lexer and not the syntax tree, because a text that is being written is broken most of the time, and because all of
a project is read in a second. Every expression is linear: what could be taken twice is atomic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SYMBOL, KEYWORD, NAME, STRING, NUMBER, LAYOUT, COMMENT = range(7)
"""The kinds of tokens. LAYOUT is an end of line with the indentation after it; COMMENT is never kept."""

_TAB: Final = 4
_BLOCK_COMMENT: Final = re.compile(r"/\*(?:[^*]|\*(?!/))*+\*/")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one family of languages.

    - `pattern`: matches one token; blanks within a line match nothing. An end of line, with the comment before it and
      the empty lines after it, is one match that ends with the indentation of the next line.
    - `indent`: columns of one level. `comments`: how comments begin.
    - `owners`: keywords after which the name of something with members stands; `functions`: the same for functions.
    - `receivers`: names of the object whose method one is in.
    - `openers`: tokens that begin a block at the end of a line; `body`: what makes such a block whole.
    - `tails`: what may stand at the end of a line and begin a block; `opening`: a line that begins one.
    - `by_indentation`: blocks are told by how far their lines are indented.
    - `is_statement`: whether tokens are a whole statement, as far as the language's own parser can tell.
    - `accessors`: tokens after which a member stands. `closings`: words that end a block and stand alone.
    - `containers`: kinds of nodes that hold statements or members, each with what stands around those alone.
    """

    family: str
    pattern: re.Pattern[str]
    keywords: frozenset[str]
    indent: int
    comments: tuple[str, ...]
    owners: frozenset[str]
    functions: frozenset[str]
    receivers: frozenset[str]
    openers: frozenset[str]
    body: str
    tails: tuple[str, ...]
    opening: str
    accessors: frozenset[str] = frozenset({"."})
    closings: frozenset[str] = frozenset()
    by_indentation: bool = False
    is_statement: Callable[[Sequence[str]], bool] = bool
    containers: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def split(self, text: str) -> list[str]:
        """The tokens of `text` in order, comments and ends of lines among them."""
        return self.pattern.findall(text)

    def kind(self, token: str) -> int:
        """What sort of token it is."""
        first = token[0]
        if first in "\r\n" or (first == "\\" and "\n" in token):
            return LAYOUT
        if token.startswith(self.comments) and not self._is_word(token):
            return LAYOUT if "\n" in token and not token.startswith("/*") else COMMENT
        if token in self.keywords:
            return KEYWORD
        return _kind(token)

    def width(self, layout: str) -> int:
        """The column at which the line after an end of line begins, from 0; tabs count to the next fourth."""
        last = layout[layout.rfind("\n") + 1 :]
        if "/*" in last:
            last = _BLOCK_COMMENT.sub("", last)
        return len(last.expandtabs(_TAB))

    def _is_word(self, token: str) -> bool:
        """Whether what begins like a comment is one word: `#private`, `//`."""
        return len(token) > 1 and (token[1].isidentifier() or token in {"//", "//="}) and "\n" not in token[:2]


def _kind(token: str) -> int:
    first = token[0]
    if first in "\"'`" or (len(token) > 1 and token[1:3] and _is_prefixed_string(token)):
        return STRING
    if first.isdigit() or (first == "." and token[1:2].isdigit()):
        return NUMBER
    if first.isidentifier() or (len(token) > 1 and first in "$#@:" and (token[1].isidentifier() or token[1] in '"$')):
        return NAME
    if first == "?" and len(token) > 1 and token not in {"??", "?.", "??="}:
        return NUMBER
    return NAME if first == ":" and len(token) > 1 and token not in {"::", ":="} else SYMBOL


def _is_prefixed_string(token: str) -> bool:
    """`r"…"`, `~s(…)`, and regular expressions between slashes."""
    first = token[0]
    if first == "~":
        return token[1].isalpha()
    if first == "/":
        return len(token) > 2 and token != "//="
    return first.isalpha() and any(quote in token[1:3] for quote in "\"'")
