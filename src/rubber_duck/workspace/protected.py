"""Which files of a project are never written for a model: version control's, RubberDuck's settings, ignored ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied
from rubber_duck.workspace.ignore import VERSION_CONTROL, left_out_by
from rubber_duck.workspace.paths import Root, checked, display

_OWN: Final = frozenset({"duck.toml", ".duckignore", ".duck", "git~1", ".gitmodules"})
_NEVER: Final = frozenset(name.casefold() for name in VERSION_CONTROL) | _OWN


def refuse_protected(root: Root, relative: str, *, home: Path, ignore: tuple[str, ...]) -> None:
    """Raise Denied, with the reason, when `relative` may not be written; InvalidPath when it is no path below `root`.

    `home` is RubberDuck's own folder, `ignore` what the settings leave out of projects.
    """
    parts = checked(relative)
    for part in parts:
        seen = "".join(filter(str.isprintable, part)).casefold().rstrip(". ")
        if seen in _NEVER:
            raise Denied(f"'{display(relative)}' is not written: '{display(part)}' belongs to tools, not to the code")
    place = os.path.join(root.path, *parts)
    own = os.path.realpath(home)
    if os.path.commonpath([os.path.realpath(place), own]) == own:
        raise Denied(f"'{display(relative)}' is not written: it lies in RubberDuck's home folder")
    reason = left_out_by(root.path, relative, ignore)
    if reason is not None:
        raise Denied(f"'{display(relative)}' is not written: it is no part of the project, says {display(reason)}")
