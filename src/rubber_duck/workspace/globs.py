"""Patterns as .gitignore writes them, translated so that no pattern and no name can make matching explode.

The source is git's own: `gitignore(5)`, and `wildmatch.c` for what the page leaves open. Every choice that a
backtracking matcher could take twice is atomic: between two `*`, and between two `**/`, the leftmost place is
as good as any, because what stands between has a fixed length. Names are compared as characters, not bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_LENGTH: Final = 1024
"""Longer patterns are taken for damage and match nothing."""

_SPECIAL: Final = frozenset("*?[\\")
_SEGMENT_END: Final = r"(?=/|\Z)"
_NEVER: Final = "(?!)"
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Glob:
    """One line's meaning. `anchored`: `text` is matched against the whole path, otherwise against the name.

    `text` is the pattern without its `!`, its leading and its trailing slash.
    """

    text: str
    negated: bool
    folders_only: bool
    anchored: bool

    @property
    def is_literal(self) -> bool:
        """Whether the text is a name or path as it is."""
        return _SPECIAL.isdisjoint(self.text)


def parse(line: str) -> Glob | None:
    """The pattern of one line without its newline, or None for a blank line, a comment or damage."""
    line = _without_trailing_spaces(line.removesuffix("\r"))
    if not line or line.startswith("#") or len(line) > MAX_LENGTH:
        return None
    negated = line.startswith("!")
    text = line[1:] if negated else line
    folders_only = text.endswith("/")
    if folders_only:
        text = text[:-1]
    anchored = "/" in text
    text = text.removeprefix("/")
    return Glob(text, negated, folders_only, anchored) if text else None


def expression(glob: Glob) -> str:
    """A regular expression without groups that `re.match` decides in time linear in text × name."""
    try:
        return _Translation(glob.text).expression()
    except _Unfinished:
        return _NEVER


def _without_trailing_spaces(line: str) -> str:
    kept = line.rstrip(" ")
    if kept != line and kept.endswith("\\"):
        backslashes = len(kept) - len(kept.rstrip("\\"))
        if backslashes % 2:
            kept += " "  # the one that is escaped
    return kept


class _Unfinished(Exception):
    """A class without its end, or a backslash before nothing: such a pattern matches nothing."""


class _Translation:
    """One pattern's way to an expression, character by character as wildmatch reads it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._done: list[str] = []  # complete, atomic parts
        self._leaps = False  # whether `**/` stands before what is collected
        self._chunk: list[str] = []  # since the last `**/`
        self._piece: list[str] = []  # since the last `*` or `/`
        self._starred = False  # whether `*` stands before the piece

    def expression(self) -> str:
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character == "*":
                self._stars()
            elif character == "/":
                self._end_piece(last=True)
                self._chunk.append("/")
                self._at += 1
            elif character == "?":
                self._piece.append("[^/]")
                self._at += 1
            elif character == "[":
                self._piece.append(self._class())
            else:
                self._piece.append(re.escape(self._literal()))
        self._end_piece(last=True)
        self._end_chunk(last=True)
        return "".join(self._done) + r"\Z"

    def _literal(self) -> str:
        """The character here, or the one behind a backslash."""
        if self._text[self._at] == "\\":
            self._at += 1
        if self._at >= len(self._text):
            raise _Unfinished
        self._at += 1
        return self._text[self._at - 1]

    def _stars(self) -> None:
        start = self._at
        while self._text[self._at : self._at + 1] == "*":
            self._at += 1
        rest = self._text[self._at :]
        # git skips a literal beginning before it matches, so `a**/b` counts as `**` at the start
        free = self._text[:start].endswith("/") or _SPECIAL.isdisjoint(self._text[:start])
        if self._at - start < 2 or not free or not (rest == "" or rest.startswith(("/", "\\/"))):
            self._end_piece(last=False)
            self._starred = True
        elif rest == "":
            self._end_piece(last=False)
            self._chunk.append(".*")
        elif rest.startswith("/"):
            self._leap()
            self._at += 1
        else:  # `**\/`: the slash must be there
            self._leap()
            self._chunk.append("[^/]*/")
            self._at += 2

    def _leap(self) -> None:
        self._end_piece(last=False)
        self._end_chunk(last=False)
        self._leaps = True

    def _end_piece(self, *, last: bool) -> None:
        piece = "".join(self._piece)
        if not self._starred:
            self._chunk.append(piece)
        elif last:
            self._chunk.append(f"(?>[^/]*{piece}{_SEGMENT_END})" if piece else "[^/]*+")
        else:
            self._chunk.append(f"(?>[^/]*?{piece})")
        self._piece = []
        self._starred = False

    def _end_chunk(self, *, last: bool) -> None:
        chunk = "".join(self._chunk)
        if not self._leaps:
            self._done.append(chunk)
        elif last:
            self._done.append(rf"(?>(?:[^/]*/)*?{chunk}\Z)")
        else:
            self._done.append(f"(?>(?:[^/]*/)*?{chunk})")
        self._chunk = []

    def _class(self) -> str:
        """A bracket expression; as in wildmatch, a `]` at its start is one of its members."""
        self._at += 1
        negated = self._peek() in {"!", "^"}
        if negated:
            self._at += 1
        members: list[str] = []
        before: str | None = None  # what a `-` would start from
        first = True
        while first or self._peek() != "]":
            first = False
            if self._peek() == "-" and before and self._next() not in {"", "]"}:
                self._at += 1
                upto = self._literal()
                if before <= upto:
                    members.append(f"{re.escape(before)}-{re.escape(upto)}")
                before = None
            elif self._peek() == "[" and self._next() == ":" and (named := self._named_class()) is not None:
                members.append(named)
                before = None
            else:
                before = self._literal()
                members.append(re.escape(before))
        self._at += 1
        if not members:
            return "[^/]" if negated else _NEVER
        return f"(?!/)[{'^' if negated else ''}{''.join(members)}]"

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise _Unfinished
        return self._text[self._at]

    def _next(self) -> str:
        return self._text[self._at + 1 : self._at + 2]

    def _named_class(self) -> str | None:
        """`[:name:]`, or None when this is an ordinary bracket."""
        start = self._at + 2
        end = self._text.find("]", start)
        if end < 0:
            raise _Unfinished
        if end - 1 < start or self._text[end - 1] != ":":
            return None
        name = self._text[start : end - 1]
        if name not in _CLASSES:
            raise _Unfinished
        self._at = end + 1
        return _CLASSES[name]
