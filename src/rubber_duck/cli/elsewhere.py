"""A project on a server as it is seen from here: which one is meant, and what a local path is called there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rubber_duck.errors import InvalidInput, InvalidPath, LimitExceeded, UnknownName

Request = dict[str, Any]  # Any: JSON of the engine's own shape

_FOLDERS: Final = ("project", "directory")
_PATHS: Final = ("path", "paths", "place", "root", "at", "files", "also")
CONTENT_BYTES: Final = 5_000_000
_REQUEST_BYTES: Final = 5_900_000  # a frame of the socket has 6 MB at the most
_READS_CONTENT: Final = ("outline",)
"""Engines that are sent a local file's text, so that they answer about what is here."""


_IN_A_PROJECT: Final = ("workflow", "jobs")
"""Engines that are asked in a project though nothing in the request says where: runs belong to one."""


@dataclass(frozen=True, slots=True)
class There:
    """A project on a server; `base` is its folder here, "" where it is not known."""

    id: str
    name: str
    base: str


def says_where(engine: str, request: Request) -> bool:
    """Whether a request is about a project."""
    return engine in _IN_A_PROJECT or any(name in request for name in (*_FOLDERS, *_PATHS))


def project_meant(request: Request, projects: Sequence[Mapping[str, str]], default: str, folder: str) -> There:
    """The project on the server that a request is about.

    It is the one that is named; or else the one that is called like the folder the request stands in, or one above up
    to the top of its Git repository; or else the only one. The person's own home folder, and what lies above it, is no
    project's. Raises UnknownName, InvalidInput.
    """
    wanted = str(request.get("project") or default)
    found = [each for each in projects if wanted in (each["name"], each["id"])] if wanted else []
    if wanted and not found and not _is_folder(wanted, folder):
        raise UnknownName.among("project", wanted, [each["name"] for each in projects], where=" on the server")
    here = os.path.join(folder, wanted) if wanted and not found else _starting(request, folder)
    for above in _folders(Path(here), is_named=bool(found)):
        for each in found or projects:
            if above.name == each["name"]:
                return There(each["id"], each["name"], os.fspath(above))
    if len(found or projects) == 1:
        only = (found or projects)[0]
        return There(only["id"], only["name"], "")
    if not projects:
        raise InvalidInput("you have no role in any project of the server; ask its administrator for one")
    names = ", ".join(each["name"] for each in projects)
    raise InvalidInput(f"say which project with DUCK_PROJECT, or with --project where the command has it: {names}")


def translated(engine: str, request: Request, there: There, folder: str) -> Request:
    """The request as the server takes it: without folders of this machine, with paths from the project's folder.

    Raises InvalidPath for a path outside of the project, LimitExceeded for a file that is too large to send.
    """
    sent = {
        name: value for name, value in request.items() if name not in _FOLDERS and (name, value) != ("refresh", True)
    }
    directory = str(request.get("directory") or folder)
    for name in (*_PATHS, "to") if _writes_to_file(engine, request) else _PATHS:
        if not sent.get(name):
            continue
        value = sent[name]
        sent[name] = (
            [_within(each, directory, there) for each in value]
            if isinstance(value, (list, tuple))
            else _within(value, directory, there)
        )
    if engine == "workflow" and isinstance(asked := request.get("request"), dict):
        sent["request"] = _translated_run(asked, directory, there)
    path = os.path.join(directory, str(request.get("path", "")))
    if engine in _READS_CONTENT and request.get("content") is None and os.path.isfile(path):
        sent["content"] = _read(path)
    return sent


def _writes_to_file(engine: str, request: Request) -> bool:
    """Whether `to` is a file, and not the new name of something."""
    return engine == "tests" or (engine == "refactor" and request.get("what") == "move")


def check_size(sent: Request) -> None:
    """Raises LimitExceeded for a request that is larger than what a server reads at once."""
    size_bytes = len(json.dumps(sent))
    if size_bytes > _REQUEST_BYTES:
        raise LimitExceeded(
            f"the request has {size_bytes:,} bytes, and a server is sent at most {_REQUEST_BYTES:,} at once: "
            "ask for less"
        )


def _translated_run(asked: Request, directory: str, there: There) -> Request:
    """What a workflow is asked, as the server takes it: its paths, and those of each request that a batch holds."""
    sent = translated("", {**asked, "directory": directory}, there, directory)
    if isinstance(requests := asked.get("requests"), list):
        engine = str(asked.get("engine", ""))
        sent["requests"] = [
            translated(engine, {"directory": directory, **each}, there, directory) if isinstance(each, dict) else each
            for each in requests
        ]
    return sent


def _within(
    path: Any, directory: str, there: There
) -> Any:  # Any: what a file says; the server refuses what is no text
    if not isinstance(path, str):
        return path
    if not there.base and not os.path.isabs(path):
        return os.path.normpath(path) if path else ""
    if not there.base and path.startswith(directory):
        return os.path.relpath(path, directory)
    inside = os.path.relpath(os.path.join(directory, path), there.base) if there.base else os.pardir
    if inside.split(os.sep)[0] == os.pardir:
        raise InvalidPath(
            f"'{path}' does not lie in the project {there.name!r} as it is here; say a path from its folder"
        )
    return inside


def _starting(request: Request, folder: str) -> str:
    """Where the search for a folder called as a project begins."""
    directory = str(request.get("directory") or folder)
    named = next((request[name] for name in ("path", "paths", "root", "at", "files") if request.get(name)), "")
    first = named[0] if isinstance(named, (list, tuple)) and named else named
    return os.path.normpath(os.path.join(directory, first if isinstance(first, str) else ""))


def _folders(here: Path, *, is_named: bool) -> Iterator[Path]:
    """The folders that can be a project's: where a request stands, and those above."""
    own = Path(os.path.expanduser("~"))
    for above in (here, *here.parents):
        if above == own or above in own.parents:
            return
        yield above
        if not is_named and (above / ".git").exists():
            return


def _is_folder(wanted: str, folder: str) -> bool:
    return os.path.isdir(os.path.join(folder, wanted))


def _read(path: str) -> str:
    with open(path, "rb") as file:
        content = file.read(CONTENT_BYTES + 1)
    if len(content) > CONTENT_BYTES:
        raise LimitExceeded(f"'{path}' has more than {CONTENT_BYTES:,} bytes, which is what may be sent to a server")
    return content.decode("utf-8", "replace")
