"""What a shell completes after a command: names of rules and engines, read from file names without importing any."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterator

import click

import rubber_duck
from rubber_duck.cli import listing

_RULE_FOLDERS = ("security", "semantic", "style")


def rule_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Our own rules that begin so; a rule's file is called as the rule."""
    return sorted(name for name in _rules() if name.startswith(incomplete))


def engine_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The engines that begin so."""
    return [name for name in listing.engine_names() if name.startswith(incomplete)]


def _rules() -> Iterator[str]:
    for folder in _RULE_FOLDERS:
        places = [os.path.join(place, "analysis", "rules", folder) for place in rubber_duck.__path__]
        for module in pkgutil.iter_modules(places):
            yield module.name.replace("_", "-")
