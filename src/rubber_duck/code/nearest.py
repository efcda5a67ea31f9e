"""The statements nearest to a place in a file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import Final, NamedTuple

from tree_sitter import Node

from rubber_duck.code.source import SourceFile

_COMMENT: Final = "comment"


class Stretch(NamedTuple):
    """The bytes [start_byte, end_byte) of whole statements, and the kind of node that holds them."""

    container: str
    start_byte: int
    end_byte: int


def nearest(file: SourceFile, at_byte: int, containers: Collection[str]) -> Stretch | None:
    """The statement that a place is in, or the ones before and behind it, in the smallest node of the `containers`.

    It begins where the line of the first one does. None where no such node is around the place.
    """
    node = file.tree.root_node.descendant_for_byte_range(at_byte, at_byte)
    while node is not None and node.type not in containers:
        node = node.parent
    if node is None:
        return None
    first, last = _beside(node, at_byte)
    start = at_byte if first is None else file.content.rfind(b"\n", 0, first.start_byte) + 1
    return Stretch(node.type, start, at_byte if last is None else max(at_byte, last.end_byte))


def _beside(container: Node, at: int) -> tuple[Node | None, Node | None]:
    """The statement that a place is in, twice, or the ones before and behind it; comments are none."""
    children = [each for each in container.named_children if each.type != _COMMENT]
    size = bisect_left(children, at, key=lambda each: each.start_byte)
    before = children[size - 1] if size else None
    if before is not None and before.end_byte > at:
        return before, before
    return before, children[size] if size < len(children) else None
