"""Puts a folder into a request to an engine or a workflow: the one where somebody stands, or a server's project.

Clients of a server name a project and paths in it, never a folder. An engine with a field that does not say whether it
names a file does not run for them.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import UnionType
from typing import Any, Final, get_args

import msgspec

from rubber_duck.analysis.target import project_settings, target
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.marks import FOLDERS, PATHS, says_where, silent_fields
from rubber_duck.engines.roster import answering
from rubber_duck.errors import Denied, DuckError, InvalidDeclaration, InvalidInput, InvalidPath, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workspace.ignore import left_out_by
from rubber_duck.workspace.paths import Root, absolute, display

Request = dict[str, Any]  # Any: JSON of the engine's own shape
AnyEngine = type[Engine[Any, Any]]  # Any: an engine of any request and answer
AnyWorkflow = type[Workflow[Any, Any]]  # Any: as above

_IN_PERSON: Final = frozenset({"workflows", "notices"})
"""Parts in which everybody has what is theirs: engines that need them act in the name of whoever asks."""

ASKS: Final = "asks"
"""The mark of a workflow's field that holds requests to an engine; its value is the field that names the engine."""

_SEVERAL: Final = "several engines answer to this name and take a project differently: ask one by its own name"
_LINES: Final = re.compile(r"(?P<path>.+?)(?::\d+){1,2}(?:-\d+(?::\d+)?)?")
_ANY_FILE: Final = "\N{DUCK}"
"""A name that no pattern names: what leaves it out of a folder leaves out the folder."""


def fields_of(engine: AnyEngine, request: Request) -> dict[str, bool]:
    """The fields that say where, by name, and whether each is required; of a union, those of the tag that was sent."""
    for struct in get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,):
        declared = msgspec.inspect.type_info(struct)
        assert isinstance(declared, msgspec.inspect.StructType)  # checked when the engine's class was made
        if declared.tag is None or request.get(declared.tag_field or "") == declared.tag:
            return {each.encode_name: each.required for each in declared.fields if says_where(each)}
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
    _refuse_silent(engine)
    where = fields_of(engine, request)
    if not where and engine.right is not Right.CATALOG_READ and not _acts_in_person(engine):
        raise Denied(f"the engine {engine.name!r} works beyond a project: ask it in the topic 'cli:me'")
    named = next((name for name in FOLDERS if name in where and name in request), None)
    if named is not None:
        raise InvalidInput(f"leave {named!r} out of the request: the project is that of the topic")
    root = Root(folder)
    ignore = None if request.get("content") is not None else project_settings(root, settings).index.ignore
    given: Request = {name: folder for name in FOLDERS if name in where}
    for name, is_required in where.items():
        if name in given or (name not in request and not is_required):
            continue
        value = request.get(name, "")
        _check(root, value if isinstance(value, list) else [value], ignore)
        given[name] = value or "." if name in PATHS else value
    if where and "project" not in where and os.fspath(target(["."], folder, settings).root.path) != str(root.path):
        raise Denied("the project's folder lies within another one: put an empty duck.toml into it, so that it is one")
    refresh = {"refresh": False} if takes(engine, "refresh") else {}  # indexes are for their owner to bring up to date
    return {**request, **given, **refresh}


def acting(among: Sequence[AnyEngine], own: Scope, tenant: Scope) -> Scope:
    """The asker's scope for one of the engines: with what is their own, or with the installation's projects."""
    in_person = [_acts_in_person(engine) for engine in among]
    if any(in_person) != all(in_person):
        raise Denied(_SEVERAL)
    return own if in_person[0] else tenant


def placed_for_all(among: Sequence[AnyEngine], request: Request, folder: str, settings: Settings) -> Request:
    """As `placed`, for whichever of the engines that answer to a name will be picked; Denied where they differ."""
    found = [placed(engine, request, folder, settings) for engine in among]
    if any(each != found[0] for each in found):
        raise Denied(_SEVERAL)
    return found[0]


def runs_here(workflow: AnyWorkflow) -> bool:
    """Whether a workflow works on one project, which it names by its folder, or asks engines that do."""
    places, asked = _places(workflow), _asked(workflow)
    return places == ["path"] or (asked is not None and not places)


def placed_run(name: str, request: Request, folder: str, settings: Settings) -> Request:
    """The request for a workflow with the project's `folder` in it. May block on the disk.

    Raises UnknownName, and Denied for a workflow that works elsewhere, or that would ask an engine which acts in the
    name of a person; InvalidInput and InvalidPath as `placed`.
    """
    workflow = workflows.discover()[name]
    if not runs_here(workflow):
        raise Denied(f"the workflow {name!r} does not work on one project, so it does not run here")
    if _places(workflow):
        if request.get("path", ".") not in ("", "."):
            raise InvalidInput("leave 'path' out of the request: a run works on the whole project, which is known")
        return {**request, "path": folder}

    def place(among: Sequence[AnyEngine], each: Request) -> Request:
        if any(map(_acts_in_person, among)):
            raise Denied(f"the engine {among[0].name!r} acts in one's own name, so a run in a project does not ask it")
        return placed_for_all(among, each, folder, settings)

    return _each_placed(workflow, request, place)


