"""What a local name was given in the function that is being visited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.allowance import may_read
from rubber_duck.code.source import Node, SourceFile

_SCOPES: Final = frozenset(
    {
        *("function_definition", "function_declaration", "function_expression", "arrow_function", "method_definition"),
        *("generator_function", "generator_function_declaration", "module", "program"),
    }
)
_ASSIGNMENTS: Final = frozenset({"assignment", "assignment_expression", "named_expression", "variable_declarator"})
_UNKNOWN: Final = frozenset({"for_statement", "for_in_statement", "with_item", "for_in_clause", "stab_clause"})
_NAMES: Final = frozenset({"identifier", "shorthand_property_identifier_pattern"})
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
    return _of_scope(around, file).get(name.encode()) or [] if around is not None else []


def is_of_module(name: str, file: SourceFile) -> bool:
    """Whether the function being visited gives `name` no value and no function around takes it: a name of the module.

    Outside of any function, and where there was too much to read, nothing is.
    """
    around = scope(file)
    if around is None or around.type in {"module", "program"}:
        return False
    bound = _of_scope(around, file)
    if not bound and not may_read(file):
        return False
    wanted = name.encode()
    return wanted not in bound and not any(wanted in _taken(above, file) for above in file.ancestors)


def _of_scope(around: Node, file: SourceFile) -> dict[bytes, list[Node] | None]:
    key = (__name__, around.start_byte, around.end_byte)
    known = file.kept.get(key)
    if known is None:
        known = file.kept[key] = _assignments(around, file)
    assert isinstance(known, dict)
    return known


def _taken(function: Node, file: SourceFile) -> frozenset[bytes]:
    """The names in the head of a function; of an Elixir one also its default values and guards."""
    if function.type in _SCOPES:
        head = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    elif function.type == "stab_clause" or (function.type == "call" and _is_definition(function, file)):
        head = children.of_kind(function, "arguments")
    else:
        return frozenset()
    key = (__name__, "taken", function.start_byte, function.end_byte)
    known = file.kept.get(key)
    if known is None:
        named = file.descendants(head) if head is not None and may_read(file, head.descendant_count) else ()
        known = file.kept[key] = frozenset(each.text or b"" for each in named if each.type in _NAMES)
    assert isinstance(known, frozenset)
    return known


def _assignments(around: Node, file: SourceFile) -> dict[bytes, list[Node] | None]:
    """Each name of a scope with the values it is given; None for one of which nothing is known."""
    found: dict[bytes, list[Node] | None] = {}
    budget = _NODES_READ
    stack = [around]
    while stack:
        node = stack.pop()
        budget -= 1
        if budget < 0 or not may_read(file):
            return {}
        given = _given(node, file)
        if given is not None:
            values = found.setdefault(given[0], [])
            if values is not None:
                values.append(given[1])
        else:
            found.update(dict.fromkeys(_bound_otherwise(node, file)))
        stack.extend(node.named_children)
    return found


def _given(node: Node, file: SourceFile) -> tuple[bytes, Node] | None:
    """The name on the left and the value on the right of a plain assignment."""
    kind = node.type
    is_match = kind == "binary_operator" and file.family == "elixir" and children.operator(node) == "="
    if kind not in _ASSIGNMENTS and not is_match:
        return None
    left = node.child_by_field_name("left") or node.child_by_field_name("name")
    right = node.child_by_field_name("right") or node.child_by_field_name("value")
    if left is None or right is None or left.type != "identifier":
        return None
    return left.text or b"", right


def _bound_otherwise(node: Node, file: SourceFile) -> Iterator[bytes]:
    """The names that `node` gives values that cannot be read off."""
    kind = node.type
    if kind in {"augmented_assignment", "augmented_assignment_expression", "assignment", "assignment_expression"}:
        target = node.child_by_field_name("left")
    elif kind in _UNKNOWN or kind == "variable_declarator":
        target = node.child_by_field_name("left") or node.child_by_field_name("name")
    elif kind in {"parameters", "formal_parameters", "as_pattern_target", "global_statement", "nonlocal_statement"}:
        target = node
    else:
        return
    if target is None or target.type in {"attribute", "subscript", "member_expression", "subscript_expression"}:
        return
    for each in file.descendants(target):
        if each.type == "identifier":
            yield each.text or b""


def _is_definition(call: Node, file: SourceFile) -> bool:
    return file.name_of_call(call) in {"def", "defp", "defmacro", "defmacrop", "test"}
