"""Moves a function or a class from the top of one Python file to another, and lets every import follow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import GlobalScope, ImportAssignment, Scope

from rubber_duck.code.refactoring.python.bindings import names_in, unknown_names
from rubber_duck.code.refactoring.python.circles import reaches
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import Project, owner_of
from rubber_duck.code.refactoring.python.uses import As, spoken, uses
from rubber_duck.code.refactoring.refactored import (
    Refactored,
    Splice,
    Splices,
    Spot,
    Texts,
    newline_of,
    places,
    spliced,
)
from rubber_duck.errors import InvalidInput, Refused

_OF_A_FILE: Final = frozenset({"__name__", "__file__", "__package__", "__path__", "__spec__", "__loader__"})


def move(texts: Texts, spot: Spot, to: str) -> Refactored:
    """The project with the definition at `spot` in the file `to`, which may be new."""
    project = Project(texts)
    if spot.path not in project.texts:
        raise InvalidInput(f"there is no Python file '{spot.path}' in the project")
    if to == spot.path or not to.endswith(".py"):
        raise InvalidInput("name another Python file to move to")
    return _Move(project, project.module(spot.path), to).run(spot)


class _Move:
    def __init__(self, project: Project, source: Module, to: str) -> None:
        self.project = project
        self.source = source
        self.to = to
        self.splices: dict[str, Splices] = {}
        self.is_annotated = False

    def run(self, spot: Spot) -> Refactored:
        source = self.source
        node = self._definition(spot)
        name = node.name.value
        self.is_annotated = any(
            any(around is node for around in self.source.around(each)) for each in self.source.every(cst.Annotation)
        )
        needed = self._needed(node)
        if self.to in self.project.texts and name in names_in(self.to, self.project.texts[self.to]):
            raise Refused(f"{name!r} is taken already in '{self.to}'")
        self._refuse_unfollowed(name)
        start, end = whole_definition(source, node)
        body = source.text[start:end]
        is_kept = self._is_still_used(name, node)
        if is_kept and any(f"{self.project.dotted(source.path)}" in line for line in needed):
            raise Refused("the two files would import each other")
        self._repoint(name)
        texts = self._written(name, (start, end), is_kept=is_kept)
        texts[self.to] = self._grown(body, needed)
        known = unknown_names(source.path, source.text)
        for path, text in texts.items():
            try:
                ast.parse(text)
            except SyntaxError as error:
                raise Refused(f"'{path}' would not parse afterwards: {error.msg}") from error
            before = self.project.texts.get(path)
            lost = unknown_names(path, text) - known - (unknown_names(path, before) if before else frozenset())
            if lost:
                raise Refused(f"{sorted(lost)[0]!r} would be known no more in '{path}'")
        self._refuse_circles(texts, is_importing=bool(needed))
        return Refactored(texts, ("pickles and configuration that name the old module are not followed",))

    def _refuse_circles(self, texts: dict[str, str], *, is_importing: bool) -> None:
        """Raise Refused where a file that takes the definition from its new place is itself loaded by that.

        And where what the definition needs loads the file that it goes to.
        """
        before = self.project.texts
        after = {**before, **texts}
        if is_importing and reaches(self.to, self.to, after):
            raise Refused(f"what it needs would load '{self.to}', if over others")
        for path in texts:
            if path == self.to or not (reaches(path, self.to, after) and reaches(self.to, path, after)):
                continue
            was = self.to in before and reaches(path, self.to, before) and reaches(self.to, path, before)
            if not was:
                raise Refused(f"'{path}' and '{self.to}' would import each other, if over others")

    def _definition(self, spot: Spot) -> cst.FunctionDef | cst.ClassDef:
        for node in self.source.tree.body:
            if isinstance(node, cst.FunctionDef | cst.ClassDef):
                place = self.source.places[node]
                if self.source.places[node.name].start.line == spot.line or (
                    place.start.line <= spot.line < self.source.places[node.body].start.line
                ):
                    return node
        raise InvalidInput(f"no function or class begins at the top of '{spot.path}' in line {spot.line}")

    def _needed(self, node: cst.CSTNode) -> list[str]:
        """The import lines that the definition needs where it goes; raises Refused when it needs its own file."""
        needed: dict[str, None] = {}
        top = self.source.scopes[self.source.tree]
        for name in _names(node):
            scope = self.source.scope(name)
            owner = owner_of(self.source, scope, name.value) if scope is not None else None
            if name.value in _OF_A_FILE and not _is_attribute(self.source, name):
                raise Refused(f"it uses {name.value!r}, which is another in each file")
            if owner is not top or top is None or _is_attribute(self.source, name):
                continue
            for each in top.assignments[name.value]:
                if isinstance(each, ImportAssignment):
                    needed[self._import_line(each.node, name.value)] = None
                elif getattr(each, "node", None) is not node:
                    raise Refused(
                        f"it uses {name.value!r} of '{self.source.path}': the two files would import each other"
                    )
        for statement in self.source.every(cst.ImportFrom):
            if statement.relative and any(around is node for around in self.source.around(statement)):
                raise Refused("it imports something relative to its file")
        for text in self.source.every(cst.SimpleString):
            if any(around is node for around in self.source.around(text)) and text.evaluated_value in _tops(top):
                raise Refused(f"it names {text.evaluated_value!r} of its file in a text")
        future = [line for line in self.source.tree.body if _is_future(line)]
        return [*(self.source.source(line) for line in future), *needed]

    def _import_line(self, node: cst.CSTNode, name: str) -> str:
        scope_top = self.source.scope(node)
        if not isinstance(scope_top, GlobalScope) or not isinstance(
            self.source.parent(self.source.parent(node) or node), cst.Module
        ):
            raise Refused(f"{name!r} is imported only under a condition")
        if isinstance(node, cst.Import):
            for alias in node.names:
                if (alias.evaluated_alias or alias.evaluated_name.partition(".")[0]) == name:
                    return f"import {self.source.source(alias).rstrip(', ')}"
        if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
            module = self.project.source_of(self.source, node)
            relative = bool(node.relative)
            for alias in node.names:
                if (alias.evaluated_alias or alias.evaluated_name) == name and module is not None:
                    said = self._from(module) if relative else module
                    return f"from {said} import {self.source.source(alias).rstrip(', ')}"
        raise Refused(f"how {name!r} is imported cannot be told")

    def _from(self, module: str) -> str:
        """A module of the project as the new file imports it: relative where both lie in one package."""
        return _relative(self.project.dotted(self.to), module, is_package=self.to.endswith("__init__.py"))

    def _is_still_used(self, name: str, node: cst.CSTNode) -> bool:
        top = self.source.scopes[self.source.tree]
        for use in uses(self.source, name):
            outside = not any(around is node for around in self.source.around(use.node))
            scope = self.source.scope(use.node)
            is_variable = use.kind is As.VARIABLE and outside and scope is not None
            if is_variable and scope is not None and owner_of(self.source, scope, name) is top:
                return True
        reached = any(
            (base := self.project.meaning(module, parent.value)) is None or base.path == self.source.path
            for module in self.project.mentioning(name)
            for use in uses(module, name)
            if use.kind is As.ATTRIBUTE and isinstance(parent := module.parent(use.node), cst.Attribute)
        )
        exported = any(each.evaluated_value == name for each in self.source.every(cst.SimpleString))
        return reached or exported

    def _refuse_unfollowed(self, name: str) -> None:
        dotted = self.project.dotted(self.source.path)
        ways = frozenset(".".join(dotted.split(".")[at:]) for at in range(dotted.count(".") + 1))
        found = [
            module.spot(node) for module in self.project.mentioning(name) for node, _ in spoken(module, name, ways)
        ]
        if found:
            raise Refused(f"{name!r} is reached by the text of its name at {places(found)}")
        for module in self.project.taking_all():
            for node in module.every(cst.ImportFrom):
                source = self.project.source_of(module, node)
                is_star = isinstance(node.names, cst.ImportStar)
                if is_star and source and self.project.file(source, module.path) == self.source.path:
                    raise Refused(f"'{module.path}' takes everything from '{self.source.path}' by a star")

    def _repoint(self, name: str) -> None:
        """Every `from old import name` takes it from the new file."""
        for module in self.project.mentioning(name):
            if module.path == self.source.path:
                continue
            for node in module.every(cst.ImportFrom):
                source = self.project.source_of(module, node)
                if isinstance(node.names, cst.ImportStar) or not source:
                    continue
                if self.project.file(source, module.path) != self.source.path:
                    continue
                taken = [alias for alias in node.names if get_full_name_for_node(alias.name) == name]
                if taken:
                    if module.path == self.to:
                        raise Refused(f"'{self.to}' imports {name!r} from '{self.source.path}' already")
                    self._split(module, node, taken[0])

    def _split(self, module: Module, node: cst.ImportFrom, alias: cst.ImportAlias) -> None:
        mine = self.splices.setdefault(module.path, Splices())
        said = module.source(alias).rstrip(", ")
        target = self.project.dotted(self.to)
        if node.relative:
            is_package = module.path.endswith("__init__.py")
            target = _relative(self.project.dotted(module.path), target, is_package=is_package)
        else:
            target = self._as_imported(module, node, target)
        line = f"from {target} import {said}"
        assert not isinstance(node.names, cst.ImportStar)  # the caller looked
        if len(node.names) == 1:
            mine.add(*module.span(node), line)
            return
        start, end = module.span(node)
        rest = [each for each in node.names if each is not alias]
        head = module.text[start : module.span(node.names[0])[0]]
        tail = ")" if node.rpar is not None else ""
        kept = ", ".join(module.source(each).rstrip(", ") for each in rest)
        head = head[: head.index("import") + len("import")]
        opening = "(" if tail else ""
        indent = module.text[module.text.rfind("\n", 0, start) + 1 : start]
        if indent.strip():
            raise Refused(f"an import in '{module.path}' shares its line with another statement")
        mine.add(start, end, f"{head} {opening}{kept}{tail}{newline_of(module.text)}{indent}{line}")

    def _as_imported(self, module: Module, node: cst.ImportFrom, target: str) -> str:
        """The new file's name by the way in which the old one was named, e.g. without `src.`."""
        said = get_full_name_for_node(node.module) if node.module is not None else ""
        whole = self.project.dotted(self.source.path)
        lead = whole.removesuffix(said or "")
        return target.removeprefix(lead)

    def _written(self, name: str, span: tuple[int, int], *, is_kept: bool) -> dict[str, str]:
        texts = {path: splices.applied(self.project.texts[path]) for path, splices in self.splices.items()}
        source = self.source
        parts = [Splice(*span, "")]
        if is_kept:
            newline = newline_of(source.text)
            at = after_imports(source)
            own, is_package = self.project.dotted(source.path), source.path.endswith("__init__.py")
            said = _relative(own, self.project.dotted(self.to), is_package=is_package)
            parts.append(Splice(at, at, f"from {said} import {name}{newline}"))
        texts[source.path] = spliced(source.text, parts)
        return texts

    def _refuse_other_future(self, module: Module) -> None:
        """Raise Refused where annotations of the definition would be evaluated in one file and not in the other."""
        there, here = (
            {each.source(line).strip() for line in each.tree.body if _is_future(line)} for each in (module, self.source)
        )
        if there != here and self.is_annotated:
            raise Refused(f"'{self.to}' and '{self.source.path}' differ in what they import from __future__")

    def _grown(self, body: str, needed: list[str]) -> str:
        old = self.project.texts.get(self.to)
        newline = newline_of(self.source.text)
        if old is None:
            head = newline.join(needed)
            return f"{head}{newline * 3 if head else ''}{body.strip(newline)}{newline}"
        module = self.project.module(self.to)
        self._refuse_other_future(module)
        held = {module.source(line).strip() for line in module.tree.body if _is_import(line)}
        missing = [line for line in needed if line not in held and "__future__" not in line]
        taken = names_in(self.to, old)
        for line in missing:
            local = line.rpartition(" ")[2].partition(".")[0]
            if local in taken:
                raise Refused(f"{local!r} means something else in '{self.to}'")
        at = after_imports(module)
        added = "".join(f"{line}{newline}" for line in missing)
        return f"{old[:at]}{added}{old[at:].rstrip()}{newline * 3}{body.strip(newline)}{newline}"


