"""Finds `unless … else …` in Elixir."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rubber_duck.analysis.finding import Edit, Fix, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile


@rules.add
class UnlessWithElse(Rule):
    """`unless` has an `else`.

    Its `else` branch runs when "not unless" holds: a double negation that readers have to undo. Elixir's style guides
    and Credo advise against it, and `unless` is to be deprecated in Elixir 2.

    Mend it with the fix: `if` with the two branches exchanged.

    There is hardly a reason to ignore it.
    """

    name = "unless-with-else"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {"elixir": ("call",)}
    names = frozenset({"unless"})
    replaces = ("credo/Credo.Check.Refactor.UnlessWithElse",)
    good = (
        Example("elixir", "unless a do\n  b\nend\n"),
        Example("elixir", "if a do\n  b\nelse\n  c\nend\n"),
        Example("elixir", "unless a, do: b\n"),
    )
    bad = (
        Example("elixir", "unless a do\n  b\nelse\n  c\n  d\nend\n"),
        Example("elixir", "unless a == 1, do: b, else: c"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look for the `else` and exchange the branches' text."""
        target = node.child_by_field_name("target")
        if target is None or target.type != "identifier":
            return
        places = _block_places(node) or _keyword_places(node)
        if places is None:
            return
        (start, end), (else_start, else_end) = places
        content = file.content
        edits = (
            Edit(target.start_byte, target.end_byte, "if"),
            Edit(start, end, content[else_start:else_end].decode("utf-8", "replace")),
            Edit(else_start, else_end, content[start:end].decode("utf-8", "replace")),
        )
        message = "`unless` with `else` is a double negation: write `if` and exchange the branches"
        yield Hit(target, message, Fix("Write `if` and exchange the branches", edits, safe=True))


Places = tuple[tuple[int, int], tuple[int, int]]


def _block_places(node: Node) -> Places | None:
    block = children.of_kind(node, "do_block")
    if block is None:
        return None
    other = children.of_kind(block, "else_block")
    if other is None or len(block.children) < 3:
        return None
    first, last = block.children[0], block.children[-1]
    return (first.end_byte, other.start_byte), (other.children[0].end_byte, last.start_byte)


def _keyword_places(node: Node) -> Places | None:
    arguments = children.of_kind(node, "arguments")
    last = arguments.named_children[-1] if arguments is not None and arguments.named_child_count else None
    pairs = last.named_children if last is not None and last.type == "keywords" else []
    if len(pairs) != 2:
        return None
    keys, values = zip(
        *((pair.child_by_field_name("key"), pair.child_by_field_name("value")) for pair in pairs), strict=True
    )
    if [key.text.strip() if key is not None and key.text else b"" for key in keys] != [b"do:", b"else:"]:
        return None
    first, second = values
    if first is None or second is None:
        return None
    return (first.start_byte, first.end_byte), (second.start_byte, second.end_byte)
