"""Renames in JavaScript and TypeScript what is declared once in its file, and follows it through relative imports.

A file qualifies when it declares the name in one place only: then whatever else is called so in that declaration's
scope is the same thing, and no scope has to be resolved. Everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.language import family
from rubber_duck.code.modules import PathModules
from rubber_duck.code.refactoring.declarations import declares, is_exported, is_markup, scope
from rubber_duck.code.refactoring.ecmascript_whole import (
    LOADS_BY_VALUE,
    loaded_by_value,
    path_in,
    refuse_through_whole,
)
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts, places
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_NAMES: Final = frozenset(
    {"identifier", "type_identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"}
)
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
_MODULE: Final = re.compile(r"\b(?:import|export)\b|\brequire\s*\(|\bexports\b")
"""What a file that is no classic script says somewhere."""

_RESERVED: Final = frozenset(
    {"await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"}
    | {"enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in", "new"}
    | {"instanceof", "interface", "let", "null", "package", "private", "protected", "public", "return", "static"}
    | {"super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield", "eval"}
    | {"arguments", "undefined"}
)


def rename(texts: Texts, spot: Spot, new: str) -> Refactored:
    """The project with what stands at `spot` called `new`; raises Refused and InvalidInput."""
    require_name(new)
    project = Project(texts)
    if spot.path not in project.texts:
        raise InvalidInput(f"there is no JavaScript or TypeScript file '{spot.path}' in the project")
    old = project.name_at(spot)
    if old == new:
        raise InvalidInput(f"it is called {new!r} already")
    return _Renaming(project, old, new).run(spot.path)


def require_name(name: str) -> None:
    """Raise InvalidInput for what is no name in JavaScript, or a word that it keeps for itself."""
    if not _WORD.fullmatch(name) or name in _RESERVED:
        raise InvalidInput(f"{name!r} is no name that code may use")


def refuse_shared_name(texts: Texts, path: str, name: str) -> None:
    """Raise Refused where `path` is a classic script and another file says the name: scripts of a page share theirs."""
    if _MODULE.search(texts[path]):
        return
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    others = [other for other, text in texts.items() if other != path and word.search(text)]
    if others:
        raise Refused(f"'{path}' is a script, and those share their names: '{others[0]}' says {name!r} too")


class Project:
    """The JavaScript and TypeScript files of a project, each parsed when it is asked for."""

    def __init__(self, texts: Texts) -> None:
        self.languages = {path: detect(path, text[:4000].encode("utf-8", "replace")) for path, text in texts.items()}
        known = {path for path, language in self.languages.items() if language and family(language) == "ecmascript"}
        self.texts = {path: text for path, text in texts.items() if path in known}
        self._modules = PathModules(self.texts)
        self._opened: dict[str, SourceFile] = {}

    def open(self, path: str) -> SourceFile:
        """The parsed file; raises Refused where it does not parse."""
        if path not in self._opened:
            content = self.texts[path].encode("utf-8", "surrogateescape")
            file = open_source(path, content, self.languages[path] or "")
            if file.problems:
                raise Refused(f"'{path}' does not parse as a whole, so nothing is changed")
            self._opened[path] = file
        return self._opened[path]

    def mentioning(self, name: str) -> Iterator[str]:
        """The files that say a name, in order."""
        word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        return (path for path in sorted(self.texts) if word.search(self.texts[path]))

    def file(self, said: str, importer: str) -> str | None:
        """The file that `importer` means by a relative path; None for packages and for what is not there."""
        return self._modules.file(said, importer) if said.startswith((".", "/")) else None

    def name_at(self, spot: Spot) -> str:
        """The name that stands at a place; raises InvalidInput."""
        file = self.open(spot.path)
        for node in file.descendants(file.tree.root_node):
            line, column = file.position(node.start_byte)
            if node.type in _NAMES and line == spot.line:
                width = len(file.text(node))
                if (not spot.column and declares(node)) or column <= spot.column <= column + width:
                    return file.text(node)
        raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column} that can be renamed here")


@dataclass(slots=True)
class _File:
    """The names in one file that are called so: where it is declared, and everything else."""

    file: SourceFile
    declared: list[Node] = field(default_factory=list)
    others: list[Node] = field(default_factory=list)


class _Renaming:
    def __init__(self, project: Project, old: str, new: str) -> None:
        self.project = project
        self.old = old
        self.new = new
        self.changes: dict[str, dict[tuple[int, int], str]] = {}
        self.notes: list[str] = []
        self.offered: list[str] = []
        self.local: set[str] = set()

    def run(self, path: str) -> Refactored:
        source = self._taken_from(path)
        hops = 0
        while source is not None and hops < 20:
            path, source, hops = source, self._taken_from(source), hops + 1
        self._rename_in(path)
        for offering in self.offered:
            self._follow(offering)
        if self.offered:
            self.notes.append(f"{self.old!r} is exported: who uses it from outside the project has to follow")
        texts = {}
        for changed, splices in self.changes.items():
            content = self.project.texts[changed].encode("utf-8", "surrogateescape")
            for (start, end), text in sorted(splices.items(), reverse=True):
                content = content[:start] + text.encode() + content[end:]
            if open_source(changed, content, self.project.languages[changed] or "").problems:
                raise Refused(f"'{changed}' would not parse afterwards")
            texts[changed] = content.decode("utf-8", "surrogateescape")
        return Refactored(texts, tuple(self.notes))

    def _taken_from(self, path: str) -> str | None:
        """The file that `path` imports the name from, without giving it another."""
        file = self.project.open(path)
        for node in self._named(file):
            parent = node.parent
            if parent is not None and parent.type == "import_specifier":
                if parent.named_child_count > 1:
                    raise Refused(f"{self.old!r} is another name of something that is imported: rename it where it is")
                said = _module_of(file, parent)
                found = self.project.file(said, path)
                if found is None:
                    raise Refused(f"{self.old!r} comes from '{said}', which is no file of the project by a path")
                return found
        return None

    def _named(self, file: SourceFile, *, name: str = "") -> Iterator[Node]:
        wanted = (name or self.old).encode()
        for node in file.descendants(file.tree.root_node):
            if node.type in _NAMES and file.content[node.start_byte : node.end_byte] == wanted:
                yield node

    def _rename_in(self, path: str) -> None:
        """Rename what the file declares, or imports, under the name."""
        if path in self.local:
            return
        self.local.add(path)
        self._refuse_declared_elsewhere(path)
        file = self.project.open(path)
        self._refuse_dynamic(path, file)
        found = _File(file)
        for node in self._named(file):
            if not is_markup(node, self.old):
                (found.declared if declares(node) else found.others).append(node)
        if len(found.declared) != 1:
            count = len(found.declared) or "nowhere"
            raise Refused(f"'{path}' declares {self.old!r} {count} times: only what is declared once can be told apart")
        (declared,) = found.declared
        if next(self._named(file, name=self.new), None) is not None:
            raise Refused(f"{self.new!r} is used in '{path}' already")
        known_in = scope(declared)
        for node in found.others:
            if not (known_in.start_byte <= node.start_byte and node.end_byte <= known_in.end_byte):
                line, _ = file.position(node.start_byte)
                raise Refused(f"line {line} of '{path}' uses another {self.old!r}, from outside")
        is_component = any(each.parent is not None and each.parent.type.startswith("jsx") for each in found.others)
        if is_component and self.new[:1].islower():
            raise Refused(f"{self.old!r} is used as an element, which must begin with a capital letter")
        splices = self.changes.setdefault(path, {})
        for node in (*found.declared, *found.others):
            self._splice(path, node, splices)
        if is_exported(declared):
            self._offer(path)
        elif known_in.type == "program" and not _MODULE.search(self.project.texts[path]):
            refuse_shared_name(self.project.texts, path, self.old)
            self.notes.append(f"'{path}' is a script: pages that load it may use {self.old!r}")

    def _splice(self, path: str, node: Node, splices: dict[tuple[int, int], str]) -> None:
        parent = node.parent
        new = self.new
        if node.type.startswith("shorthand_property_identifier"):
            new = f"{self.old}: {self.new}"
        elif parent is not None and parent.type == "export_specifier":
            if parent.named_child_count == 1:
                self._offer(path)
            elif parent.named_children[0].id != node.id:
                return  # the name under which something else is offered
        splices[node.start_byte, node.end_byte] = new

    def _offer(self, path: str) -> None:
        if path not in self.offered:
            self.offered.append(path)

    def _follow(self, offering: str) -> None:
        for path in list(self.project.texts):
            if path == offering:
                continue
            text = self.project.texts[path]
            stem = offering.rpartition("/")[2].partition(".")[0]
            folder = offering.rpartition("/")[0].rpartition("/")[2]
            might = self.old in text or (stem in text if stem != "index" else "./" in text or folder in text)
            if LOADS_BY_VALUE.search(text):
                self._look_at_loads(path, offering)
            if might and ("import" in text or "export" in text or "require" in text):
                self._follow_in(path, offering)

    def _look_at_loads(self, path: str, offering: str) -> None:
        """A file that loads others by paths that it works out may take the name from what comes."""
        lines = loaded_by_value(self.project.open(path), offering)
        if lines and self.old in self.project.texts[path]:
            raise Refused(f"line {lines[0]} of '{path}' may load '{offering}', and the file says {self.old!r}")
        if lines:
            self.notes.append(
                f"line {lines[0]} of '{path}' loads what it works out: it may take {self.old!r} from there"
            )

    def _follow_in(self, path: str, offering: str) -> None:
        file = self.project.open(path)
        for node in file.descendants(file.tree.root_node):
            if node.type in {"import_statement", "export_statement"}:
                source = node.child_by_field_name("source")
                said = file.string_value(source) if source is not None else None
                if said is None:
                    continue
                found = self.project.file(said, path)
                names = [each for each in file.descendants(node) if each.type.endswith("_specifier")]
                taken = [each for each in names if file.text(each.named_children[0]) == self.old]
                if found == offering:
                    self._follow_statement(path, file, node, taken)
                elif found is None and taken and not said.startswith("node:"):
                    raise Refused(f"'{path}' takes {self.old!r} from '{said}', which may be '{offering}'")
            elif node.type == "call_expression" and _called(file, node) in {"require", "import"}:
                said = path_in(file, node)
                if said is not None and self.project.file(said, path) == offering:
                    raise Refused(f"'{path}' loads '{offering}' as a whole, so what it takes from it cannot be told")

    def _follow_statement(self, path: str, file: SourceFile, node: Node, taken: list[Node]) -> None:
        kinds = {each.type for each in file.descendants(node)}
        if "namespace_import" in kinds or "namespace_export" in kinds:
            refuse_through_whole(file, node, self.old)
            return
        is_star = node.type == "export_statement" and not any(each.type == "export_clause" for each in node.children)
        if is_star:
            if next(self._named(file, name=self.new), None) is not None:
                raise Refused(f"{self.new!r} is used in '{path}' already")
            self._offer(path)
            return
        for specifier in taken:
            name = specifier.named_children[0]
            if specifier.named_child_count > 1:
                self.changes.setdefault(path, {})[name.start_byte, name.end_byte] = self.new
            elif specifier.type == "export_specifier":
                self.changes.setdefault(path, {})[name.start_byte, name.end_byte] = self.new
                self._offer(path)
            else:
                self._rename_in(path)

    def _refuse_declared_elsewhere(self, path: str) -> None:
        """A declaration file and the code that it declares have to agree, and nothing says that they do."""
        stem = path.rpartition(".")[0]
        if stem.endswith(".d"):
            raise Refused(f"'{path}' only declares what other code defines")
        for beside in (f"{stem}.d.ts", f"{stem}.d.mts", f"{stem}.d.cts"):
            if self.old in self.project.texts.get(beside, ""):
                raise Refused(f"'{beside}' declares what '{path}' defines, and would have to agree")

    def _refuse_dynamic(self, path: str, file: SourceFile) -> None:
        found = []
        for node in file.descendants(file.tree.root_node):
            is_eval = node.type == "call_expression" and _called(file, node) == "eval"
            if node.type == "with_statement" or is_eval:
                found.append(Spot(path, file.position(node.start_byte)[0]))
        if found:
            raise Refused(f"code that is made at run time may use {self.old!r}: {places(found)}")


def _called(file: SourceFile, node: Node) -> str:
    first = node.child(0)
    return file.text(first) if first is not None else ""


def _module_of(file: SourceFile, node: Node) -> str:
    at: Node | None = node
    while at is not None and at.type != "import_statement":
        at = at.parent
    source = at.child_by_field_name("source") if at is not None else None
    return (file.string_value(source) or "") if source is not None else ""
