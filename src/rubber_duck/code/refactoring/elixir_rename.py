"""Renames a variable in an Elixir function, each time that it is bound there; what is none is left to `elixir`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring import elixir
from rubber_duck.code.refactoring.ecmascript_reading import shape
from rubber_duck.code.refactoring.elixir_inline import name_at
from rubber_duck.code.refactoring.elixir_module import Tree, callee, open_elixir, require_name
from rubber_duck.code.refactoring.elixir_scopes import Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_QUOTING = frozenset({"quote", "unquote", "unquote_splicing", "var!"})


def rename(texts: Texts, spot: Spot, new: str) -> Refactored:
    """The file with the variable or the private function at `spot` called `new`; raises Refused, InvalidInput."""
    if not spot.column:
        return elixir.rename(texts, spot, new)
    file = open_elixir(texts, spot.path)
    node = name_at(file, spot)
    tree = Tree(file)
    function = next((each for each in tree.around(node) if callee(file, each) in {"def", "defp"}), None)
    scopes = Scopes(tree.module(node), tree.function(node)) if function is not None else None
    if scopes is None or function is None or node.id not in scopes.of:
        return elixir.rename(texts, spot, new)
    old = file.text(node)
    if old == new:
        raise InvalidInput(f"it is called {new!r} already")
    require_name(new)
    if tree.module(node).is_asked:
        raise Refused("the file asks for the variables or the places of its own code (`binding`, `__ENV__`, `dbg`)")
    if any(each.name == new for each in scopes.all):
        raise Refused(f"{new!r} is a variable of the function already")
    _refuse_said(file, scopes, old)
    _refuse_said(file, scopes, new)
    found = [each for each in file.descendants(function) if each.type == "identifier" and file.text(each) == old]
    nodes = [each for each in found if each.id in scopes.of]
    content = file.content
    for each in reversed(nodes):
        content = content[: each.start_byte] + new.encode() + content[each.end_byte :]
    result = open_source(spot.path, content, "elixir")
    if result.problems or list(shape(result)) != list(shape(file)):
        raise Refused("the file would read otherwise afterwards")
    return Refactored({spot.path: content.decode("utf-8", "surrogateescape")})


def _refuse_said(file: SourceFile, scopes: Scopes, name: str) -> None:
    """Raise Refused where the name may mean something else, or be read by its text."""
    word = re.compile(rf"(?<![\w:]){re.escape(name)}(?![\w?!])")
    for node in scopes.free:
        if file.text(node) == name:
            raise Refused(f"line {_line(file, node)}: {name!r} calls something there, or a macro binds it")
    for node in scopes.unsure:
        is_text = node.type in {"sigil", "identifier"} or callee(file, node) in _QUOTING
        if is_text and (word.search(file.text(node)) or name == "assigns"):
            raise Refused(f"line {_line(file, node)}: {name!r} may be read there by its text")


def _line(file: SourceFile, node: Node) -> int:
    return file.position(node.start_byte)[0]
