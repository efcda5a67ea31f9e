"""What a JavaScript or TypeScript file takes from other files and offers to them."""

from __future__ import annotations

from collections.abc import Iterator

from rubber_duck.code.ecmascript.bindings import bound_names
from rubber_duck.code.source import Node
from rubber_duck.code.symbols import Export, ImportEdge, ImportedName


def text(node: Node | None, content: bytes) -> str:
    """The source text of `node`, or nothing."""
    return content[node.start_byte : node.end_byte].decode("utf-8", "replace") if node is not None else ""


def unquoted(node: Node | None, content: bytes) -> str:
    """The text of a plain string without its quotes, of anything else as it is."""
    written = text(node, content)
    return written[1:-1] if written[:1] in {'"', "'", "`"} else written


def import_edge(node: Node, content: bytes, *, is_conditional: bool) -> ImportEdge | None:
    """The edge of an `import` statement, `import x = require(…)` included."""
    line = node.start_point.row + 1
    source = node.child_by_field_name("source")
    alias = ""
    names: list[ImportedName] = []
    form = "import"
    for child in node.named_children:
        if child.type == "import_require_clause":
            form = "require"
            source = child.child_by_field_name("source")
            alias = text(child.named_child(0), content)
        elif child.type == "import_clause":
            for part in child.named_children:
                if part.type == "identifier":
                    names.append(ImportedName("default", text(part, content)))
                elif part.type == "namespace_import":
                    alias = text(part.named_child(0) if part.named_child_count else None, content)
                elif part.type == "named_imports":
                    names.extend(_specifiers(part, content))
    if source is None:
        return None
    is_type = any(child.type == "type" for child in node.children[:2])
    return ImportEdge(
        unquoted(source, content), line, form, tuple(names), alias, is_conditional=is_conditional, is_type=is_type
    )


def call_edge(call: Node, parent: Node | None, content: bytes, *, is_conditional: bool) -> ImportEdge | None:
    """The edge of `require("x")` or `import("x")`; None when the argument is no plain string."""
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    first = arguments.named_child(0) if arguments is not None and arguments.named_child_count else None
    if function is None or first is None or first.type not in {"string", "template_string"}:
        return None
    if first.type == "template_string" and first.named_child_count:
        return None
    form = "dynamic" if function.type == "import" else "require"
    alias = ""
    names: tuple[ImportedName, ...] = ()
    if parent is not None and parent.type == "variable_declarator":
        pattern = parent.child_by_field_name("name")
        if pattern is not None and pattern.type == "identifier":
            alias = text(pattern, content)
        elif pattern is not None and pattern.type == "object_pattern":
            names = tuple(_taken(pattern, content))
    line = call.start_point.row + 1
    return ImportEdge(unquoted(first, content), line, form, names, alias, is_conditional=is_conditional)


def reexport_edge(node: Node, content: bytes) -> ImportEdge | None:
    """The edge of `export … from "x"`."""
    source = node.child_by_field_name("source")
    if source is None:
        return None
    names: list[ImportedName] = []
    for child in node.children:
        if child.type == "*":
            names.append(ImportedName("*"))
        elif child.type == "namespace_export":
            names.append(ImportedName("*", text(child.named_children[-1], content)))
        elif child.type == "export_clause":
            names.extend(_specifiers(child, content))
    is_type = any(child.type == "type" for child in node.children[:2])
    line = node.start_point.row + 1
    return ImportEdge(unquoted(source, content), line, "reexport", tuple(names), is_type=is_type)


def exports(node: Node, content: bytes) -> Iterator[Export]:
    """What one `export` statement offers."""
    line = node.start_point.row + 1
    module = unquoted(node.child_by_field_name("source"), content)
    declaration = node.child_by_field_name("declaration")
    words = {child.type for child in node.children if not child.is_named}
    if declaration is not None:
        for local in _declared(declaration, content):
            yield Export("default" if "default" in words else local, line, local)
        return
    if "default" in words:
        value = node.child_by_field_name("value")
        name = value if value is not None and value.type == "identifier" else None
        yield Export("default", line, text(name, content))
    for child in node.children:
        if child.type == "*":
            yield Export("*", line, module=module)
        elif child.type == "namespace_export":
            yield Export(text(child.named_children[-1], content), line, "*", module)
        elif child.type == "export_clause":
            for taken in _specifiers(child, content):
                yield Export(taken.alias or taken.name, line, taken.name, module)
        elif "=" in words and child.type == "identifier":
            yield Export("=", line, text(child, content))


def assigned_exports(left: Node, right: Node | None, content: bytes) -> Iterator[Export]:
    """What `module.exports = …` and `exports.x = …` offer."""
    line = left.start_point.row + 1
    path = text(left, content).split(".")
    if path[0] == "module":
        path = path[1:]
    if path[:1] != ["exports"] or len(path) > 2 or right is None:
        return
    local = text(right, content) if right.type == "identifier" else ""
    if len(path) == 2:
        yield Export(path[1], line, local)
    elif right.type != "object":
        yield Export("=", line, local)
    else:
        for child in right.named_children:
            if child.type == "shorthand_property_identifier":
                yield Export(text(child, content), line, text(child, content))
            elif child.type in {"pair", "method_definition"}:
                key = child.child_by_field_name("key") or child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                local = text(value, content) if value is not None and value.type == "identifier" else ""
                yield Export(unquoted(key, content), line, local)


def _specifiers(clause: Node, content: bytes) -> Iterator[ImportedName]:
    for child in clause.named_children:
        if child.type in {"import_specifier", "export_specifier"}:
            name = unquoted(child.child_by_field_name("name"), content)
            yield ImportedName(name, unquoted(child.child_by_field_name("alias"), content))


def _taken(pattern: Node, content: bytes) -> Iterator[ImportedName]:
    for child in pattern.named_children:
        if child.type == "shorthand_property_identifier_pattern":
            yield ImportedName(text(child, content))
        elif child.type == "pair_pattern":
            value = child.child_by_field_name("value")
            alias = text(value, content) if value is not None and value.type == "identifier" else ""
            yield ImportedName(unquoted(child.child_by_field_name("key"), content), alias)


def _declared(declaration: Node, content: bytes) -> Iterator[str]:
    if declaration.type in {"lexical_declaration", "variable_declaration"}:
        for declarator in declaration.named_children:
            pattern = declarator.child_by_field_name("name")
            if pattern is not None:
                for name in bound_names(pattern):
                    yield text(name, content)
        return
    if declaration.type == "ambient_declaration" and declaration.named_child_count:
        yield from _declared(declaration.named_children[-1], content)
        return
    yield text(declaration.child_by_field_name("name"), content)
