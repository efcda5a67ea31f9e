"""What a piece of Python leaves behind: functions that run later, and names whose values a failure would lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import libcst as cst
from libcst.metadata import ComprehensionScope, Scope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import declarations
from rubber_duck.errors import Refused

LOOPS: Final = (cst.For, cst.While)
_FUNCTIONS: Final = (cst.FunctionDef, cst.Lambda)
_CERTAIN: Final = (cst.SimpleString, cst.BaseNumber, cst.Ellipsis)

Span = tuple[int, int]


def read_later(node: cst.CSTNode) -> Iterator[cst.Name]:
    """The names that a function, class or generator reads when it runs, not when it is made: defaults are not."""
    stack: list[cst.CSTNode] = []
    if isinstance(node, cst.GeneratorExp):
        at: cst.CompFor | None = node.for_in
        stack += [node.elt, *node.for_in.ifs]
        while at is not None and at.inner_for_in is not None:
            at = at.inner_for_in
            stack.append(at.iter)
            stack += at.ifs
    elif isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
        stack.append(node.body)
    while stack:
        each = stack.pop()
        stack.extend(each.children)
        if isinstance(each, cst.Name):
            yield each


def is_repeated(around: Sequence[cst.CSTNode]) -> bool:
    """Whether a loop or a comprehension does what stands in it again; `around`: the nodes around, the nearest first."""
    for node in around:
        if isinstance(node, _FUNCTIONS):
            return False
        if isinstance(node, (*LOOPS, cst.BaseComp, cst.CompFor)):
            return True
    return False


def changes(module: Module, owner: Scope, name: str, inside: Span | None) -> bool:
    """Whether a name of a function may have another value later: given again, in a loop, or taken away.

    `inside`: where a piece stands that is done once, and whose own names do not count, however often they are given.
    """
    nodes = (getattr(each, "node", None) for each in owner.assignments[name])
    given = [each for each in nodes if isinstance(each, cst.CSTNode) and each in module.places]
    if inside is not None and all(_holds(inside, module.span(each)) for each in given):
        return False
    if len(given) != 1 or isinstance(owner, ComprehensionScope):
        return True
    if any(declared == name for _, declared in declarations(module)):
        return True
    gone = (each for node in module.every(cst.Del) for each in _inside(node))
    if any(isinstance(each, cst.Name) and each.value == name for each in gone):
        return True
    around = list(module.around(given[0]))
    is_caught = any(isinstance(each, cst.ExceptHandler | cst.ExceptStarHandler) for each in around[:2])
    return is_caught or (is_repeated(around) and not isinstance(given[0], cst.Param))


def refuse_lost(module: Module, nodes: Sequence[cst.CSTNode], name: str, reads: Sequence[Span]) -> None:
    """Raise Refused where somebody reads what the statements `nodes` gave `name`, when they failed half-way.

    A function gives nothing back then. `reads`: where the name is read and its old value could still be there, also
    in the statements themselves. Nobody does where neither a `try` nor a `with` goes on in the same function.
    """
    guarded = _guarded(module, nodes[0])
    if guarded is None or _is_given_last(module, nodes, name):
        return
    guard, (_, end) = guarded
    again = is_repeated(list(module.around(guard)))
    if any(again or start >= end for start, _ in reads):
        word = "with" if isinstance(guard, cst.With) else "try"
        raise Refused(f"{name!r} would keep its old value if the new function fails, and a `{word}` stands around it")


def _guarded(module: Module, node: cst.CSTNode) -> tuple[cst.CSTNode, Span] | None:
    """The nearest statement that may go on when `node` fails, and its part that is left then."""
    inner = node
    for each in module.around(node):
        if isinstance(each, _FUNCTIONS):
            return None
        if isinstance(each, cst.With) and inner is each.body:
            return each, module.span(inner)
        if isinstance(each, cst.Try | cst.TryStar):
            is_last = inner is each.finalbody
            if inner is each.body or (each.finalbody is not None and not is_last):
                return each, module.span(inner)
        inner = each
    return None


def _is_given_last(module: Module, nodes: Sequence[cst.CSTNode], name: str) -> bool:
    """Whether nothing can fail once the name has its new value."""
    rest = list(nodes)
    while rest:
        last = rest.pop()
        if not isinstance(last, cst.SimpleStatementLine) or len(last.body) != 1 or not _is_plain(last.body[0]):
            return False
        given = {each.value for each in _targets(last.body[0])}
        if name in given and not any(_says(each, name) for each in rest):
            return True
        value = last.body[0].value if isinstance(last.body[0], cst.Assign | cst.AnnAssign) else None
        if not isinstance(value, _CERTAIN):
            return False
    return False


def _is_plain(small: cst.CSTNode) -> bool:
    """Whether a statement gives names a value as the last that it does."""
    if isinstance(small, cst.AnnAssign | cst.AugAssign):
        return isinstance(small.target, cst.Name)
    if not isinstance(small, cst.Assign) or any(isinstance(each, cst.NamedExpr) for each in _inside(small)):
        return False
    parts = [each.target for each in small.targets]
    flat = [part.elements if isinstance(part, cst.Tuple) else () for part in parts]
    if len(parts) > 1 and any(flat):
        return False
    return all(
        isinstance(part, cst.Name)
        or (isinstance(part, cst.Tuple) and all(isinstance(each.value, cst.Name) for each in part.elements))
        for part in parts
    )


def _targets(small: cst.CSTNode) -> list[cst.Name]:
    targets: list[cst.CSTNode] = [each.target for each in small.targets] if isinstance(small, cst.Assign) else []
    if isinstance(small, cst.AnnAssign | cst.AugAssign):
        targets = [small.target]
    return [each for target in targets for each in _inside(target) if isinstance(each, cst.Name)]


def _says(node: cst.CSTNode, name: str) -> bool:
    """Whether the name stands there, be it read or given: then it may have another value before the end."""
    return any(isinstance(each, cst.Name) and each.value == name for each in _inside(node))


def _holds(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _inside(node: cst.CSTNode) -> list[cst.CSTNode]:
    found, stack = [], [node]
    while stack:
        at = stack.pop()
        found.append(at)
        stack.extend(at.children)
    return found
