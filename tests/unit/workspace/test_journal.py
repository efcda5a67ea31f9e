"""Several files are written as one and taken back to the byte, also when the process is killed in between."""

from __future__ import annotations

import itertools
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubber_duck import fault
from rubber_duck.errors import Conflict, Denied, NotFound, StaleVersion, Unavailable
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.workspace.journal import KEPT, FileWrite, Journal
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.protected import refuse_protected

AT = datetime(2026, 11, 28, tzinfo=UTC)
Tree = dict[str, tuple[int, bytes]]
"""Path → (mode, content); a folder has no content and ends in `/`."""


def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "home" / "journal", clock=lambda: AT)


def project(tmp_path: Path, files: dict[str, bytes]) -> Root:
    for name, content in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Root(tmp_path / "project")


def tree(root: Root) -> Tree:
    found: Tree = {}
    for folder, folders, names in os.walk(root.path):
        for name in [*folders, *names]:
            path = Path(folder, name)
            mode = stat.S_IMODE(path.lstat().st_mode)
            key = path.relative_to(root.path).as_posix()
            found[f"{key}/" if path.is_dir() else key] = (mode, b"" if path.is_dir() else path.read_bytes())
    return found


CHANGE = (
    FileWrite("a.py", b"a = 1\n", b"a = 2\n"),
    FileWrite("gone.sh", b"#!/bin/sh\n", None),
    FileWrite("new/deep/b.py", None, b"b = 1\n"),
)
FILES = {"a.py": b"a = 1\n", "gone.sh": b"#!/bin/sh\n", "other": b"stays"}


async def test_files_are_changed_made_and_removed_and_undo_gives_every_byte_and_mode_back(tmp_path: Path) -> None:
    root, kept = project(tmp_path, FILES), journal(tmp_path)
    (root.path / "gone.sh").chmod(0o751)
    (root.path / "a.py").chmod(0o640)
    before = tree(root)
    entry = await kept.write(Scope.local(), root, CHANGE, "edit")
    assert {name: content for name, (_, content) in tree(root).items()} == {
        "a.py": b"a = 2\n",
        "new/": b"",
        "new/deep/": b"",
        "new/deep/b.py": b"b = 1\n",
        "other": b"stays",
    }
    assert tree(root)["a.py"][0] == 0o640
    assert (entry.number, entry.at, entry.about, entry.is_undone) == (1, AT, "edit", False)
    undone = await kept.undo(Scope.local(), root)
    assert undone.is_undone
    assert tree(root) == before
    with pytest.raises(NotFound):
        await kept.undo(Scope.local(), root)


async def test_a_file_that_is_not_what_it_was_taken_for_stops_everything(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "a.py": b"somebody else's\n"})
    before = tree(root)
    with pytest.raises(StaleVersion):
        await journal(tmp_path).write(Scope.local(), root, CHANGE, "edit")
    assert tree(root) == before


async def test_undo_touches_nothing_when_a_file_was_changed_since(tmp_path: Path) -> None:
    root, kept = project(tmp_path, FILES), journal(tmp_path)
    await kept.write(Scope.local(), root, CHANGE, "edit")
    (root.path / "a.py").write_bytes(b"mine\n")
    before = tree(root)
    with pytest.raises(Conflict):
        await kept.undo(Scope.local(), root)
    assert tree(root) == before


async def test_a_write_that_fails_half_way_leaves_the_tree_as_it_was(tmp_path: Path) -> None:
    root, kept = project(tmp_path, FILES), journal(tmp_path)
    (root.path / "folder").mkdir()
    before = tree(root)

    passed = itertools.count(1)

    def full() -> None:
        if next(passed) == 2:
            raise Unavailable("the disk is full")

    with fault.injected("workspace.after_file", full), pytest.raises(Unavailable):
        await kept.write(Scope.local(), root, CHANGE, "edit")
    assert tree(root) == before
    assert [each.is_undone for each in await kept.entries(Scope.local(), root)] == [True]


async def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    root = project(tmp_path, {"real": b"x"})
    (root.path / "link").symlink_to("real")
    with pytest.raises(Exception, match="link"):
        await journal(tmp_path).write(Scope.local(), root, [FileWrite("link", b"x", b"y")], "edit")
    assert (root.path / "real").read_bytes() == b"x"


async def test_without_the_right_to_write_nothing_is_written(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    reader = Scope(Actor("r", "r"), None, frozenset({Right.FILE_READ}), "0" * 32)
    with pytest.raises(Denied):
        await journal(tmp_path).write(reader, root, CHANGE, "edit")
    with pytest.raises(Denied):
        await journal(tmp_path).undo(reader, root)


async def test_the_journal_is_private_and_forgets_the_oldest(tmp_path: Path) -> None:
    root, kept = project(tmp_path, {"a": b"0"}), journal(tmp_path)
    for number in range(KEPT + 3):
        await kept.write(Scope.local(), root, [FileWrite("a", b"%d" % number, b"%d" % (number + 1))], "edit")
    entries = await kept.entries(Scope.local(), root)
    assert [entries[0].number, entries[-1].number] == [KEPT + 3, 4]
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "home").rglob("*")}
    assert modes == {0}


