"""The import law: import-linter's contracts, without exceptions, for every library that is used, drawn as it is."""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.architecture.checks.tree import Breach, Module, modules

Check = Callable[[Path], list[Breach]]
EXCEPTIONS = ("ignore_imports", "exhaustive_ignores", "skip_descendants", "unmatched_ignore_imports_alerting")


def contracts(root: Path) -> list[Breach]:
    """What import-linter says about the folder's own .importlinter and source."""
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200"}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f".importlinter: {done.stdout}{done.stderr}"]


def exceptions(root: Path) -> list[Breach]:
    """Lists of imports that a contract would overlook."""
    return [
        f".importlinter: [{section}] has {option!r}: change the law in a decision note, never by an exception"
        for section, options in _configuration(root).items()
        for option in EXCEPTIONS
        if option in options
    ]


def libraries(root: Path) -> list[Breach]:
    """Imports of a library for which no contract says who may use it."""
    allowed = {
        library
        for options in _configuration(root).values()
        if options.get("type") == "protected"
        for library in options["protected_modules"].split()
    }
    known = allowed | set(sys.stdlib_module_names) | {"rubber_duck"}
    return [
        module.breach(line, f"imports {imported}; say in .importlinter who may")
        for module in modules(root)
        for line, imported in imports(module)
        if imported.partition(".")[0] not in known
    ]


def protocol(root: Path) -> list[Breach]:
    """Imports by which a command or the terminal interface knows more than the protocol."""
    may = ("rubber_duck.cli", "rubber_duck.tui", "rubber_duck.errors", "rubber_duck.settings")
    return [
        module.breach(line, f"imports {imported}; it may speak only the protocol, through cli/connection.py")
        for folder in ("src/rubber_duck/cli/commands", "src/rubber_duck/tui")
        for module in modules(root, folder)
        for line, imported in imports(module)
        if (
            imported.startswith("rubber_duck.")
            and not any(imported == prefix or imported.startswith(prefix + ".") for prefix in may)
        )
        or imported.startswith("rubber_duck.cli.local")
    ]


def drawing(root: Path) -> list[Breach]:
    """Floors that the drawing in docs/architecture.md shows otherwise than .importlinter has them."""
    document = (root / "docs/architecture.md").read_text()
    found = re.search(r"```law\n(.*?)```", document, re.DOTALL)
    if found is None:
        return ["docs/architecture.md: the drawing of the law (a block marked `law`) is missing"]
    drawn = [_floor(line.partition("#")[0]) for line in found[1].splitlines() if line.partition("#")[0].strip()]
    linted = [
        _floor(line)
        for options in _configuration(root).values()
        if options.get("type") == "layers"
        for line in options["layers"].split("\n")
        if line.strip() not in {"", "__main__"}
    ]
    if drawn == linted:
        return []
    at = next((i for i, pair in enumerate(zip(drawn, linted, strict=False)) if pair[0] != pair[1]), -1)
    where = f"floor {at + 1} is {drawn[at]}, .importlinter has {linted[at]}" if at >= 0 else "a floor is missing"
    return [f"docs/architecture.md: the drawing differs from .importlinter: {where}"]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each absolute import, those inside functions included."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _floor(line: str) -> frozenset[str]:
    return frozenset(name.strip() for name in line.split("|"))


def _configuration(root: Path) -> dict[str, configparser.SectionProxy]:
    parser = configparser.ConfigParser()
    parser.read_string((root / ".importlinter").read_text())
    return {name: parser[name] for name in parser.sections()}
