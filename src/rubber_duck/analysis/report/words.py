"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`"no files"`, `"1 file"`, `"2,000 files"`."""
    return f"{number or 'no':{',' if number else ''}} {noun}{'' if number == 1 else 's'}"
