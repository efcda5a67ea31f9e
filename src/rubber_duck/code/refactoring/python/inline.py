"""Puts the value of a Python variable in the places that read it, where that cannot change what they get."""

from __future__ import annotations

import ast
import re

import libcst as cst
from libcst.metadata import FunctionScope, GlobalScope, Scope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.order import acts, is_settled, refuse_unordered, statement_of
from rubber_duck.code.refactoring.python.project import declarations, owner_of
from rubber_duck.code.refactoring.python.selection import Selection
from rubber_duck.code.refactoring.python.uses import annotation_spans, variable_nodes
from rubber_duck.code.refactoring.refactored import Refactored, Splice, Spot, Texts, spliced
from rubber_duck.errors import InvalidInput, Refused

_ATOMS = (cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Attribute, cst.Subscript, cst.Call)
_DYNAMIC = re.compile(r"\b(?:globals|vars|exec|eval|setattr|__dict__)\b")
"""What may give a name of the file another value by its text."""

_FIRM = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary)


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
    if _is_firm(module, assign.value, owner):
        _refuse_shadowed(module, assign.value, reads)
    else:
        _require_near(module, statement, assign.value, reads)
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
        is_fixed = isinstance(found, GlobalScope) and not _DYNAMIC.search(module.text)
        is_known = found is not None and (found is owner or is_fixed)
        return is_known and found is not None and _is_given_once(module, found, value.value)
    return False


def _refuse_shadowed(module: Module, value: cst.BaseExpression, reads: list[cst.Name]) -> None:
    """Raise Refused where one of the places calls something else so: a parameter, the name of a comprehension."""
    if not isinstance(value, cst.Name):
        return
    for read in reads:
        here, there = module.scope(value), module.scope(read)
        is_same = (
            here is not None
            and there is not None
            and owner_of(module, here, value.value) is owner_of(module, there, value.value)
        )
        if not is_same:
            line = module.places[read].start.line
            raise Refused(f"line {line}: {value.value!r} means something else in the place that reads it")


def _is_given_once(module: Module, scope: Scope, name: str) -> bool:
    """Whether a name of `scope` has one value for as long as it has any: a parameter, or given once in no loop."""
    found = list(scope.assignments[name])
    node = getattr(found[0], "node", None) if len(found) == 1 else None
    is_gone = any(
        isinstance(each, cst.Name) and each.value == name for gone in module.every(cst.Del) for each in _inside(gone)
    )
    if node is None or is_gone or any(declared == name for _, declared in declarations(module)):
        return False
    parent = module.parent(node)
    if isinstance(node, cst.Param) or (isinstance(parent, cst.Param) and parent.name is node):
        return True
    around = []
    for each in module.around(node):
        if isinstance(each, cst.FunctionDef) and each is not parent:
            break
        around.append(each)
    is_plain = isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Import | cst.ImportFrom) or isinstance(
        parent, cst.AssignTarget
    )
    return is_plain and not any(isinstance(each, cst.For | cst.While | cst.Try | cst.TryStar) for each in around)


def _require_near(
    module: Module, statement: cst.SimpleStatementLine, value: cst.BaseExpression, reads: list[cst.Name]
) -> None:
    """Anything else may be inlined once, into the same block, where nothing between can tell the difference."""
    if len(reads) != 1:
        raise Refused("its value is worked out once and read several times; inlined it would be worked out each time")
    (read,) = reads
    place = Selection(module, (read,), *module.span(read))
    reading = statement_of(place)
    block = module.parent(statement)
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, cst.IndentedBlock | cst.Module) else []
    at = body.index(statement) + 1 if statement in body else 0
    if not at or reading not in body[at:]:
        raise Refused("the place that reads it is reached only sometimes, later or repeatedly")
    between = body[at : body.index(reading)]
    if between and acts(value) and any(isinstance(each, cst.Try | cst.TryStar) for each in module.around(statement)):
        raise Refused("what stands between would be done even when the value cannot be had")
    for each in between:
        if not _is_passed(module, each, value):
            line = module.places[each].start.line
            raise Refused(f"line {line}: between the assignment and the place that reads it something may happen")
    refuse_unordered(place, reading, value)


def _is_passed(module: Module, statement: cst.CSTNode, value: cst.BaseExpression) -> bool:
    """Whether a statement between only gives other locals values that the value cannot see, nor change."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if not isinstance(small, cst.Assign):
        return isinstance(small, cst.Pass)
    targets = [target.target for target in small.targets]
    seen = {node.value for node in _inside(value) if isinstance(node, cst.Name)}
    if not all(isinstance(target, cst.Name) and target.value not in seen for target in targets):
        return False
    names = {name for _, name in declarations(module)}
    if any(isinstance(target, cst.Name) and target.value in names for target in targets):
        return False
    return is_settled(module, small.value) if acts(value) else not acts(small.value)


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
