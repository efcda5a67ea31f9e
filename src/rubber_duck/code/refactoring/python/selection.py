"""What is selected in a Python file, an expression or whole statements, and which names it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from operator import is_not
from typing import Final

import libcst as cst
from libcst.metadata import ExpressionContext, GlobalScope, Scope

from rubber_duck.code.refactoring.python.frames import refuse_frames
from rubber_duck.code.refactoring.python.later import LOOPS, changes, is_repeated, read_later, refuse_lost
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import declarations, owner_of
from rubber_duck.code.refactoring.refactored import Stretch, offset_of
from rubber_duck.errors import InvalidInput, Refused

INTROSPECTION: Final = frozenset({"locals", "vars", "eval", "exec", "super", "dir"})
"""What looks at the function that it is called in."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Nodes side by side: one expression, or statements of one block. Offsets [start, end) without the margins."""

    module: Module
    nodes: tuple[cst.CSTNode, ...]
    start: int
    end: int

    @property
    def is_expression(self) -> bool:
        """Whether it is a single expression."""
        return isinstance(self.nodes[0], cst.BaseExpression)

    def holds(self, node: cst.CSTNode) -> bool:
        """Whether a node lies in it."""
        start, end = self.module.span(node)
        return self.start <= start and end <= self.end

    def inside(self) -> Iterator[cst.CSTNode]:
        """Every node in it."""
        stack = list(self.nodes)
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children)

    def around(self) -> list[cst.CSTNode]:
        """The nodes around it, the nearest first."""
        return list(self.module.around(self.nodes[0]))

    def function(self) -> cst.FunctionDef | None:
        """The nearest function around it, unless a class lies between."""
        for node in self.around():
            if isinstance(node, cst.ClassDef):
                return None
            if isinstance(node, cst.FunctionDef):
                return node
        return None


def select(module: Module, stretch: Stretch) -> Selection:
    """What `stretch` covers; raises InvalidInput when that is neither an expression nor whole statements."""
    text = module.text
    if stretch.start_column:
        start = offset_of(text, stretch.start_line, stretch.start_column)
        end = offset_of(text, stretch.end_line, stretch.end_column)
    else:
        start = offset_of(text, stretch.start_line, 1)
        lines = text.splitlines(keepends=True)
        end = start + sum(map(len, lines[stretch.start_line - 1 : stretch.end_line]))
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        raise InvalidInput("nothing is selected there")
    statements = _statements(module, start, end)
    if statements and not (len(statements) == 1 and _whole_expression(statements[0]) and stretch.start_column):
        return Selection(module, tuple(statements), start, end)
    for node in module.every(cst.BaseExpression):  # type: ignore[type-abstract]  # only asked with isinstance
        if node in module.places and module.span(node) == (start, end) and not isinstance(node, cst.BaseSlice):
            return Selection(module, (node,), start, end)
    raise InvalidInput("what is selected is neither one whole expression nor whole statements of one block")


