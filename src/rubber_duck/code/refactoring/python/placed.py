"""Writes a function's body in the place of one call: as an expression, or as statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

import libcst as cst
from libcst.metadata import ComprehensionScope, Scope

from rubber_duck.code.refactoring.python.arguments import Argument, is_firm, is_literal
from rubber_duck.code.refactoring.python.body import Body, is_label, nodes_in
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import owner_of
from rubber_duck.code.refactoring.python.selection import INTROSPECTION, Selection, require_bound
from rubber_duck.code.refactoring.refactored import Splice, newline_of, spliced
from rubber_duck.errors import Refused

Given = Mapping[str, Argument]
"""What a call gives, by parameter, in the order in which it is worked out."""

_ATOMS: Final = (cst.Name, cst.SimpleString, cst.Integer, cst.Float)
_PLAIN: Final = (*_ATOMS, cst.Imaginary)
_OPEN: Final = (cst.Assign, cst.Return, cst.Expr, cst.Arg, cst.AnnAssign)
_SOMETIMES: Final = (
    cst.IfExp,
    cst.BooleanOperation,
    cst.BaseComp,
    cst.CompFor,
    cst.Lambda,
    cst.FormattedStringExpression,
)


def as_expression(module: Module, call: cst.Call, body: Body, given: Given) -> Splice:
    """The call as the one expression that the function is, with what the call gives in the place of parameters."""
    if any(isinstance(each, cst.BaseFormattedStringContent) for each in module.around(call)):
        raise Refused(f"{_where(module, call)}: a call stands in an f-string, whose quotes its body might not suit")
    if body.value is None:
        _require_firm(module, call, given.values())
        return Splice(*module.span(call), "None")
    reads = list(body.reads(body.value))
    _require_order(module, call, body, given)
    comprehended = _comprehended(body)
    offset, end = body.module.span(body.value)
    parts: list[Splice] = []
    for node in reads:
        argument = given[node.value]
        names = {each.value for each in nodes_in(argument.value) if isinstance(each, cst.Name)}
        if names & comprehended:
            raise Refused(
                f"{_where(module, call)}: {sorted(names & comprehended)[0]!r} means something else in the body"
            )
        start, stop = body.module.span(node)
        parts.append(Splice(start - offset, stop - offset, _written(body.module, node, argument)))
    text = spliced(body.module.text[offset:end], parts)
    parent = module.parent(call)
    is_free = isinstance(parent, _OPEN) and not isinstance(body.value, cst.Tuple) and not call.lpar
    is_atom = isinstance(body.value, (*_ATOMS, cst.Call, cst.List, cst.Dict)) and not body.value.lpar and not parts
    closed = "\n" not in text and (is_free or is_atom)
    return Splice(*module.span(call), text if closed or _is_enclosed(text) else f"({text})")


def as_statements(module: Module, call: cst.Call, body: Body, given: Given) -> Splice:
    """The statement that the call is, or gives its value to, after the function's statements."""
    line, small = _statement(module, call)
    function = next((each for each in module.around(call) if isinstance(each, cst.FunctionDef | cst.ClassDef)), None)
    if not isinstance(function, cst.FunctionDef):
        raise Refused(f"{_where(module, call)}: outside of a function the names of the body would be everybody's")
    start, end = module.span(line)
    first = module.text.rfind("\n", 0, start) + 1
    indent = module.text[first:start]
    if indent.strip():
        raise Refused(f"{_where(module, call)}: the statement shares its line with another")
    bindings = _bindings(module, call, function, body, given)
    newline = newline_of(module.text)
    lines = [f"{indent}{name} = {_closed(argument.text)}" for name, argument in bindings]
    lines += _moved(body, indent)
    value = "None" if body.value is None else _closed(body.module.source(body.value))
    if not (isinstance(small, cst.Expr) and (body.value is None or isinstance(body.value, _PLAIN))):
        from_, to = module.span(call)
        lines.append(f"{module.text[first:from_]}{value}{module.text[to:end]}")
    return Splice(first, end, newline.join(lines))


def _statement(module: Module, call: cst.Call) -> tuple[cst.SimpleStatementLine, cst.CSTNode]:
    small = module.parent(call)
    is_named = isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name)
    if isinstance(small, cst.Assign | cst.Return | cst.Expr) or is_named:
        assert small is not None  # mypy reads `is_named` only where it stands
        line = module.parent(small)
        if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 and not call.lpar:
            return line, small
    raise Refused(
        f"{_where(module, call)}: the function has several statements, and the call is only a part of one; "
        "give its value a name first: extract-variable"
    )


def _bindings(
    module: Module, call: cst.Call, function: cst.FunctionDef, body: Body, given: Given
) -> list[tuple[str, Argument]]:
    """Which names are to be given which values before the statements; raises Refused for names that are taken."""
    outer = [each for each in module.around(call) if isinstance(each, cst.FunctionDef)][-1]
    taken = {each.value for each in nodes_in(outer) if isinstance(each, cst.Name) and not is_label(module, each)}
    if taken & INTROSPECTION:
        raise Refused(f"{_where(module, call)}: '{sorted(taken & INTROSPECTION)[0]}' would see other names there")
    kept = {
        name
        for name, argument in given.items()
        if isinstance(argument.value, cst.Name)
        and argument.value.value == name
        and is_firm(argument)
        and not body.gives_again(name)
    }
    clash = (body.own - kept) & taken
    if clash:
        raise Refused(
            f"{_where(module, call)}: {sorted(clash)[0]!r} is a name of the body and of {function.name.value!r}"
        )
    for name in kept:
        _require_surely_bound(module, call, given[name])
    return [(name, argument) for name, argument in given.items() if name not in kept]


