"""A folder laid out like the repository, read for the checks: its modules, its committed files, its documents."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

Breach = str
"""`path:line: what is wrong`, relative to the folder that was looked at."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file: its path relative to the root, its dotted name below `src`, its text, its tree and all in that."""

    path: str
    name: str
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]

    def breach(self, line: int, what: str) -> Breach:
        """A breach at a 1-based line of this module."""
        return f"{self.path}:{line}: {what}"


def modules(root: Path, folder: str = "src/rubber_duck") -> Iterator[Module]:
    """Every Python file below `root/folder`, by path."""
    for path in sorted((root / folder).rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        dotted = relative.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        yield _parsed(relative, dotted, path.read_text())


@lru_cache(maxsize=4_000)
def _parsed(path: str, name: str, text: str) -> Module:
    """Every check reads the same modules, and reading them is most of its work."""
    tree = ast.parse(text, path)
    return Module(path, name, text, tree, tuple(ast.walk(tree)))


def committed(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each file that git tracks or would add; in a plain folder, of each file."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        paths = sorted(path for path in listed if path)
    else:
        paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    for path in paths:
        try:
            yield path, (root / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # an image, or a file that was deleted and is not committed yet


def documents(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of README, CONTRIBUTING, SECURITY and everything in docs/, by path."""
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        yield path.relative_to(root).as_posix(), path.read_text()
