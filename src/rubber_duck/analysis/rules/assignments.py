"""What a local name was given in the function that is being visited."""

from __future__ import annotations

from typing import Final

from rubber_duck.code.source import Node, SourceFile

_SCOPES: Final = frozenset(
    {
        *("function_definition", "function_declaration", "function_expression", "arrow_function", "method_definition"),
        *("generator_function", "generator_function_declaration", "module", "program"),
    }
)
_UNKNOWN: Final = frozenset({"for_statement", "for_in_statement", "with_item", "for_in_clause", "stab_clause"})
_NODES_READ: Final = 20_000


def scope(file: SourceFile) -> Node | None:
    """The innermost function around the node being visited, or the whole file outside of any."""
    for above in reversed(file.ancestors):
        if above.type in _SCOPES or (above.type == "call" and _is_definition(above, file)):
            return above
    return file.ancestors[0] if file.ancestors else None


def assigned(name: str, file: SourceFile) -> list[Node]:
    """The values that plain assignments give to `name` in the scope being visited.

    Empty where there is none, where a loop, an unpacking or an augmented assignment gives it others, or where it is a
    parameter: then nothing is known.
    """
    around = scope(file)
    if around is None:
        return []
    encoded = name.encode()
    start, end = around.start_byte, around.end_byte
    if file.content.count(encoded, start, end) < 2:
        return []
    values: list[Node] = []
    budget = _NODES_READ
    stack = [around]
    while stack:
        node = stack.pop()
        budget -= 1
        if budget < 0:
            return []
        if file.content.find(encoded, node.start_byte, node.end_byte) < 0:
            continue
        given = _given(node, encoded, file)
        if given is not None:
            values.append(given)
        elif _binds_otherwise(node, encoded, file):
            return []
        stack.extend(node.named_children)
    return values


def _given(node: Node, name: bytes, file: SourceFile) -> Node | None:
    """The right side of a plain assignment to `name`."""
    kind = node.type
    if kind in {"assignment", "assignment_expression", "named_expression", "variable_declarator"} or (
        kind == "binary_operator" and file.family == "elixir"
    ):
        left = node.child_by_field_name("left") or node.child_by_field_name("name")
        right = node.child_by_field_name("right") or node.child_by_field_name("value")
        if left is None or right is None or left.type != "identifier" or left.text != name:
            return None
        if kind == "binary_operator":
            operator = node.child_by_field_name("operator")
            return right if operator is not None and operator.type == "=" else None
        return right
    return None


def _binds_otherwise(node: Node, name: bytes, file: SourceFile) -> bool:
    """Whether `node` gives `name` a value that cannot be read off."""
    kind = node.type
    if kind in {"augmented_assignment", "augmented_assignment_expression", "assignment", "assignment_expression"}:
        target = node.child_by_field_name("left")
    elif kind in _UNKNOWN or kind == "variable_declarator":
        target = node.child_by_field_name("left") or node.child_by_field_name("name")
    elif kind in {"parameters", "formal_parameters", "as_pattern_target", "global_statement", "nonlocal_statement"}:
        target = node
    else:
        return False
    if target is None or target.type in {"attribute", "subscript", "member_expression", "subscript_expression"}:
        return False
    return any(each.type == "identifier" and each.text == name for each in file.descendants(target))


def _is_definition(call: Node, file: SourceFile) -> bool:
    return file.name_of_call(call) in {"def", "defp", "defmacro", "defmacrop", "test"}
