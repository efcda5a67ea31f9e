"""The files that take a name from a JavaScript module, and their imports without it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rubber_duck.code.refactoring.ecmascript import Project
from rubber_duck.code.refactoring.ecmascript_imports import Import, Name, end_of, quote_of, read_import, rendered
from rubber_duck.code.refactoring.ecmascript_whole import LOADS_BY_VALUE, loaded_by_value, refuse_through_whole
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile


@dataclass(frozen=True, slots=True)
class Taking:
    """A statement by which a file takes a name: of the module `said`, as `words`, e.g. `x`, `x as y`, `type x`.

    `lead` is `import`, `import type`, `export` or `export type`; the bytes [start, end) are its whole lines, `rest` is
    what is left of it without the name, "" for nothing.
    """

    path: str
    said: str
    lead: str
    words: tuple[str, ...]
    start: int
    end: int
    rest: str
    quote: str
    ends: str


def takings(project: Project, of: str, name: str) -> list[Taking]:
    """Every statement that takes `name` from the file `of`; raises Refused where somebody may take it unseen."""
    found: list[Taking] = []
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    stem = of.rpartition("/")[2].partition(".")[0]
    for path, text in sorted(project.texts.items()):
        is_near = stem in text if stem != "index" else "./" in text or "'.'" in text or '".."' in text
        if path != of and word.search(text) and LOADS_BY_VALUE.search(text):
            _refuse_loads(project, path, of, name)
        if path != of and (is_near or word.search(text)):
            found += _in_file(project, path, of, name)
    return found


def _refuse_loads(project: Project, path: str, of: str, name: str) -> None:
    lines = loaded_by_value(project.open(path), of)
    if lines:
        raise Refused(f"line {lines[0]} of '{path}' may load '{of}', and the file says {name!r}")


def _in_file(project: Project, path: str, of: str, name: str) -> Iterator[Taking]:
    file = project.open(path)
    sources: set[int] = set()
    for node in file.tree.root_node.children:
        source = node.child_by_field_name("source")
        said = file.string_value(source) if source is not None else None
        if source is None or said is None or node.type not in {"import_statement", "export_statement"}:
            continue
        sources.add(source.id)
        names = [each for each in file.descendants(node) if each.type.endswith("_specifier")]
        taken = [each for each in names if file.text(each.named_children[0]) == name]
        target = project.file(said, path)
        if target == of:
            yield from _of_statement(file, node, said, name, taken)
        elif target is None and taken and said.startswith((".", "/", "@/", "~/", "#")):
            raise Refused(f"'{path}' takes {name!r} from '{said}', which may be '{of}'")
    refuse_in_texts(project, file, of, sources)


def refuse_in_texts(project: Project, file: SourceFile, of: str, sources: Collection[int] = ()) -> None:
    """Raise Refused where a text beside the imports leads to the file: `require`, `import()`, or a test's double."""
    for node in file.descendants(file.tree.root_node):
        if node.type == "string" and node.id not in sources:
            said = file.string_value(node) or ""
            if said.startswith(".") and project.file(said, file.path) == of:
                line, _ = file.position(node.start_byte)
                raise Refused(f"'{file.path}' says '{said}' in line {line}, so what it takes from there cannot be told")


def _of_statement(file: SourceFile, node: Node, said: str, name: str, taken: list[Node]) -> Iterator[Taking]:
    kinds = {each.type for each in file.descendants(node)}
    if "namespace_import" in kinds or "namespace_export" in kinds:
        refuse_through_whole(file, node, name)
        return
    if node.type == "export_statement" and "export_clause" not in kinds:
        raise Refused(f"'{file.path}' passes on all that '{said}' exports")
    if taken:
        found = without(file, node, [each.id for each in taken])
        words = tuple(" ".join(file.text(each).split()) for each in taken)
        is_type = any(each.type in {"type", "typeof"} for each in node.children)
        lead = f"{'import' if node.type == 'import_statement' else 'export'}{' type' if is_type else ''}"
        quote, ends = quote_of(found), end_of(found)
        is_empty = not found.locals
        yield Taking(file.path, said, lead, words, found.start, found.end, "" if is_empty else found.text, quote, ends)


def without(file: SourceFile, node: Node, dropped: Collection[int]) -> Import:
    """An import, or an export of another module's names, without some of its names; raises Refused for odd ones."""
    read = read_import(file, node) if node.type == "import_statement" else _read_export(file, node)
    if read is None or not read.is_plain:
        line, _ = file.position(node.start_byte)
        raise Refused(f"'{file.path}' has words in the import in line {line}, or beside it, which would be lost")
    specifiers = [each for each in file.descendants(node) if each.type.endswith("_specifier")]
    kept = tuple(one for one, each in zip(read.names, specifiers, strict=True) if each.id not in dropped)
    clause = next((each for each in node.children if each.type == "import_clause"), None)
    named = clause.named_children if clause is not None else []
    default = "" if any(each.id in dropped for each in named if each.type == "identifier") else read.default
    space = "" if any(each.id in dropped for each in named if each.type == "namespace_import") else read.space
    left = replace(read, names=kept, default=default, space=space)
    if left.locals == read.locals or not left.locals:
        return left
    if node.type == "import_statement":
        return rendered(left)
    listed = ", ".join(each.text for each in kept)
    return replace(left, text=re.sub(r"\{[^}]*\}", lambda _: f"{{ {listed} }}", left.text, count=1))


def _read_export(file: SourceFile, node: Node) -> Import | None:
    """`export { x } from './a'` read as an import of those names."""
    content = file.content
    start = content.rfind(b"\n", 0, node.start_byte) + 1
    newline = content.find(b"\n", node.end_byte)
    end = len(content) if newline < 0 else newline + 1
    if content[start : node.start_byte].strip() or content[node.end_byte : end].strip():
        return None
    text = file.text(node)
    is_plain = not any(each.type == "comment" for each in file.descendants(node))
    specifiers = [each for each in file.descendants(node) if each.type == "export_specifier"]
    names = tuple(_name(file, each) for each in specifiers)
    return Import(start, end, text, "", is_plain, names=names)


def _name(file: SourceFile, specifier: Node) -> Name:
    return Name(" ".join(file.text(specifier).split()), file.text(specifier.named_children[-1]))
