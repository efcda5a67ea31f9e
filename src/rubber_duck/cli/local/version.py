"""Show the version of RubberDuck."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version as version_of

import click

from rubber_duck import __version__
from rubber_duck.cli import terminal
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="version")
@click.option("--all", "everything", is_flag=True, help="Also of Python and of the libraries and programs it runs on.")
def command(everything: bool) -> None:
    """Show the version of RubberDuck."""
    terminal.write(f"duck {__version__}")
    if everything:
        terminal.write(f"python {platform.python_version()} ({sys.executable})")
        for name in ("click", "rich", "msgspec", "sqlalchemy", "tree-sitter", "ruff"):
            terminal.write(f"{name} {version_of(name)}")
