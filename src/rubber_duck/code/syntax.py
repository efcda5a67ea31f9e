"""What every part needs to ask of a node whatever its language: who is called, and what a string says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node


class Syntax(ABC):
    """The meaning of one family's call and string nodes. `content` is the UTF-8 text the node was parsed from."""

    @abstractmethod
    def name_of_call(self, node: Node, content: bytes) -> bytes:
        """The last name of the callee (`execute` of `cursor.execute(…)`); empty where the callee has no name."""

    @abstractmethod
    def callee(self, node: Node, content: bytes) -> bytes:
        """The callee as names joined by dots; it begins with a dot where the first part is not a name."""

    @abstractmethod
    def string_value(self, node: Node, content: bytes) -> str | None:
        """What the string at `node` says, escapes resolved; None when it is interpolated or no string."""

    @abstractmethod
    def is_interpolated(self, node: Node) -> bool:
        """Whether the string at `node` contains an expression."""

    def is_newer_than_grammar(self, path: str, content: bytes, start_byte: int, end_byte: int) -> bool:
        """Whether what the grammar stumbles over at [start_byte, end_byte) is right in a version it does not know."""
        del path, content, start_byte, end_byte
        return False

    def misread(self, root: Node, content: bytes) -> list[tuple[Node, str]]:
        """The nodes below `root` that the grammar reads and the language refuses, each with what is wrong, in order."""
        del root, content
        return []


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\n": ""}


def unescape(text: str) -> str:
    r"""Resolve the backslash escapes that Python, JavaScript and Elixir share (`\n`, `\x41`, `\u0041`, `\u{41}`)."""
    if "\\" not in text:
        return text
    pieces: list[str] = []
    at = 0
    while True:
        slash = text.find("\\", at)
        if slash < 0 or slash + 1 >= len(text):
            pieces.append(text[at:])
            return "".join(pieces)
        pieces.append(text[at:slash])
        value, at = _escape(text, slash + 1)
        pieces.append(value)


def _escape(text: str, at: int) -> tuple[str, int]:
    letter = text[at]
    if letter == "u" and text[at + 1 : at + 2] == "{":
        end = text.find("}", at)
        digits = text[at + 2 : end] if end > 0 else ""
        after = end + 1
    else:
        width = {"x": 2, "u": 4, "U": 8}.get(letter, 0)
        digits = text[at + 1 : at + 1 + width]
        after = at + 1 + width
        if width == 0 or len(digits) < width:
            digits = ""
    try:
        return chr(int(digits, 16)), after
    except (ValueError, OverflowError):  # no digits, not hexadecimal, or beyond Unicode: the character itself
        return ESCAPES.get(letter, letter), at + 1
