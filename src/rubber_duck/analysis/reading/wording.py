"""How pieces of code are quoted in messages."""

from __future__ import annotations

from rubber_duck.code.source import Node, SourceFile


def shortened(text: str, limit: int = 40) -> str:
    """`text` on one line, at most `limit` characters long."""
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def placed(value: Node, sink: Node, file: SourceFile) -> tuple[Node, str]:
    """What to underline where `value` gets into `sink`, and how to name the value there.

    The value itself where it is written in the sink; otherwise the sink, and the line the value was put in on.
    """
    named = f"`{shortened(file.text(value))}`"
    if sink.start_byte <= value.start_byte and value.end_byte <= sink.end_byte:
        return value, named
    return sink, f"{named} (from line {file.position(value.start_byte)[0]})"
