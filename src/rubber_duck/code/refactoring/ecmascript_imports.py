"""Puts the imports of a JavaScript or TypeScript file in order: sorted, merged, without names that are never used.

Modules are loaded in the order of their imports. So only imports that stand together are sorted, and what is imported
for its effects stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.refactoring.refactored import Refactored, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_NAMES: Final = frozenset({"identifier", "type_identifier", "shorthand_property_identifier", "jsx_identifier"})
_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Name:
    """One name between the braces: its text as written, what it is called here, and whether it is only a type."""

    text: str
    local: str


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement. `is_plain`: default and names only, without comments or attributes, so that it can be
    written anew; the bytes [start, end) are its whole lines.
    """

    start: int
    end: int
    text: str
    module: str
    is_plain: bool
    is_type: bool = False
    default: str = ""
    space: str = ""
    names: tuple[Name, ...] = ()
    has_braces: bool = False

    @property
    def locals(self) -> tuple[str, ...]:
        """What it gives to the file."""
        return (*filter(None, (self.default, self.space)), *(name.local for name in self.names))


def organise(texts: Texts, path: str, config: str = "") -> Refactored:
    """The file with its imports in order; raises Refused where it does not parse.

    `config` is the text of the tsconfig.json that holds for it, which says whether TypeScript loads what is not used.
    """
    if path not in texts:
        raise InvalidInput(f"there is no file '{path}' in the project")
    content = texts[path].encode("utf-8", "surrogateescape")
    language = detect(path, content[:4000]) or ""
    file = open_source(path, content, language)
    if file.problems:
        raise Refused(f"'{path}' does not parse as a whole, so nothing is changed")
    used = _used(file)
    is_left_out = language == "typescript" and not _loads_unused(config)
    notes: list[str] = []
    after = content
    for block in reversed(list(_blocks(file))):
        kept = [
            each
            for each in (_without_unused(each, used, notes, is_left_out=is_left_out) for each in block)
            if each is not None
        ]
        ordered = sorted(_merged(kept), key=_place)
        if [each.module for each in ordered] != [each.module for each in _merged(kept)]:
            notes.append("modules are loaded in another order now: look at those whose loading changes something")
        newline = b"\r\n" if b"\r\n" in content else b"\n"
        lines = [each.text.encode("utf-8", "surrogateescape") + newline for each in ordered]
        after = after[: block[0].start] + b"".join(lines) + after[block[-1].end :]
    if open_source(path, after, language).problems:
        raise Refused("the file would not parse afterwards")
    return Refactored({path: after.decode("utf-8", "surrogateescape")}, tuple(dict.fromkeys(reversed(notes))))


def _used(file: SourceFile) -> frozenset[str] | None:
    """The names that the file uses outside of imports, mentions in comments too; None where that cannot be told."""
    found: set[str] = set()
    for node in _outside_imports(file.tree.root_node):
        if node.type == "with_statement" or (node.type == "call_expression" and _called(file, node) == "eval"):
            return None
        if node.type in _NAMES:
            found.add(file.text(node))
        elif node.type == "comment":
            found.update(re.findall(r"[\w$]+", file.text(node)))
        if node.type.startswith("jsx_"):
            found.add("React")  # what JSX becomes, where nothing else is said
    return frozenset(found)


