"""The body of a Python function that is to stand elsewhere: what it takes, binds and gives, or why it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import libcst as cst
from libcst.metadata import FunctionScope, GlobalScope

from rubber_duck.code.refactoring.python.frames import refuse_frames
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import declarations, owner_of
from rubber_duck.code.refactoring.python.selection import INTROSPECTION, bound_by, every_param, is_read, is_written
from rubber_duck.errors import Refused

_NESTED: Final = (cst.FunctionDef, cst.ClassDef, cst.Lambda, cst.GeneratorExp)
_ELSEWHERE: Final = (cst.Yield, cst.Await, cst.Global, cst.Nonlocal, cst.Del, cst.NamedExpr)


@dataclass(frozen=True, slots=True)
class Body:
    """`statements` without the documentation and the return at the end; `value` is what that gives, None: nothing.

    `own` are the names that it binds, parameters too; `free` those it takes from its file or that are built in.
    """

    module: Module
    function: cst.FunctionDef
    statements: tuple[cst.BaseStatement, ...]
    value: cst.BaseExpression | None
    own: frozenset[str]
    free: frozenset[str]

    def reads(self, of: cst.CSTNode) -> Iterator[cst.Name]:
        """The names of its own that stand in a node, in source order."""
        found = [node for node in nodes_in(of) if isinstance(node, cst.Name) and _is_own(self, node)]
        return iter(sorted(found, key=self.module.span))

    def gives_again(self, param: str) -> bool:
        """Whether it gives a parameter another value."""
        return any(
            node.value == param and is_written(self.module, node)
            for statement in self.statements
            for node in self.reads(statement)
        )


def body_of(module: Module, function: cst.FunctionDef) -> Body:
    """Raises Refused with the reason where the body could not stand anywhere else."""
    name = function.name.value
    top = module.scopes[module.tree]
    if not isinstance(module.parent(function), cst.Module):
        raise Refused(f"{name!r} is not at the top of its file: only such functions are put in the place of calls")
    if function.decorators:
        raise Refused(f"{name!r} has a decorator, which makes something else of it")
    if function.asynchronous is not None:
        raise Refused(f"{name!r} is asynchronous: what it gives is awaited, not worked out at once")
    is_made_below = any(key[1] == name and how == "global" for key, how in declarations(module).items())
    if top is None or len(list(top.assignments[name])) != 1 or is_made_below:
        raise Refused(f"{name!r} is defined several times in '{module.path}'")
    statements, value = _parted(function)
    inside = [node for part in (*statements, *((value,) if value is not None else ())) for node in nodes_in(part)]
    _refuse_bound(module, function, inside)
    names = [node for node in inside if isinstance(node, cst.Name) and not is_label(module, node)]
    own = {param.name.value for param in every_param(function.params)}
    free: set[str] = set()
    for node in names:
        scope = module.scope(node)
        owner = owner_of(module, scope, node.value) if scope is not None else None
        if owner is None or isinstance(owner, GlobalScope):
            free.add(node.value)
        elif isinstance(owner, FunctionScope):
            own.add(node.value)
    body = Body(module, function, tuple(statements), value, frozenset(own), frozenset(free))
    if statements:
        _require_bound(body)
    return body


def nodes_in(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all that is in it."""
    stack = [node]
    while stack:
        at = stack.pop()
        yield at
        stack.extend(at.children)


def _parted(function: cst.FunctionDef) -> tuple[list[cst.BaseStatement], cst.BaseExpression | None]:
    suite = function.body
    if isinstance(suite, cst.SimpleStatementSuite):
        if len(suite.body) == 1 and isinstance(suite.body[0], cst.Return):
            return [], suite.body[0].value
        raise Refused("the function's body stands on the line of its head")
    statements = [each for each in suite.body if isinstance(each, cst.BaseStatement) and not _is_nothing(each)]
    last = statements[-1] if statements else None
    if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 and isinstance(last.body[0], cst.Return):
        return statements[:-1], last.body[0].value
    return statements, None


def _is_nothing(statement: cst.BaseStatement) -> bool:
    """Documentation, `pass`, `...`."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    is_text = isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.Ellipsis)
    return isinstance(small, cst.Pass) or is_text


def _refuse_bound(module: Module, function: cst.FunctionDef, inside: list[cst.CSTNode]) -> None:
    """Raise Refused for what means something only in this very function."""
    name = function.name.value
    refuse_frames(module, inside)
    for node in inside:
        line = module.places[node].start.line if node in module.places else 0
        if isinstance(node, cst.Return):
            raise Refused(f"line {line}: {name!r} returns in several places")
        if isinstance(node, cst.Yield):
            raise Refused(f"line {line}: {name!r} is a generator")
        if isinstance(node, _ELSEWHERE):
            raise Refused(f"line {line}: '{type(node).__name__.lower()}' cannot stand in another function")
        if isinstance(node, _NESTED):
            raise Refused(f"line {line}: what is defined in {name!r} is worked out later, and may see other values")
        if isinstance(node, cst.Import | cst.ImportFrom) or (
            isinstance(node, cst.AnnAssign) and not isinstance(node.target, cst.Name)
        ):
            raise Refused(f"line {line}: an import or an annotation stands in {name!r}")
        if isinstance(node, cst.Name) and not is_label(module, node):
            if node.value == name:
                raise Refused(f"line {line}: {name!r} calls itself")
            if node.value in INTROSPECTION or node.value == "__class__":
                raise Refused(f"line {line}: '{node.value}' looks at the function that it stands in")
        if isinstance(node, cst.Name) and node.value.startswith("__") and not node.value.endswith("__"):
            raise Refused(f"line {line}: {node.value!r} would be private to a class")
        if isinstance(node, cst.BaseString) and module.places[node].start.line != module.places[node].end.line:
            raise Refused(f"line {line}: a text over several lines would be indented")


def _require_bound(body: Body) -> None:
    """Raise Refused where a name may have no value: elsewhere it could have one from the time before."""
    module = body.module
    params = {param.name.value for param in every_param(body.function.params)}
    sure: dict[str, list[tuple[int, int]]] = {}
    for node in (each for statement in body.statements for each in nodes_in(statement)):
        if isinstance(node, cst.For | cst.With | cst.ExceptHandler | cst.ExceptStarHandler):
            end = module.span(node.body)[1]
        elif isinstance(node, cst.SimpleStatementLine):
            block = module.parent(node)
            end = module.span(block)[1] if block is not None else 0
            end = max(end, module.span(body.function)[1]) if block is body.function.body else end
        else:
            continue
        for name, after in bound_by(module, node):
            sure.setdefault(name, []).append((after, end))
    parts = (*body.statements, *((body.value,) if body.value is not None else ()))
    for node in (each for part in parts for each in body.reads(part)):
        at = module.span(node)[0]
        is_sure = any(first <= at <= last for first, last in sure.get(node.value, ()))
        if node.value not in params and is_read(module, node) and not is_sure:
            line = module.places[node].start.line
            raise Refused(f"line {line}: it is not sure that {node.value!r} has a value there")


def _is_own(body: Body, node: cst.Name) -> bool:
    if node.value not in body.own or is_label(body.module, node):
        return False
    scope = body.module.scope(node)
    owner = owner_of(body.module, scope, node.value) if scope is not None else None
    return isinstance(owner, FunctionScope)


def is_label(module: Module, node: cst.Name) -> bool:
    """Whether it names an attribute or a parameter, and no variable."""
    parent = module.parent(node)
    return (isinstance(parent, cst.Attribute) and parent.attr is node) or (
        isinstance(parent, cst.Arg) and parent.keyword is node
    )
