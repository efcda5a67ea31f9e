"""ruff is shown private copies of files, and one that kills or stalls it costs only itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rubber_duck.analysis.copies import Copies, write_copy
from rubber_duck.analysis.file_analysis import FileAnalysis
from rubber_duck.analysis.linting import CULPRITS, RuffRun, open_linting
from rubber_duck.settings import WorkerSettings
from rubber_duck.workspace.paths import Root
from tests.factories import write_tree
from tests.unit.analysis.projects import HUNGRY

UNUSED = "import os\n"
FOUND = [("ruff/F401", 1)]

SLOW = "for i in a:\n for i in b:\n  pass\n" * 20_000
"""Seconds for ruff, because the time it takes grows with the square of the size."""

LITTLE = WorkerSettings(memory_bytes=1 << 27, file_timeout_s=1.0)
TOO_HUNGRY = "it needs more memory than it may have"
TOO_SLOW = "'ruff' used more than 1 s of processor time and was killed"


def analysis_of(content: str, *, speaks: bool = False) -> FileAnalysis:
    """What a worker says of a file without findings."""
    return FileAnalysis("hash", len(content), "python", content.count("\n"), speaks_to_ruff=speaks)


def root_at(folder: Path) -> Root:
    """The folder, made if need be."""
    folder.mkdir(exist_ok=True)
    return Root(folder)


async def lint(root: Path, files: Mapping[str, str], settings: WorkerSettings = LITTLE) -> RuffRun:
    """Have ruff look at files that a worker copied."""
    async with open_linting(root_at(root), settings, 2) as linting:
        places = {path: linting.place(path) for path in files}
        for path, content in files.items():
            write_copy(os.fsencode(places[path]), content.encode())
            linting.add(path, analysis_of(content))
        return await linting.finish()


def found(run: RuffRun) -> dict[str, list[tuple[str, int]]]:
    """(rule, line) of what ruff found, by path."""
    return {
        path: [(each.rule, each.span.start_line) for each in linted.findings] for path, linted in run.linted.items()
    }


async def test_in_tests_ruffs_security_rules_have_nothing_to_say_as_ours_have_not(tmp_path: Path) -> None:
    content = 'import os\nplace = "/tmp/pond"\n'
    run = await lint(tmp_path / "p", {"pond.py": content, "tests/test_pond.py": content})
    assert found(run) == {"pond.py": [*FOUND, ("ruff/S108", 2)], "tests/test_pond.py": FOUND}


async def test_a_file_that_ruff_cannot_take_is_named_and_the_others_are_not_touched(tmp_path: Path) -> None:
    good = {f"good{number}.py": UNUSED for number in range(40)}
    run = await lint(tmp_path / "p", {**good, "hungry.py": HUNGRY})
    assert (run.failed, run.given_up) == ({"hungry.py": TOO_HUNGRY}, [])
    assert found(run) == dict.fromkeys(good, FOUND)


async def test_a_file_that_takes_too_much_of_the_processors_time_is_named(tmp_path: Path) -> None:
    run = await lint(tmp_path / "p", {"slow.py": SLOW}, WorkerSettings(file_timeout_s=1.0))
    assert (run.failed, run.linted) == ({"slow.py": TOO_SLOW}, {})


async def test_what_ruff_failed_on_for_want_of_memory_goes_well_with_more(tmp_path: Path) -> None:
    run = await lint(tmp_path / "p", {"hungry.py": HUNGRY}, WorkerSettings())
    assert (len(run.linted["hungry.py"].findings), run.failed) == (20_002, {})


async def test_ruff_is_given_up_when_it_fails_on_too_many_files(tmp_path: Path) -> None:
    files = {f"{number:02}.py": HUNGRY for number in range(CULPRITS + 12)}
    run = await lint(tmp_path / "p", files)
    assert set(run.failed.values()) == {TOO_HUNGRY}
    assert len(run.failed) in {CULPRITS, CULPRITS + 1}  # two at a time
    assert sorted([*run.failed, *run.given_up]) == sorted(files)


async def test_any_name_that_a_file_can_have_is_shown_to_ruff_by_one_it_can_read(tmp_path: Path) -> None:
    names = [
        "bad\udcff.py",
        "bad\udcfe.py",
        "di\udcff/x.py",
        "A.py",
        "a.py",
        "-rf.py",
        "@x.py",
        "new\nline.py",
        "[a] *.py",
    ]
    long = f"{'folder/' * 250}x.py"
    files = dict.fromkeys([*names, long], UNUSED)
    assert found(await lint(tmp_path / "p", files)) == dict.fromkeys(files, FOUND)


async def test_what_ruff_says_of_a_module_does_not_depend_on_which_others_it_is_shown(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "p", {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "top.py": ""})
    module = {"pkg/sub/x.py": "from pkg.sub import x\n"}
    alone = await lint(root, module)
    beside = await lint(root, {"pkg/__init__.py": "import top\n", "top.py": UNUSED, **module})
    assert found(alone) == {"pkg/sub/x.py": [("ruff/PLW0406", 1), ("ruff/F401", 1)]}
    assert alone.linted["pkg/sub/x.py"] == beside.linted["pkg/sub/x.py"]
    assert (
        beside.linted["pkg/__init__.py"]
        == (await lint(root, {"pkg/__init__.py": "import top\n"})).linted["pkg/__init__.py"]
    )


async def test_comments_that_ruff_obeys_hold_in_the_copy(tmp_path: Path) -> None:
    async with open_linting(root_at(tmp_path / "p"), LITTLE, 2) as linting:
        content = "import os  # noqa: F401\nimport sys\n"
        write_copy(os.fsencode(linting.place("a.py")), content.encode())
        linting.add("a.py", analysis_of(content, speaks=True))
        (findings,) = [linted.findings for linted in (await linting.finish()).linted.values()]
    assert [(each.span.start_line, each.suppressed) for each in findings] == [(2, None), (1, "a comment for ruff")]


async def test_a_copy_that_is_gone_or_cut_off_is_not_taken_for_a_clean_file(tmp_path: Path) -> None:
    async with open_linting(root_at(tmp_path / "p"), LITTLE, 2) as linting:
        for path in ("cut.py", "gone.py"):
            place = linting.place(path)
            linting.add(path, analysis_of(UNUSED))
            if path == "cut.py":
                write_copy(os.fsencode(place), b"")
        run = await linting.finish()
    lost = "its private copy was lost"
    assert (run.linted, run.failed) == ({}, {"cut.py": lost, "gone.py": lost})


def test_a_copy_is_for_its_user_alone_and_gives_its_room_back(tmp_path: Path) -> None:
    copies = Copies(root_at(tmp_path / "copies").path, root_at(tmp_path / "p"))
    place = Path(copies.place("a/b.py"))
    write_copy(os.fsencode(place), b"x = 1\n")
    before = (copies.read("a/b.py"), place.stat().st_mode & 0o777)
    copies.release("a/b.py")
    assert (before, copies.read("a/b.py")) == ((b"x = 1\n", 0o600), b"")