def _relative(own: str, target: str, *, is_package: bool) -> str:
    """`target` as a module called `own` imports it: relative where they share a package, else by its own name."""
    here = own.split(".") if is_package else own.split(".")[:-1]
    there = target.split(".")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    if not shared:
        return target
    return "." * (len(here) - shared + 1) + ".".join(there[shared:])


def _names(node: cst.CSTNode) -> Iterator[cst.Name]:
    stack = [node]
    while stack:
        at = stack.pop()
        stack.extend(at.children)
        if isinstance(at, cst.Name):
            yield at


def _is_attribute(module: Module, node: cst.Name) -> bool:
    parent = module.parent(node)
    return (isinstance(parent, cst.Attribute) and parent.attr is node) or (
        isinstance(parent, cst.Arg) and parent.keyword is node
    )


def _tops(top: Scope | None) -> frozenset[str]:
    return frozenset() if top is None else frozenset(each.name for each in top.assignments)


def _is_import(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(
        isinstance(each, cst.Import | cst.ImportFrom) for each in line.body
    )


def _is_future(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and any(
        isinstance(each, cst.ImportFrom) and get_full_name_for_node(each.module or cst.Name("x")) == "__future__"
        for each in line.body
    )


def whole_definition(module: Module, node: cst.FunctionDef | cst.ClassDef) -> tuple[int, int]:
    """The lines of a definition with its decorators and the comments over it."""
    start = min([module.span(node)[0], *(module.span(each)[0] for each in node.decorators)])
    start = module.text.rfind("\n", 0, start) + 1
    while start > 0:
        before = module.text.rfind("\n", 0, start - 1) + 1
        if not module.text[before:start].startswith("#"):
            break
        start = before
    end = module.span(node)[1]
    newline = module.text.find("\n", end)
    return start, len(module.text) if newline < 0 else newline + 1


def dropped_import(module: Module, node: cst.ImportFrom, alias: cst.ImportAlias) -> Splice:
    """What takes one name out of a from-import, and the import with its last name."""
    start, end = module.span(node)
    first = module.text.rfind("\n", 0, start) + 1
    newline = module.text.find("\n", end)
    if isinstance(node.names, cst.ImportStar) or module.text[first:start].strip():
        raise Refused(f"an import in '{module.path}' shares its line with another statement")
    if len(node.names) == 1:
        block = module.parent(module.parent(node) or node)
        if not isinstance(block, cst.Module):
            raise Refused(f"an import in '{module.path}' stands in a block, which might be empty without it")
        return Splice(first, len(module.text) if newline < 0 else newline + 1, "")
    kept = ", ".join(module.source(each).rstrip(", ") for each in node.names if each is not alias)
    head = module.text[start : module.span(node.names[0])[0]]
    head = head[: head.index("import") + len("import")]
    return Splice(start, end, f"{head} ({kept})" if node.rpar is not None else f"{head} {kept}")


def after_imports(module: Module) -> int:
    """The offset behind the last import at the top, or behind the file's documentation."""
    at = 0
    for node in module.tree.body:
        is_import = isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom)
        is_text = isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Expr)
        if is_import or (is_text and at == 0):
            newline = module.text.find("\n", module.span(node)[1])
            at = len(module.text) if newline < 0 else newline + 1
        elif not is_text:
            break
    return at
