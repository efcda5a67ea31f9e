"""Sessions of `duck repl`: what was typed, and where it was asked, kept under a name for its owner alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rubber_duck.cli.profiles import home
from rubber_duck.errors import InvalidInput, NotFound, Unavailable
from rubber_duck.settings.home import make_private_folder

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


@dataclass(slots=True)
class Session:
    """The lines so far, and the server, project and format that were in use; "" for none in particular."""

    lines: list[str] = field(default_factory=list)
    server: str = ""
    project: str = ""
    format: str = ""


def save(name: str, session: Session, variables: Mapping[str, str]) -> Path:
    """Keep a session in place of the one of that name. Raises InvalidInput, Unavailable."""
    path = _path(name, variables)
    kept = {"version": 1, "lines": session.lines, "server": session.server}
    kept |= {"project": session.project, "format": session.format}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_private_folder(path.parent)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=2)
        draft.replace(path)
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be written: {error.strerror}") from error
    return path


def resume(name: str, variables: Mapping[str, str]) -> Session:
    """A session that was kept. Raises NotFound, InvalidInput."""
    path = _path(name, variables)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        lines = [str(line) for line in kept["lines"]]
        return Session(lines, *(str(kept.get(each, "")) for each in ("server", "project", "format")))
    except FileNotFoundError as error:
        there = ", ".join(names(variables)) or "none"
        raise NotFound(f"there is no session {name!r}; there are: {there}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"'{path}' is no session that can be read: {error}") from error


def names(variables: Mapping[str, str]) -> list[str]:
    """The names of sessions, sorted."""
    return sorted(path.stem for path in (home(variables) / "sessions").glob("*.json") if _NAME.fullmatch(path.stem))


def _path(name: str, variables: Mapping[str, str]) -> Path:
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is no name for a session: use letters, digits and `.`, `_`, `-`")
    return home(variables) / "sessions" / f"{name}.json"
