"""Puts the aliases of an Elixir module in order: sorted where they stand together, without those never used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.refactored import Refactored, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_MAKES_CODE: Final = frozenset({"quote", "unquote", "binding", "embed_templates", "embed_sources", "alias!"})


@dataclass(frozen=True, slots=True)
class _Alias:
    """`alias` on lines of its own, the bytes [start, end): of `module`, as the `names` by which the file says it."""

    start: int
    end: int
    text: str
    module: str
    names: tuple[str, ...]


def organise(texts: Texts, path: str) -> Refactored:
    """The file with its aliases in order; raises Refused where it does not parse."""
    if path not in texts:
        raise InvalidInput(f"there is no file '{path}' in the project")
    content = texts[path].encode("utf-8", "surrogateescape")
    file = open_source(path, content, "elixir")
    if file.problems:
        raise Refused(f"'{path}' does not parse as a whole, so nothing is changed")
    used = _used(file)
    after = content
    for block in reversed(list(_blocks(file))):
        kept = [each for each in block if used is None or any(name in used for name in each.names)]
        if _lean_on_each_other(block):
            continue
        ordered = sorted(kept, key=lambda each: (each.module.casefold(), each.text))
        lines = b"".join(each.text.encode("utf-8", "surrogateescape") for each in ordered)
        after = after[: block[0].start] + lines + after[block[-1].end :]
    if open_source(path, after, "elixir").problems:
        raise Refused("the file would not parse afterwards")
    return Refactored({path: after.decode("utf-8", "surrogateescape")})


def _used(file: SourceFile) -> frozenset[str] | None:
    """The first parts of the modules that the file names outside of `alias`; None where it makes code."""
    found: set[str] = set()
    stack = [file.tree.root_node]
    while stack:
        node = stack.pop()
        word = _word(file, node)
        if word in _MAKES_CODE:
            return None
        if word == "alias":
            found.update(name.partition(".")[0] for name in _names_in(file, node))
            continue
        if node.type == "alias":
            found.add(file.text(node).partition(".")[0])
        elif node.type == "sigil":
            found.update(re.findall(r"[A-Z]\w*", file.text(node)))  # a template names modules in its text
        stack.extend(node.named_children)
    return frozenset(found)


def _names_in(file: SourceFile, node: Node) -> Iterator[str]:
    """What an alias leans on: `Bar` in `alias Bar.Baz` may be an alias itself, but no alias uses what it makes."""
    first = next((each for each in file.descendants(node) if each.type == "alias"), None)
    if first is not None and "." in file.text(first):
        yield file.text(first)


def _word(file: SourceFile, node: Node) -> str:
    if node.type != "call":
        return ""
    first = node.child(0)
    return file.text(first) if first is not None else ""


def _blocks(file: SourceFile) -> Iterator[list[_Alias]]:
    """Aliases on lines that follow each other, in one block of code, in source order."""
    for parent in file.descendants(file.tree.root_node):
        block: list[_Alias] = []
        for node in parent.children:
            found = _read(file, node) if _word(file, node) == "alias" else None
            if block and (found is None or block[-1].end != found.start):
                yield block
                block = []
            if found is not None:
                block.append(found)
        if block:
            yield block


def _read(file: SourceFile, node: Node) -> _Alias | None:
    content = file.content
    start = content.rfind(b"\n", 0, node.start_byte) + 1
    newline = content.find(b"\n", node.end_byte)
    end = newline + 1
    if newline < 0 or content[start : node.start_byte].strip() or content[node.end_byte : end].strip():
        return None
    text = file.text(node)
    found = re.fullmatch(r"alias\s+((?:__MODULE__\.)?[\w.]+)(?:\.\{([^{}#]*)\})?(?:,\s*as:\s*(\w+))?", text, re.DOTALL)
    if found is None:
        return None
    module, several, renamed = found[1], found[2], found[3]
    lines = content[start:end].decode("utf-8", "surrogateescape")
    if several is None:
        return _Alias(start, end, lines, module, (renamed or module.rpartition(".")[2],))
    names = [name.strip() for name in several.split(",") if name.strip()]
    known = _Alias(start, end, lines, module, tuple(name.rpartition(".")[2] for name in names))
    if "\n" in several:
        return known
    return replace(known, text=lines.replace(several, ", ".join(sorted(names, key=str.casefold))))


def _lean_on_each_other(block: list[_Alias]) -> bool:
    """Whether one is said by the name that another makes, or two make the same: then their order means something."""
    names = [name for each in block for name in each.names]
    return len(set(names)) != len(names) or any(each.module.partition(".")[0] in names for each in block)
