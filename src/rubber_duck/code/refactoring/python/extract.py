"""Gives a piece of Python a name: an expression becomes a variable, an expression or statements become a function."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Sequence

import libcst as cst
from libcst.metadata import GlobalScope

from rubber_duck.code.refactoring.python.bindings import names_in
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.order import refuse_unordered, statement_of
from rubber_duck.code.refactoring.python.project import owner_of
from rubber_duck.code.refactoring.python.selection import Selection, every_param, flow, select
from rubber_duck.code.refactoring.refactored import (
    Refactored,
    Splice,
    Stretch,
    Texts,
    newline_of,
    require_identifier,
    spliced,
)
from rubber_duck.errors import InvalidInput, Refused


def extract_variable(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The selected expression as `name`, given a value just before the statement that it stands in."""
    module, selection = _selected(texts, stretch, name)
    if not selection.is_expression:
        raise InvalidInput("select one expression: statements become a function")
    statement = statement_of(selection)
    node = selection.nodes[0]
    refuse_unordered(selection, statement)
    parent = module.parent(node)
    if module.contexts.get(node) is not None and str(module.contexts[node]).endswith(("STORE", "DEL")):
        raise Refused("what is selected is given a value here, so it cannot be named before")
    if isinstance(parent, cst.Arg) and parent.star:
        raise Refused("what is selected is unpacked here: select without the star")
    start, end = selection.start, selection.end
    at = module.span(statement)[0]
    line_start = module.text.rfind("\n", 0, at) + 1
    indent = module.text[line_start:at]
    if indent.strip():
        raise Refused("the statement shares its line with another")
    newline = newline_of(module.text)
    value = module.text[start:end]
    if "\n" in value and not _is_closed(value):
        value = f"({value})"
    head = Splice(line_start, line_start, f"{indent}{name} = {value}{newline}")
    return _parsed(module, [head, Splice(start, end, name)])


