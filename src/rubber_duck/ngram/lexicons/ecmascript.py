"""The lexical tokens of JavaScript and TypeScript (ECMA-262, chapter 12)."""

from __future__ import annotations

import re
from typing import Final

from rubber_duck.ngram.lexicon import Lexicon

# A slash begins a regular expression if one of the same line ends it before something that may follow a value:
# cheaper than to know the grammar, and `a / b / c` has blanks. What may not end is looked for only so far, or a line
# of a megabyte would take a day.
_PATTERN: Final = re.compile(
    r"""
    (?:[^\W\d]|[$\#@](?=[^\W\d]))(?:[\w$])*+
    | (?:(?://[^\n]*+)?\r?\n(?:[ \t\f]|/\*(?:[^*]|\*(?!/))*+\*/)*+)++
    | /\*(?:[^*]|\*(?!/))*+(?:\*/)?
    | //[^\n]*+
    | /(?![*/\s])(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n]){0,200}+\]){1,300}+/[a-z]*+(?=[ \t]?[.,;)\]}\n:])
    | (?:===|!==|==|!=|=>|>>>=|<<=|>>=|\*\*=|&&=|\|\|=|\?\?=|\.\.\.|\?\.(?!\d)|&&|\|\||\?\?|\+\+|--|\*\*|<=|>=
        |[-+*/%&|^]=|[-+*/%&|^=<>~.,:;()\[\]{}!?@\#\\$](?!(?<=\.)\d))
    | "(?:[^"\\\n]|\\.)*+"?
    | '(?:[^'\\\n]|\\.)*+'?
    | `(?:[^`\\$]|\\.|\$(?!\{)|\$\{(?:[^{}`]{1,80}+|`[^`]{0,200}+`|\{[^{}]{0,200}+\}){0,50}+\}|\$)*+`?
    | \.?\d(?:[\w.]|(?<=[eE])[-+])*+
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)

# Words that are names wherever the grammar lets them be (`type`, `of`, `get`, `string`) are names here.
_KEYWORDS: Final = """
    abstract as async await break case catch class const continue debugger declare default delete do else enum export
    extends false finally for function if implements import in infer instanceof interface is keyof let namespace new
    null package private protected public readonly return satisfies static super switch this throw true try typeof
    var void while with yield
"""

LEXICON: Final = Lexicon(
    family="ecmascript",
    pattern=_PATTERN,
    keywords=frozenset(_KEYWORDS.split()),
    indent=2,
    comments=("//", "/*"),
    owners=frozenset({"class", "interface", "namespace", "enum"}),
    functions=frozenset({"function"}),
    receivers=frozenset({"this"}),
    openers=frozenset({"{"}),
    body="}",
    tails=(" {",),
    opening="{",
    accessors=frozenset({".", "?."}),
    closings=frozenset({"}"}),
    containers={
        "program": ("", ""),
        "statement_block": ("async function* f() {\n", "\n}"),
        "class_body": ("class A {\n", "\n}"),
    },
)
