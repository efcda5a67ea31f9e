"""Numbers and reasons in sentences."""

from __future__ import annotations

from typing import Final

_REASONS: Final = {"built_in": "made by tools", "cut_short": "not read to the end"}


def counted(number: int, noun: str) -> str:
    """`"no files"`, `"1 file"`, `"2,000 files"`."""
    return f"{number or 'no':{',' if number else ''}} {noun}{'' if number == 1 else 's'}"


def reason_in_words(reason: str) -> str:
    """Why something was left out, for people: `"too_large"` → `"too large"`."""
    return _REASONS.get(reason) or reason.replace("_", " ")