@pytest.mark.parametrize(
    "path",
    [
        ".git/hooks/pre-commit", "a/.GIT/config", ".gitmodules", "duck.toml", "sub/duck.toml", ".duckignore", ".duck/x",
        ".hg/hgrc", "node_modules/x/a.js", "ignored.txt", "out/a.py", "home/duck.db",
    ],
)  # fmt: skip
def test_what_belongs_to_tools_or_is_ignored_is_protected(tmp_path: Path, path: str) -> None:
    root = project(tmp_path, {".gitignore": b"ignored.txt\nout/\n", ".git/HEAD": b"", "home/x": b""})
    with pytest.raises(Denied):
        refuse_protected(root, path, home=tmp_path / "project" / "home", ignore=())


@pytest.mark.parametrize("path", ["a.py", "new/folder/a.py", ".gitignore", "kept.txt", ".github/workflows/ci.yml"])
def test_what_is_part_of_the_project_may_be_written(tmp_path: Path, path: str) -> None:
    root = project(tmp_path, {".gitignore": b"*.txt\n!kept.txt\n", ".git/HEAD": b""})
    refuse_protected(root, path, home=tmp_path / "home", ignore=())


NAMES = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
CONTENT = st.none() | st.binary(max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, st.tuples(CONTENT, CONTENT), min_size=1), st.integers(0, 0o777))
async def test_whatever_is_written_undo_gives_back_the_very_tree(
    change: dict[str, tuple[bytes | None, bytes | None]], mode: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = project(Path(scratch), {"kept": b"", **{n: old for n, (old, _) in change.items() if old is not None}})
        for name, (old, _) in change.items():
            if old is not None:
                (root.path / name).chmod(mode | 0o600)
        before = tree(root)
        kept = journal(Path(scratch))
        await kept.write(Scope.local(), root, [FileWrite(name, *both) for name, both in change.items()], "edit")
        for name, (_, new) in change.items():
            assert (tree(root).get(name) or (0, None))[1] == new
        await kept.undo(Scope.local(), root)
        assert tree(root) == before


SCRIPT = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from rubber_duck import fault
from rubber_duck.scope import Scope
from rubber_duck.workspace.journal import FileWrite, Journal
from rubber_duck.workspace.paths import Root
fault.arm_from_environment()
home, folder, verb = sys.argv[1:4]
root = Root(folder)
files = [FileWrite(f"f{n}", b"old %d" % n, b"new %d" % n) for n in range(4)] + [FileWrite("x/y/new", None, b"new")]
journal = Journal(Path(home), clock=lambda: datetime.now(UTC))
async def main():
    print("begun", flush=True)
    if verb == "write":
        await journal.write(Scope.local(), root, files, "edit")
    elif verb == "undo":
        await journal.undo(Scope.local(), root)
    else:
        await journal.recover(Scope.local(), root)
asyncio.run(main())
"""


def run(tmp_path: Path, verb: str, point: str = "", kill_after_s: float | None = None) -> int:
    """The exit status of a process of its own that writes, undoes or recovers; negative when it was killed."""
    environment = os.environ | {fault.ENVIRONMENT: point}
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path / "home"), str(tmp_path / "project"), verb]
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE)
    with process:
        if kill_after_s is not None:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(kill_after_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        return process.wait(60)


KILLED = [
    "workspace.before_writing",
    "workspace.before_rename",
    "workspace.after_file",
    "workspace.before_done",
]


@pytest.mark.parametrize("point", KILLED)
@pytest.mark.parametrize("verb", ["write", "undo"])
async def test_a_killed_process_leaves_the_tree_before_or_after(tmp_path: Path, point: str, verb: str) -> None:
    root = project(tmp_path, {f"f{number}": b"old %d" % number for number in range(4)})
    before = tree(root)
    if verb == "undo":
        assert run(tmp_path, "write") == 0
    after = tree(root)
    status = run(tmp_path, verb, point)
    is_passed = verb == "write" or point in {"workspace.before_rename", "workspace.after_file"}
    assert status == (-signal.SIGKILL if is_passed else 0)
    run(tmp_path, "recover", "workspace.after_file")  # killed while it recovers
    assert run(tmp_path, "recover") == 0
    assert tree(root) in (before, after)
    if point != "workspace.before_rename":
        assert tree(root) == before
    assert run(tmp_path, "recover") == 0
    assert tree(root) in (before, after)


async def test_twenty_kills_at_any_moment_leave_the_tree_before_or_after(tmp_path: Path) -> None:
    root = project(tmp_path, {f"f{number}": b"old %d" % number for number in range(4)})
    before = tree(root)
    dice = random.Random(7)
    for _ in range(20):
        run(tmp_path, "write", kill_after_s=dice.random() * 0.03)
        assert run(tmp_path, "recover") == 0
        found = {name: content for name, (_, content) in tree(root).items() if name.startswith("f")}
        if found != {f"f{number}": b"old %d" % number for number in range(4)}:
            assert found == {f"f{number}": b"new %d" % number for number in range(4)}
            run(tmp_path, "undo", kill_after_s=dice.random() * 0.03)
            assert run(tmp_path, "recover") == 0
            if tree(root) != before:
                assert run(tmp_path, "undo") == 0
        assert tree(root) == before
