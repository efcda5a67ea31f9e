"""Puts the body of a Python function in the places that call it, where it does there what it did in the function.

A function that is one expression takes the place of its calls in any expression. One of several statements, with at
most one return at its end, takes the place of calls that are whole statements of other functions.
"""

from __future__ import annotations

import builtins

import libcst as cst
from libcst.metadata import GlobalScope, Scope

from rubber_duck.code.refactoring.python.arguments import arguments
from rubber_duck.code.refactoring.python.bindings import unknown_names
from rubber_duck.code.refactoring.python.body import Body, body_of
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.move import dropped_import, whole_definition
from rubber_duck.code.refactoring.python.placed import as_expression, as_statements
from rubber_duck.code.refactoring.python.project import Meaning, Project, owner_of
from rubber_duck.code.refactoring.python.uses import As, all_list_spans, spoken, uses
from rubber_duck.code.refactoring.refactored import Refactored, Splice, Spot, Texts, places, spliced
from rubber_duck.errors import InvalidInput, Refused


def inline_function(texts: Texts, spot: Spot) -> Refactored:
    """The project without the function that is defined at `spot`: its body stands where it was called.

    At a call only that call goes, and the function stays. Raises Refused and InvalidInput.
    """
    project = Project(texts)
    module = project.module(spot.path)
    name = module.name_at(spot.line, spot.column)
    if name is None:
        raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column}")
    parent = module.parent(name)
    if isinstance(parent, cst.FunctionDef) and parent.name is name:
        return _Inlining(project, module, parent).run(None)
    target: cst.CSTNode = parent if isinstance(parent, cst.Attribute) and parent.attr is name else name
    call = module.parent(target)
    if not isinstance(call, cst.Call) or call.func is not target:
        raise InvalidInput(f"{name.value!r} is neither defined nor called there: point at either")
    found = project.meaning(module, target)
    if found is None or found.path is None or not found.name:
        raise Refused(f"which function {name.value!r} is cannot be told, or it is from outside the project")
    home = project.module(found.path)
    for node in home.tree.body:
        if isinstance(node, cst.FunctionDef) and node.name.value == found.name:
            return _Inlining(project, home, node).run((module, call))
    raise Refused(f"{found.name!r} is no function at the top of '{found.path}'")


