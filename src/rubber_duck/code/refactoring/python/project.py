"""The Python files of a project for a refactoring: parsed when needed, and what names in them mean across files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst
from libcst.helpers import get_absolute_module_for_import, get_full_name_for_node
from libcst.metadata import ClassScope, GlobalScope, ImportAssignment, Scope

from rubber_duck.code.modules import PythonModules
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.refactored import Texts
from rubber_duck.errors import Refused

_DEEPEST = 12
_STAR = re.compile(r"\bimport\s*\*")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an expression means: the module `module` (dotted) when `name` is empty, or what a file calls `name`.

    `path` is the file, None when it lies outside the project, or is only a folder.
    """

    path: str | None
    name: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A name in one scope of one file."""

    path: str
    scope: Scope
    name: str


class Project:
    """Python files by path, relative to the project."""

    def __init__(self, texts: Texts) -> None:
        self.texts = {path: text for path, text in texts.items() if path.endswith((".py", ".pyi"))}
        self.other = {path: text for path, text in texts.items() if path not in self.texts}
        self._modules = PythonModules(self.texts)
        self.module = lru_cache(maxsize=None)(self._parse)
        self._paths_mentioning = lru_cache(maxsize=None)(self._find)

    def mentioning(self, name: str) -> Iterator[Module]:
        """The files in whose text the name stands as a word."""
        return map(self.module, self._paths_mentioning(name))

    def _find(self, name: str) -> tuple[str, ...]:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        likely = (path for path, text in self.texts.items() if name in text)  # ten times as fast as the pattern
        return tuple(sorted(path for path in likely if word.search(self.texts[path])))

    def taking_all(self) -> Iterator[Module]:
        """The files that take everything from another by a star."""
        return (self.module(path) for path in sorted(self.texts) if _STAR.search(self.texts[path]))

    def file(self, dotted: str, importer: str) -> str | None:
        """The file of a module, as `importer` would import it."""
        return self._modules.file(dotted, importer)

    def dotted(self, path: str) -> str:
        """The module's name from the project's folder, with which relative imports are reckoned."""
        name = path.rpartition(".")[0].replace("/", ".")
        return name.removesuffix(".__init__").removesuffix("__init__")

    def source_of(self, module: Module, node: cst.ImportFrom) -> str | None:
        """The dotted name of the module that a from-import takes from; None when it leads out of the project."""
        if not node.relative:
            return get_full_name_for_node(node.module) if node.module is not None else None
        is_package = module.path.rpartition("/")[2].startswith("__init__.")
        own = self.dotted(module.path)
        return get_absolute_module_for_import(f"{own}.x" if is_package else own, node)

    def meaning(self, module: Module, node: cst.CSTNode) -> Meaning | None:
        """What a name or a chain of attributes means, where only one thing comes into question; None otherwise."""
        if isinstance(node, cst.Name):
            scope = module.scope(node)
            return None if scope is None else self.named(module, scope, node.value)
        if isinstance(node, cst.Attribute):
            before = self.meaning(module, node.value)
            if before is None or before.name or (before.path is None and not before.module):
                return None if before is None or before.path is not None else Meaning(None, node.attr.value)
            return self.member(module, before, node.attr.value)
        return None

    def member(self, module: Module, of: Meaning, name: str) -> Meaning:
        """What the module `of` calls `name`."""
        inner = self.file(f"{of.module}.{name}", module.path)
        if of.path is not None and (inner is None or defines(self.module(of.path), name)):
            return self.origin(of.path, name)
        return Meaning(inner, "", f"{of.module}.{name}")

    def named(self, module: Module, scope: Scope, name: str) -> Meaning | None:
        """What `name` means in a scope."""
        owner = owner_of(module, scope, name)
        if owner is None:
            return Meaning(None, name)
        assignments = owner.assignments[name]
        imported = [each for each in assignments if isinstance(each, ImportAssignment)]
        if assignments and len(imported) == len(assignments):
            meanings = {self._imported(module, each.node, name) for each in imported}
            return meanings.pop() if len(meanings) == 1 else None
        return Meaning(module.path, name) if isinstance(owner, GlobalScope) and not imported else None

    def origin(self, path: str, name: str) -> Meaning:
        """Where what `path` calls `name` comes from, through files that only pass it on."""
        for _ in range(_DEEPEST):
            module = self.module(path)
            top = module.scopes[module.tree]
            if top is None or name not in top.assignments:
                return Meaning(path, name)
            found = self.named(module, top, name)
            if found is None or found.path is None or not found.name or (found.path, found.name) == (path, name):
                return found or Meaning(path, name)
            path, name = found.path, found.name
        raise Refused(f"{name!r} is passed on in a circle of imports")

    def _imported(self, module: Module, node: cst.CSTNode, name: str) -> Meaning | None:
        if isinstance(node, cst.Import):
            for alias in node.names:
                dotted = get_full_name_for_node(alias.name) or ""
                if alias.asname is not None and get_full_name_for_node(alias.asname.name) == name:
                    return Meaning(self.file(dotted, module.path), "", dotted)
                if alias.asname is None and dotted.partition(".")[0] == name:
                    return Meaning(self.file(name, module.path), "", name)
        if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
            source = self.source_of(module, node)
            for alias in node.names:
                local = alias.asname.name if alias.asname is not None else alias.name
                if get_full_name_for_node(local) == name and source is not None:
                    taken = get_full_name_for_node(alias.name) or ""
                    path = self.file(source, module.path)
                    if path is None:
                        inner = self.file(f"{source}.{taken}", module.path)
                        return Meaning(inner, "", f"{source}.{taken}") if inner else Meaning(None, taken)
                    if path == module.path:
                        return Meaning(path, taken)
                    return self.member(module, Meaning(path, "", source), taken)
        return None

    def _parse(self, path: str) -> Module:
        return Module(path, self.texts[path])


def defines(module: Module, name: str) -> bool:
    """Whether the file itself binds `name` at its top."""
    top = module.scopes[module.tree]
    return top is not None and name in top.assignments


def owner_of(module: Module, scope: Scope, name: str) -> Scope | None:
    """The scope to which `name` belongs as it is used in `scope`; None for what the file does not bind."""
    at, is_inner = scope, False
    while not isinstance(at, GlobalScope):
        declared = declarations(module).get((at, name))
        if declared == "global":
            break
        if declared is None and name in at.assignments and not (is_inner and isinstance(at, ClassScope)):
            return at
        if at.parent is at:
            break
        at, is_inner = at.parent, True
    top = module.scopes[module.tree]
    made_below = any(key[1] == name and how == "global" for key, how in declarations(module).items())
    return top if top is not None and (name in top.assignments or made_below) else None


@lru_cache(maxsize=512)
def declarations(module: Module) -> dict[tuple[Scope, str], str]:
    """What `global` and `nonlocal` statements say, by scope and name."""
    found: dict[tuple[Scope, str], str] = {}
    for item in module.every(cst.NameItem):
        scope, statement = module.scope(item), module.parent(item)
        if scope is not None:
            found[scope, item.name.value] = "global" if isinstance(statement, cst.Global) else "nonlocal"
    return found