def extract_function(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The selection as a function `name` before the definition that it stands in, and a call in its place."""
    module, selection = _selected(texts, stretch, name)
    function = selection.function()
    if function is None:
        raise Refused("the selection is in no function: only what stands in one can become one")
    known = flow(selection)
    newline = newline_of(module.text)
    is_async = any(isinstance(node, cst.Await) or _is_async(node) for node in selection.inside())
    word = "async def" if is_async else "def"
    head = f"{word} {name}({', '.join(_parameters(selection, known.takes))}):{newline}"
    unit = module.tree.default_indent
    call = f"{'await ' if is_async else ''}{name}({', '.join(known.takes)})"
    if selection.is_expression:
        value = module.text[selection.start : selection.end]
        if "\n" in value and not _is_closed(value):
            value = f"({value})"
        body = f"{unit}return {value}{newline}"
        if is_async and not isinstance(module.parent(selection.nodes[0]), cst.Assign | cst.Return | cst.Expr | cst.Arg):
            call = f"({call})"
        place = Splice(selection.start, selection.end, call)
    else:
        body = _moved(selection, unit)
        body += f"{unit}return {', '.join(known.gives)}{newline}" if known.gives else ""
        place = Splice(selection.start, selection.end, f"{', '.join(known.gives)} = {call}" if known.gives else call)
    at = _before_top(selection)
    made = Splice(at, at, f"{head}{body}{newline}{newline}")
    result = _parsed(module, [made, place])
    _require_known(module, result, name)
    return result


def _selected(texts: Texts, stretch: Stretch, name: str) -> tuple[Module, Selection]:
    require_identifier(name)
    if stretch.path not in texts:
        raise InvalidInput(f"there is no file '{stretch.path}' in the project")
    module = Module(stretch.path, texts[stretch.path])
    if name in names_in(module.path, module.text):
        raise Refused(f"{name!r} is taken already in '{module.path}'")
    return module, select(module, stretch)


def _parameters(selection: Selection, names: Sequence[str]) -> list[str]:
    """The parameters of the new function, with the annotations that the old one has for them."""
    function = selection.function()
    module = selection.module
    known: dict[str, str] = {}
    for param in every_param(function.params) if function is not None else ():
        if param.annotation is not None and not param.star:
            names_of = [each for each in _names(param.annotation) if not _is_global(module, each)]
            if not names_of:
                known[param.name.value] = module.source(param.annotation.annotation)
    return [f"{name}: {known[name]}" if name in known else name for name in names]


def _names(node: cst.CSTNode) -> list[cst.Name]:
    found, stack = [], [node]
    while stack:
        at = stack.pop()
        stack.extend(at.children)
        if isinstance(at, cst.Name):
            found.append(at)
    return found


def _is_global(module: Module, node: cst.Name) -> bool:
    scope = module.scope(node)
    owner = owner_of(module, scope, node.value) if scope is not None else None
    return owner is None or isinstance(owner, GlobalScope)


def _moved(selection: Selection, unit: str) -> str:
    """The selected lines, indented as the body of a function at the top; texts over several lines stay as they are."""
    module = selection.module
    text = module.text
    first = text.rfind("\n", 0, selection.start) + 1
    indent = text[first : selection.start]
    if indent.strip():
        raise Refused("the first statement shares its line with another")
    last = text.find("\n", selection.end)
    tail = text[selection.end : len(text) if last < 0 else last]
    if tail.strip() and not tail.strip().startswith("#"):
        raise Refused("the last statement shares its line with another")
    inside: set[int] = set()
    for node in selection.inside():
        if isinstance(node, cst.BaseString):
            place = module.places[node]
            inside.update(range(place.start.line + 1, place.end.line + 1))
    lines = []
    number = module.places[selection.nodes[0]].start.line
    for line in text[first : selection.end].splitlines(keepends=True):
        if number in inside or not line.strip():
            lines.append(line)
        elif line.startswith(indent):
            lines.append(unit + line[len(indent) :])
        else:
            lines.append(line if line.lstrip().startswith("#") else unit + line.lstrip())
        number += 1
    body = "".join(lines)
    return body if body.endswith("\n") else body + newline_of(text)


def _before_top(selection: Selection) -> int:
    """The offset before the definition at the top of the file that holds the selection, and before its comments."""
    module = selection.module
    top = next(node for node in selection.around() if isinstance(module.parent(node), cst.Module))
    at = module.span(top)[0]
    if isinstance(top, cst.FunctionDef | cst.ClassDef) and top.decorators:
        at = min(at, *(module.span(each)[0] for each in top.decorators))
    at = module.text.rfind("\n", 0, at) + 1
    while at > 0:
        before = module.text.rfind("\n", 0, at - 1) + 1
        if not module.text[before:at].startswith("#"):
            break
        at = before
    return at


def _is_async(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.For | cst.With | cst.CompFor) and node.asynchronous is not None


def _is_closed(value: str) -> bool:
    """Whether brackets hold all lines of an expression together."""
    try:
        ast.parse(f"x = {value}\n")
    except SyntaxError:
        return False
    return True


def _parsed(module: Module, splices: Sequence[Splice]) -> Refactored:
    after = spliced(module.text, splices)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file, not of ours
            compile(after, module.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Refused(f"the result would not compile: {error.msg}") from error
    return Refactored({module.path: after})


def _require_known(module: Module, result: Refactored, name: str) -> None:
    """Raise Refused when the new function reads a name that the file does not have at its top, and did not before."""
    before = {
        symbol.get_name()
        for table in _all_tables(symtable.symtable(module.text, module.path, "exec"))
        for symbol in table.get_symbols()
        if symbol.is_global() or table.get_type() == "module"
    }
    top = symtable.symtable(result.texts[module.path], module.path, "exec")
    table = next(each for each in top.get_children() if each.get_name() == name)
    lost = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()} - before
    if lost:
        raise Refused(f"{sorted(lost)[0]!r} would not be known in the new function")


def _all_tables(top: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    found = [top]
    for table in found:
        found.extend(table.get_children())
    return found
