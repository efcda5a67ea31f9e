"""Elixir's `alias`, `import`, `require` and `use` as edges."""

from __future__ import annotations

from collections.abc import Iterator

from rubber_duck.code.languages.elixir.heads import arguments
from rubber_duck.code.source import Node
from rubber_duck.code.symbols import ImportEdge, ImportedName


def import_edges(call: Node, form: str, content: bytes, *, module: str, is_conditional: bool) -> Iterator[ImportEdge]:
    """One edge for each module named; `A.{B, C}` names two. `module` is what `__MODULE__` stands for."""
    parts = arguments(call)
    if not parts:
        return
    options = _options(parts[1:], content)
    line = call.start_point.row + 1
    for name in _modules(parts[0], content):
        full = name.replace("__MODULE__", module) if module else name
        alias = options.get("as", "")
        if form == "alias" and not alias:
            alias = full.rpartition(".")[2]
        yield ImportEdge(full, line, form, _only(parts[1:], content), alias, is_conditional=is_conditional)


def _modules(node: Node, content: bytes) -> Iterator[str]:
    if node.type == "dot":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None and right.type == "tuple":
            prefix = _text(left, content)
            for child in right.named_children:
                if child.type == "alias":
                    yield f"{prefix}.{_text(child, content)}"
            return
    if node.type in {"alias", "dot", "atom"} or _text(node, content) == "__MODULE__":
        yield _text(node, content)


def _options(nodes: tuple[Node, ...], content: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        for pair in node.named_children if node.type == "keywords" else ():
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None:
                found[_text(key, content).strip().rstrip(":")] = _text(value, content)
    return found


def _only(nodes: tuple[Node, ...], content: bytes) -> tuple[ImportedName, ...]:
    """`only: [from: 2]` → `from/2`."""
    names: list[ImportedName] = []
    for node in nodes:
        for pair in node.named_children if node.type == "keywords" else ():
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is None or value is None or _text(key, content).strip() != "only:" or value.type != "list":
                continue
            for keywords in value.named_children:
                for only in keywords.named_children:
                    name, arity = only.child_by_field_name("key"), only.child_by_field_name("value")
                    if name is not None and arity is not None:
                        written = _text(name, content).strip().removesuffix(":")
                        names.append(ImportedName(f"{written}/{_text(arity, content)}"))
    return tuple(names)


def _text(node: Node, content: bytes) -> str:
    return content[node.start_byte : node.end_byte].decode("utf-8", "replace")
