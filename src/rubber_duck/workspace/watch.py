"""Tells when files of a project have changed: as soon as the system does, and several changes at once together."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from watchfiles import Change, DefaultFilter, awatch

from rubber_duck.errors import Unavailable
from rubber_duck.workspace.paths import TEMPORARY_SUFFIX, Root

QUIET_MS: Final = 50
"""Changes are told when nothing more has happened for this long …"""

PATIENCE_MS: Final = 1_000
"""… or, when it never ends, after this long."""


class _Sources(DefaultFilter):
    """Everything but the insides of version control, caches and dependencies, and what is only there for a moment."""

    def __call__(self, change: Change, path: str) -> bool:
        return not path.endswith((TEMPORARY_SUFFIX, "~", ".swp")) and super().__call__(change, path)


async def changed_paths(root: Root) -> AsyncGenerator[frozenset[str], None]:
    """Yield the relative paths of what was added, changed or removed, again and again; consume it inside `aclosing`.

    What is ignored by patterns is told like everything else: look with `scan`. Raises Unavailable when the system
    cannot watch the folder.
    """
    base = os.fspath(root.path)
    watching = awatch(base, watch_filter=_Sources(), debounce=PATIENCE_MS, step=QUIET_MS, ignore_permission_denied=True)
    try:
        async with aclosing(watching) as changes:
            async for change in changes:
                yield frozenset(path.removeprefix(base).lstrip(os.sep) for _, path in change)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"the folder cannot be watched: {error}; on Linux the limit is fs.inotify.max_user_watches"
        ) from error