def _require_firm(module: Module, call: cst.Call, given: Iterable[Argument]) -> None:
    for argument in given:
        if not is_firm(argument):
            raise Refused(f"{_where(module, call)}: what is given to a parameter would not be worked out any more")
        _require_surely_bound(module, call, argument)


def _require_order(module: Module, call: cst.Call, body: Body, given: Given) -> None:
    """Raise Refused unless what the call gives is worked out as it was: each once, and before all else."""
    assert body.value is not None  # the caller looked
    reads = list(body.reads(body.value))
    unsteady = [name for name, argument in given.items() if not is_firm(argument)]
    for name, argument in given.items():
        if name not in unsteady:
            _require_surely_bound(module, call, argument)
    if not unsteady:
        return
    advice = "give it a name first: extract-variable"
    if len(unsteady) > 1:
        raise Refused(f"{_where(module, call)}: several arguments may have effects, or see those of others; {advice}")
    (name,) = unsteady
    mine = [node for node in reads if node.value == name]
    if len(mine) != 1:
        what = "more than once" if mine else "not at all"
        raise Refused(f"{_where(module, call)}: what is given to {name!r} would be worked out {what}; {advice}")
    if any(isinstance(each, cst.NamedExpr) for each in nodes_in(given[name].value)):
        raise Refused(f"{_where(module, call)}: an argument gives something a value (:=)")
    if not _is_first(body, mine[0]):
        raise Refused(
            f"{_where(module, call)}: what is given to {name!r} would be worked out later, or sometimes; {advice}"
        )


def _is_first(body: Body, read: cst.Name) -> bool:
    """Whether nothing that has an effect, or sees one, happens in the body before `read`, which is always reached."""
    module = body.module
    path: list[cst.CSTNode] = [read]
    for node in module.around(read):
        if path[-1] is body.value:
            break
        path.append(node)
    for inner, node in pairwise(path):
        if isinstance(node, _SOMETIMES) and not (isinstance(node, cst.BooleanOperation) and inner is node.left):
            return False
        if isinstance(node, cst.ComparisonTarget):
            whole = module.parent(node)
            if not isinstance(whole, cst.Comparison) or whole.comparisons[0] is not node:
                return False
    at = module.span(read)[0]
    for node in nodes_in(path[-1]):
        if not isinstance(node, cst.BaseExpression) or node not in module.places or module.span(node)[1] > at:
            continue
        if not isinstance(node, _PLAIN):
            return False
        if isinstance(node, cst.Name) and node.value in body.free and not _is_steady(module, node.value):
            return False
    return True


def _is_steady(module: Module, name: str) -> bool:
    """Whether a name of the file is a function, a class or a module for good, or built in."""
    top = module.scopes[module.tree]
    found = list(top.assignments[name]) if top is not None and name in top.assignments else []
    nodes = [getattr(each, "node", None) for each in found]
    kinds = (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)
    return not found or (len(found) == 1 and isinstance(nodes[0], kinds))


def _require_surely_bound(module: Module, call: cst.Call, argument: Argument) -> None:
    value = argument.value
    if is_literal(value) or not isinstance(value, cst.Name):
        return
    scope = module.scope(value)
    owner: Scope | None = owner_of(module, scope, value.value) if scope is not None else None
    if owner is not None and not isinstance(owner, ComprehensionScope):
        require_bound(Selection(module, (call,), *module.span(call)), value.value, owner)


def _comprehended(body: Body) -> set[str]:
    """The names that comprehensions in the body bind."""
    assert body.value is not None  # the caller looked
    return {
        each.value
        for node in nodes_in(body.value)
        if isinstance(node, cst.CompFor)
        for each in nodes_in(node.target)
        if isinstance(each, cst.Name)
    }


def _written(module: Module, place: cst.Name, argument: Argument) -> str:
    """An argument's text in the place of a parameter in the body."""
    value = argument.value
    parent = module.parent(place)
    if isinstance(parent, cst.FormattedStringExpression) and not isinstance(value, cst.Name | cst.Integer):
        raise Refused(f"{place.value!r} stands in an f-string, whose quotes what is given might not suit")
    is_dotted = isinstance(parent, cst.Attribute) and isinstance(value, cst.Integer | cst.Float)
    text = argument.text
    if isinstance(value, _ATOMS) and not value.lpar and not is_dotted:
        return text
    is_whole = isinstance(parent, cst.Arg) and "\n" not in text and not isinstance(value, cst.Tuple)
    return text if _is_enclosed(text) or is_whole else f"({text})"


def _moved(body: Body, indent: str) -> list[str]:
    """The lines of the body's statements, indented as the place is."""
    module = body.module
    if not body.statements:
        return []
    start = module.span(body.statements[0])[0]
    first = module.text.rfind("\n", 0, start) + 1
    own = module.text[first:start]
    end = module.span(body.statements[-1])[1]
    found = module.text[first:end].rstrip().splitlines()
    if any(line.strip() and not line.startswith(own) for line in found):
        raise Refused("a line of the body is indented less than its first, in brackets or as a comment")
    return [indent + line[len(own) :] if line.strip() else "" for line in found]


def _closed(text: str) -> str:
    return f"({text})" if "\n" in text and not _is_enclosed(text) else text


def _is_enclosed(text: str) -> bool:
    """Whether one pair of brackets holds all of an expression."""
    if not text.startswith("(") or not text.endswith(")"):
        return False
    try:
        ast.parse(text[1:-1].strip() or "(", mode="eval")
    except SyntaxError:
        return False
    return True


def _where(module: Module, call: cst.Call) -> str:
    return f"line {module.places[call].start.line} of '{module.path}'"
