"""Where Python code asks for something by a text that is made at run time.

`getattr(pond, "do_" + key)`, `globals()[key]`, `vars(pond)`, `self.__dict__.items()`: whoever renames what they may
come to has to know them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.refactoring.python.module import parsed
from rubber_duck.code.refactoring.refactored import Spot

DYNAMIC: Final = frozenset(
    {"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller", "object", "__getattribute__"}
    | {"import_module", "__import__", "eval", "exec", "patch", "setitem", "delitem"}
)
"""Calls that reach something by the text of its name."""

_MADE: Final = re.compile(
    r"(?:[gs]etattr|hasattr|delattr|methodcaller|attrgetter)\([^()]*?(?:\b[fF][rR]?['\"]|['\"]\s*[+%]|\+\s*['\"]|\.format)"
)
"""Where a text is put together that then reaches something."""

_ASKED: Final = re.compile(r"\b(?:globals|locals|vars|dir|getmembers|[gs]etattr|hasattr|delattr)\s*\(|\b__dict__\b")
_WHOLE: Final = frozenset({"globals", "locals", "vars", "dir"})
_TAKING: Final = frozenset({"get", "pop", "setdefault", "__getitem__", "__contains__"})
_ATTRIBUTES: Final = frozenset({"getattr", "setattr", "hasattr", "delattr"})
_ANY: Final = ".*"


@dataclass(frozen=True, slots=True)
class Ask:
    """That the names of `holder` are asked for; "" is the file itself, or the function that `is_local` says.

    `is_sure` says that a part of the wanted name is written out there; `module` is the holder's dotted name, where an
    import of the file gives what it begins with, without the dots of a relative one.
    """

    spot: Spot
    holder: str
    is_sure: bool
    is_local: bool = False
    module: str = ""


def may_ask(text: str, stems: Collection[str]) -> bool:
    """Whether a text may ask a module whose name ends with one of `stems` for its names."""
    known = "|".join(map(re.escape, stems)) or "$^"
    other = [found[1] for found in re.finditer(rf"\b(?:{known})\s+as\s+(\w+)", text)]
    named = "|".join([known, *map(re.escape, other)])
    calls = r"vars|dir|getmembers|[gs]etattr|hasattr|delattr"
    found = re.search(rf"\b(?:{calls})\s*\(\s*(?:[\w.]+\.)?(?:{named})\s*[,)]|\b(?:{named})\.__dict__\b", text)
    return found is not None


def formed(path: str, text: str, name: str) -> Iterator[Spot]:
    """Texts put together at run time, with a part that is written out, that reach something and may come to `name`."""
    if not _MADE.search(text):
        return
    for call in ast.walk(parsed(path, text)):
        if not isinstance(call, ast.Call):
            continue
        for value in (*call.args, *(each.value for each in call.keywords)) if _last(call.func) in DYNAMIC else ():
            pattern = "" if isinstance(value, ast.Constant) else _pattern(value)
            if len(pattern.replace(_ANY, "")) > 1 and re.fullmatch(pattern, name, re.DOTALL):
                yield Spot(path, value.lineno, value.col_offset + 1)


def asks(path: str, text: str, name: str) -> Iterator[Ask]:
    """Where the names of a file, a module or an object are asked for by what may be `name`, or all of them are."""
    if not _ASKED.search(text):
        return
    tree = parsed(path, text)
    imported: dict[str, str] = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.Import | ast.ImportFrom):
            head = f"{each.module}." if isinstance(each, ast.ImportFrom) and each.module else ""
            for alias in each.names:
                root = alias.name.partition(".")[0]
                imported[alias.asname or root] = f"{head}{alias.name if alias.asname else root}"
    stack: list[tuple[ast.AST, tuple[ast.AST, ...], bool]] = [(tree, (), False)]
    while stack:
        node, around, is_local = stack.pop()
        found = _asked(node, around)
        if found is not None and re.fullmatch(found[1], name, re.DOTALL):
            assert isinstance(node, ast.expr)  # only those ask
            holder, pattern = found
            is_own = is_local and not holder and _last(getattr(node, "func", node)) != "globals"
            root, dot, rest = holder.partition(".")
            module = f"{imported[root]}{dot}{rest}" if root in imported else ""
            yield Ask(
                Spot(path, node.lineno, node.col_offset + 1), holder, bool(pattern.replace(_ANY, "")), is_own, module
            )
        inner = is_local or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        stack.extend((child, (node, *around[:1]), inner) for child in ast.iter_child_nodes(node))


def _asked(node: ast.AST, around: tuple[ast.AST, ...]) -> tuple[str, str] | None:
    """What is asked, as it is written, and the pattern of the names that it is asked for."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return ast.unparse(node.value), _key(node, around)
    if not isinstance(node, ast.Call):
        return None
    called = _last(node.func)
    if called in _ATTRIBUTES and len(node.args) > 1:
        return ast.unparse(node.args[0]), _pattern(node.args[1])
    if called in _WHOLE and isinstance(node.func, ast.Name):
        return (ast.unparse(node.args[0]) if node.args else ""), _key(node, around)
    if called == "getmembers" and node.args:
        return ast.unparse(node.args[0]), _ANY
    return None


def _key(node: ast.expr, around: tuple[ast.AST, ...]) -> str:
    """The pattern of the names that are taken from a dictionary of names; any where all are."""
    parent, grand = (*around, None, None)[:2]
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return _pattern(parent.slice)
    is_method = isinstance(parent, ast.Attribute) and parent.attr in _TAKING
    if is_method and isinstance(grand, ast.Call) and grand.func is parent and grand.args:
        return _pattern(grand.args[0])
    if isinstance(parent, ast.Compare) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.In | ast.NotIn):
        return _pattern(parent.left)
    return _ANY


def _pattern(value: ast.expr) -> str:
    """What a text looks like that is made at run time."""
    if isinstance(value, ast.Constant):
        return re.escape(value.value) if isinstance(value.value, str) else _ANY
    if isinstance(value, ast.JoinedStr):
        return "".join(map(_pattern, value.values))
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return _pattern(value.left) + _pattern(value.right)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        return _filled(value.left, r"%[^a-zA-Z%]*[a-zA-Z%]")
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format":
        return _filled(value.func.value, r"\{[^{}]*\}")
    return _ANY


def _filled(text: ast.expr, hole: str) -> str:
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return _ANY
    return _ANY.join(map(re.escape, re.split(hole, text.value)))


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
