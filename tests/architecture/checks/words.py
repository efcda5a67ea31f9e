"""Whether everything a user or an operator may meet is documented where it is declared, and used as declared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from tests.architecture.checks.tree import Breach, Module, modules

T = TypeVar("T")


def plugins(root: Path) -> list[Breach]:
    """Classes registered with `@something.add` that have no docstring: it is their documentation."""
    return [
        module.breach(node.lineno, f"{node.name} is registered and has no docstring")
        for module in modules(root)
        for node in _classes(module)
        if any(ast.unparse(decorator).endswith(".add") for decorator in node.decorator_list)
        and not ast.get_docstring(node)
    ]


def errors(root: Path) -> list[Breach]:
    """Errors without a docstring, elsewhere than in errors.py, or missing from the tree drawn at its head."""
    found: list[Breach] = []
    known = _known_errors(root)
    for module in modules(root):
        drawn = ast.get_docstring(module.tree) or ""
        for node in _classes(module):
            if node.name.startswith("_"):
                continue  # a signal inside one module, which nobody else can meet
            bases = {ast.unparse(base) for base in node.bases}
            if not any(base.endswith(("Error", "Exception")) or base in known for base in bases):
                continue
            if module.name != "rubber_duck.errors":
                found.append(module.breach(node.lineno, f"{node.name} is an error; errors are declared in errors.py"))
            elif not ast.get_docstring(node):
                found.append(module.breach(node.lineno, f"{node.name} has no docstring"))
            elif not re.search(rf"\b{node.name} +{_code(node)}\b", drawn):
                found.append(
                    module.breach(node.lineno, f"the tree at the head does not show {node.name} with its code")
                )
    return found


def settings(root: Path) -> list[Breach]:
    """Fields of settings structs without a description, and structs without a docstring."""
    found: list[Breach] = []
    for module in modules(root, "src/rubber_duck/settings"):
        for node in _classes(module):
            if not any(ast.unparse(base) in {"Section", "Struct"} for base in node.bases):
                continue
            if not ast.get_docstring(node):
                found.append(module.breach(node.lineno, f"the settings {node.name} have no docstring"))
            found += [
                module.breach(field.lineno, f"the setting {node.name}.{ast.unparse(field.target)} has no description")
                for field in node.body
                if isinstance(field, ast.AnnAssign)
                and "ClassVar" not in ast.unparse(field.annotation)
                and not _description(field.annotation)
            ]
    return found


def events(root: Path) -> list[Breach]:
    """Events that say nothing about themselves or a field; emitted and undeclared; declared and never emitted."""
    declared: dict[str, tuple[Module, ast.Call]] = {}
    named: dict[str, tuple[Module, ast.Call]] = {}  # also by a method of its own that emits it
    emitted: dict[str, tuple[Module, ast.Call]] = {}
    for module in modules(root):
        for node in module.nodes:
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = ast.unparse(node.func)
            name = node.args[0].value
            if called == "Event":
                declared[str(name)] = (module, node)
            elif isinstance(name, str):
                named[name] = (module, node)
                if called in {"emit", "telemetry.emit"}:
                    emitted[name] = (module, node)
    found = [m.breach(n.lineno, f"emits the undeclared event {name!r}") for name, (m, n) in _without(emitted, declared)]
    found += [m.breach(n.lineno, f"the event {name!r} is never emitted") for name, (m, n) in _without(declared, named)]
    for name, (module, node) in declared.items():
        texts = [
            each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        if len(texts) < 3 or not all(text.strip() for text in texts):
            found.append(module.breach(node.lineno, f"the event {name!r} or a field of it is not described"))
    return found


def fault_points(root: Path) -> list[Breach]:
    """Fault points that are passed and undeclared, or declared and never passed."""
    declared: dict[str, tuple[Module, ast.AST]] = {}
    passed: dict[str, tuple[Module, ast.Call]] = {}
    for module in modules(root):
        for node in module.nodes:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "POINTS" and "fault" in module.name:
                declared |= {str(name): (module, node) for name in ast.literal_eval(node.value or ast.Dict([], []))}
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"fault.point", "point"} and node.args:
                passed[str(getattr(node.args[0], "value", None))] = (module, node)
    found = [
        m.breach(n.lineno, f"passes the undeclared fault point {name!r}") for name, (m, n) in _without(passed, declared)
    ]
    return found + [
        m.breach(getattr(n, "lineno", 1), f"the fault point {name!r} is never passed")
        for name, (m, n) in _without(declared, passed)
    ]


def commands(root: Path) -> list[Breach]:
    """Commands without help, options without help, in every module of the command line."""
    found: list[Breach] = []
    for module in modules(root, "src/rubber_duck/cli"):
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                decorators = [each for each in node.decorator_list if isinstance(each, ast.Call | ast.Attribute)]
                called = [ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in decorators]
                if any(name.endswith((".command", ".group")) for name in called) and not _helped(node, decorators):
                    found.append(module.breach(node.lineno, f"the command {node.name} has no help"))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"click.option", "click.Option"}:
                keywords = {keyword.arg for keyword in node.keywords}
                if not keywords & {"help", "hidden", None}:
                    found.append(module.breach(node.lineno, f"an option has no help: {ast.unparse(node)[:60]}"))
    return found


def _helped(node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[ast.Call | ast.Attribute]) -> bool:
    given = (keyword.arg for each in decorators if isinstance(each, ast.Call) for keyword in each.keywords)
    return bool(ast.get_docstring(node)) or "help" in given


def _classes(module: Module) -> Iterator[ast.ClassDef]:
    return (node for node in module.nodes if isinstance(node, ast.ClassDef))


def _known_errors(root: Path) -> frozenset[str]:
    path = root / "src/rubber_duck/errors.py"
    tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _code(node: ast.ClassDef) -> str:
    for each in node.body:
        value = each.value if isinstance(each, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return r"\S+"


def _description(annotation: ast.expr) -> bool:
    return any(
        keyword.arg == "description" and bool(ast.unparse(keyword.value).strip("'\" "))
        for node in ast.walk(annotation)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    )


def _without(left: dict[str, T], right: Mapping[str, object]) -> list[tuple[str, T]]:
    return sorted(((name, value) for name, value in left.items() if name not in right), key=lambda pair: pair[0])
