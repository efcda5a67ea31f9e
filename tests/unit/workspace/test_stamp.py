"""A stamp holds exactly as long as nothing in the project, and nothing that decides what belongs to it, has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rubber_duck.code.language import detect
from rubber_duck.errors import InvalidInput
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import scan
from rubber_duck.workspace.stamp import RACY_NS, Stamp
from tests.factories import write_tree

TREE = {
    "outer/.gitignore": "nothing\n",
    "outer/.git/info/exclude": "",
    "outer/p/a.py": "a = 1\n",
    "outer/p/sub/b.py": "b = 1\n",
    "outer/p/sub/hidden/.gitignore": "*\n",
    "outer/p/sub/hidden/c.py": "c = 1\n",
    "outer/p/empty/only/.gitignore": "",
}
LATER_NS = 10 * RACY_NS


def stamp_of(root: Root, *, ahead_ns: int = LATER_NS) -> Stamp:
    """The stamp of a tree, as if it had been taken so long after it was written."""
    taken_ns = time.time_ns() + ahead_ns
    return Stamp.of(root, scan(root, IndexSettings(), detect), taken_ns)


def _edit(folder: Path) -> None:
    (folder / "outer/p/a.py").write_text("a = 2\n")


def _edit_unseen(folder: Path) -> None:
    file = folder / "outer/p/a.py"
    before = file.stat()
    file.write_text("a = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(folder: Path) -> None:
    (folder / "outer/p/sub/new.py").write_text("")


def _add_into_empty(folder: Path) -> None:
    (folder / "outer/p/empty/only/new.py").write_text("")


def _delete(folder: Path) -> None:
    (folder / "outer/p/sub/b.py").unlink()


def _rename(folder: Path) -> None:
    (folder / "outer/p/sub/b.py").rename(folder / "outer/p/sub/d.py")


def _ignore_above(folder: Path) -> None:
    (folder / "outer/.gitignore").write_text("a.py\n")


def _exclude(folder: Path) -> None:
    (folder / "outer/.git/info/exclude").write_text("a.py\n")


def _stop_ignoring(folder: Path) -> None:
    (folder / "outer/p/sub/hidden/.gitignore").write_text("")


def _leave_repository(folder: Path) -> None:
    (folder / "outer/.git").rename(folder / "outer/gone")


def _link(folder: Path) -> None:
    (folder / "outer/p/sub/b.py").unlink()
    (folder / "outer/p/sub/b.py").symlink_to("../a.py")


@pytest.mark.parametrize(
    "change",
    [
        *(_edit, _edit_unseen, _add, _add_into_empty, _delete, _rename),
        *(_ignore_above, _exclude, _stop_ignoring, _leave_repository, _link),
    ],
)
def test_any_change_ends_it(change: Callable[[Path], None], tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path, TREE) / "outer/p")
    stamp = stamp_of(root)
    assert stamp.still_holds(root)

    change(tmp_path)

    assert not stamp.still_holds(root)


def test_what_changes_elsewhere_does_not(tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path, TREE) / "outer/p")
    stamp = stamp_of(root)
    write_tree(tmp_path, {"outer/other.py": "", "outer/.git/index": "", "outer/p/sub/hidden/c.py": "c = 2\n"})
    assert stamp.still_holds(root)


def test_what_was_written_just_before_the_scan_proves_nothing(tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path, TREE) / "outer/p")
    stamp = stamp_of(root, ahead_ns=0)
    assert not stamp.is_settled
    assert not stamp.still_holds(root)


def test_the_digest_is_of_the_files_and_not_of_the_folders(tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path, TREE) / "outer/p")
    before = stamp_of(root)
    (tmp_path / "outer/p/sub/__pycache__").mkdir()
    after = stamp_of(root)
    assert not before.still_holds(root)
    assert before.digest == after.digest
    _edit(tmp_path)
    assert stamp_of(root).digest != after.digest


def test_it_can_be_written_and_read(tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path, {"a.py": "", os.fsdecode(b"\xff.py"): ""}))
    stamp = stamp_of(root)
    assert Stamp.from_bytes(stamp.to_bytes()) == stamp


@pytest.mark.parametrize("content", [b"", b"x" * 20, b"x" * 100])
def test_other_bytes_are_no_stamp(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="no stamp"):
        Stamp.from_bytes(content)


def test_a_project_that_is_gone_is_not_as_it_was(tmp_path: Path) -> None:
    root = Root(write_tree(tmp_path / "p", TREE))
    stamp = stamp_of(root)
    (tmp_path / "p").rename(tmp_path / "q")
    assert not stamp.still_holds(root)
