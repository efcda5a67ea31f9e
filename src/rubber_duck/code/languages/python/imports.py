"""Python's import statements as edges."""

from __future__ import annotations

from collections.abc import Iterator

from rubber_duck.code.source import Node
from rubber_duck.code.symbols import ImportEdge, ImportedName


def import_edges(node: Node, content: bytes, *, is_conditional: bool) -> Iterator[ImportEdge]:
    """One edge for each module that the import statement `node` names."""
    line = node.start_point.row + 1
    children = node.named_children
    if node.type == "import_statement":
        for child in children:
            name, alias = _name(child, content)
            if name:
                yield ImportEdge(name, line, "import", alias=alias, is_conditional=is_conditional)
        return
    module, level = "__future__", 0
    if node.type == "import_from_statement":
        if not children:
            return
        module, level = _module(children[0], content)
        children = children[1:]
    names = tuple(ImportedName(name, alias) for name, alias in (_name(child, content) for child in children) if name)
    yield ImportEdge(module, line, "from", names, level=level, is_conditional=is_conditional)


def _module(node: Node, content: bytes) -> tuple[str, int]:
    if node.type != "relative_import":
        return _dotted(node, content), 0
    prefix, *rest = node.named_children
    level = content.count(b".", prefix.start_byte, prefix.end_byte)
    return (_dotted(rest[0], content) if rest else ""), level


def _name(node: Node, content: bytes) -> tuple[str, str]:
    if node.type == "dotted_name":
        return _dotted(node, content), ""
    if node.type == "aliased_import":
        name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
        if name is not None and alias is not None:
            return _dotted(name, content), content[alias.start_byte : alias.end_byte].decode("utf-8", "replace")
    return ("*" if node.type == "wildcard_import" else ""), ""


def _dotted(node: Node, content: bytes) -> str:
    text = content[node.start_byte : node.end_byte].decode("utf-8", "replace")
    return text if text.isidentifier() else "".join(text.replace("\\", " ").split())
