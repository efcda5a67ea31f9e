"""Reads the comments of a file that silence findings: `duck: ignore[rule-name] -- the reason`, and other tools' own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.comments import Comment, read_comments
from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span
from rubber_duck.analysis.foreign import MARKS, foreign_suppressions
from rubber_duck.analysis.ruff_rules import could_select
from rubber_duck.analysis.rule import stand_ins
from rubber_duck.analysis.suppression import LAST_LINE, Suppression, matches
from rubber_duck.code.source import SourceFile
from rubber_duck.errors import did_you_mean

INVALID_SUPPRESSION: Final = "invalid-suppression"
"""The rule name of the finding about a comment that means to silence something and does not."""

_MARK: Final = b"duck:"
_NAMES_SHOWN: Final = 3
_NAME_CHARACTERS: Final = 60
_SHOWN: Final = 20
"""Invalid comments reported per file: whoever misspelt one misspelt many."""

# On a line without the white space at its ends; possessive, because a line may be a megabyte of anything.
_DIRECTIVE: Final = re.compile(
    r"(?:\#|//|/\*++|^\*?+)\s*+duck:\s*+ignore(?P<file>-file)?\b\s*+"
    r"(?:\[(?P<rules>[^\]]*+)\]\s*+(?:--\s*+(?P<reason>.*))?)?",
    re.IGNORECASE,
)


def is_marked(lowered: bytes, family: str) -> bool:
    """Whether content, in lower case, holds a word without which no comment in it silences anything."""
    return any(mark in lowered for mark in (_MARK, *MARKS.get(family, ())))


def read_suppressions(
    file: SourceFile, places: Sequence[tuple[int, int]], known: Collection[str]
) -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
    """What the comments at `places` ([start byte, end byte), in source order) silence, and those that are invalid.

    A comment behind code speaks of that line; one on a line of its own of the next line with code. `known` are the
    names of all rules but ruff's. One that names no rule, no known rule, or no reason silences nothing and is a
    finding of the rule INVALID_SUPPRESSION, its path left empty.
    """
    comments = tuple(read_comments(file, places))
    reader = _Reader(file, known)
    found = [suppression for comment in comments for suppression in reader.read(comment)]
    return (*found, *foreign_suppressions(file.family, comments)), tuple(reader.invalid)


class _Reader:
    """Reads our own comments of one file, and collects what is wrong with them."""

    def __init__(self, file: SourceFile, known: Collection[str]) -> None:
        self._file = file
        self._known = known
        self.invalid: list[Finding] = []

    def read(self, comment: Comment) -> Iterator[Suppression]:
        """What one comment silences; it may say so on any of its lines."""
        offset = 0
        for text in comment.text.split("\n"):
            line = text.strip().removesuffix("*/").rstrip()
            found = _DIRECTIVE.search(line)
            if found is not None:
                start = comment.start_byte + offset + len(text[: len(text) - len(text.lstrip())].encode())
                yield from self._take(comment, found, start)
            offset += len(text.encode()) + 1

    def _take(self, comment: Comment, found: re.Match[str], start: int) -> Iterator[Suppression]:
        names = [name for name in map(str.strip, (found["rules"] or "").split(",")) if name]
        reason = (found["reason"] or "").strip()
        if not names:
            self._refuse(found, start, "silences nothing, because it names no rule: write `duck: ignore[name] -- why`")
        elif not reason:
            self._refuse(
                found, start, "silences nothing, because it gives no reason: write `-- why` behind the bracket"
            )
        else:
            rules = self._rules(names)
            unknown = [name for name, meant in rules.items() if not meant]
            if unknown:
                self._refuse(found, start, self._about(unknown))
            span = (1, LAST_LINE) if found["file"] else (comment.code_line, comment.code_line)
            meant = tuple(dict.fromkeys(rule for each in rules.values() for rule in each))
            if meant:
                yield Suppression(*span, meant, reason)

    def _refuse(self, found: re.Match[str], start: int, fault: str) -> None:
        """Report the directive `found` on a line whose text begins at the byte `start`."""
        if len(self.invalid) < _SHOWN:
            begin = start + len(found.string[: found.start()].encode())
            end = begin + len(found[0].rstrip().encode())
            self.invalid.append(_finding(Span(*self._file.span(begin, end)), fault))

    def _rules(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What each of the names means: itself, or our rules that replace it; empty for one that nobody knows."""
        replaced = stand_ins()
        return {name: replaced.get(name) or ((name,) if self._is_known(name) else ()) for name in names}

    def _is_known(self, name: str) -> bool:
        if name in self._known or (name.startswith(RUFF) and could_select(name.removeprefix(RUFF))):
            return True
        return name.endswith("*") and any(matches(name, rule) for rule in (*self._known, RUFF))

    def _about(self, unknown: Sequence[str]) -> str:
        shown = ", ".join(f"`{name[:_NAME_CHARACTERS]}`" for name in unknown[:_NAMES_SHOWN])
        more = f" and {len(unknown) - _NAMES_SHOWN:,} more" if len(unknown) > _NAMES_SHOWN else ""
        advice = did_you_mean(unknown[0][:_NAME_CHARACTERS], self._known) or "; `duck rules` lists them"
        return f"names {shown}{more}, and there is no such rule{advice}"


def _finding(span: Span, fault: str) -> Finding:
    return Finding(
        path="",
        span=span,
        rule=INVALID_SUPPRESSION,
        kind=Kind.STYLE,
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        message=f"This comment {fault}",
    )
