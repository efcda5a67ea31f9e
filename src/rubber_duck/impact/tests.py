"""Which definitions of a project are tests, what they are called by those who run them, and what runs beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rubber_duck.code.edges import CallGraph, Definition
from rubber_duck.code.language import family
from rubber_duck.code.scopes import CALLABLE, CLASSES

_FOLDERS: Final = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__", "e2e"})
_FILE: Final = re.compile(r"(?:test_.*|.*_tests?|tests?|.*_spec|.*\.(?:test|tests|spec|cy|e2e))")
_HELPER: Final = re.compile(r"(?:conftest|__init__|test_helper|setup|.*\.stories)")
_METHOD: Final = re.compile(r"test(?:_.*|[A-Z0-9].*)?")


@dataclass(frozen=True, slots=True)
class Test:
    """One test. `name` is what its runner calls it: `path::Class::function` in Python, else the path of the file.

    `definition` is its number in the call graph: of a function in Python, else of the file.
    """

    __test__ = False  # pytest takes every class of this name for one of tests

    definition: int
    name: str
    path: str


@lru_cache(maxsize=100_000)
def is_test_file(path: str) -> bool:
    """Whether a runner of tests would look into the file, by its name."""
    *folders, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    if _HELPER.fullmatch(stem):
        return False
    return _FILE.fullmatch(stem) is not None or ("__tests__" in folders and not stem.startswith("_"))


def belongs_to_tests(path: str) -> bool:
    """Whether the file is a test or is there for tests."""
    return is_test_file(path) or not _FOLDERS.isdisjoint(path.split("/")[:-1]) or path.endswith("conftest.py")


def tests_of(graph: CallGraph, languages: dict[str, str]) -> tuple[Test, ...]:
    """The tests of a project, in the order of the graph. `languages`: path → language."""
    found: list[Test] = []
    for number, definition in enumerate(graph.definitions):
        if not is_test_file(definition.path):
            continue
        if family(languages[definition.path]) == "python":
            if (
                definition.kind in CALLABLE
                and _METHOD.fullmatch(definition.short_name)
                and _is_collected(graph, definition)
            ):
                name = "::".join([definition.path, *definition.name.split(".")])
                found.append(Test(number, name, definition.path))
        elif not definition.name:
            found.append(Test(number, definition.path, definition.path))
    return tuple(found)


def _is_collected(graph: CallGraph, definition: Definition) -> bool:
    """At the top of a file, or in a class there: an inner function is no test."""
    owner = definition.owner
    while owner:
        number = graph.numbers.get((definition.path, owner))
        if number is None or graph.definitions[number].kind not in CLASSES:
            return False
        owner = owner.rpartition(".")[0]
    return True
