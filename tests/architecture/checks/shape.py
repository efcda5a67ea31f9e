"""How long things may get, what they may be called, and what a module must open with and export."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.checks.tree import Breach, Module, modules

MODULE_LINES, FUNCTION_LINES, INIT_LINES = 400, 60, 40
BANNED = frozenset({"manager", "helper", "util", "utils", "common", "base", "core", "misc", "handler", "processor"}) | {
    "managers", "helpers", "handlers", "processors", "service", "services", "impl", "data", "info", "object", "v2",
    "new", "enhanced",
}  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def sizes(root: Path) -> list[Breach]:
    """Modules, functions and package fronts that are too long."""
    found: list[Breach] = []
    for folder in ("src", "tests", "benchmarks", "docs"):
        for module in modules(root, folder):
            if module.path.startswith("tests/data/"):
                continue  # cases, not code of ours
            limit = INIT_LINES if module.path.endswith("__init__.py") else MODULE_LINES
            lines = module.text.count("\n")
            if lines > limit:
                found.append(module.breach(1, f"has {lines} lines; the limit is {limit}"))
            found += [
                module.breach(node.lineno, f"{node.name} has {length} lines; the limit is {FUNCTION_LINES}")
                for node in module.nodes
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
            ]
    return found


def names(root: Path) -> list[Breach]:
    """Modules and classes called by a word that says nothing."""
    found: list[Breach] = []
    for module in modules(root):
        stem = module.name.rpartition(".")[2]
        found += [module.breach(1, f"the module's name has the banned word {word!r}") for word in _banned(stem)]
        found += [
            module.breach(node.lineno, f"the class {node.name} has the banned word {word!r} in its name")
            for node in module.nodes
            if isinstance(node, ast.ClassDef)
            for word in _banned(node.name)
        ]
    return found


def openings(root: Path) -> list[Breach]:
    """Modules that do not open with a sentence saying what they are for, and public things without a docstring."""
    found: list[Breach] = []
    for module in modules(root):
        first = (ast.get_docstring(module.tree) or "").split("\n\n")[0].strip()
        if not first.endswith((".", ":", "…")):
            found.append(module.breach(1, "does not open with a sentence that says what the module is for"))
        found += [
            module.breach(node.lineno, f"{node.name} is public and has no docstring")
            for node in _public(module.tree)
            if ast.get_docstring(node) is None
        ]
    return found


def exports(root: Path) -> list[Breach]:
    """Names in `__all__` that do not exist or stand twice, and names a package's front takes in and does not list."""
    return [breach for module in modules(root) for breach in _exports(module)]


def _exports(module: Module) -> Iterator[Breach]:
    listed = next((node for node in module.tree.body if _assigns(node, "__all__")), None)
    bound = _bound(module.tree)
    if listed is None:
        if module.path.endswith("__init__.py") and any(_is_own_import(node) for node in module.tree.body):
            yield module.breach(1, "re-exports names without an `__all__`")
        return
    values: list[str] = ast.literal_eval(listed.value) if isinstance(listed, ast.Assign) else []
    for name in sorted({name for name in values if values.count(name) > 1}):
        yield module.breach(listed.lineno, f"`__all__` lists {name!r} twice")
    for name in sorted(set(values) - bound):
        yield module.breach(listed.lineno, f"`__all__` lists {name!r}, which does not exist")
    if module.path.endswith("__init__.py"):
        for name in sorted(_reexported(module.tree) - set(values)):
            yield module.breach(listed.lineno, f"`__all__` does not list {name!r}, which the front takes in")


def _banned(name: str) -> list[str]:
    return [word for word in _WORD.findall(name) if word.lower() in BANNED]


def _public(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes and functions of a module, and public methods that a class declares first."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)


def _is_own_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rubber_duck")


def _reexported(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and _is_own_import(node)
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


def _bound(tree: ast.Module) -> set[str]:
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return bound