def _outside_imports(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(child for child in node.named_children if child.type != "import_statement")


def _called(file: SourceFile, node: Node) -> str:
    first = node.child(0)
    return file.text(first) if first is not None else ""


def _blocks(file: SourceFile) -> Iterator[list[Import]]:
    """Imports on lines that follow each other, in source order; what has effects, or cannot be written anew, parts
    them."""
    block: list[Import] = []
    for node in file.tree.root_node.children:
        found = read_import(file, node) if node.type == "import_statement" else None
        if found is None or not found.locals:
            if block:
                yield block
            block = []
            continue
        if block and block[-1].end != found.start:
            yield block
            block = []
        block.append(found)
    if block:
        yield block


def read_import(file: SourceFile, node: Node) -> Import | None:
    """An import statement that has its lines for itself; None for others."""
    content = file.content
    start = content.rfind(b"\n", 0, node.start_byte) + 1
    newline = content.find(b"\n", node.end_byte)
    end = len(content) if newline < 0 else newline + 1
    if newline < 0 or content[start : node.start_byte].strip() or content[node.end_byte : end].strip():
        return None
    source = node.child_by_field_name("source")
    clause = next((each for each in node.children if each.type == "import_clause"), None)
    module = file.string_value(source) if source is not None else None
    if module is None or clause is None:
        return None
    found = Import(
        start,
        end,
        file.text(node),
        module,
        is_plain=not any(each.type in {"comment", "import_attribute"} for each in file.descendants(node)),
        is_type=any(each.type in {"type", "typeof"} for each in node.children),
    )
    for each in clause.named_children:
        if each.type == "identifier":
            found = replace(found, default=file.text(each))
        elif each.type == "namespace_import":
            found = replace(found, space=file.text(each.named_children[-1]))
        elif each.type == "named_imports":
            names = tuple(
                Name(" ".join(file.text(one).split()), file.text(one.named_children[-1]))
                for one in each.named_children
                if one.type == "import_specifier"
            )
            found = replace(found, names=names, has_braces=True)
    return found


def _without_unused(each: Import, used: frozenset[str] | None, notes: list[str], *, is_left_out: bool) -> Import | None:
    if used is None or not each.is_plain or used.issuperset(each.locals):
        return _in_order(each)
    kept = replace(
        each,
        default=each.default if each.default in used else "",
        space=each.space if each.space in used else "",
        names=tuple(name for name in each.names if name.local in used),
    )
    if kept.locals:
        return rendered(_in_order(kept))
    if each.is_type:
        return None
    if is_left_out:  # the compiler does so as well
        notes.append(f"nothing of '{each.module}' is used: TypeScript did not load it either")
        return None
    notes.append(f"nothing of '{each.module}' is used: it is still loaded, for what that does")
    quote = quote_of(each)
    return replace(each, text=f"import {quote}{each.module}{quote}{end_of(each)}", names=(), default="", space="")


def _loads_unused(config: str) -> bool:
    """Whether an import of which nothing is used is loaded for what that does; so too where that cannot be told.

    Source: the TypeScript handbook, `verbatimModuleSyntax` and the two options that it took the place of.
    """
    said = re.search(r'"verbatimModuleSyntax"\s*:\s*(true|false)', config)
    if said is not None:
        return said[1] == "true"
    return re.search(r'"(?:preserveValueImports"\s*:\s*true|importsNotUsedAsValues"|extends")', config) is not None


def _in_order(each: Import) -> Import:
    ordered = tuple(sorted(each.names, key=lambda name: (_sorted_by(name.text.removeprefix("type ")), name.text)))
    if not each.is_plain or ordered == each.names:
        return each
    return rendered(replace(each, names=ordered))


def _merged(block: Sequence[Import]) -> list[Import]:
    """Those of one module as one, where they can be: one default at the most, and no whole module beside names."""
    found: dict[tuple[str, bool], int] = {}
    out: list[Import] = []
    for each in block:
        key = (each.module, each.is_type)
        first = out[found[key]] if key in found else None
        can = first is not None and first.is_plain and each.is_plain and not first.space and not each.space
        if first is None or not can or (first.default and each.default) or _clash(first, each):
            found.setdefault(key, len(out))
            out.append(each)
            continue
        names = tuple(dict.fromkeys((*first.names, *each.names)))
        joined = replace(first, default=first.default or each.default, names=names, has_braces=bool(names))
        out[found[key]] = rendered(_in_order(joined))
    return out


def _clash(first: Import, second: Import) -> bool:
    """`import type D, { T }` is no TypeScript."""
    return first.is_type and bool(first.default or second.default)


def rendered(each: Import) -> Import:
    """An import with the text that its names make, in the style of the text that it had."""
    quote = quote_of(each)
    lead = "import type " if each.is_type else "import "
    tail = f" from {quote}{each.module}{quote}{end_of(each)}"
    before = ", ".join(filter(None, (each.default, f"* as {each.space}" if each.space else "")))
    if not each.names:
        return replace(each, text=f"{lead}{before}{tail}")
    before = f"{before}, " if before else ""
    listed = ", ".join(name.text for name in each.names)
    spaced = "" if re.search(r"\{\S", each.text) and "\n" not in each.text else " "
    line = f"{lead}{before}{{{spaced}{listed}{spaced}}}{tail}"
    if "\n" not in each.text and len(line) <= _WIDTH:
        return replace(each, text=line)
    found = re.search(r"\n([ \t]+)\S", each.text)
    indent = found[1] if found else "  "
    newline = "\r\n" if "\r\n" in each.text else "\n"
    rows = "".join(f"{newline}{indent}{name.text}," for name in each.names)
    if found and not re.search(r",\s*\}", each.text):
        rows = rows.removesuffix(",")
    return replace(each, text=f"{lead}{before}{{{rows}{newline}}}{tail}")


def quote_of(each: Import) -> str:
    """The quotes around its module."""
    return '"' if re.search(r'"[^"]*"\s*;?\s*$', each.text) else "'"


def end_of(each: Import) -> str:
    """The semicolon at its end, if it has one."""
    return ";" if each.text.rstrip().endswith(";") else ""


def _place(each: Import) -> tuple[int, str, str, bool]:
    """Packages first, then what lies above, then what lies beside; by name."""
    group = 0 if not each.module.startswith(".") else 1 if each.module.startswith("..") else 2
    return group, _sorted_by(each.module), each.module, each.is_type


def _sorted_by(text: str) -> str:
    return text.casefold()
