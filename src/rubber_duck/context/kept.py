"""Where what was told of a project is kept, and how it is forgotten."""

from __future__ import annotations

from pathlib import Path

from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.storage.cache import Cache


def open_kept(settings: Settings) -> Cache:
    """The disposable cache in the home folder; to be closed."""
    return Cache(Path(settings.home) / "cache.db")


def space_of(scope: Scope) -> str:
    """The space of the cache that holds what was told of the scope's project; InvalidInput without one."""
    if scope.project is None:
        raise InvalidInput("a context is of one project: the scope names none")
    return f"context {scope.project}"


def forget(settings: Settings, scope: Scope) -> None:
    """Delete what is kept of the scope's project."""
    kept = open_kept(settings)
    try:
        kept.delete_space(space_of(scope))
    finally:
        kept.close()
