"""What calls and strings look like in Elixir's tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rubber_duck.code.languages.elixir.misread import misread
from rubber_duck.code.syntax import Syntax, unescape

if TYPE_CHECKING:
    from rubber_duck.code.source import Node


class ElixirSyntax(Syntax):
    """Calls are `call` nodes, definitions (`def`, `defmodule`) too; strings are `string`, `charlist` and `sigil`."""

    def name_of_call(self, node: Node, content: bytes) -> bytes:
        """The last name of the callee: `cmd` for `System.cmd(…)` and `:os.cmd(…)`, empty for `fun.()`."""
        target = node.child_by_field_name("target")
        if target is not None and target.type == "dot":
            target = target.child_by_field_name("right")
        if target is None or target.type not in {"identifier", "operator_identifier"}:
            return b""
        return content[target.start_byte : target.end_byte]

    def callee(self, node: Node, content: bytes) -> bytes:
        """The callee with its module: `System.cmd`, `:os.cmd`; `.name` where the left side is no name."""
        return dotted(node.child_by_field_name("target"), content)

    def string_value(self, node: Node, content: bytes) -> str | None:
        """The value of a plain string, charlist or sigil; upper-case sigils keep their backslashes."""
        if node.type not in {"string", "charlist", "sigil"} or self.is_interpolated(node):
            return None
        parts = node.children
        is_raw = False
        if node.type == "sigil":
            name = next((part for part in parts if part.type == "sigil_name"), None)
            is_raw = name is not None and content[name.start_byte : name.end_byte].isupper()
        quotes = [part for part in parts if not part.is_named and part.type != "~"]
        if len(quotes) < 2:
            return None
        text = content[quotes[0].end_byte : quotes[-1].start_byte].decode("utf-8", "replace")
        return text if is_raw else unescape(text)

    def is_interpolated(self, node: Node) -> bool:
        """Whether it has `#{…}` in it."""
        return any(child.type == "interpolation" for child in node.named_children)

    def misread(self, root: Node, content: bytes) -> list[tuple[Node, str]]:
        """Reserved words as names, calls that need parentheses, and the like."""
        return misread(root, content)


def dotted(node: Node | None, content: bytes) -> bytes:
    """`System.cmd`, `:os.cmd`, `name`; `.name` where what stands before the dot is not a name."""
    names: list[bytes] = []
    while node is not None and node.type == "dot":
        name = node.child_by_field_name("right")
        if name is not None:
            names.append(content[name.start_byte : name.end_byte])
        node = node.child_by_field_name("left")
        if node is not None and node.type == "call" and node.child_count == 1:  # `a.b.c`: calls without arguments
            node = node.child_by_field_name("target")
    if node is not None and node.type in {"identifier", "alias", "atom", "operator_identifier"}:
        names.append(content[node.start_byte : node.end_byte])
    elif names:
        names.append(b"")
    return b".".join(reversed(names))
