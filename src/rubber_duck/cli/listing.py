"""Which commands there are, with the first sentence of each, read from files without importing any of them."""

from __future__ import annotations

import os
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Any, Final

import rubber_duck

PLUGIN_GROUP: Final = "rubber_duck.engines"
"""The entry-point group through which other distributions add engines, and so commands."""

_REGISTERED: Final = re.compile(r"^@engines\.add\b", re.MULTILINE)
_DOCSTRING: Final = re.compile(r'\s*(?:#[^\n]*\n\s*)*[rR]?"""(.*?)"""', re.DOTALL)
_FOLDERS: Final = (("cli", "commands"), ("cli", "local"), ("engines",))
_METADATA: Final = (".dist-info", ".egg-info")


class Kind(Enum):
    """Where a command comes from; the value is its heading in `duck --help`."""

    COMMAND = "Commands"
    LOCAL = "This installation"
    PLUGIN = "From plug-ins"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its name, where it comes from, its module ("" when only its entry point is known), its sentence."""

    name: str
    kind: Kind
    module: str
    about: str


def find(name: str, packages: Sequence[str] | None = None) -> Entry | None:
    """The command of that name; files are looked at first, so installed plug-ins cost nothing then."""
    return next(chain(_own(packages, only=name), (each for each in _plugins() if each.name == name)), None)


def entries(packages: Sequence[str] | None = None) -> dict[str, Entry]:
    """Every command by name, sorted. A hand-written one wins over an engine's, a file over a plug-in.

    `packages` are the folders, or paths into zips, that hold the package's files; None: where it was imported from.
    """
    found: dict[str, Entry] = {}
    for each in chain(_own(packages), _plugins()):
        found.setdefault(each.name, each)
    return dict(sorted(found.items()))


def engine_names() -> list[str]:
    """Every engine by name, sorted, those of plug-ins included."""
    own = {each.name for each in _own(None, folders=(("engines",),))}
    return sorted(own | {each.name for each in _plugins()})


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring, on one line, without its full stop."""
    paragraph = " ".join(docstring.strip().split("\n\n", 1)[0].split())
    return re.split(r"\.(?=\s|$)", paragraph, maxsplit=1)[0]


def _own(
    packages: Sequence[str] | None, only: str | None = None, folders: Sequence[tuple[str, ...]] = _FOLDERS
) -> Iterator[Entry]:
    """The commands of this package, the winning ones first."""
    for folder in folders:
        places = [os.path.join(place, *folder) for place in packages or rubber_duck.__path__]
        for module in _modules(places, only):
            name = module.name.replace("_", "-")
            source = _source(module)
            if folder == ("engines",) and not _REGISTERED.search(source):
                continue  # a part of the machinery, such as the roster
            opening = _DOCSTRING.match(source)
            kind = Kind.LOCAL if folder == ("cli", "local") else Kind.COMMAND
            full_name = ".".join(("rubber_duck", *folder, module.name))
            yield Entry(name, kind, full_name, first_sentence(opening.group(1)) if opening else "")


def _modules(places: Sequence[str], only: str | None) -> Iterator[pkgutil.ModuleInfo]:
    """The modules in these folders or zips; of one name alone they are found without listing the others."""
    if only is None:
        yield from (module for module in pkgutil.iter_modules(places) if not module.ispkg)
        return
    name = only.replace("-", "_")
    if "_" in only or name.startswith("_") or not name.isidentifier():
        return
    for finder in map(pkgutil.get_importer, places):
        spec: Any = finder.find_spec(name) if finder is not None else None  # Any: as in _source
        if spec is not None and spec.submodule_search_locations is None:
            yield pkgutil.ModuleInfo(finder, name, ispkg=False)  # type: ignore[arg-type]  # as in _source


def _source(module: pkgutil.ModuleInfo) -> str:
    finder: Any = module.module_finder  # Any: file and zip finders share no declared type
    spec = finder.find_spec(module.name)
    return (spec.loader.get_source(module.name) if spec is not None else None) or ""


def _plugins() -> Iterator[Entry]:
    """The engines that installed distributions name as entry points.

    Read from the metadata files directly: importing `importlib.metadata` would take a fifth of the time that
    `duck --help` has. Format: https://packaging.python.org/en/latest/specifications/entry-points/
    """
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(place or ".") if name.endswith(_METADATA))
        except OSError:
            continue  # a zip, or a folder that is not there
        for folder in names:
            distribution = folder.rsplit(".", 1)[0].replace("-", " ")
            for point in _points(os.path.join(place, folder, "entry_points.txt")):
                yield Entry(point, Kind.PLUGIN, "", f"From {distribution}")


def _points(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            content = file.read()
    except OSError:
        return []
    if PLUGIN_GROUP not in content:
        return []
    section, found = "", []
    for line in map(str.strip, content.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == PLUGIN_GROUP and "=" in line and not line.startswith(("#", ";")):
            found.append(line.partition("=")[0].strip())
    return found
