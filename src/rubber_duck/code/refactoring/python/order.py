"""Whether a Python expression may be evaluated before the statement that it stands in.

Two pieces change places. That is nobody's to notice when both only read, or when one may do anything and the other is
written out or cannot be reached by what is called. It is assumed that reading an attribute changes nothing, and that
functions and methods are not replaced from another file while a statement runs.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Final

import libcst as cst
from libcst.metadata import FunctionScope, GlobalScope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import declarations, owner_of
from rubber_duck.code.refactoring.python.selection import Selection, is_written
from rubber_duck.errors import Refused

_CONDITIONAL: Final = (
    cst.Lambda,
    cst.IfExp,
    cst.BooleanOperation,
    cst.BaseComp,
    cst.CompFor,
    cst.CompIf,
    cst.Parameters,
    cst.Decorator,
    cst.Annotation,
    cst.While,
    cst.Assert,
    cst.MatchCase,
    cst.FormattedStringExpression,
    cst.BaseFormattedStringContent,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.TypeAlias,
    cst.SimpleStatementSuite,
)
_ACTS: Final = (cst.Call, cst.Await, cst.Yield, cst.NamedExpr, cst.BaseComp, cst.StarredElement, cst.StarredDictElement)
_DEFERRED: Final = (cst.Lambda, cst.IndentedBlock)
_WRITTEN_OUT: Final = (cst.SimpleString, cst.BaseNumber, cst.Ellipsis)
_GROUPS: Final = (cst.Tuple, cst.List, cst.Dict, cst.Element, cst.DictElement, cst.ConcatenatedString)
_EVALUATED: Final = (
    cst.BaseExpression,
    cst.BaseElement,
    cst.BaseDictElement,
    cst.Arg,
    cst.SubscriptElement,
    cst.ComparisonTarget,
    cst.Decorator,
)
_AFTERWARDS: Final = (cst.For, cst.AnnAssign, cst.IfExp, cst.NamedExpr, cst.Arg)
"""What stands first in these comes after the value, or is only a name."""


def statement_of(selection: Selection) -> cst.CSTNode:
    """The statement around an expression; raises Refused where it is not evaluated once, before the rest."""
    inner: cst.CSTNode = selection.nodes[0]
    for node in selection.around():
        if isinstance(node, cst.BooleanOperation) and inner is node.left:
            inner = node
            continue
        if isinstance(node, cst.IfExp) and inner is node.test:
            inner = node
            continue
        if isinstance(node, _CONDITIONAL):
            raise Refused("it is evaluated only sometimes, later or repeatedly there, so it cannot be moved before")
        if isinstance(node, cst.If) and isinstance(selection.module.parent(node), cst.If):
            raise Refused("the condition of an elif is evaluated only when those before it were false")
        if isinstance(node, cst.Comparison) and inner is not node.left and len(node.comparisons) > 1:
            raise Refused("in a chain of comparisons it is evaluated only sometimes")
        _refuse_late(node, inner)
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            _refuse_statement(selection.module, node)
            return node
        inner = node
    raise Refused("it stands in no statement")


def _refuse_late(node: cst.CSTNode, inner: cst.CSTNode) -> None:
    """Where what stands further right, or what a statement does itself, comes first."""
    if isinstance(node, cst.AssignTarget) or (isinstance(node, cst.AnnAssign) and inner is node.target):
        raise Refused("it says where a value goes, which is worked out after the value")
    if isinstance(node, cst.For) and inner is node.target:
        raise Refused("it says where a value goes, which is worked out after the value, and again each time")
    if isinstance(node, cst.WithItem) and inner is not node.item:
        raise Refused("it says where a value goes, which is worked out after the value")
    if isinstance(node, cst.With) and inner is not node.items[0]:
        raise Refused("it is evaluated when what stands before it has been entered")
    if isinstance(node, cst.Del) and isinstance(node.target, cst.Tuple | cst.List):
        raise Refused("what stands before it is deleted first")
    if isinstance(node, cst.Expr) and inner is node.value and isinstance(inner, cst.BaseString):
        raise Refused("a text by itself documents what it stands in")
    if isinstance(node, cst.ClassDef) and node.type_parameters is not None:
        raise Refused("it may name a parameter of the class")


def _refuse_statement(module: Module, statement: cst.CSTNode) -> None:
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) > 1:
        raise Refused("the statement shares its line with another")
    block = module.parent(statement)
    if block is not None and isinstance(module.parent(block), cst.ClassDef):
        raise Refused("in the body of a class the name would become an attribute of it")


def refuse_unordered(selection: Selection, statement: cst.CSTNode, value: cst.CSTNode | None = None) -> None:
    """Raise Refused unless the expression may change places with all that its statement evaluates before it.

    What has an effect must not pass what sees it, nor what has one too. `value` is what will stand there, if that is
    another expression.
    """
    module = selection.module
    node = value or selection.nodes[0]
    if isinstance(node, _WRITTEN_OUT):
        return
    inside = list(_run(node))
    if any(isinstance(each, cst.Yield | cst.NamedExpr) for each in inside):
        raise Refused("the expression gives something a value or yields")
    before = list(_before(selection, statement))
    for each in (found for part in before for found in _run(part)):
        if _acts(each):
            line = module.places[each].start.line
            raise Refused(f"line {line}: something is called there before it, which would then come after it")
    if not any(map(_acts, inside)):
        return
    for part in before:
        if not _is_passed(module, part):
            line = module.places[part].start.line
            said = " ".join(module.source(part).split())[:40]
            raise Refused(f"line {line}: '{said}' is read there before it, and what it calls may change that")


def _run(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and those below it, without what runs later."""
    stack = [node]
    while stack:
        each = stack.pop()
        yield each
        if not isinstance(each, _DEFERRED):
            stack.extend(reversed(each.children))


