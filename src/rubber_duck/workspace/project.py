"""A project, its files, and what may be said about them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from rubber_duck.errors import InvalidInput
from rubber_duck.workspace.paths import display

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_NAME_LENGTH: Final = 100
MAX_DESCRIPTION_LENGTH: Final = 10_000
MAX_CONFIGURATION_BYTES: Final = 64 * 1024

_ID: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it; no database keeps it


@dataclass(frozen=True, slots=True)
class Project:
    """A folder that RubberDuck knows. `root` is absolute; `name` is unique among its owner's living projects.

    `version` counts changes from 1; a change is refused when somebody else's came first. `deleted_at` is set
    while the project is removed and can still be restored.
    """

    id: UUID
    owner: str
    name: str
    root: str
    description: str
    configuration: dict[str, Json]
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A file of a project. `path` is relative to the root, with `/`; unique among the project's living files.

    `content_hash` is BLAKE2b of 128 bits in hexadecimal. `version` and `deleted_at` are as in a project.
    """

    id: UUID
    project_id: UUID
    path: str
    language: str | None
    content_hash: str
    size_bytes: int
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScanEntry:
    """One file as it is now."""

    path: str
    language: str | None
    content_hash: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Changes:
    """How a scan differs from what was known: numbers of files, and the id of each file that is there now."""

    added: int
    changed: int
    removed: int
    unchanged: int
    ids: Mapping[str, UUID] = field(repr=False)


def checked_name(name: str) -> str:
    """`name` without the blanks around it.

    Raises InvalidInput unless it has 1 to 100 printable characters and is not written as an id is.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidInput(
            f"'{display(name[:MAX_NAME_LENGTH])}' cannot be a project's name: give 1 to {MAX_NAME_LENGTH} "
            "printable characters"
        )
    if _ID.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot be a project's name: it could be taken for the id of another one")
    return name


def checked_description(description: str) -> str:
    """Raises InvalidInput unless it is text that any database can keep, of at most 10,000 characters."""
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise InvalidInput(f"a description may have {MAX_DESCRIPTION_LENGTH:,} characters, not {len(description):,}")
    _check_text(description, "a description")
    return description


def checked_configuration(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """A copy that is JSON and nothing else; raises InvalidInput for other values and beyond 64 KiB."""
    given = dict(configuration)
    try:
        written = json.dumps(given, allow_nan=False, ensure_ascii=False)
        read = json.loads(written)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"a project's configuration must be JSON: {error}") from error
    if read != given:
        raise InvalidInput("a project's configuration must be JSON: its keys are text, its sequences lists")
    _check_text(written, "a project's configuration")
    if _NUL.search(written):
        raise InvalidInput("a project's configuration may not hold NUL characters")
    if len(written.encode()) > MAX_CONFIGURATION_BYTES:
        raise InvalidInput(f"a project's configuration may have {MAX_CONFIGURATION_BYTES:,} bytes")
    return dict(read)


def name_for(folder: str, taken: set[str]) -> str:
    """A name for the project in `folder` that is not `taken`: the folder's own, with a number if need be."""
    own = display(folder).strip()[: MAX_NAME_LENGTH - 10] or "project"
    if _ID.fullmatch(own):
        own = f"project-{own}"
    number, name = 1, own
    while name in taken:
        number += 1
        name = f"{own}-{number}"
    return name


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{what} must be text, and has a lone surrogate at character {error.start}") from error
    if "\0" in text:
        raise InvalidInput(f"{what} may not hold NUL characters")
