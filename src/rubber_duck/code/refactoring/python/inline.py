"""Puts the value of a Python variable in the places that read it, where that cannot change what they get."""

from __future__ import annotations

import ast
from itertools import pairwise

import libcst as cst
from libcst.metadata import FunctionScope, Scope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import owner_of
from rubber_duck.code.refactoring.python.uses import annotation_spans, variable_nodes
from rubber_duck.code.refactoring.refactored import Refactored, Splice, Spot, Texts, spliced
from rubber_duck.errors import InvalidInput, Refused

_ATOMS = (cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Attribute, cst.Subscript, cst.Call)
_FIRM = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary)
_LOOPS = (cst.For, cst.While, cst.BaseComp, cst.CompFor)


def is_function(texts: Texts, spot: Spot) -> bool:
    """Whether a function is defined or called at `spot`, and no variable of a function stands there."""
    if spot.path not in texts:
        return False
    module = Module(spot.path, texts[spot.path])
    name = module.name_at(spot.line, spot.column)
    if name is None:
        return False
    parent = module.parent(name)
    if isinstance(parent, cst.FunctionDef):
        return True
    if isinstance(parent, cst.Attribute) and parent.attr is name:
        call = module.parent(parent)
        return isinstance(call, cst.Call) and call.func is parent
    scope = module.scope(name)
    owner = owner_of(module, scope, name.value) if scope is not None else None
    return isinstance(parent, cst.Call) and parent.func is name and not isinstance(owner, FunctionScope)


def inline_variable(texts: Texts, spot: Spot) -> Refactored:
    """The file without the local variable at `spot`: its value stands where it was read."""
    if spot.path not in texts:
        raise InvalidInput(f"there is no file '{spot.path}' in the project")
    module = Module(spot.path, texts[spot.path])
    name = module.name_at(spot.line, spot.column)
    if name is None:
        raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column}")
    scope = module.scope(name)
    owner = owner_of(module, scope, name.value) if scope is not None else None
    if not isinstance(owner, FunctionScope):
        raise Refused(f"{name.value!r} is no variable of a function: others may reach it from elsewhere")
    statement, assign = _assignment(module, owner, name.value)
    reads = [node for node in variable_nodes(module, owner, name.value) if node is not assign.targets[0].target]
    if not reads or list(annotation_spans(module, owner, name.value)):
        raise Refused(f"{name.value!r} is never read, or in an annotation: there is no place for its value")
    for node in reads:
        _refuse_other(module, node)
    if not _is_firm(module, assign.value, owner):
        _require_next(module, statement, reads)
    splices = [_without(module, statement)]
    for node in reads:
        start, end = module.span(node)
        splices.append(Splice(start, end, _written(module, assign.value, node)))
    after = spliced(module.text, splices)
    try:
        ast.parse(after)
    except SyntaxError as error:
        raise Refused(f"the result would not parse: {error.msg}") from error
    return Refactored({spot.path: after})


def _assignment(module: Module, owner: Scope, name: str) -> tuple[cst.SimpleStatementLine, cst.Assign]:
    assignments = list(owner.assignments[name])
    node = getattr(assignments[0], "node", None) if len(assignments) == 1 else None
    target = module.parent(node) if node is not None else None
    assign = module.parent(target) if isinstance(target, cst.AssignTarget) else None
    line = module.parent(assign) if assign is not None else None
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1 or not isinstance(line, cst.SimpleStatementLine):
        raise Refused(f"{name!r} is not given its value once, by a plain assignment")
    if len(line.body) != 1:
        raise Refused("the assignment shares its line with another statement")
    if module.text[module.span(line)[1] :].split("\n", 1)[0].strip():
        raise Refused("the assignment has a comment behind it, which would be lost")
    return line, assign


def _refuse_other(module: Module, node: cst.Name) -> None:
    parent = module.parent(node)
    if isinstance(parent, cst.AugAssign | cst.Del | cst.NameItem):
        raise Refused(f"{node.value!r} is changed at line {module.places[node].start.line}")
    if isinstance(parent, cst.FormattedStringExpression):
        raise Refused(f"{node.value!r} stands in an f-string, whose quotes its value might not suit")


def _is_firm(module: Module, value: cst.BaseExpression, owner: Scope) -> bool:
    """Whether the value is the same whenever and how often it is worked out."""
    if isinstance(value, _FIRM):
        return True
    if isinstance(value, cst.UnaryOperation):
        return isinstance(value.expression, _FIRM)
    if isinstance(value, cst.Name):
        scope = module.scope(value)
        found = owner_of(module, scope, value.value) if scope is not None else None
        if value.value in {"True", "False", "None"}:
            return True
        return found is owner and len(list(found.assignments[value.value])) == 1
    return False


def _require_next(module: Module, statement: cst.SimpleStatementLine, reads: list[cst.Name]) -> None:
    """Anything else may be inlined once, into the statement that follows, before anything else happens there."""
    if len(reads) != 1:
        raise Refused("its value is worked out once and read several times; inlined it would be worked out each time")
    (read,) = reads
    block = module.parent(statement)
    following = None
    if isinstance(block, cst.IndentedBlock | cst.Module):
        at = list(block.body).index(statement) + 1
        following = block.body[at] if at < len(block.body) else None
    path: list[cst.CSTNode] = [read]
    for node in module.around(read):
        path.append(node)
        if node is following:
            break
    else:
        raise Refused("between the assignment and the place that reads it something may happen")
    kinds = (cst.Lambda, cst.IfExp, cst.BooleanOperation, cst.IndentedBlock, cst.FunctionDef, cst.ClassDef, *_LOOPS)
    for inner, node in pairwise(path):
        if isinstance(node, cst.For) and inner is node.iter:
            continue
        if isinstance(node, kinds) and not (isinstance(node, cst.BooleanOperation) and inner is node.left):
            raise Refused("the place that reads it is reached only sometimes, later or repeatedly")
    start = module.span(read)[0]
    for node in _inside(path[-1]):
        if node in module.places and module.span(node)[1] <= start and isinstance(node, cst.Call | cst.Await):
            raise Refused("something is called before it is read")
        if node in module.places and module.span(node)[1] <= start and isinstance(node, cst.NamedExpr | cst.Yield):
            raise Refused("something happens before it is read")


def _inside(node: cst.CSTNode) -> list[cst.CSTNode]:
    found, stack = [], [node]
    while stack:
        at = stack.pop()
        found.append(at)
        stack.extend(at.children)
    return found


def _without(module: Module, statement: cst.SimpleStatementLine) -> Splice:
    block = module.parent(statement)
    if isinstance(block, cst.IndentedBlock) and len(block.body) == 1:
        raise Refused("the block would be empty without the assignment")
    start, end = module.span(statement)
    start = module.text.rfind("\n", 0, start) + 1
    newline = module.text.find("\n", end)
    return Splice(start, len(module.text) if newline < 0 else newline + 1, "")


def _written(module: Module, value: cst.BaseExpression, place: cst.Name) -> str:
    text = module.source(value)
    if value.lpar:
        return text if text.startswith("(") else f"({text})"
    parent = module.parent(place)
    is_dotted = isinstance(parent, cst.Attribute) and isinstance(value, cst.Integer)
    return text if isinstance(value, _ATOMS) and not is_dotted else f"({text})"
