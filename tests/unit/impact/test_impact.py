"""What a change touches in a small project, and which tests are chosen for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import GraphFile
from rubber_duck.impact.change import ChangedFile, Lines
from rubber_duck.impact.history import Together, changed_together, churn
from rubber_duck.impact.impact import ChangedDefinition, Impact, Snapshot, impact
from rubber_duck.impact.neighbourhood import Caller, Importer
from rubber_duck.impact.reasons import Reason
from rubber_duck.impact.risk import Exposure, assess
from rubber_duck.storage.coverage import Recording

POND = {
    "pond/__init__.py": "",
    "pond/duck.py": (
        "def quack():\n    return sound()\n\n\ndef sound():\n    return 'quack'\n\n\ndef dive():\n    return 3\n"
    ),
    "pond/lake.py": "from pond.duck import quack\n\n\ndef morning():\n    return quack()\n",
    "tests/test_duck.py": "from pond.duck import dive\n\n\ndef test_dive():\n    assert dive() == 3\n",
    "tests/test_lake.py": "from pond.lake import morning\n\n\ndef test_morning():\n    assert morning() == 'quack'\n",
}


def touched(
    changes: Sequence[ChangedFile],
    files: Mapping[str, str] = POND,
    *,
    commits: Sequence[Collection[str]] = (),
    recorded: Mapping[str, Mapping[str, frozenset[int]]] | None = None,
) -> Impact:
    read = {path: _read(path, text) for path, text in files.items()}
    return impact(Snapshot(read, files, commits, _recording(recorded or {}), "/p"), changes)


def _recording(lines: Mapping[str, Mapping[str, frozenset[int]]]) -> Recording:
    return Recording(frozenset(context for each in lines.values() for context in each), lines)


def _read(path: str, text: str) -> GraphFile:
    language = detect(path, None)
    assert language is not None
    return GraphFile(language, extract(open_source(path, text.encode(), language)))


def test_callers_of_callers_and_importers_of_importers_are_touched() -> None:
    found = touched([ChangedFile("pond/duck.py", (Lines(6, 6),))])
    assert found.changed == (ChangedDefinition("pond/duck.py", "sound", 5),)
    assert found.callers == (
        Caller("pond/duck.py", "quack", 2, 1, "sound", 1),
        Caller("pond/lake.py", "morning", 5, 2, "quack", 1),
        Caller("tests/test_lake.py", "test_morning", 5, 3, "morning", 1),
    )
    assert found.importers == (
        Importer("pond/lake.py", 1, 1, "pond/duck.py"),
        Importer("tests/test_duck.py", 1, 1, "pond/duck.py"),
        Importer("tests/test_lake.py", 1, 2, "pond/lake.py"),
    )


def test_the_test_that_calls_what_is_changed_comes_first_with_the_way_there() -> None:
    first = touched([ChangedFile("pond/duck.py", (Lines(6, 6),))]).tests[0]
    assert (first.name, first.reasons[0]) == (
        "tests/test_lake.py::test_morning",
        Reason("calls", "test_morning → morning → quack → sound"),
    )


def test_a_changed_test_is_run_itself() -> None:
    chosen = touched([ChangedFile("tests/test_duck.py", (Lines(5, 5),))]).tests
    assert [(each.name, each.probability, each.reasons[0].kind) for each in chosen] == [
        ("tests/test_duck.py::test_dive", 1.0, "changed")
    ]


def test_a_change_outside_of_all_definitions_runs_what_loads_the_file_and_a_blank_line_nothing() -> None:
    at_top = touched([ChangedFile("pond/lake.py", (Lines(1, 1),))])
    assert [(each.name, [reason.kind for reason in each.reasons]) for each in at_top.tests] == [
        ("tests/test_lake.py::test_morning", ["loads", "file"])
    ]
    assert touched([ChangedFile("pond/lake.py", (Lines(2, 3),))]).tests == ()


def test_what_was_recorded_decides_over_what_is_likely() -> None:
    recorded = {
        "/p/pond/duck.py": {
            "tests/test_lake.py::test_morning|run": frozenset({2}),
            "tests/test_duck.py::test_dive[3]|run": frozenset({6}),
        }
    }
    chosen = touched([ChangedFile("pond/duck.py", (Lines(6, 6),))], recorded=recorded).tests
    assert [(each.name, each.probability, each.reasons[0].kind) for each in chosen] == [
        ("tests/test_duck.py::test_dive", 1.0, "covered")
    ]


def test_coverage_decides_although_the_change_touches_tests_and_unrecorded_files() -> None:
    recorded = {
        "/p/pond/duck.py": {
            "tests/test_lake.py::test_morning|run": frozenset({2}),
            "tests/test_duck.py::test_dive|run": frozenset({6}),
        }
    }
    source = ChangedFile("pond/duck.py", (Lines(6, 6),))
    with_test = touched([source, ChangedFile("tests/test_lake.py", (Lines(5, 5),))], recorded=recorded)
    assert {each.name: each.reasons[0].kind for each in with_test.tests} == {
        "tests/test_duck.py::test_dive": "covered",
        "tests/test_lake.py::test_morning": "changed",
    }
    assert with_test.unrecorded == ()
    only_test = touched([ChangedFile("tests/test_duck.py", (Lines(5, 5),))], recorded=recorded)
    assert [each.name for each in only_test.tests] == ["tests/test_duck.py::test_dive"]
    with_new = touched([source, ChangedFile("pond/lake.py", (Lines(5, 5),))], recorded=recorded)
    assert {each.name: (each.reasons[0].kind, each.probability == 1) for each in with_new.tests} == {
        "tests/test_duck.py::test_dive": ("covered", True),
        "tests/test_lake.py::test_morning": ("names", False),
    }
    assert with_new.unrecorded == ("pond/lake.py",)
    assert touched([source]).unrecorded == ()


def test_contexts_of_coverage_itself_are_understood_too() -> None:
    recorded = {"/elsewhere/pond/duck.py": {"tests.test_duck.test_dive": frozenset({6})}}
    chosen = touched([ChangedFile("pond/duck.py", (Lines(6, 6),))], recorded=recorded).tests
    assert chosen[0].reasons[0] == Reason("covered", "it ran this code when coverage was recorded")


def test_a_removed_file_is_named_and_who_imports_it_still_is_touched() -> None:
    files = {path: text for path, text in POND.items() if path != "pond/duck.py"}
    found = touched([ChangedFile("pond/duck.py")], files)
    assert (found.unknown, found.changed) == (("pond/duck.py",), ())
    assert [each.path for each in found.importers] == ["pond/lake.py", "tests/test_duck.py", "tests/test_lake.py"]
    assert [each.name for each in found.tests] == ["tests/test_duck.py::test_dive", "tests/test_lake.py::test_morning"]


def test_what_a_removed_file_held_counts_where_the_diff_says_it_and_its_own_tests_run_no_more() -> None:
    gone = ("pond/duck.py", "tests/test_duck.py")
    read = {path: _read(path, text) for path, text in POND.items()}
    changes = [ChangedFile(path, (), None, POND[path]) for path in gone]
    found = impact(Snapshot(read, POND, root="/p", removed=frozenset(gone)), changes)
    assert (found.removed, found.unknown) == (gone, ())
    assert [each.name for each in found.changed if each.path == "pond/duck.py"] == ["", "quack", "sound", "dive"]
    assert ("pond/lake.py", "morning") in [(each.path, each.name) for each in found.callers]
    assert [each.name for each in found.tests] == ["tests/test_lake.py::test_morning"]


def test_a_change_of_no_code_is_no_risk() -> None:
    found = touched([])
    assert (found.risk.score, found.tests) == (0, ())


OVERLOADED = """import typing