def _whole_expression(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 and isinstance(node.body[0], cst.Expr)


def _statements(module: Module, start: int, end: int) -> list[cst.CSTNode]:
    blocks: list[cst.Module | cst.IndentedBlock] = [module.tree, *module.every(cst.IndentedBlock)]
    for block in blocks:
        spans = [(node, module.span(node)) for node in block.body]
        inside = [node for node, (first, last) in spans if start <= first and last <= end]
        if inside and module.span(inside[0])[0] == start and _comment_end(module, inside[-1], end):
            return list(inside)
    return []


def _comment_end(module: Module, last: cst.CSTNode, end: int) -> bool:
    _, finish = module.span(last)
    rest = module.text[finish:end].strip()
    return not rest or all(line.strip().startswith("#") or not line.strip() for line in rest.splitlines())


@dataclass(frozen=True, slots=True)
class Flow:
    """Names of the functions around that a selection reads before it binds them, and those read afterwards."""

    takes: tuple[str, ...]
    gives: tuple[str, ...]


def flow(selection: Selection) -> Flow:
    """What a selection takes and gives; raises Refused where a function of its own would mean something else."""
    module = selection.module
    outer = _outer_scopes(selection)
    names = [
        (node, owner)
        for node in selection.inside()
        if isinstance(node, cst.Name) and (owner := _owner(module, node)) in outer and owner is not None
    ]
    _refuse_escapes(selection)
    _refuse_deferred(selection, outer)
    _refuse_given_elsewhere(selection)
    written = {node.value for node, _ in names if is_written(module, node)}
    sure = _surely_bound(selection)
    owners = {node.value: owner for node, owner in names}
    reads: dict[str, list[cst.Name]] = {}
    for node, _ in sorted(names, key=lambda each: module.span(each[0])):
        early = is_read(module, node) and module.span(node)[0] < sure.get(node.value, selection.end)
        early = early and not _is_bound_inside(selection, node)
        reads.setdefault(node.value, []).extend([node] if early else [])
    again = is_repeated(selection.around())
    given = []
    for name in sorted(written):
        after = _read_outside(selection, name, outer)
        if after or (again and reads[name]):
            given.append(name)
            refuse_lost(module, selection.nodes, name, [module.span(each) for each in (*after, *reads[name])])
    takes = []
    for name, early_reads in reads.items():
        if early_reads or (name in given and name not in sure):
            require_bound(selection, name, owners[name])
            if (name, "nonlocal") in {(each, how) for (_, each), how in declarations(module).items()}:
                raise Refused(f"{name!r} may be given a value by a function while what is selected runs")
            takes.append(name)
    return Flow(tuple(takes), tuple(given))


def _outer_scopes(selection: Selection) -> set[Scope | None]:
    found = {selection.module.scope(node) for node in selection.around()}
    own = selection.module.scope(selection.nodes[0])
    return {scope for scope in (*found, own) if scope is not None and not isinstance(scope, GlobalScope)}


def _owner(module: Module, node: cst.Name) -> Scope | None:
    parent = module.parent(node)
    if isinstance(parent, cst.Attribute) and parent.attr is node:
        return None
    if isinstance(parent, cst.Arg) and parent.keyword is node:
        return None
    scope = module.scope(node)
    return owner_of(module, scope, node.value) if scope is not None else None


def is_written(module: Module, node: cst.Name) -> bool:
    """Whether the name is given a value here."""
    context = module.contexts.get(node)
    parent = module.parent(node)
    return context is ExpressionContext.STORE or isinstance(
        parent, cst.AsName | cst.FunctionDef | cst.ClassDef | cst.ImportAlias | cst.MatchAs | cst.MatchStar
    )


def is_read(module: Module, node: cst.Name) -> bool:
    """Whether its value is used here; `x += 1` does both."""
    parent = module.parent(node)
    return not is_written(module, node) or (isinstance(parent, cst.AugAssign) and parent.target is node)


def _read_outside(selection: Selection, name: str, outer: set[Scope | None]) -> list[cst.Name]:
    """Where a name is read that the selection gives a value: behind it, or before it in a loop."""
    module = selection.module
    again = is_repeated(selection.around())
    own = selection.function()
    found = []
    for node in module.every(cst.Name):
        if node.value != name or selection.holds(node) or _owner(module, node) not in outer:
            continue
        holder = next((each for each in module.around(node) if isinstance(each, cst.FunctionDef | cst.Lambda)), None)
        if holder is not own:
            raise Refused(f"{name!r} is also used by a function inside this one, so what it is given must stay here")
        if is_read(module, node) and (module.span(node)[0] >= selection.end or again):
            found.append(node)
    return found


def _refuse_given_elsewhere(selection: Selection) -> None:
    """Raise Refused where it gives a value to what is no variable of its own function."""
    module = selection.module
    own = module.scope(selection.nodes[0])
    for node in selection.inside():
        if not isinstance(node, cst.Name) or not is_written(module, node) or module.scope(node) is not own:
            continue
        if isinstance(module.parent(node), cst.Attribute) or _owner(module, node) in {own, None}:
            continue
        raise Refused(f"line {module.places[node].start.line}: {node.value!r} is no variable of this function only")


def _surely_bound(selection: Selection) -> dict[str, int]:
    """Names that every way through the selection binds: name → the offset from where on it holds."""
    found: dict[str, int] = {}
    for statement in selection.nodes:
        if isinstance(statement, cst.SimpleStatementLine):
            for name, after in bound_by(selection.module, statement):
                found.setdefault(name, after)
    return found


def _is_bound_inside(selection: Selection, node: cst.Name) -> bool:
    """Whether a part of the selection gives the name its value each time before it is read here."""
    module = selection.module
    inner: cst.CSTNode = node
    for each in module.around(node):
        if not selection.holds(each):
            return False
        before: list[cst.CSTNode] = []
        if isinstance(each, cst.IndentedBlock):
            before = list(takewhile(partial(is_not, inner), each.body))
        elif isinstance(each, cst.For | cst.With | cst.ExceptHandler | cst.ExceptStarHandler) and inner is each.body:
            before = [each]
        for statement in before:
            is_sure = statement is each or not isinstance(statement, cst.For)
            if is_sure and any(bound == node.value for bound, _ in bound_by(module, statement)):
                return True
        inner = each
    return False


def bound_by(module: Module, statement: cst.CSTNode) -> Iterator[tuple[str, int]]:
    """The names that a simple statement, or the head of a compound one, binds, and where that is done."""
    if isinstance(statement, cst.SimpleStatementLine):
        for small in statement.body:
            yield from ((name, module.span(small)[1]) for name in _bound_by_small(small))
    elif isinstance(statement, cst.For):
        yield from ((name, module.span(statement.body)[0]) for name in _targets(statement.target))
    elif isinstance(statement, cst.With):
        for item in statement.items:
            if item.asname is not None:
                yield from ((name, module.span(statement.body)[0]) for name in _targets(item.asname.name))
    elif isinstance(statement, cst.ExceptHandler | cst.ExceptStarHandler) and statement.name is not None:
        yield from ((name, module.span(statement.body)[0]) for name in _targets(statement.name.name))
    elif isinstance(statement, cst.FunctionDef | cst.ClassDef):
        yield statement.name.value, module.span(statement)[1]


def _bound_by_small(small: cst.BaseSmallStatement) -> Iterator[str]:
    if isinstance(small, cst.Assign):
        yield from (name for target in small.targets for name in _targets(target.target))
    elif isinstance(small, cst.AnnAssign) and small.value is not None:
        yield from _targets(small.target)
    elif isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
        yield from (alias.evaluated_alias or alias.evaluated_name.partition(".")[0] for alias in small.names)


def _targets(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            yield from _targets(element.value)
    elif isinstance(node, cst.StarredElement):
        yield from _targets(node.value)


def require_bound(selection: Selection, name: str, owner: Scope) -> None:
    """Raise Refused unless the name surely has a value when the selection begins."""
    module = selection.module
    inner: cst.CSTNode = selection.nodes[0]
    for node in selection.around():
        if isinstance(node, cst.IndentedBlock):
            for statement in node.body:
                if module.span(statement)[0] >= module.span(inner)[0]:
                    break
                if any(bound == name for bound, _ in bound_by(module, statement)):
                    return
        elif name in set(_bound_inside(module, node, inner)):
            return
        if isinstance(node, cst.FunctionDef) and module.scope(node.body.body[0]) is owner:
            break  # what stands further out binds another of that name
        inner = node
    raise Refused(f"it is not sure that {name!r} has a value there, and a call would read it at once")


def _bound_inside(module: Module, node: cst.CSTNode, inner: cst.CSTNode) -> Iterator[str]:
    """The names that `node` binds for what is in it."""
    if isinstance(node, cst.For | cst.With | cst.ExceptHandler | cst.ExceptStarHandler) and inner is node.body:
        yield from (bound for bound, _ in bound_by(module, node))
    elif isinstance(node, cst.CompFor | cst.BaseComp):
        for each in _comprehensions(node):
            yield from _targets(each.target)
    elif isinstance(node, cst.FunctionDef | cst.Lambda):
        yield from (param.name.value for param in every_param(node.params))


def _comprehensions(node: cst.CSTNode) -> Iterator[cst.CompFor]:
    at = node if isinstance(node, cst.CompFor) else getattr(node, "for_in", None)
    while isinstance(at, cst.CompFor):
        yield at
        at = at.inner_for_in


def every_param(params: cst.Parameters) -> list[cst.Param]:
    """The parameters of a function, collectors too."""
    collectors = [each for each in (params.star_arg, params.star_kwarg) if isinstance(each, cst.Param)]
    return [*params.posonly_params, *params.params, *params.kwonly_params, *collectors]


def _refuse_escapes(selection: Selection) -> None:
    module = selection.module
    refuse_frames(module, selection.inside())
    for node in selection.inside():
        if isinstance(node, cst.Return | cst.Yield | cst.Global | cst.Nonlocal | cst.Del):
            raise Refused(f"line {module.places[node].start.line}: '{_word(node)}' cannot move into another function")
        if isinstance(node, cst.Break | cst.Continue):
            loop = next((each for each in module.around(node) if isinstance(each, LOOPS)), None)
            if loop is None or not selection.holds(loop):
                line = module.places[node].start.line
                raise Refused(f"line {line}: '{_word(node)}' belongs to a loop outside of the selection")
        if isinstance(node, cst.NamedExpr) and selection.is_expression:
            raise Refused("the expression gives a name a value (:=), which a function of its own could not")
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in INTROSPECTION:
            raise Refused(f"'{node.func.value}()' looks at the function that it stands in")
        if isinstance(node, cst.Name) and node.value.startswith("__") and not node.value.endswith("__"):
            raise Refused(f"{node.value!r} is private to its class")
        if isinstance(node, cst.Name) and node.value == "__class__":
            raise Refused("'__class__' is known only in the class")


def _refuse_deferred(selection: Selection, outer: set[Scope | None]) -> None:
    """What runs later sees what its names are by then."""
    module = selection.module
    once = None if is_repeated(selection.around()) else (selection.start, selection.end)
    for each in (name for node in selection.inside() for name in read_later(node)):
        owner = _owner(module, each)
        if owner in outer and owner is not None and changes(module, owner, each.value, once):
            raise Refused(f"{each.value!r} is read later by what is defined here, and changes meanwhile")


def _word(node: cst.CSTNode) -> str:
    return type(node).__name__.lower()
