"""What a call gives to the parameters of a Python function, and whether that is the same whenever it is worked out."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
from libcst.metadata import ComprehensionScope, FunctionScope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import declarations, owner_of
from rubber_duck.errors import Refused

_LITERALS = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary)
_CONSTANTS = frozenset({"True", "False", "None"})


@dataclass(frozen=True, slots=True)
class Argument:
    """An expression for a parameter, in the file of the call, or, for a default, in that of the function."""

    module: Module
    value: cst.BaseExpression

    @property
    def text(self) -> str:
        """As it is written."""
        return self.module.source(self.value)


def arguments(definition: Module, function: cst.FunctionDef, module: Module, call: cst.Call) -> dict[str, Argument]:
    """Parameter → what the call gives it, in the order in which the call works them out, defaults last.

    Raises Refused for stars, for what does not fit, and for a default that is not the same each time.
    """
    params = function.params
    if isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None:
        raise Refused(f"{function.name.value!r} collects parameters by a star")
    positional = [each.name.value for each in (*params.posonly_params, *params.params)]
    only_positional = {each.name.value for each in params.posonly_params}
    by_name = {each.name.value for each in (*params.params, *params.kwonly_params)}
    found: dict[str, Argument] = {}
    for number, arg in enumerate(call.args):
        if arg.star:
            raise Refused(f"the call in line {_line(module, call)} of '{module.path}' unpacks arguments by a star")
        name = arg.keyword.value if arg.keyword is not None else (positional[number : number + 1] or [""])[0]
        is_known = name in by_name if arg.keyword is not None else name in by_name | only_positional
        if not is_known or name in found:
            raise Refused(f"the call in line {_line(module, call)} of '{module.path}' does not fit the function")
        found[name] = Argument(module, arg.value)
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        if param.name.value not in found:
            if param.default is None:
                raise Refused(f"the call in line {_line(module, call)} of '{module.path}' does not fit the function")
            if not is_literal(param.default):
                raise Refused(f"the default of {param.name.value!r} is worked out once, and would be each time")
            found[param.name.value] = Argument(definition, param.default)
    return found


def is_literal(value: cst.BaseExpression) -> bool:
    """Whether it is a plain number or text, or one of Python's constants."""
    if isinstance(value, cst.UnaryOperation):
        return isinstance(value.expression, _LITERALS)
    return isinstance(value, _LITERALS) or (isinstance(value, cst.Name) and value.value in _CONSTANTS)


def is_firm(given: Argument) -> bool:
    """Whether it may be worked out later, or more than once: a literal, or a variable that only its function sets."""
    value, module = given.value, given.module
    if is_literal(value):
        return True
    if not isinstance(value, cst.Name):
        return False
    scope = module.scope(value)
    owner = owner_of(module, scope, value.value) if scope is not None else None
    is_shared = any(name == value.value and how == "nonlocal" for (_, name), how in declarations(module).items())
    return isinstance(owner, FunctionScope | ComprehensionScope) and not is_shared


def _line(module: Module, node: cst.CSTNode) -> int:
    return module.places[node].start.line
