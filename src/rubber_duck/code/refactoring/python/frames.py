"""What in Python looks at the functions that are running: who calls it, in which line, with which variables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import libcst as cst

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.errors import Refused

_LOOKING: Final = frozenset(
    {"currentframe", "_getframe", "_getframemodulename", "_current_frames", "getouterframes", "getinnerframes"}
    | {"getframeinfo", "extract_stack", "format_stack", "print_stack", "walk_stack", "findCaller", "f_back", "f_code"}
    | {"f_locals", "f_lineno", "setprofile", "settrace"}
)
"""Names that nothing else has."""

_OF_INSPECT: Final = frozenset({"inspect.stack", "inspect.trace"})
_SAID: Final = re.compile(rf"\b(?:{'|'.join(sorted(_LOOKING))}|stacklevel|inspect)\b")


def refuse_frames(module: Module, nodes: Iterable[cst.CSTNode]) -> None:
    """Raise Refused where one of the nodes looks at frames, or names a function of the file that does.

    It is assumed that functions of other files do not ask who calls them, but where `stacklevel` says so.
    """
    if not _SAID.search(module.text):
        return
    looking = _looking_functions(module)
    for node in nodes:
        said = _looks(module, node)
        if not said and isinstance(node, cst.Name) and node.value in looking:
            said = node.value
        if said:
            line = module.places[node].start.line
            raise Refused(f"line {line}: {said!r} looks at the function that it is called in")


def _looks(module: Module, node: cst.CSTNode) -> str:
    """The name with which a node looks at frames; "" where it does not."""
    if isinstance(node, cst.Arg):
        is_level = node.keyword is not None and node.keyword.value == "stacklevel"
        is_own = isinstance(node.value, cst.Integer) and node.value.value == "1"
        return "stacklevel" if is_level and not is_own else ""
    if isinstance(node, cst.Name) and node.value in _LOOKING:
        return node.value
    if isinstance(node, cst.Name | cst.Attribute):
        scope = module.scope(node)
        meant = {each.name for each in scope.get_qualified_names_for(node)} if scope is not None else set()
        found = meant & _OF_INSPECT or {each for each in meant if each.rpartition(".")[2] in _LOOKING}
        return next(iter(found), "")
    return ""


@lru_cache(maxsize=64)
def _looking_functions(module: Module) -> frozenset[str]:
    """The functions and methods of the file that look at frames, or call one that does, by their bare names."""
    said: dict[str, set[str]] = {}
    found: set[str] = set()
    for node in (*module.every(cst.Name), *module.every(cst.Attribute), *module.every(cst.Arg)):
        holders = [each.name.value for each in module.around(node) if isinstance(each, cst.FunctionDef)]
        if node in module.places and _looks(module, node):
            found.update(holders)
        elif isinstance(node, cst.Name):
            for holder in holders:
                said.setdefault(node.value, set()).add(holder)
    waiting = list(found)
    while waiting:
        more = said.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return frozenset(found)
