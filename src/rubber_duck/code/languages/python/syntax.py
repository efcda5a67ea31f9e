"""What calls and strings look like in Python's tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rubber_duck.code.syntax import Syntax, unescape

if TYPE_CHECKING:
    from rubber_duck.code.source import Node


class PythonSyntax(Syntax):
    """Calls are `call` and `decorator` nodes without a call; strings are `string` and `concatenated_string`."""

    def name_of_call(self, node: Node, content: bytes) -> bytes:
        """The last name of the callee."""
        callee = node.child_by_field_name("function")
        if callee is not None and callee.type == "attribute":
            callee = callee.child_by_field_name("attribute")
        if callee is None or callee.type != "identifier":
            return b""
        return content[callee.start_byte : callee.end_byte]

    def callee(self, node: Node, content: bytes) -> bytes:
        """The callee's names joined by dots."""
        return dotted(node.child_by_field_name("function"), content)

    def string_value(self, node: Node, content: bytes) -> str | None:
        """The value of a plain string; bytes literals count as text; implicit concatenation is joined."""
        if node.type == "concatenated_string":
            parts = [self.string_value(part, content) for part in node.named_children if part.type != "comment"]
            return None if None in parts else "".join(part for part in parts if part is not None)
        if node.type != "string" or self.is_interpolated(node) or node.child_count < 2:
            return None
        start, end = node.children[0], node.children[-1]
        prefix = content[start.start_byte : start.end_byte].lower()
        text = content[start.end_byte : end.start_byte].decode("utf-8", "replace")
        return text if b"r" in prefix else unescape(text)

    def is_interpolated(self, node: Node) -> bool:
        """Whether it is an f-string (or t-string) with `{…}` in it."""
        if node.type == "concatenated_string":
            return any(self.is_interpolated(part) for part in node.named_children)
        return node.type == "string" and any(child.type == "interpolation" for child in node.named_children)


def dotted(node: Node | None, content: bytes) -> bytes:
    """`a.b.c` for a chain of names; `.b.c` where what stands before is not a name."""
    names: list[bytes] = []
    while node is not None and node.type == "attribute":
        name = node.child_by_field_name("attribute")
        if name is not None:
            names.append(content[name.start_byte : name.end_byte])
        node = node.child_by_field_name("object")
    if node is not None and node.type == "identifier":
        names.append(content[node.start_byte : node.end_byte])
    elif names:
        names.append(b"")
    return b".".join(reversed(names))
