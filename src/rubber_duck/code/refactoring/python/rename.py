"""Renames what a name means, wherever it is meant: variables, functions, classes, modules' members, parameters."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import BuiltinScope, ClassScope, FunctionScope, GlobalScope, ImportAssignment, Scope

from rubber_duck.code.refactoring.python.asked import Ask, asks, formed, may_ask
from rubber_duck.code.refactoring.python.bindings import require_same
from rubber_duck.code.refactoring.python.members import Member, member_splices
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.parameters import parameter_splices
from rubber_duck.code.refactoring.python.project import Binding, Meaning, Project, owner_of
from rubber_duck.code.refactoring.python.selection import INTROSPECTION
from rubber_duck.code.refactoring.python.uses import (
    As,
    all_list_spans,
    annotation_spans,
    may_be_module,
    spoken,
    told,
    uses,
    variable_nodes,
)
from rubber_duck.code.refactoring.refactored import Refactored, Splices, Spot, Texts, places, require_identifier
from rubber_duck.errors import InvalidInput, Refused

_CONFIGURED: Final = (".toml", ".cfg", ".ini", ".json", ".yaml", ".yml")
_KNOWN_DECORATORS: Final = frozenset(
    {"staticmethod", "classmethod", "property", "cache", "lru_cache", "cached_property", "wraps", "contextmanager"}
    | {"asynccontextmanager", "overload", "override", "abstractmethod", "final", "dataclass", "total_ordering"}
    | {"singledispatch", "deprecated", "runtime_checkable"}
)


_ASKING: Final = INTROSPECTION - {"super"}


def rename(texts: Texts, spot: Spot, new: str) -> Refactored:
    """The project with what stands at `spot` called `new`.

    Raises Refused where it is not sure what would be meant afterwards, InvalidInput where nothing can be renamed.
    """
    require_identifier(new)
    project = Project(texts)
    module = project.module(spot.path)
    node = module.name_at(spot.line, spot.column)
    if node is None:
        raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column}")
    if node.value == new:
        raise InvalidInput(f"it is called {new!r} already")
    return _Renaming(project, node.value, new).run(module, node)


class _Renaming:
    def __init__(self, project: Project, old: str, new: str) -> None:
        self.project = project
        self.old = old
        self.new = new
        self.splices: dict[str, Splices] = {}
        self.done: set[Binding] = set()
        self.waiting: list[Binding] = []
        self.notes: list[str] = []

    def run(self, module: Module, node: cst.Name) -> Refactored:
        target = self._target(module, node)
        if isinstance(target, Member):
            member_splices(self.project, target, self.new, self.splices)
        else:
            self.waiting.append(target)
            while self.waiting:
                self._rename(self.waiting.pop())
        self._refuse_spoken(target)
        return self._checked()

    def _target(self, module: Module, node: cst.Name) -> Binding | Member:
        use = next(use for use in uses(module, self.old) if use.node is node)
        if use.kind is As.MODULE:
            raise Refused(f"{self.old!r} is a module: move the file instead")
        if use.kind is As.KEYWORD:
            raise Refused("this names a parameter: point at where the function declares it")
        if use.kind is As.ATTRIBUTE:
            parent = module.parent(node)
            found = self.project.meaning(module, parent) if isinstance(parent, cst.Attribute) else None
            if found is not None and found.path is not None and found.name:
                return self._top(found)
            raise Refused(f"what {self.old!r} is here depends on what stands before the dot: point at its definition")
        if use.kind is As.TAKEN:
            parent = module.parent(node)
            grand = module.parent(parent) if parent is not None else None
            source = self.project.source_of(module, grand) if isinstance(grand, cst.ImportFrom) else None
            path = self.project.file(source, module.path) if source else None
            if path is None:
                raise Refused(f"{self.old!r} comes from outside the project")
            return self._top(self.project.origin(path, self.old))
        scope = module.scope(node)
        owner = owner_of(module, scope, self.old) if scope is not None else None
        if owner is None:
            raise Refused(f"{self.old!r} is not defined in '{module.path}': it is built in, or comes by a star import")
        if isinstance(owner, ClassScope):
            return Member.of(module, owner, self.old)
        if any(isinstance(each, ImportAssignment) for each in owner.assignments[self.old]):
            found = self.project.named(module, owner, self.old)
            if found is not None and found.path is not None and found.name == self.old:
                return self._top(found)
            raise Refused(f"{self.old!r} is imported from outside the project, or by several ways")
        return Binding(module.path, owner, self.old)

    def _top(self, meaning: Meaning) -> Binding:
        assert meaning.path is not None  # both callers looked
        module = self.project.module(meaning.path)
        top = module.scopes[module.tree]
        if meaning.name != self.old or top is None or self.old not in top.assignments:
            raise Refused(f"where {self.old!r} is defined cannot be told for sure")
        return Binding(meaning.path, top, self.old)

    def _rename(self, binding: Binding) -> None:
        if binding in self.done:
            return
        self.done.add(binding)
        module = self.project.module(binding.path)
        mine = self.splices.setdefault(binding.path, Splices())
        for node in variable_nodes(module, binding.scope, self.old):
            mine.add(*module.span(node), self.new)
        for start, end in annotation_spans(module, binding.scope, self.old):
            mine.add(start, end, self.new)
        for item in module.every(cst.NameItem):
            scope = module.scope(item)
            is_named = item.name.value == self.old and scope is not None
            if is_named and scope is not None and owner_of(module, scope, self.old) is binding.scope:
                mine.add(*module.span(item.name), self.new)
        self._look_at_definitions(module, binding)
        if isinstance(binding.scope, FunctionScope):
            parameter_splices(self.project, module, binding, self.new, self.splices)
        if isinstance(binding.scope, GlobalScope):
            if hasattr(builtins, self.old):
                raise Refused(f"{self.old!r} is also built in, which is what the file means until it is given a value")
            for start, end in all_list_spans(module, self.old):
                mine.add(start, end, self.new)
            if self.project.file(f"{self.project.dotted(binding.path)}.{self.new}", binding.path):
                raise Refused(f"{self.new!r} is a module beside '{binding.path}'")
            self._follow(binding)

    def _look_at_definitions(self, module: Module, binding: Binding) -> None:
        for each in binding.scope.assignments[self.old]:
            node = getattr(each, "node", None)
            if isinstance(node, cst.FunctionDef | cst.ClassDef):
                for decorator in node.decorators:
                    said = _decorator(decorator)
                    if "fixture" in said:
                        raise Refused(f"pytest finds the fixture {self.old!r} by its name in the parameters of tests")
                    if said.rpartition(".")[2] not in _KNOWN_DECORATORS:
                        spot = module.spot(decorator)
                        self.notes.append(f"the decorator '{said}' at {spot.path}:{spot.line} may use the name itself")

    def _follow(self, binding: Binding) -> None:
        """What other files import from the binding's file, and reach through it."""
        doubtful: list[tuple[Module, cst.Attribute]] = []
        imports, reached = self._looked_through
        for module, node in imports.get(binding.path, ()):
            self._follow_import(module, node, binding)
        for module, parent, base in reached:
            if base is not None and base.path == binding.path and not base.name:
                self.splices.setdefault(module.path, Splices()).add(*module.span(parent.attr), self.new)
            elif base is None and not isinstance(parent.value, cst.BaseString):
                doubtful.append((module, parent))
        if doubtful and self._is_handed_on(binding.path):
            unknown = [(module, each) for module, each in doubtful if self.project.meaning(module, each.value) is None]
            if unknown:
                raise Refused(
                    f"the module '{binding.path}' is handed on as a value, so what stands before the dot at "
                    f"{places(module.spot(each.attr) for module, each in unknown)} may be it"
                )

    @cached_property
    def _looked_through(
        self,
    ) -> tuple[dict[str, list[tuple[Module, cst.ImportFrom]]], list[tuple[Module, cst.Attribute, Meaning | None]]]:
        """In all files that say the name: from-imports by the file that they take from, and attributes of that name.

        With each attribute, what stands before its dot where that may be a module.
        """
        imports: dict[str, list[tuple[Module, cst.ImportFrom]]] = {}
        reached: list[tuple[Module, cst.Attribute, Meaning | None]] = []
        for module in self.project.mentioning(self.old):
            for node in module.every(cst.ImportFrom):
                source = self.project.source_of(module, node)
                path = self.project.file(source, module.path) if source is not None else None
                if path is not None:
                    imports.setdefault(path, []).append((module, node))
            for use in uses(module, self.old):
                parent = module.parent(use.node)
                if use.kind is As.ATTRIBUTE and isinstance(parent, cst.Attribute):
                    is_likely = may_be_module(module, parent.value)
                    base = self.project.meaning(module, parent.value) if is_likely else None
                    reached.append((module, parent, base))
        return imports, reached

    def _follow_import(self, module: Module, node: cst.ImportFrom, binding: Binding) -> None:
        if isinstance(node.names, cst.ImportStar):
            raise Refused(f"'{module.path}' takes everything from '{binding.path}' by a star, perhaps {self.old!r} too")
        for alias in node.names:
            if get_full_name_for_node(alias.name) != self.old:
                continue
            self.splices.setdefault(module.path, Splices()).add(*module.span(alias.name), self.new)
            if alias.asname is None:
                scope = module.scope(node)
                owner = owner_of(module, scope, self.old) if scope is not None else None
                if owner is not None:
                    self.waiting.append(Binding(module.path, owner, self.old))

    def _is_handed_on(self, path: str) -> bool:
        """Whether the module of `path` stands somewhere as a value and not before a dot."""
        stem = path.rpartition("/")[2].removesuffix(".py")
        for module in self.project.mentioning(stem):
            for use in uses(module, stem):
                parent = module.parent(use.node)
                is_read = use.kind in (As.VARIABLE, As.ATTRIBUTE) and not isinstance(parent, cst.AsName)
                if isinstance(parent, cst.Attribute) and parent.attr is use.node:
                    whole: cst.CSTNode = parent
                    parent = module.parent(parent)
                else:
                    whole = use.node
                is_base = isinstance(parent, cst.Attribute) and parent.value is whole
                if is_read and not is_base:
                    meaning = self.project.meaning(module, whole)
                    if meaning is not None and meaning.path == path and not meaning.name:
                        return True
        return False

    def _refuse_spoken(self, target: Binding | Member) -> None:
        if isinstance(target, Binding) and not isinstance(target.scope, GlobalScope):
            self._refuse_seen(self.project.module(target.path), target.scope)
            return
        for module in self.project.mentioning(self.old):
            self._refuse_shown(module)
        dotted = {self.project.dotted(each.path) for each in self.done} | {self.project.dotted(target.path)}
        ways = frozenset(way for each in dotted for way in _suffixes(each))
        found: list[Spot] = []
        for module in self.project.mentioning(self.old):
            found += [module.spot(node) for node, _ in spoken(module, self.old, ways)]
        for path in sorted(self.project.texts):
            found += formed(path, self.project.texts[path], self.old)
            found += self._asked(path, target)
        words = re.compile("|".join(rf"\b{re.escape(way)}[.:]{re.escape(self.old)}\b" for way in ways if way) or "$^")
        for path, text in self.project_configuration():
            found += [Spot(path, number) for number, line in enumerate(text.split("\n"), 1) if words.search(line)]
        if found:
            raise Refused(f"{self.old!r} is reached by the text of its name at {places(found)}")
        self._note_told()

    def _asked(self, path: str, target: Binding | Member) -> Iterator[Spot]:
        """Where a file asks for what is renamed by a text; what only may be so is noted."""
        tops = {each.path for each in self.done if isinstance(each.scope, GlobalScope)}
        text = self.project.texts[path]
        stems = {self.project.dotted(top).rpartition(".")[2] for top in tops} - {""}
        is_near = path in {*tops, target.path} or "sys.modules[" in text
        words = ("__dict__", "vars(") if isinstance(target, Member) else ()
        if not is_near and not any(word in text for word in words) and not may_ask(text, stems):
            return  # to look at every file that asks anything would take long
        for ask in asks(path, text, self.old):
            if ask.is_local:
                continue
            if isinstance(target, Member):
                is_own = path == target.path and ask.holder.partition(".")[0] in {"self", "cls", target.owner}
                if ask.is_sure:
                    yield ask.spot
                elif is_own:
                    self.notes.append(f"members are asked for by their names at {places([ask.spot])}: look there")
            elif (path in tops and ask.holder in {"", "sys.modules[__name__]"}) or (
                ask.module and self._is_meant(ask, tops)
            ):
                yield ask.spot
            elif ask.holder.startswith("sys.modules["):
                self.notes.append(f"modules are asked for their names at {places([ask.spot])}: look there")

    def _is_meant(self, ask: Ask, tops: set[str]) -> bool:
        """Whether the names of one of the files are asked for."""
        dotted = (self.project.dotted(top) for top in tops)
        return any(f".{each}".endswith(f".{ask.module}") or f".{ask.module}".endswith(f".{each}") for each in dotted)

    def _refuse_seen(self, module: Module, scope: Scope) -> None:
        """Raise Refused where code asks for the names of the scope: `"{user}".format(**locals())`."""
        for call in module.every(cst.Call):
            asks = isinstance(call.func, cst.Name) and call.func.value in _ASKING
            around = module.scope(call) if asks else None
            while around is not None and around is not scope and not isinstance(around, GlobalScope | BuiltinScope):
                around = around.parent
            if around is scope:
                raise Refused(f"{self.old!r} may be asked for by the text of its name at {places([module.spot(call)])}")
        self._refuse_shown(module)

    def _refuse_shown(self, module: Module) -> None:
        """Raise Refused where the name is part of what is printed: `f"{total=}"`."""
        for shown in module.every(cst.FormattedStringExpression):
            if shown.equal is not None and re.search(rf"\b{self.old}\b", module.source(shown.expression)):
                raise Refused(f"{self.old!r} is printed with its name at {places([module.spot(shown)])}")

    def _note_told(self) -> None:
        """Say where the name stands in texts and comments: they are not changed, and may have to be."""
        found: list[Spot] = []
        for module in self.project.mentioning(self.old):
            changed = self.splices.get(module.path, Splices()).found
            for node in told(module, self.old):
                start, end = module.span(node)
                if not any(start <= first and last <= end for first, last in changed):
                    found.append(module.spot(node))
        if found:
            self.notes.append(f"not changed, look at these: {self.old!r} also stands in texts at {places(found, 8)}")

    def project_configuration(self) -> Iterator[tuple[str, str]]:
        """Files that may name code: of packaging and tools."""
        yield from ((path, text) for path, text in self.project.other.items() if path.endswith(_CONFIGURED))

    def _checked(self) -> Refactored:
        texts: dict[str, str] = {}
        for path, splices in self.splices.items():
            before = self.project.texts[path]
            after = splices.applied(before)
            if after != before:
                require_same(path, before, after, (self.old, self.new))
                texts[path] = after
        return Refactored(texts, tuple(dict.fromkeys(self.notes)))


def _suffixes(dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    return (".".join(parts[at:]) for at in range(len(parts)))


def _decorator(node: cst.Decorator) -> str:
    called = node.decorator.func if isinstance(node.decorator, cst.Call) else node.decorator
    return get_full_name_for_node(called) or ""
