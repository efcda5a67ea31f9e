"""Gives a JavaScript or TypeScript expression a name: a `const` just before the statement that it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript import require_name
from rubber_duck.code.refactoring.ecmascript_order import refuse_order
from rubber_duck.code.refactoring.ecmascript_place import refuse_place, statement_of, unwrapped
from rubber_duck.code.refactoring.ecmascript_reading import (
    is_ended,
    kinds,
    open_whole,
    refuse_misread,
    require_fresh,
    selected,
    shape,
)
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

NAMELESS: Final = frozenset({"arrow_function", "function_expression", "generator_function", "class"})
_INFERRED: Final = frozenset({"object", "array"}) | NAMELESS
JOINS: Final = tuple("([`+-/")


def extract_variable(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The file with the selected expression called `name`; raises Refused and InvalidInput."""
    require_name(name)
    file = open_whole(texts, stretch.path)
    require_fresh(file, name)
    content, language = file.content, file.language
    node = selected(file, stretch)
    statement = statement_of(node)
    refuse_misread(file, statement)
    refuse_place(file, node)
    refuse_kind(node, language)
    refuse_order(file, node, statement)
    start = content.rfind(b"\n", 0, statement.start_byte) + 1
    indent = content[start : statement.start_byte]
    if indent.strip():
        raise Refused("the statement shares its line with another")
    said = content[node.start_byte : node.end_byte]
    rest = content[statement.start_byte : node.start_byte] + name.encode() + content[node.end_byte : statement.end_byte]
    ends = content[: statement.end_byte].endswith(b";") or rest.lstrip().startswith(tuple(c.encode() for c in JOINS))
    newline = newline_of(texts[stretch.path]).encode()
    made = b"const " + name.encode() + b" = " + said + (b";" if ends or is_ended(file) else b"") + newline
    after = content[:start] + indent + made + indent + rest + content[statement.end_byte :]
    changed = open_source(stretch.path, after, language)
    _require_same(file, node, changed, statement.start_byte)
    return Refactored({stretch.path: after.decode("utf-8", "surrogateescape")})


def refuse_kind(node: Node, language: str) -> None:
    """What takes its name, or its type, from where it stands stays there."""
    bare = unwrapped(node)
    if bare.type in NAMELESS and bare.child_by_field_name("name") is None:
        raise Refused("without a name of its own it is called after the place where it stands")
    if language != "typescript":
        return
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type in _INFERRED:
            raise Refused("its type follows from where it stands, and would be another by itself")
        stack.extend(child for child in each.named_children if child.type != "arguments")


def _require_same(file: SourceFile, node: Node, changed: SourceFile, at: int) -> None:
    """Raise Refused unless the file reads as before but for a declaration at byte `at` that holds what `node` was."""
    made = next(
        (
            each
            for each in changed.descendants(changed.tree.root_node)
            if each.start_byte == at and each.type == "lexical_declaration"
        ),
        None,
    )
    given = made.named_children[0].child_by_field_name("value") if made is not None else None
    is_same = (
        not changed.problems
        and made is not None
        and given is not None
        and len(made.named_children) == 1
        and kinds(given) == kinds(node)
        and list(shape(changed, left_out=[made.id])) == list(shape(file, replaced=[node.id]))
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")
