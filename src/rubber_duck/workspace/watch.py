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

BEGUN_MS: Final = 500
"""When nothing changes for this long at the beginning, it is told that there is a watch."""


class _Sources(DefaultFilter):
    """Everything but the insides of version control, caches and dependencies, and what is only there for a moment."""

    def __call__(self, change: Change, path: str) -> bool:
        return not path.endswith((TEMPORARY_SUFFIX, "~", ".swp")) and super().__call__(change, path)


async def changed_paths(root: Root) -> AsyncGenerator[frozenset[str], None]:
    """Yield the relative paths of what was added, changed or removed, again and again; consume it inside `aclosing`.

    First comes an empty set: whatever changes from then on is told, what changed before is for the consumer to look at.
    What is ignored by patterns is told like everything else: look with `scan`. Raises Unavailable when the system
    cannot watch the folder.
    """
    base = os.fspath(root.path)
    is_source = _Sources()
    watching = awatch(
        base, watch_filter=None, debounce=PATIENCE_MS, step=QUIET_MS, rust_timeout=BEGUN_MS, yield_on_timeout=True,
        ignore_permission_denied=True,
    )  # fmt: skip
    has_begun = False
    try:
        async with aclosing(watching) as changes:
            async for change in changes:
                if not has_begun:
                    has_begun = True
                    yield frozenset()
                paths = frozenset(
                    path.removeprefix(base).lstrip(os.sep) for kind, path in change if is_source(kind, path)
                )
                if paths:
                    yield paths
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"the folder cannot be watched: {error}; on Linux the limit is fs.inotify.max_user_watches"
        ) from error
