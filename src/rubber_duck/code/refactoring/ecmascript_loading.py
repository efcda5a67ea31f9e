"""What happens when JavaScript modules are loaded: in which order, and which of them nobody notices being loaded.

A module is calm when loading it does nothing but define: so it may be loaded earlier, later or more often by others. It
is assumed that a package of which names are taken does nothing else when it is loaded that the project counts on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript import Project
from rubber_duck.code.refactoring.ecmascript_place import unwrapped

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_STILL: Final = frozenset(
    {"function_declaration", "generator_function_declaration", "interface_declaration", "type_alias_declaration"}
    | {"comment", "empty_statement", "hash_bang_line", "function_signature", "ambient_declaration"}
)
_VALUES: Final = frozenset(
    {"number", "string", "true", "false", "null", "undefined", "regex", "arrow_function", "function_expression"}
    | {"generator_function"}
)
_GROUPS: Final = frozenset({"array", "object", "pair", "unary_expression", "template_string"})
_PARTS: Final = frozenset({"property_identifier", "string_fragment", "escape_sequence", "comment", "method_definition"})


def is_still(node: Node) -> bool:
    """Whether a statement only defines, so that nobody notices when it is done."""
    kind = node.type
    if kind in _STILL:
        return True
    if kind == "export_statement":
        inner = node.child_by_field_name("declaration")
        return inner is not None and is_still(inner) and not any(each.type == "decorator" for each in node.children)
    if kind in {"lexical_declaration", "variable_declaration"}:
        return all(each.type == "comment" or _is_given(each) for each in node.named_children)
    return kind in {"class_declaration", "abstract_class_declaration"} and _is_still_class(node)


def _is_given(declarator: Node) -> bool:
    name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
    return name is not None and name.type == "identifier" and (value is None or is_still_value(value))


def is_still_value(node: Node) -> bool:
    """Whether a value stands there as it is, or is a function."""
    stack = [node]
    while stack:
        each = unwrapped(stack.pop())
        if each.type in _VALUES or each.type in _PARTS:
            continue
        if each.type not in _GROUPS or any(child.type == "computed_property_name" for child in each.named_children):
            return False
        stack.extend(each.named_children)
    return True


def _is_still_class(node: Node) -> bool:
    if any(each.type == "decorator" for each in node.children):
        return False
    heritage = next((each for each in node.named_children if each.type == "class_heritage"), None)
    if heritage is not None:
        clause = next((each for each in heritage.named_children if each.type == "extends_clause"), heritage)
        parent = clause.child_by_field_name("value") or clause.named_children[0]
        if clause is not heritage and clause.type != "implements_clause" and parent.type != "identifier":
            return False
        if clause is heritage and parent.type not in {"identifier", "implements_clause"}:
            return False
    body = node.child_by_field_name("body")
    return body is not None and all(map(_is_still_member, body.named_children))


def _is_still_member(member: Node) -> bool:
    if member.type in {"class_static_block", "decorator"}:
        return False
    if any(each.type in {"computed_property_name", "decorator"} for each in member.named_children):
        return False
    is_static = any(each.type == "static" for each in member.children)
    value = member.child_by_field_name("value")
    return not is_static or value is None or is_still_value(value)


def loaded(file: SourceFile) -> Iterator[tuple[Node, str, bool]]:
    """The statements that load another module when this one is: each with its path, and whether names are taken."""
    for node in file.tree.root_node.children:
        if node.type not in {"import_statement", "export_statement"} or is_of_types(node):
            continue
        source = node.child_by_field_name("source")
        said = file.string_value(source) if source is not None else None
        if said is not None:
            is_bare = node.type == "import_statement" and not any(
                each.type == "import_clause" for each in node.children
            )
            yield node, said, not is_bare


def is_of_types(node: Node) -> bool:
    """Whether an import or export says `type`, and so is gone when the program runs."""
    return any(each.type in {"type", "typeof"} for each in node.children)


class Loading:
    """The files of a project by what they load, with `more` edges that are not written yet."""

    def __init__(self, project: Project, more: Mapping[str, Iterable[str]] = {}) -> None:  # only read
        self._project = project
        self._more = {path: tuple(targets) for path, targets in more.items()}

    def targets(self, path: str) -> list[str]:
        """The project's files that one loads."""
        found = list(self._more.get(path, ()))
        if path in self._project.texts:
            for _, said, _ in loaded(self._project.open(path)):
                target = self._project.file(said, path)
                found += [target] if target is not None else []
        return found

    def closure(self, path: str) -> frozenset[str]:
        """All that loading a file loads, itself only if it is among that."""
        found: set[str] = set()
        stack = self.targets(path)
        while stack:
            each = stack.pop()
            if each not in found:
                found.add(each)
                stack.extend(self.targets(each))
        return frozenset(found)

    def before(self, path: str, byte: int) -> frozenset[str]:
        """All that the statements of a file that begin before `byte` load."""
        found: set[str] = set()
        for node, said, _ in loaded(self._project.open(path)):
            target = self._project.file(said, path)
            if node.start_byte < byte and target is not None:
                found |= {target, *self.closure(target)}
        return frozenset(found)

    def unrest(self, path: str, known: Iterable[str] = ()) -> str:
        """The first file, of this one and all that it loads, whose loading does something; "" when all are calm.

        Those `known` are loaded before anyway.
        """
        for each in sorted({path, *self.closure(path)} - set(known)):
            if each in self._project.texts and not self._is_calm(each):
                return each
        return ""

    def _is_calm(self, path: str) -> bool:
        file = self._project.open(path)
        for node, said, takes in loaded(file):
            is_file = said.startswith((".", "/"))
            if (not takes and not is_file) or (is_file and self._project.file(said, path) is None) or node is None:
                return False
        kept = (each for each in file.tree.root_node.children if each.is_named)
        return all(each.type == "import_statement" or _passes_on(each) or is_still(each) for each in kept)


def _passes_on(node: Node) -> bool:
    """Whether it only offers under some name what is there."""
    return node.type == "export_statement" and any(
        each.type in {"export_clause", "namespace_export", "*"} for each in node.children
    )
