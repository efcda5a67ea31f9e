"""Renames private functions of an Elixir module: nobody else can call them, so the file holds all there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_NAME: Final = re.compile(r"[a-z_]\w*[?!]?")
_RESERVED: Final = frozenset(
    {"and", "or", "not", "in", "when", "fn", "do", "end", "catch", "rescue", "after", "else", "true", "false", "nil"}
)
_PRIVATE: Final = frozenset({"defp", "defmacrop", "defguardp"})
_PUBLIC: Final = frozenset({"def", "defmacro", "defguard", "defdelegate"})


def rename(texts: Texts, spot: Spot, new: str) -> Refactored:
    """The file with the private function at `spot`, all its clauses and arities, called `new`."""
    if not _NAME.fullmatch(new) or new in _RESERVED:
        raise InvalidInput(f"{new!r} is no name that a function may have")
    if spot.path not in texts:
        raise InvalidInput(f"there is no file '{spot.path}' in the project")
    content = texts[spot.path].encode("utf-8", "surrogateescape")
    file = open_source(spot.path, content, "elixir")
    if file.problems:
        raise Refused(f"'{spot.path}' does not parse as a whole, so nothing is changed")
    old = _name_at(file, spot)
    if old == new:
        raise InvalidInput(f"it is called {new!r} already")
    _refuse_unclear(file)
    _refuse_in_texts(file, old)
    found = _occurrences(file, old, new)
    for node in reversed(found):
        content = content[: node.start_byte] + new.encode() + content[node.end_byte :]
    if open_source(spot.path, content, "elixir").problems:
        raise Refused("the file would not parse afterwards")
    return Refactored({spot.path: content.decode("utf-8", "surrogateescape")})


def _refuse_unclear(file: SourceFile) -> None:
    if len(_calls(file, "defmodule")) != 1:
        raise Refused("the file holds several modules, each of which may have a function of that name")
    if _calls(file, "quote", "unquote"):
        raise Refused("the file makes code (quote), which may call the function by its name")


def _refuse_in_texts(file: SourceFile, name: str) -> None:
    """Raise Refused where a template may use it: `~H"<.card />"`, or one in a file of its own."""
    if _calls(file, "embed_templates", "embed_sources"):
        raise Refused("the file takes templates from other files, which may call the function by its name")
    word = re.compile(rf"(?<!\w){re.escape(name)}(?![\w?!])")
    for node in file.descendants(file.tree.root_node):
        if node.type == "sigil" and word.search(file.text(node)):
            raise Refused(
                f"line {file.position(node.start_byte)[0]}: a sigil says {name!r}, which may name the function"
            )


def _occurrences(file: SourceFile, old: str, new: str) -> list[Node]:
    """Where the function is defined, called and captured; raises Refused for everything else of that name."""
    found: list[Node] = []
    heads = 0
    for node in file.descendants(file.tree.root_node):
        text = file.text(node) if node.type in {"identifier", "atom"} else ""
        line = file.position(node.start_byte)[0] if text else 0
        if text == new:
            raise Refused(f"{new!r} is used in line {line} already")
        if node.type == "atom" and text.lstrip(":") == old:
            raise Refused(f"line {line}: the atom ':{old}' may name the function")
        if text != old:
            continue
        role = _role(file, node)
        if role == "public":
            raise Refused(f"{old!r} is public: any module, also one outside of the project, may call it")
        if role == "variable":
            raise Refused(f"line {line}: {old!r} is a variable there, or a call without brackets that looks like one")
        heads += role == "head"
        found.append(node)
    if not heads:
        raise Refused(f"the file defines no private function {old!r}; only those can be renamed without a doubt")
    return found


def _name_at(file: SourceFile, spot: Spot) -> str:
    for node in file.descendants(file.tree.root_node):
        line, column = file.position(node.start_byte)
        if node.type == "identifier" and line == spot.line:
            text = file.text(node)
            if column <= spot.column <= column + len(text) or (not spot.column and _role(file, node) == "head"):
                return text
    raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column}")


def _calls(file: SourceFile, *names: str) -> list[Node]:
    return [
        node for node in file.descendants(file.tree.root_node) if node.type == "call" and _first(file, node) in names
    ]


def _first(file: SourceFile, node: Node) -> str:
    first = node.child(0)
    return file.text(first) if first is not None else ""


def _role(file: SourceFile, node: Node) -> str:
    """`head` of a private function, `public`, `call`, `capture` or `variable`."""
    parent = node.parent
    if parent is None:
        return "variable"
    head = _definition(file, node)
    if head in _PUBLIC:
        return "public"
    if head in _PRIVATE:
        return "head"
    if parent.type == "call" and parent.child(0) is not None and _same(parent.child(0), node):
        return "call"
    operator = parent.child(1)
    if parent.type == "binary_operator" and operator is not None:
        if operator.type == "/" and parent.parent is not None and parent.parent.type == "unary_operator":
            return "call"
        if operator.type == "|>" and _same(parent.child(2), node):
            return "call"
    if parent.type == "dot":
        return "variable"
    return "variable"


def _definition(file: SourceFile, node: Node) -> str:
    """The word that defines the function whose head's name `node` is; "" where it is none."""
    at: Node = node
    parent = at.parent
    if parent is not None and parent.type == "call" and _same(parent.child(0), at):
        at, parent = parent, parent.parent
    if parent is not None and parent.type == "binary_operator":
        operator = parent.child(1)
        if operator is not None and operator.type == "when" and _same(parent.child(0), at):
            at, parent = parent, parent.parent
    if parent is None or parent.type != "arguments" or not _same(parent.named_children[0], at):
        return ""
    call = parent.parent
    word = _first(file, call) if call is not None and call.type == "call" else ""
    return word if word in _PUBLIC | _PRIVATE else ""


def _same(first: Node | None, second: Node) -> bool:
    return first is not None and first.id == second.id