@typing.overload
def quack(times: int) -> int: ...
@typing.overload
def quack(times: str) -> str: ...
def quack(times):
    loud = times

    return loud


class Duck:
    @property
    def name(self):
        return self._name

    @name.setter
    def name(self, name):
        self._name = name
"""


def test_a_line_of_an_overloaded_function_or_a_setter_is_inside_of_it() -> None:
    found = touched([ChangedFile("a.py", (Lines(9, 9), Lines(21, 21)))], {"a.py": OVERLOADED})
    assert found.changed == (ChangedDefinition("a.py", "quack", 8), ChangedDefinition("a.py", "Duck.name", 15))


def test_files_that_changed_together_twice_are_named_but_not_those_of_a_sweeping_commit() -> None:
    commits = [{"a", "b"}, {"a", "b", "c"}, {"a"}, {"d"}, {"a", *map(str, range(50))}]
    assert changed_together(commits, {"a"}) == (Together("b", 2, 3),)
    assert churn(commits, {"a", "d"}) == 5


def test_a_file_of_javascript_tests_is_one_test() -> None:
    files = {
        "src/feed.js": "export function feed(duck) {\n  return duck;\n}\n",
        "src/feed.test.js": 'import { feed } from "./feed";\n\ntest("feeds", () => {\n  feed(1);\n});\n',
    }
    chosen = touched([ChangedFile("src/feed.js", (Lines(2, 2),))], files).tests
    assert [each.name for each in chosen] == ["src/feed.test.js"]


def test_the_risk_is_the_sum_of_its_parts_and_grows_with_them() -> None:
    small = assess(Exposure(1, 0, 0, 1, 0, 3, 2, 1, 0, 0))
    large = assess(Exposure(1, 60, 30, 1, 1, 0, 0, 500, 20, 100))
    assert (small.score, small.level, large.score, large.level) == (6, "low", 100, "high")
    assert round(sum(part.weight for part in large.parts), 6) == 1
    assert [part.name for part in small.parts] == ["reach", "spread", "exposure", "untested", "size", "churn"]
