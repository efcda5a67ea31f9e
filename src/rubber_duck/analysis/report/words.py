"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str, *, grouped: bool = False) -> str:
    """`"1 file"`, `"2000 files"`; `grouped` writes `"2,000 files"`."""
    written = f"{number:,}" if grouped else str(number)
    return f"{written} {noun}{'' if number == 1 else 's'}"
