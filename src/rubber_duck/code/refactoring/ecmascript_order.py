"""Whether a JavaScript expression may be worked out before what stands before it in its statement.

Two pieces change places. That is nobody's to notice when both only read, or when one may do anything and the other is
settled: nothing that is called could make it another. It is assumed that reading a property, and turning a value into
a text or a number, changes nothing, that functions and methods are not replaced from another file meanwhile, and that
names which nobody in the file declares are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript_names import FUNCTIONS, Names
from rubber_duck.code.refactoring.ecmascript_place import is_field, operator, unwrapped
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rubber_duck.code.source import Node, SourceFile

_GIVES: Final = frozenset({"assignment_expression", "augmented_assignment_expression", "update_expression"})
_ACTS: Final = _GIVES | {
    *("call_expression", "new_expression", "await_expression", "yield_expression", "spread_element", "class"),
    *("jsx_element", "jsx_self_closing_element"),
}
"""What may run code of anybody: a spread runs an iterator, markup calls what makes it."""

_LITERAL: Final = frozenset({"number", "string", "true", "false", "null", "undefined", "regex"})
_TYPES: Final = frozenset({"type_annotation", "type_arguments", "type_parameters", "comment"})
_GROUPS: Final = frozenset(
    {"parenthesized_expression", "array", "object", "pair", "property_identifier", "ternary_expression", "arguments"}
    | {"sequence_expression", "non_null_expression", "string_fragment", "escape_sequence", "template_string"}
    | {"regex_pattern", "regex_flags", "jsx_opening_element", "jsx_attribute", "jsx_expression", "jsx_text"}
)
"""What only puts together what stands in it."""

_CALM: Final = frozenset({"===", "!==", "&&", "||", "??", "!", "void", "typeof"})
"""Operators that ask nothing of the values themselves."""

_CALLED: Final = {"call_expression": "function", "new_expression": "constructor"}
_GLOBAL: Final = frozenset({"console", "Math", "JSON", "Object", "Array", "Number", "String", "Promise", "Date"})


def refuse_order(file: SourceFile, node: Node, statement: Node) -> None:
    """Raise Refused unless `node` may be worked out at the beginning of its statement."""
    inside = list(_run(node))
    if any(each.type in _GIVES or each.type == "yield_expression" for each in inside):
        raise Refused("the expression gives something a value, or yields")
    if is_written_out(node):
        return
    names = Names(file, statement, node)
    before = list(_before(node, statement))
    acting = next((each for part in before for each in _run(part) if _acts(each)), None)
    if acting is not None:
        is_begun = any(each.type == "super" for part in before for each in file.descendants(part))
        if not is_settled(node, names) or (is_begun and any(each.type == "this" for each in inside)):
            line, _ = file.position(acting.start_byte)
            raise Refused(f"line {line}: what is called there before it may change what it says")
        return
    if not any(map(_acts, inside)):
        return
    for part in before:
        if not _is_passed(part, names):
            line, _ = file.position(part.start_byte)
            raise Refused(
                f"line {line}: {_quoted(file, part)} is read there before it, and what it calls may change that"
            )


def _before(node: Node, statement: Node) -> Iterator[Node]:
    """What the statement works out before `node`: the outermost pieces, and of a place that is given a value its own.

    What a value is given to stands before it and comes after it.
    """
    inner = node
    while inner.id != statement.id:
        at = inner.parent
        if at is None:
            return
        for child in at.named_children:
            if child.start_byte >= inner.start_byte or child.id == inner.id:
                break
            if at.type in {"variable_declarator", "for_in_statement"} or child.type in _TYPES:
                continue
            if at.type == "assignment_expression":
                target = unwrapped(child)
                if target.type in {"member_expression", "subscript_expression"}:
                    yield from (each for each in target.named_children if each.type != "property_identifier")
                continue
            yield child
        inner = at


def _run(node: Node) -> Iterator[Node]:
    """A node and those below it, without what stands in functions: those run when they are called."""
    stack = [node]
    while stack:
        each = stack.pop()
        yield each
        if each.type not in FUNCTIONS:
            stack.extend(reversed(each.named_children))


def acts_in(node: Node) -> bool:
    """Whether working out an expression may run code of anybody, or change something."""
    return any(map(_acts, _run(node)))


def changes_in(node: Node) -> bool:
    """Whether an expression, or a function in it, gives something a value or deletes it."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type in _GIVES or (each.type == "unary_expression" and operator(each) == "delete"):
            return True
        stack.extend(each.named_children)
    return False


def _acts(node: Node) -> bool:
    return node.type in _ACTS or (node.type == "unary_expression" and operator(node) == "delete")


def is_written_out(node: Node) -> bool:
    """Whether the value stands there as it is: a number, a text without `${…}`, a word of the language."""
    bare = unwrapped(node)
    return bare.type in _LITERAL or (
        bare.type == "template_string" and all(each.type != "template_substitution" for each in bare.named_children)
    )


def _is_passed(part: Node, names: Names) -> bool:
    """Whether a piece before a call is the same after it: it is settled, or it is what is to be called."""
    parent = part.parent
    field = _CALLED.get(parent.type, "") if parent is not None else ""
    if parent is None or not is_field(parent, field or "name", part):
        return is_settled(part, names)
    bare = unwrapped(part)
    if bare.type in {"super", "import"}:
        return True
    if bare.type == "identifier":
        return not names.is_given(names.text(bare)) or is_settled(bare, names)
    if bare.type != "member_expression":
        return is_settled(bare, names)
    base, called = bare.child_by_field_name("object"), bare.child_by_field_name("property")
    if base is None or called is None or names.is_replaced(names.text(called)):
        return False
    is_global = base.type == "identifier" and names.text(base) in _GLOBAL and not names.is_declared(names.text(base))
    return is_global or base.type == "super" or names.is_namespace(names.text(base)) or is_settled(base, names)


def is_settled(node: Node, names: Names) -> bool:
    """Whether nothing that is called meanwhile could make its value another."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type in FUNCTIONS or each.type in _TYPES or each.type in _LITERAL or each.type == "this":
            continue
        if each.type in {"identifier", "shorthand_property_identifier"}:
            if not (names.is_settled(names.text(each)) or _is_tag(each, names)):
                return False
            continue
        if each.type in {"binary_expression", "unary_expression"}:
            if operator(each) not in _CALM and not all(map(is_written_out, each.named_children)):
                return False
        elif each.type in {"as_expression", "satisfies_expression"}:
            stack.append(each.named_children[0])
            continue
        elif each.type not in _GROUPS or each.type == "template_substitution":
            return False
        stack.extend(each.named_children)
    return True


def _is_tag(node: Node, names: Names) -> bool:
    parent = node.parent
    if parent is None or not parent.type.startswith("jsx") or not is_field(parent, "name", node):
        return False
    name = names.text(node)
    return name[:1].islower() or not names.is_given(name)


def _quoted(file: SourceFile, node: Node) -> str:
    said = " ".join(file.text(node).split())
    return f"'{said[:37]}…'" if len(said) > 38 else f"'{said}'"
