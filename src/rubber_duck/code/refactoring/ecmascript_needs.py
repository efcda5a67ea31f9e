"""What a definition at the top of a JavaScript module takes from its file, as another file would import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript import Project
from rubber_duck.code.refactoring.ecmascript_paths import from_elsewhere, habit, said_from
from rubber_duck.code.refactoring.ecmascript_scopes import Binding, Scopes
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

MOVABLE: Final = frozenset({"function", "class", "const", "type"})
"""The kinds of bindings that are defined by a statement of their own."""

_OF_A_FILE: Final = frozenset({"require", "module", "exports", "__dirname", "__filename"})


@dataclass(frozen=True, slots=True)
class Need:
    """A name that what moves takes: where from (`said` by the new file), in which `words` of an import, as `local`."""

    said: str
    words: str
    local: str
    is_type: bool = False
    target: str | None = None


def needs_of(project: Project, scopes: Scopes, found: Binding, statement: Node, to: str) -> list[Need]:
    """What the definition of `found` takes from its file, as the file `to` imports it; raises Refused."""
    return _Needs(project, scopes, found, statement, to).all()


class _Needs:
    def __init__(self, project: Project, scopes: Scopes, found: Binding, statement: Node, to: str) -> None:
        self.project = project
        self.file = scopes.file
        self.scopes = scopes
        self.found = found
        self.statement = statement
        self.to = to

    def _is_inside(self, node: Node) -> bool:
        return self.statement.start_byte <= node.start_byte and node.end_byte <= self.statement.end_byte

    def all(self) -> list[Need]:
        """What the definition takes from its file, as the new file imports it."""
        needs: dict[str, Need | None] = {}
        for node in self.file.descendants(self.statement):
            text = self.file.text(node) if node.type in {"identifier", "meta_property", "import"} else ""
            if text in _OF_A_FILE or node.type in {"meta_property", "import"}:
                raise Refused(f"{self.found.name!r} uses {text!r}, which belongs to its file")
            found = self.scopes.of(node)
            if found is not None and found.is_top and found is not self.found and found.name not in needs:
                needs[found.name] = self._one(found)
        return [each for each in needs.values() if each is not None]

    def _one(self, found: Binding) -> Need | None:
        if any(self._is_inside(each) for each in found.written):
            raise Refused(f"{self.found.name!r} gives {found.name!r} a value, which only its own file may")
        declared = found.declared[0]
        at: Node = declared
        while at.parent is not None and at.parent.type != "program":
            at = at.parent
        is_type = any(each.type in {"type", "typeof"} for each in at.children) or found.kind == "type"
        if found.kind != "import":
            if at.type != "export_statement" or len(found.declared) != 1 or found.kind not in MOVABLE | {"let"}:
                raise Refused(f"{self.found.name!r} uses {found.name!r}, which '{self.file.path}' does not export")
            if any(each.type == "default" for each in at.children):
                raise Refused(f"{self.found.name!r} uses {found.name!r}, which is the default of its file")
            said = said_from(self.to, self.file.path, like=habit(self.project.texts, self.file.path))
            return Need(said, found.name, found.name, is_type, self.file.path)
        source = at.child_by_field_name("source")
        imported = self.file.string_value(source) if source is not None else None
        around = declared.parent
        if (
            imported is None
            or around is None
            or any(each.type == "import_attribute" for each in self.file.descendants(at))
        ):
            raise Refused(f"{found.name!r} is imported in a way of its own")
        words = {"import_specifier": self.file.text(around), "namespace_import": f"* as {found.name}"}
        target = self.project.file(imported, self.file.path)
        if imported.startswith(".") and target is None:
            raise Refused(f"{found.name!r} is imported from '{imported}', which is no file of the project's code")
        if target == self.to:
            known = Scopes(self.project.open(self.to)).top(found.name)
            if around.type != "import_specifier" or len(around.named_children) > 1 or known is None:
                raise Refused(f"{self.found.name!r} uses {found.name!r}, which '{self.to}' calls otherwise")
            return None
        there = from_elsewhere(imported, self.file.path, self.to)
        return Need(there, words.get(around.type, f"default as {found.name}"), found.name, is_type, target)


def is_there(project: Project, scopes: Scopes | None, need: Need, path: str) -> bool:
    """Whether the file imports just that already."""
    known = scopes.top(need.local) if scopes is not None else None
    at = known.declared[0] if known is not None and known.kind == "import" else None
    around = at.parent if at is not None else None
    while at is not None and at.type != "import_statement":
        at = at.parent
    if at is None or around is None:
        return False
    file = project.open(path)
    source = at.child_by_field_name("source")
    said = file.string_value(source) if source is not None else None
    if said is None or around is None or need.is_type != any(each.type == "type" for each in at.children):
        return False
    words = {"import_specifier": file.text(around), "namespace_import": f"* as {need.local}"}
    is_same = words.get(around.type, f"default as {need.local}") == need.words
    target = project.file(said, path)
    return is_same and (target == need.target if target is not None else said == need.said)
