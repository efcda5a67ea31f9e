"""Elixir's lexical tokens (Elixir's syntax reference)."""

from __future__ import annotations

import re
from typing import Final

from rubber_duck.ngram.lexicon import Lexicon

_PATTERN: Final = re.compile(
    r"""
    [^\W\d]\w*+[?!]?(?!=[=>~])(?::(?=\s|\Z))?
    | (?:(?:\#[^\n]*+)?\r?\n[ \t\f]*+)++
    | :(?:[^\W\d][\w@]*+[?!]?|"(?:[^"\\]|\\.)*+"?|[-+*/<>=!|&^~.]++)
    | @[^\W\d]\w*+[?!]?
    | ~[a-zA-Z]++(?:\"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?|'{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?
        |"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|/(?:[^/\\]|\\.)*+/?|\|(?:[^|\\]|\\.)*+\|?|\((?:[^)\\]|\\.)*+\)?
        |\[(?:[^\]\\]|\\.)*+\]?|\{(?:[^}\\]|\\.)*+\}?|<(?:[^>\\]|\\.)*+>?)[a-zA-Z]*+
    | \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})? | '{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?
    | "(?:[^"\\\#]|\\.|\#(?!\{)|\#\{(?:[^{}"]{1,80}+|"(?:[^"\\]|\\.){0,200}+"|\{[^{}]{0,200}+\}){0,50}+\}|\#)*+"?:?
    | '(?:[^'\\]|\\.)*+'?
    | \?(?:\\.|\S)(?=[\s,)\]}|.-]|\Z)
    | &\d++
    | \d(?:\w|\.(?=\d)|(?<=[eE])[-+])*+
    | \#[^\n]*+
    | (?:===|!==|=~|==|!=|=>|<=|>=|->|<-|\|>|<>|\+\+|--|\.\.\.|\.\.//|\.\.|::|&&&|\|\|\||&&|\|\||<<<|>>>|<<~|~>>
        |<~>|<<|>>|~>|<~|\\\\|\^\^\^|~~~|%\{|\*\*|//|[-+*/%&|^=<>~.,:;()\[\]{}!?@\#\\])
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)

# Beside the language's own words those macros that read like words of the language in every project.
_KEYWORDS: Final = """
    after alias and case catch cond def defdelegate defexception defguard defguardp defimpl defmacro defmacrop
    defmodule defp defprotocol defstruct do else end false fn for if import in nil not or quote raise receive require
    rescue true try unless unquote use when with
"""

LEXICON: Final = Lexicon(
    family="elixir",
    pattern=_PATTERN,
    keywords=frozenset(_KEYWORDS.split()),
    indent=2,
    comments=("#",),
    owners=frozenset({"defmodule", "defprotocol", "defimpl"}),
    functions=frozenset({"def", "defp", "defmacro", "defmacrop"}),
    receivers=frozenset(),
    openers=frozenset({"do", "->", "else", "rescue", "after", "catch"}),
    body="\n  nil\nend",
    tails=(" do", " ->"),
    opening="if x do",
    closings=frozenset({"end"}),
    containers={"source": ("", ""), "do_block": ("defmodule A do\n", "\nend")},
)
