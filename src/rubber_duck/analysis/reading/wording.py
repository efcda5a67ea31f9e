"""How pieces of code are quoted in messages."""

from __future__ import annotations


def shortened(text: str, limit: int = 40) -> str:
    """`text` on one line, at most `limit` characters long."""
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
