"""Moves an Elixir module to a file of its own: its name does not say where it stands, so nobody has to follow.

Mix compiles the files below one folder in the order in which they need each other. A file of its own needs what the
module needed before, and none of that needed what stood behind it, so no two come to wait for each other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_reading import shape_of
from rubber_duck.code.refactoring.elixir_module import MODULES, arguments, block_of, callee, open_elixir
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts, newline_of, places
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_HERE: Final = re.compile(
    r"\b(?:__DIR__|__ENV__|__CALLER__|embed_templates|embed_sources|function_from_file|external_resource)\b"
    r"|\b(?:Code\.(?:require|compile|eval)_file)\b"
)
_FOLDER: Final = re.compile(r"(?:.*/)?(?:lib|web|test/support)/")


def move(texts: Texts, spot: Spot, to: str) -> Refactored:
    """The project with the module at `spot` in the new file `to`; raises Refused and InvalidInput."""
    file = open_elixir(texts, spot.path)
    if not (to.endswith(".ex") and spot.path.endswith(".ex")):
        raise InvalidInput("a module moves from one .ex file to another: scripts are not compiled together")
    if to in texts:
        raise Refused(f"'{to}' is there already: a module that moves gets a file of its own")
    here, there = _FOLDER.match(spot.path), _FOLDER.match(to)
    if here is None or there is None or here[0] != there[0]:
        raise Refused("both files must stand below one folder that mix compiles, such as lib/")
    node = _module_at(file, spot)
    _refuse_around(file, node)
    _refuse_said(texts, spot.path)
    start, end = _lines(file, node)
    content = file.content
    moved, left = content[start:end], content[:start].rstrip() + content[end:]
    if content[:start].strip() and content[end:].strip():
        left = content[:start].rstrip() + newline_of(texts[spot.path]).encode() * 2 + content[end:].lstrip(b"\r\n")
    elif not content[:start].strip():
        left = content[end:].lstrip(b"\r\n")
    else:
        left = content[:start].rstrip() + newline_of(texts[spot.path]).encode()
    for path, text, kept in ((to, moved, [node]), (spot.path, left, _others(file, node))):
        result = open_source(path, text, "elixir")
        found = [each for each in result.tree.root_node.named_children if each.type != "comment"]
        if result.problems or [list(shape_of(each)) for each in found] != [list(shape_of(each)) for each in kept]:
            raise Refused(f"'{path}' would read otherwise afterwards")
    notes = [f"macros that ask in which file they are used are not followed: {_uses(file, node)}"]
    return Refactored(
        {path: text.decode("utf-8", "surrogateescape") for path, text in ((to, moved), (spot.path, left))},
        tuple(each for each in notes if not each.endswith(": ")),
    )


def _module_at(file: SourceFile, spot: Spot) -> Node:
    for node in file.tree.root_node.named_children:
        if callee(file, node) in MODULES and file.position(node.start_byte)[0] == spot.line:
            return node
    raise InvalidInput(f"no module begins at the top of {spot.path}:{spot.line}")


def _others(file: SourceFile, node: Node) -> list[Node]:
    return [each for each in file.tree.root_node.named_children if each.type != "comment" and each.id != node.id]


def _refuse_around(file: SourceFile, node: Node) -> None:
    """Raise Refused where the rest of the file says what the module means, or is nothing."""
    others = _others(file, node)
    if not others:
        raise Refused("nothing else stands in the file: give the file another name instead")
    for each in others:
        if callee(file, each) not in MODULES:
            line, _ = file.position(each.start_byte)
            raise Refused(f"line {line}: the file does more than define modules, which may matter to this one")
    found = _HERE.search(file.text(node))
    if found is not None:
        raise Refused(f"`{found[0]}` in it depends on the file in which it stands")
    given = arguments(node)
    if not given or given[0].type != "alias" or block_of(node) is None:
        raise Refused("the name of the module is made when it is compiled")


def _refuse_said(texts: Texts, path: str) -> None:
    """Raise Refused where a file names the one that the module leaves: it may count on what is in it."""
    name = re.escape(path.rpartition("/")[2])
    said = re.compile(rf"['\"/]{name}['\"]")
    found = [
        Spot(other, number)
        for other, text in texts.items()
        for number, line in enumerate(text.split("\n"), 1)
        if said.search(line)
    ]
    if found:
        raise Refused(f"the file is named at {places(found)}, where what is in it may matter")


def _lines(file: SourceFile, node: Node) -> tuple[int, int]:
    """The whole lines of a module, with the comments just above it."""
    content = file.content
    start = content.rfind(b"\n", 0, node.start_byte) + 1
    newline = content.find(b"\n", node.end_byte)
    end = len(content) if newline < 0 else newline + 1
    if content[start : node.start_byte].strip() or content[node.end_byte : end].strip():
        raise Refused("the module shares its lines with something else")
    while start > 0:
        above = content.rfind(b"\n", 0, start - 1) + 1
        if not content[above:start].lstrip().startswith(b"#"):
            break
        start = above
    return start, end


def _uses(file: SourceFile, node: Node) -> str:
    """What the module uses, each of which may run code of its own."""
    calls = [each for each in file.descendants(node) if callee(file, each) == "use"]
    return ", ".join(dict.fromkeys(f"`{' '.join(file.text(each).split())[:40]}`" for each in calls))
