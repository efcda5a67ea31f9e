"""Regular expressions: which text a file must hold for one to match at all, and the matching itself, by RE2.

What is required is worked out here and not by a library, and errs on one side only: a file that could match is never
passed over. RE2's syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import re2

from rubber_duck.search.query import Pattern, wrong

MEMORY_BYTES: Final = 16 << 20
"""What one expression may take: RE2 refuses larger ones, and slows down instead of taking more."""

MOST_MATCHES: Final = 100
"""Matches in one text that are looked at together; where there are more, each chunk of it is looked at by itself."""

MAX_DEPTH: Final = 50
"""Groups inside groups that are looked into for required text."""


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these is required; nothing, when there is none."""

    of: tuple[Required, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of these is required."""

    of: tuple[Required, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """This text is required."""

    text: str


_LINES: Final = "(?m)"

Required = All | OneOf | Literal
NOTHING: Final = All()


@dataclass(frozen=True, slots=True)
class Matches:
    """The bytes [start, end) of the first matches in a text, and whether these are all."""

    spans: tuple[tuple[int, int], ...]
    are_all: bool


class Matcher:
    """A compiled expression; `^` and `$` are the ends of lines."""

    def __init__(self, pattern: Pattern, query: str) -> None:
        """Raises InvalidInput, with its place in `query`, when RE2 does not take it."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MEMORY_BYTES
        options.case_sensitive = not pattern.any_case
        try:
            self._compiled = re2.compile(_LINES + pattern.source, options)
        except re2.error as error:
            wrong(query, pattern.position, f"this is not a regular expression that RE2 takes: {_reason(error)}")

    def spans(self, content: bytes, start_byte: int = 0) -> Iterator[tuple[int, int]]:
        """The bytes [start, end) of the first matches in a UTF-8 text, MOST_MATCHES at the most, none of them empty.

        A bound on their number makes the whole linear: each may take a look at all that follows. What stands before
        `start_byte` is seen, but nothing is looked for there.
        """
        for match in islice(self._compiled.finditer(content, start_byte), MOST_MATCHES):
            start, end = match.span()
            if end > start:
                yield start, end

    def matches(self, content: bytes) -> Matches:
        """As `spans`, and whether there are no others."""
        found: list[tuple[int, int]] = []
        for number, match in enumerate(self._compiled.finditer(content)):
            if number == MOST_MATCHES:
                return Matches(tuple(found), are_all=False)
            start, end = match.span()
            if end > start:
                found.append((start, end))
        return Matches(tuple(found), are_all=True)


def required(source: str) -> Required:
    """What a text must hold, in some mixture of upper and lower case, for the expression `source` to match in it.

    Each Literal is in lower case. Whatever is not understood requires nothing.
    """
    return _Reader(source).alternatives(0)


class _Reader:
    """Reads an expression from left to right. It need not be valid: then RE2 has refused it before."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._run: list[str] = []

    def alternatives(self, depth: int) -> Required:
        """Up to the end, or to the parenthesis that closes the group."""
        branches: list[Required] = []
        parts: list[Required] = []
        while self._at < len(self._source):
            sign = self._source[self._at]
            if sign == ")" and depth:
                break
            self._at += 1
            if sign == "|":
                self._end_run(parts)
                branches.append(_all(parts))
                parts = []
            elif sign == "(":
                self._end_run(parts)
                parts.append(self._group(depth))
            else:
                self._atom(sign, parts)
        self._end_run(parts)
        branches.append(_all(parts))
        return branches[0] if len(branches) == 1 else _one_of(branches)

    def _group(self, depth: int) -> Required:
        opening = _GROUP.match(self._source, self._at)
        if opening:
            self._at = opening.end()
            if opening[0].endswith(")"):  # only flags
                return NOTHING
        if depth >= MAX_DEPTH:
            self._at = len(self._source)
            return NOTHING
        run, self._run = self._run, []
        inside = self.alternatives(depth + 1)
        self._run = run
        self._at += 1
        return NOTHING if self._quantifier() == _MAYBE else inside

    def _atom(self, sign: str, parts: list[Required]) -> None:
        text = sign
        if sign == "\\":
            text = self._escaped()
        elif sign == "[":
            self._skip_class()
            text = ""
        elif sign in ".^$*+?{":
            text = ""
        how = self._quantifier()
        if len(text) != 1 or (text.lower() != text.upper() and not text.isascii()):
            self._end_run(parts)
            if how == _ONCE and len(text) > 1:
                self._run = list(text)
            return
        if how == _MAYBE:
            self._end_run(parts)
            return
        self._run.append(text)
        if how == _OFTEN:
            self._end_run(parts)

    def _escaped(self) -> str:
        """The character after a backslash, or `""` for what stands for several or none."""
        sign = self._source[self._at : self._at + 1]
        self._at += 1
        if sign == "Q":
            end = self._source.find("\\E", self._at)
            end = len(self._source) if end < 0 else end
            text, self._at = self._source[self._at : end], end + 2
            return text if text.isascii() and len(text) > 1 else ""
        if sign in "pP" and self._source[self._at : self._at + 1] == "{":
            self._at = self._source.find("}", self._at) + 1 or len(self._source)
        elif sign in "pP":
            self._at += 1
        elif sign in "01234567" and sign:
            octal = _OCTAL.match(self._source, self._at)
            self._at = octal.end() if octal else self._at
        elif sign == "x":
            braced = _HEXADECIMAL.match(self._source, self._at)
            self._at = braced.end() if braced else self._at
        return "" if sign.isalnum() else sign

    def _skip_class(self) -> None:
        found = _CLASS.match(self._source, self._at)
        self._at = found.end() if found else len(self._source)

    def _quantifier(self) -> int:
        found = _QUANTIFIER.match(self._source, self._at)
        if not found:
            return _ONCE
        self._at = found.end()
        return _MAYBE if found[0][0] in "*?" or _ZERO.match(found[0]) else _OFTEN

    def _end_run(self, parts: list[Required]) -> None:
        if self._run:
            parts.append(Literal("".join(self._run).lower()))
            self._run = []


_ONCE, _OFTEN, _MAYBE = range(3)
_GROUP: Final = re.compile(r"\?(?:P?<\w+>|[imsU-]*[:)])")
_CLASS: Final = re.compile(r"\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})+\??")
_ZERO: Final = re.compile(r"\{0*(?:,|\})|.+(?:[*?]|\{0*(?:,|\}))")
_OCTAL: Final = re.compile("[0-7]{0,2}")
_HEXADECIMAL: Final = re.compile(r"\{[0-9A-Fa-f]*\}|[0-9A-Fa-f]{0,2}")


def _all(parts: list[Required]) -> Required:
    kept = [part for part in parts if part != NOTHING]
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def _one_of(branches: list[Required]) -> Required:
    return NOTHING if NOTHING in branches else OneOf(tuple(branches))


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text.replace(_LINES, "")