def _before(selection: Selection, statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What the statement evaluates before the selection, in pieces; where a value goes comes after it."""
    module = selection.module
    inner: cst.CSTNode = selection.nodes[0]
    for at in selection.around():
        for child in at.children:
            if child is inner or not isinstance(child, _EVALUATED) or child not in module.places:
                continue
            is_name = isinstance(at, cst.ClassDef) and child is at.name
            if module.span(child)[1] <= selection.start and not is_name and not isinstance(at, _AFTERWARDS):
                yield child
        if at is statement:
            return
        inner = at


def _acts(node: cst.CSTNode) -> bool:
    return isinstance(node, _ACTS) or (isinstance(node, cst.Arg) and bool(node.star))


def acts(node: cst.CSTNode) -> bool:
    """Whether an expression calls, awaits, iterates or gives a value, and so may do anything."""
    return any(map(_acts, _run(node)))


def _is_passed(module: Module, part: cst.CSTNode) -> bool:
    """Whether a piece is after a call what it was before: it is settled, or it is what is to be called."""
    parent = module.parent(part)
    if isinstance(parent, cst.Call) and parent.func is part:
        if isinstance(part, cst.Name):
            again = {name for _, name in declarations(module)}
            return is_settled(module, part) or part.value not in again
        if isinstance(part, cst.Attribute) and part.attr.value not in _replaced(module):
            return is_settled(module, part.value) or _is_of_module(module, part.value)
    return is_settled(module, part)


def is_settled(module: Module, part: cst.CSTNode) -> bool:
    """Whether nothing that is called could make it another value: written out, or a name that only this place gives."""
    stack = [part]
    while stack:
        each = stack.pop()
        if isinstance(each, cst.Name):
            if not _is_own(module, each):
                return False
        elif isinstance(each, cst.Comparison):
            if not all(isinstance(target.operator, cst.Is | cst.IsNot) for target in each.comparisons):
                return False
            stack.extend([each.left, *(target.comparator for target in each.comparisons)])
        elif isinstance(each, cst.UnaryOperation):
            if not isinstance(each.expression, cst.BaseNumber):
                return False
        elif isinstance(each, cst.Arg):
            stack.append(each.value)
        elif isinstance(each, _GROUPS):
            stack.extend(child for child in each.children if isinstance(child, _EVALUATED))
        elif not isinstance(each, (*_WRITTEN_OUT, cst.Lambda)):
            return False
    return True


def _is_own(module: Module, name: cst.Name) -> bool:
    """Whether a name means the same throughout the statement, whatever is called.

    That is a local of the function that no function inside gives a value; a name of the file that no function gives
    one; and what Python itself has.
    """
    scope = module.scope(name)
    if scope is None or any(declared == name.value for _, declared in declarations(module)):
        return False
    owner = owner_of(module, scope, name.value)
    if owner is None:
        return hasattr(builtins, name.value)
    return isinstance(owner, GlobalScope) or (isinstance(owner, FunctionScope) and owner is scope)


def _is_of_module(module: Module, node: cst.CSTNode) -> bool:
    """Whether it is something in a module that the file imports as a whole: `os.path`."""
    replaced = _replaced(module)
    while isinstance(node, cst.Attribute) and node.attr.value not in replaced:
        node = node.value
    if not isinstance(node, cst.Name) or not _is_own(module, node):
        return False
    given = [each for each in module.every(cst.Name) if each.value == node.value and is_written(module, each)]
    named = [each for each in module.every(cst.Import) for alias in each.names if _bound_by(alias) == node.value]
    return bool(named) and all(any(isinstance(at, cst.Import) for at in module.around(each)) for each in given)


def _bound_by(alias: cst.ImportAlias) -> str:
    return alias.evaluated_alias or alias.evaluated_name.partition(".")[0]


def _replaced(module: Module) -> set[str]:
    """The attributes that the file gives a value anywhere."""
    return {
        node.attr.value
        for node in module.every(cst.Attribute)
        if str(module.contexts.get(node, "")).endswith(("STORE", "DEL"))
    }
