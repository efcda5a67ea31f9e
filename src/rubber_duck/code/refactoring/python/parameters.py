"""What renaming a parameter changes elsewhere: calls that give it by its name."""

from __future__ import annotations

from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import Binding, Meaning, Project
from rubber_duck.code.refactoring.python.uses import As, uses
from rubber_duck.code.refactoring.refactored import Splices, Spot, places
from rubber_duck.errors import Refused

_TRANSPARENT: Final = frozenset({"staticmethod", "classmethod", "property", "abstractmethod", "override", "overload"})


def parameter_splices(
    project: Project, module: Module, binding: Binding, new: str, splices: dict[str, Splices]
) -> None:
    """Add the keywords of calls to the function whose parameter `binding` is; nothing for other local names."""
    nodes = [getattr(each, "node", None) for each in binding.scope.assignments[binding.name]]
    param = next((each for each in nodes if isinstance(each, cst.Param)), None)
    if not isinstance(param, cst.Param):
        return
    function = next((each for each in module.around(param) if isinstance(each, cst.FunctionDef | cst.Lambda)), None)
    if not isinstance(function, cst.FunctionDef) or (isinstance(param.star, str) and param.star):
        return
    for decorator in function.decorators:
        called = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
        said = get_full_name_for_node(called) or ""
        if said.rpartition(".")[2] not in _TRANSPARENT:
            raise Refused(f"the decorator '{said}' may give {binding.name!r} by its name")
    if _is_self(module, function, param):
        return
    if function.name.value.startswith("test"):
        raise Refused(f"pytest gives {binding.name!r} to the test {function.name.value!r} by its name")
    if param in function.params.posonly_params:
        return
    _follow_calls(project, module, function, (binding.name, new), splices)


def _is_self(module: Module, function: cst.FunctionDef, param: cst.Param) -> bool:
    """Whether it is what a method is called on, which nobody gives by a name."""
    block = module.parent(function)
    is_method = block is not None and isinstance(module.parent(block), cst.ClassDef)
    first = next(iter((*function.params.posonly_params, *function.params.params)), None)
    is_static = any(get_full_name_for_node(each.decorator) == "staticmethod" for each in function.decorators)
    return is_method and first is param and not is_static


def _follow_calls(
    project: Project, module: Module, function: cst.FunctionDef, names: tuple[str, str], splices: dict[str, Splices]
) -> None:
    old, new = names
    parent = module.parent(function)
    is_top = isinstance(parent, cst.Module)
    own = Meaning(module.path, function.name.value) if is_top else None
    is_value = is_top and _is_value(project, module.path, function.name.value)
    called_so = function.name.value
    holder = module.parent(parent) if parent is not None else None
    if called_so == "__init__" and isinstance(holder, cst.ClassDef):
        called_so = holder.name.value
    doubtful: list[Spot] = []
    for other in project.mentioning(old):
        for use in uses(other, old):
            if use.kind is not As.KEYWORD:
                continue
            arg = other.parent(use.node)
            call = other.parent(arg) if arg is not None else None
            if not isinstance(call, cst.Call):
                continue  # a keyword of a class statement
            found = project.meaning(other, call.func)
            last = (get_full_name_for_node(call.func) or "").rpartition(".")[2]
            if own is not None and found == own:
                splices.setdefault(other.path, Splices()).add(*other.span(use.node), new)
            elif _is_another(found, last, called_so, is_value=is_value, is_top=is_top):
                continue
            else:
                doubtful.append(other.spot(use.node))
    if doubtful:
        raise Refused(f"it cannot be told whether {old!r} of {function.name.value!r} is given at {places(doubtful)}")
    _refuse_unpacked(project, called_so)
    if not is_top:
        _refuse_overrides(project, module, function, old)


def _is_another(found: Meaning | None, last: str, called_so: str, *, is_value: bool, is_top: bool) -> bool:
    """Whether a call surely means another function: `found` is what it means, `last` its name."""
    if last == called_so or not last:
        return False
    if is_top:
        return not is_value
    return found is not None or (called_so != "super" and not _is_callback(last))


def _is_value(project: Project, path: str, name: str) -> bool:
    """Whether the function is handed on somewhere, so that it may be called under another name."""
    for module in project.mentioning(name):
        for use in uses(module, name):
            node: cst.CSTNode = use.node
            parent = module.parent(node)
            if use.kind is As.ATTRIBUTE and isinstance(parent, cst.Attribute):
                node, parent = parent, module.parent(parent)
            if use.kind not in (As.VARIABLE, As.ATTRIBUTE) or isinstance(parent, cst.FunctionDef | cst.AsName):
                continue
            if isinstance(parent, cst.Call) and parent.func is node:
                continue
            if project.meaning(module, node) in (Meaning(path, name), None):
                return True
    return False


def _is_callback(last: str) -> bool:
    return last in {"partial", "partialmethod", "super", "__init__", "cls", "self"}


def _refuse_unpacked(project: Project, called_so: str) -> None:
    found: list[Spot] = []
    for module in project.mentioning(called_so):
        for call in module.every(cst.Call):
            last = (get_full_name_for_node(call.func) or "").rpartition(".")[2]
            if last == called_so and any(arg.star == "**" for arg in call.args):
                found.append(module.spot(call))
    if found:
        raise Refused(f"a call with ** at {places(found)} may give the parameter by its name")


def _refuse_overrides(project: Project, module: Module, function: cst.FunctionDef, old: str) -> None:
    name = function.name.value
    if name in {"__init__", "__new__", "__call__"}:
        raise Refused(f"calls of {name!r} are not followed to the parameters that they give by name")
    for other in project.mentioning(name):
        for each in other.every(cst.FunctionDef):
            if each.name.value == name and each is not function and other.parent(each) is not other.tree:
                raise Refused(f"another method {name!r} at {places([other.spot(each)])} may have to agree on {old!r}")
    del module
