"""What a local name was given in the function that is being visited."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
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
_BOUND: Final = frozenset(
    {"parameters", "formal_parameters", "as_pattern_target", "global_statement", "nonlocal_statement"}
)
_FIELDS: Final = frozenset({"attribute", "subscript", "member_expression", "subscript_expression"})
_VALUES_READ: Final = 100
_KEY: Final = (__name__,)


@dataclass(frozen=True, slots=True)
class _Bindings:
    """Where one name of a file is given values: byte offsets in order, and the values; None for what is not known."""

    offsets: list[int] = field(default_factory=list)
    values: list[Node | None] = field(default_factory=list)

    def within(self, around: Node) -> Sequence[Node | None]:
        """The values that it is given in `around`, at most one more than _VALUES_READ."""
        first = bisect_left(self.offsets, around.start_byte)
        behind = bisect_left(self.offsets, around.end_byte, first)
        return self.values[first : min(behind, first + _VALUES_READ + 1)]


def scope(file: SourceFile) -> Node | None:
    """The innermost function around the node being visited, or the whole file outside of any."""
    for above in reversed(file.ancestors):
        if above.type in _SCOPES or (above.type == "call" and _is_definition(above, file)):
            return above
    return file.ancestors[0] if file.ancestors else None


def assigned(name: str, file: SourceFile) -> list[Node]:
    """The values that plain assignments give to `name` in the scope being visited.

    Empty where there is none, where a loop, an unpacking or an augmented assignment gives it others, where it is a
    parameter, or where there are more than a hundred: then nothing is known.
    """
    around = scope(file)
    bindings = _bindings(file).get(name.encode())
    if around is None or bindings is None:
        return []
    values = bindings.within(around)
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) <= _VALUES_READ else []


def is_of_module(name: str, file: SourceFile) -> bool:
    """Whether the function being visited gives `name` no value and no function around takes it: a name of the module.

    Outside of any function nothing is.
    """
    around = scope(file)
    if around is None or around.type in {"module", "program"}:
        return False
    wanted = name.encode()
    bindings = _bindings(file).get(wanted)
    if bindings is not None and bindings.within(around):
        return False
    return not any(wanted in _taken(above, file) for above in file.ancestors)


def _bindings(file: SourceFile) -> dict[bytes, _Bindings]:
    """Each name that the file gives values to; read once, however many scopes and uses there are."""
    known = file.kept.get(_KEY)
    if known is None:
        known = file.kept[_KEY] = _read(file)
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


def _read(file: SourceFile) -> dict[bytes, _Bindings]:
    found: dict[bytes, _Bindings] = {}
    leaf = file.grammar.leaf
    kinds = len(leaf)
    stack = [(file.tree.root_node, False)]
    while stack:
        node, is_bound = stack.pop()
        target: Node | None = None
        given = _given(node, file)
        if given is not None:
            _note(found, given[0], node, given[1])
        else:
            target = _target(node)
        if is_bound and node.type == "identifier":
            _note(found, node.text or b"", node, None)
        is_bound = is_bound or target == node
        for child in reversed(node.named_children):  # so that offsets come in order
            binds = is_bound or child == target
            kind_id = child.kind_id
            if binds or kind_id >= kinds or not leaf[kind_id]:  # the number of an error is beyond the table
                stack.append((child, binds))
    return found


def _note(found: dict[bytes, _Bindings], name: bytes, node: Node, value: Node | None) -> None:
    bindings = found.get(name)
    if bindings is None:
        bindings = found[name] = _Bindings()
    bindings.offsets.append(node.start_byte)
    bindings.values.append(value)


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


def _target(node: Node) -> Node | None:
    """The part of `node` whose names are given values that cannot be read off; `node` itself where all of it is."""
    kind = node.type
    if kind in {"augmented_assignment", "augmented_assignment_expression", "assignment", "assignment_expression"}:
        target = node.child_by_field_name("left")
    elif kind in _UNKNOWN or kind == "variable_declarator":
        target = node.child_by_field_name("left") or node.child_by_field_name("name")
    else:
        return node if kind in _BOUND else None
    return target if target is not None and target.type not in _FIELDS else None


def _is_definition(call: Node, file: SourceFile) -> bool:
    return file.name_of_call(call) in {"def", "defp", "defmacro", "defmacrop", "test"}
