"""Secrets that are not seen at once: encoded ones, and private keys whose beginning is somewhere else."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterator
from typing import Final

ENCODED: Final = re.compile(
    r"(?:[A-Za-z0-9+/_\-]{60,200}\r?\n[ \t]{0,40}){1,200}[A-Za-z0-9+/_\-]{1,200}={0,2}"
    r"|[A-Za-z0-9+/_\-]{16,}={0,2}"
)
_HEX: Final = re.compile(r"[0-9a-fA-F]{16,}")
_KEY_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_CHARACTERS: Final = string.ascii_letters + string.digits + "+/="
_KEY_LINE: Final = re.compile(
    r"(?:[ \t>+|:*#\-]|\d{1,6}(?=[ \t]*[|:\t ]))*['\"]?((?:[A-Za-z0-9+/=]|\\[rn])*)(?:\\[rn]|['\"+,;\s\\])*"
)
"""A line of a key: behind a number, marks of a change or of a comment, and in quotes, where it is quoted so."""

_TAIL_CHARACTERS: Final = 12_000
_LEAST_LINE: Final = 16
_SPACE: Final = re.compile(r"\s+")


def without_tails(text: str) -> str:
    """The text without ends of private keys whose beginning is somewhere else."""
    parts, last = [], 0
    for end in _KEY_END.finditer(text):
        start = _tail_start(text, max(last, end.start() - _TAIL_CHARACTERS), end.start())
        parts.append(f"{text[last:start]}[REDACTED:private-key]")
        last = end.end()
    return "".join((*parts, text[last:])) if parts else text


def _tail_start(text: str, first: int, end: int) -> int:
    """Where the lines of a key begin that ends at `end`."""
    start, is_last = end, True
    at = text.rfind("\n", first, end) + 1 or first
    if (found := _KEY_LINE.fullmatch(text, at, end)) is None:
        return end - len(text[at:end]) + len(text[at:end].rstrip(_KEY_CHARACTERS))
    start = found.start(1) if found[1] else end
    while at > first:
        line = text.rfind("\n", first, at - 1) + 1 or first
        found = _KEY_LINE.fullmatch(text, line, at - 1)
        if found is None or (len(found[1]) < _LEAST_LINE and not (is_last and found[1])):
            break
        start, at, is_last = found.start(1), line, False
    return start


def decodings(run: str) -> Iterator[bytes]:
    """The bytes that a run of letters and digits may stand for, as base64 or in hexadecimal."""
    bare = _SPACE.sub("", run)
    if _HEX.fullmatch(bare) and len(bare) % 2 == 0:
        yield bytes.fromhex(bare)
    plain = bare.rstrip("=").replace("-", "+").replace("_", "/")
    for skipped in range(min(4, len(plain))):  # where something was written before it, it does not begin at a quartet
        quartets = plain[skipped:]
        padded = quartets[: len(quartets) - 1] if len(quartets) % 4 == 1 else quartets
        try:
            decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
        except (binascii.Error, ValueError):
            return
        yield decoded