def located_run(name: str, request: Request, directory: str) -> Request:
    """The request for a workflow with its paths made absolute: whoever works on it may stand elsewhere."""
    workflow = workflows.discover()[name]
    found = dict(request)
    for field in _places(workflow):
        if isinstance(found.get(field), str):
            found[field] = absolute(found[field], directory)

    def locate(among: Sequence[AnyEngine], each: Request) -> Request:
        takes = [fields_of(engine, each) for engine in among]
        return {"directory": directory, **each} if all("directory" in fields for fields in takes) else each

    return _each_placed(workflow, found, locate) if directory else found


def _each_placed(
    workflow: AnyWorkflow, request: Request, place: Callable[[Sequence[AnyEngine], Request], Request]
) -> Request:
    """The request with each of those to an engine placed; what is not as it must be is for the workflow to refuse."""
    asked = _asked(workflow)
    if asked is None or not isinstance(name := request.get(asked[1]), str):
        return request
    held = request.get(asked[0])
    if not isinstance(held, (list, tuple)):
        return request
    among = answering(engines, name)
    return {**request, asked[0]: [_numbered(partial(place, among), *each) for each in enumerate(held, 1)]}


def _numbered(place: Callable[[Request], Request], number: int, request: object) -> object:
    """The request placed; what is wrong with it is said with its number."""
    if not isinstance(request, dict):
        return request
    try:
        return place(request)
    except DuckError as error:
        raise type(error)(f"request {number}: {error.message}") from error


def _places(workflow: AnyWorkflow) -> list[str]:
    """The fields of a workflow's request that are paths."""
    return [name for name, extra in _marks(workflow) if extra.get("path")]


def _asked(workflow: AnyWorkflow) -> tuple[str, str] | None:
    """The field of a workflow's request that holds requests to an engine, and the one that names the engine."""
    return next(((name, extra[ASKS]) for name, extra in _marks(workflow) if ASKS in extra), None)


def _marks(workflow: AnyWorkflow) -> Iterator[tuple[str, Mapping[str, Any]]]:  # Any: as declared
    for field in msgspec.structs.fields(workflow.request):
        for note in getattr(field.type, "__metadata__", ()):
            if extra := getattr(note, "extra", None):
                yield field.encode_name, extra


def _acts_in_person(engine: AnyEngine) -> bool:
    return bool(_IN_PERSON & set(engine.needs))


def _refuse_silent(engine: AnyEngine) -> None:
    for struct in get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,):
        for name in silent_fields(struct):
            raise InvalidDeclaration(
                f"the engine {engine.name!r} does not say whether its field {name!r} names a file of the project, so "
                'it does not run on a server: mark it with extra={"place": True}, or False'
            )


def _check(root: Root, paths: Iterable[object], ignore: tuple[str, ...] | None) -> None:
    """Raises InvalidPath for what does not lie in the project, NotFound for what it ignores, unless `ignore` is None.

    What it would ignore is refused alike whether it is there or not, so that nobody learns that. What else is not
    there is for the engine to say.
    """
    for path in paths:
        if not isinstance(path, str) or "\0" in path or posixpath.isabs(path) or ".." in path.split("/"):
            raise InvalidPath(f"'{display(str(path))}' is no path in the project: write it from the project's folder")
        for each in {path, lined["path"] if (lined := _LINES.fullmatch(path)) else path}:
            inside = posixpath.normpath(each)
            if inside != ".":
                try:
                    kinds = [stat.S_ISDIR(root.status(inside).st_mode)]
                except NotFound:
                    kinds = [False, True]
                if ignore is not None:
                    for is_folder in kinds:
                        _refuse_ignored(root, inside, ignore, is_folder=is_folder)


def _refuse_ignored(root: Root, inside: str, ignore: tuple[str, ...], *, is_folder: bool) -> None:
    """Raise NotFound for what no scan would list, under its name or where a link leads."""
    real = os.path.relpath(os.path.realpath(root.path / inside), root.path)
    for each in {inside, real}:
        if left_out_by(root.path, f"{each}/{_ANY_FILE}" if is_folder else each, ignore) is not None:
            raise NotFound(f"there is no '{display(inside)}' in the project: it is ignored")


def takes(engine: AnyEngine, name: str) -> bool:
    """Whether the engine's request has a field of that name."""
    if not isinstance(engine.request, type):
        return False
    return any(field.encode_name == name for field in msgspec.structs.fields(engine.request))
