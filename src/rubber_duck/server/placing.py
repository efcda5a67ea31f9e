"""Puts a project's folder into a request: clients of a server name a project and paths in it, never a folder."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, Final, get_args

import msgspec

from rubber_duck.analysis.target import target
from rubber_duck.engines.engine import Engine
from rubber_duck.errors import Denied, InvalidInput, InvalidPath, NotFound
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import Root, display

Request = dict[str, Any]  # Any: JSON of the engine's own shape
AnyEngine = type[Engine[Any, Any]]  # Any: an engine of any request and answer

_FOLDERS: Final = ("project", "directory")
_PATHS: Final = ("path", "paths", "place", "root")
_IN_PERSON: Final = frozenset({"workflows", "notices"})
"""Parts in which everybody has what is theirs. Engines that need them would touch what is the installation's own."""

_LINES: Final = re.compile(r"(?P<path>.+?)(?::\d+){1,2}(?:-\d+)?")


def fields_of(engine: AnyEngine, request: Request) -> dict[str, bool]:
    """The fields that say where, by name, and whether each is required; of a union, those of the tag that was sent."""
    for struct in get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,):
        declared = msgspec.inspect.type_info(struct)
        assert isinstance(declared, msgspec.inspect.StructType)  # checked when the engine's class was made
        if declared.tag is None or request.get(declared.tag_field or "") == declared.tag:
            return {each.encode_name: each.required for each in declared.fields if _says_where(each)}
    return {}


def without_place(engine: AnyEngine, request: Request) -> Request:
    """The request, for an engine that works on no folder; Denied for one that does: it is asked in a project."""
    if fields_of(engine, request):
        raise Denied(f"the engine {engine.name!r} works on a project: ask it in the topic of one")
    return request


def placed(engine: AnyEngine, request: Request, folder: str, settings: Settings) -> Request:
    """The request with the project's `folder` in it. May block on the disk.

    Raises InvalidInput for a folder that the client named, InvalidPath for a path that leads out of the project,
    Denied where the engine would take a folder above for the project.
    """
    if _IN_PERSON & set(engine.needs):
        raise Denied(
            f"the engine {engine.name!r} acts in one's own name, and a project's engines in that of the installation: "
            "use the topics 'project:PROJECT' and 'user:me'"
        )
    where = fields_of(engine, request)
    if not where and engine.right is not Right.CATALOG_READ:
        raise Denied(f"the engine {engine.name!r} works beyond a project: ask it in the topic 'cli:me'")
    named = next((name for name in _FOLDERS if name in where and name in request), None)
    if named is not None:
        raise InvalidInput(f"leave {named!r} out of the request: the project is that of the topic")
    root = Root(folder)
    given: Request = {name: folder for name in _FOLDERS if name in where}
    for name, is_required in where.items():
        if name in given or (name not in request and not is_required):
            continue
        value = request.get(name, "")
        _check(root, value if isinstance(value, list) else [value])
        given[name] = value or "."
    if where and "project" not in where and os.fspath(target(["."], folder, settings).root.path) != str(root.path):
        raise Denied("the project's folder lies within another one: put an empty duck.toml into it, so that it is one")
    refresh = {"refresh": False} if _has(engine, "refresh") else {}
    return {**refresh, **request, **given}


def placed_for_all(among: Sequence[AnyEngine], request: Request, folder: str, settings: Settings) -> Request:
    """As `placed`, for whichever of the engines that answer to a name will be picked; Denied where they differ."""
    found = [placed(engine, request, folder, settings) for engine in among]
    if any(each != found[0] for each in found):
        raise Denied("several engines answer to this name and take a project differently: ask one by its own name")
    return found[0]


def _check(root: Root, paths: Iterable[object]) -> None:
    """Raises InvalidPath for what does not lie in the project; what is not there is for the engine to say."""
    for path in paths:
        if not isinstance(path, str) or "\0" in path or posixpath.isabs(path) or ".." in path.split("/"):
            raise InvalidPath(f"'{display(str(path))}' is no path in the project: write it from the project's folder")
        for each in {path, lined["path"] if (lined := _LINES.fullmatch(path)) else path}:
            inside = posixpath.normpath(each)
            if inside != ".":
                try:
                    root.status(inside)
                except NotFound:
                    continue


def _says_where(field: msgspec.inspect.Field) -> bool:
    if field.encode_name in (*_FOLDERS, *_PATHS):
        return True
    return isinstance(field.type, msgspec.inspect.Metadata) and bool((field.type.extra or {}).get("path"))


def _has(engine: AnyEngine, name: str) -> bool:
    if not isinstance(engine.request, type):
        return False
    return any(field.encode_name == name for field in msgspec.structs.fields(engine.request))