class _Inlining:
    def __init__(self, project: Project, home: Module, function: cst.FunctionDef) -> None:
        self.project = project
        self.home = home
        self.function = function
        self.name = function.name.value
        self.splices: dict[str, list[Splice]] = {}

    def run(self, only: tuple[Module, cst.Call] | None) -> Refactored:
        body = body_of(self.home, self.function)
        if only is not None:
            self._replace(only[0], only[1], body)
            return self._checked()
        self._refuse_reached()
        for module in self.project.mentioning(self.name):
            self._inline_in(module, body)
        start, end = whole_definition(self.home, self.function)
        self.splices.setdefault(self.home.path, []).append(Splice(start, end, ""))
        note = f"{self.name!r} is gone: who uses it from outside the project has to follow"
        return self._checked() if self.name.startswith("_") else self._checked(note)

    def _inline_in(self, module: Module, body: Body) -> None:
        calls = 0
        imports: list[tuple[cst.ImportFrom, cst.ImportAlias]] = []
        doubtful: list[Spot] = []
        for use in uses(module, self.name):
            parent = module.parent(use.node)
            if use.kind is As.TAKEN and isinstance(parent, cst.ImportAlias):
                statement = module.parent(parent)
                if isinstance(statement, cst.ImportFrom) and self._is_from_home(module, statement):
                    imports.append((statement, parent))
                continue
            if use.kind not in (As.VARIABLE, As.ATTRIBUTE) or parent is self.function:
                continue
            node: cst.CSTNode = parent if isinstance(parent, cst.Attribute) and parent.attr is use.node else use.node
            meaning = self._meaning(module, node)
            if meaning is None and use.kind is As.ATTRIBUTE:
                doubtful.append(module.spot(use.node))
            elif meaning == Meaning(self.home.path, self.name):
                call = module.parent(node)
                if not isinstance(call, cst.Call) or call.func is not node:
                    raise Refused(f"{self.name!r} is handed on and not called at {places([module.spot(use.node)])}")
                self._replace(module, call, body)
                calls += 1
        if doubtful and self.home.path != module.path and self._is_handed_on():
            raise Refused(f"it cannot be told whether {self.name!r} is meant at {places(doubtful)}")
        for statement, alias in imports:
            if alias.asname is not None or not calls:
                raise Refused(f"'{module.path}' passes {self.name!r} on, or gives it another name")
            self.splices.setdefault(module.path, []).append(dropped_import(module, statement, alias))

    def _is_from_home(self, module: Module, statement: cst.ImportFrom) -> bool:
        source = self.project.source_of(module, statement)
        if source is None:
            return False
        path = self.project.file(source, module.path)
        if path is None:
            return False
        if isinstance(statement.names, cst.ImportStar):
            return path == self.home.path
        return self.project.origin(path, self.name) == Meaning(self.home.path, self.name)

    def _meaning(self, module: Module, node: cst.CSTNode) -> Meaning | None:
        if isinstance(node, cst.Name) and module is self.home:
            scope = module.scope(node)
            owner = owner_of(module, scope, node.value) if scope is not None else None
            is_top = isinstance(owner, GlobalScope)
            return Meaning(self.home.path, self.name) if is_top else Meaning(None, self.name)
        return self.project.meaning(module, node)

    def _is_handed_on(self) -> bool:
        stem = self.home.path.rpartition("/")[2].removesuffix(".py")
        return any(
            use.kind is As.VARIABLE and not isinstance(module.parent(use.node), cst.Attribute | cst.AsName)
            for module in self.project.mentioning(stem)
            for use in uses(module, stem)
        )

    def _replace(self, module: Module, call: cst.Call, body: Body) -> None:
        given = arguments(self.home, self.function, module, call)
        self._require_known(module, call, body)
        if body.statements:
            splice = as_statements(module, call, body, given)
        else:
            splice = as_expression(module, call, body, given)
        mine = self.splices.setdefault(module.path, [])
        if any(each.start < splice.end and splice.start < each.end for each in mine):
            raise Refused(f"line {module.places[call].start.line} of '{module.path}': a call stands within another")
        mine.append(splice)

    def _require_known(self, module: Module, call: cst.Call, body: Body) -> None:
        """Raise Refused unless what the body reads from its file means the same where the call stands."""
        scope = module.scope(call)
        for free in sorted(body.free):
            here = owner_of(module, scope, free) if scope is not None else None
            if here is not None and not isinstance(here, GlobalScope):
                raise Refused(f"{free!r} means something else where '{module.path}' calls {self.name!r}")
            if module is self.home:
                continue
            top = self.home.scopes[self.home.tree]
            there = self.project.named(self.home, top, free) if top is not None and _binds(self.home, free) else None
            same = self.project.named(module, scope, free) if here is not None and scope is not None else None
            is_built_in = there is None and not _binds(self.home, free) and hasattr(builtins, free)
            if (is_built_in and here is None) or (there is not None and _is_known(there) and there == same):
                continue
            raise Refused(f"the body uses {free!r} of '{self.home.path}', which is not known in '{module.path}'")

    def _refuse_reached(self) -> None:
        dotted = self.project.dotted(self.home.path)
        parts = dotted.split(".")
        ways = frozenset(".".join(parts[at:]) for at in range(len(parts)))
        found = [
            module.spot(node)
            for module in self.project.mentioning(self.name)
            for node, _ in spoken(module, self.name, ways)
        ]
        for module in self.project.mentioning(self.name):
            found += [Spot(module.path, 1) for _ in all_list_spans(module, self.name)]
        if found:
            raise Refused(f"{self.name!r} is reached by the text of its name at {places(found)}")
        for module in self.project.taking_all():
            for node in module.every(cst.ImportFrom):
                if isinstance(node.names, cst.ImportStar) and self._is_from_home(module, node):
                    raise Refused(f"'{module.path}' takes everything from '{self.home.path}' by a star")

    def _checked(self, *notes: str) -> Refactored:
        texts = {}
        for path, splices in self.splices.items():
            after = spliced(self.project.texts[path], splices)
            lost = unknown_names(path, after) - unknown_names(path, self.project.texts[path])
            if lost:
                raise Refused(f"{sorted(lost)[0]!r} would not be known in '{path}' afterwards")
            texts[path] = after
        return Refactored(texts, notes)


def _is_known(meaning: Meaning) -> bool:
    return bool(meaning.path or meaning.module)


def _binds(module: Module, name: str) -> bool:
    top: Scope | None = module.scopes[module.tree]
    return top is not None and name in top.assignments
