"""A scan lists what is there, says what it left out, and survives any tree."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.errors import Denied, DuckError, InvalidPath, NotFound, TimedOut
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import (
    MAX_DEPTH,
    LeftOut,
    LeftOutReason,
    Scan,
    ScannedFile,
    examine,
    in_thread,
    looks_binary,
    scan,
)
from tests.factories import write_tree
from tests.unit.workspace.privileges import ordinary_user


def detect(path: str, head: bytes | None) -> str | None:
    """Python by its suffix, or by its interpreter line when the head was read."""
    if path.endswith(".py") or (head is not None and head.startswith(b"#!/usr/bin/env python")):
        return "python"
    return None


def scanned(folder: Path, **index: object) -> Scan:
    return scan(Root(folder), IndexSettings(**index), detect)  # type: ignore[arg-type]  # a test's options


def paths(found: Scan) -> list[str]:
    return [file.path for file in found.files]


def reasons(found: Scan) -> dict[str, LeftOutReason]:
    return {one.path: one.reason for one in found.left_out}


def test_files_are_listed_in_order_with_what_the_system_knows(tmp_path: Path) -> None:
    write_tree(tmp_path, {"b.py": "bb", "a/c.py": "", "a.txt": "text", "a-b.py": ""})
    status = (tmp_path / "b.py").stat()
    found = scanned(tmp_path)
    assert paths(found) == ["a-b.py", "a.txt", "a/c.py", "b.py"]
    assert found.files[3] == ScannedFile("b.py", "python", 2, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
    assert (found.files[1].language, found.folders, found.left_out) == (None, 2, ())


def test_a_file_without_a_suffix_is_known_by_its_interpreter_line(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tool": "#!/usr/bin/env python3\n", "README": "text", "program": b"\x7fELF\0", ".rc": "x"})
    write_tree(tmp_path, {"empty": "", "not-looked-at.sh": "#!/usr/bin/env python3\n"})
    found = scanned(tmp_path)
    assert {file.path: file.language for file in found.files} == {
        ".rc": None,
        "README": None,
        "empty": None,
        "not-looked-at.sh": None,
        "tool": "python",
    }
    assert found.left_out == (LeftOut("program", LeftOutReason.BINARY, "holds NUL bytes"),)


def test_a_source_over_the_limit_is_left_out_and_another_file_only_listed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "x" * 11, "b.py": "x" * 10, "c.svg": "x" * 11, "large": "x" * 11})
    found = scanned(tmp_path, max_file_size_bytes=10)
    assert paths(found) == ["b.py", "c.svg", "large"]
    assert found.left_out == (LeftOut("a.py", LeftOutReason.TOO_LARGE, "11 bytes, the limit is 10"),)


def test_minified_files_are_generated(tmp_path: Path) -> None:
    write_tree(tmp_path, dict.fromkeys(("jquery.min.js", "a.min.mjs", "min.js", "a.min.py", "a.minjs"), ""))
    found = scanned(tmp_path)
    assert paths(found) == ["a.min.py", "a.minjs", "min.js"]
    assert set(reasons(found).values()) == {LeftOutReason.GENERATED}


def test_strange_names_are_listed_as_they_are(tmp_path: Path) -> None:
    names = ["\x1b[31m.py", "-rf.py", "A.py", "a.py", "caf\udce9.py", "new\nline.py", "\u202ealle.py", "Ä.py"]
    write_tree(tmp_path, dict.fromkeys(names, ""))
    write_tree(tmp_path, {"\udcff/\udcfe.py": ""})
    assert paths(scanned(tmp_path)) == sorted([*names, "\udcff/\udcfe.py"])


def make_links(folder: Path) -> None:
    write_tree(folder, {"in/a.py": "a", "in/node_modules/b.py": "b", "out/secret.py": "", "in/real/c.py": ""})
    links = {
        "again": "a.py",
        "hidden": "node_modules/b.py",
        "outside": "../out/secret.py",
        "outside_folder": "../out",
        "absolute": str(folder / "in" / "a.py"),
        "self": "self",
        "dead": "nothing",
        "up": ".",
        "twin": "real",
        "packages": "node_modules",
        "real/back": "..",
    }
    for link, target in links.items():
        (folder / "in" / link).symlink_to(target)


def test_links_are_not_followed_and_each_says_where_it_leads(tmp_path: Path) -> None:
    make_links(tmp_path)
    found = scanned(tmp_path / "in")
    assert paths(found) == ["a.py", "real/c.py"]
    inside = dict.fromkeys(("again", "hidden", "up", "twin", "packages", "real/back"), LeftOutReason.LINK)
    outside = dict.fromkeys(("outside", "outside_folder", "absolute"), LeftOutReason.SYMLINK_OUTSIDE)
    wrong = {"self": LeftOutReason.SYMLINK_LOOP, "dead": LeftOutReason.BROKEN_LINK}
    assert reasons(found) == {**inside, **outside, **wrong, "node_modules": LeftOutReason.BUILT_IN}


def test_followed_links_add_only_what_has_no_name_of_its_own(tmp_path: Path) -> None:
    make_links(tmp_path)
    found = scanned(tmp_path / "in", follow_links=True)
    assert paths(found) == ["a.py", "hidden", "real/c.py"]
    assert reasons(found)["outside"] is LeftOutReason.SYMLINK_OUTSIDE


def test_what_is_neither_file_nor_folder_is_special(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(tmp_path, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/socket.py")
        os.close(folder)
    assert scanned(tmp_path).left_out == (
        LeftOut("pipe.py", LeftOutReason.SPECIAL_FILE, "a FIFO"),
        LeftOut("socket.py", LeftOutReason.SPECIAL_FILE, "a socket"),
    )


def test_what_may_not_be_read_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "", "shut/b.py": "", "tool": "text"})
    (tmp_path / "shut").chmod(0)
    (tmp_path / "tool").chmod(0)
    with ordinary_user():
        found = scanned(tmp_path)
        assert paths(found) == ["a.py"]
        assert reasons(found) == dict.fromkeys(("shut", "tool"), LeftOutReason.UNREADABLE)
        assert all("ermission" in one.detail for one in found.left_out)
        with pytest.raises(Denied):
            scanned(tmp_path / "shut")
    (tmp_path / "shut").chmod(0o700)


def test_ten_thousand_nested_folders_are_left_out_where_they_get_too_deep(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(10_000):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    write_tree(tmp_path, {"a.py": "", "d/d/b.py": ""})
    found = scanned(tmp_path)
    assert (paths(found), found.folders) == (["a.py", "d/d/b.py"], MAX_DEPTH)
    assert reasons(found) == {"/".join(["d"] * MAX_DEPTH): LeftOutReason.TOO_DEEP}
    remove_nested(tmp_path)


def remove_nested(folder: Path) -> None:
    """Cut the deep tree into shallow ones, because pytest's own clean-up recurses."""
    top = folder
    for step in range(10_000 // 60):
        part = folder / f"part-{step}"
        top.joinpath(*["d"] * 60).rename(part)
        top = part
    assert len(list(top.rglob("d"))) == 10_000 % 60


def test_a_tree_that_changes_meanwhile_is_no_error(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "", "b/c.py": "", "d/e.py": ""})

    def detect_and_destroy(path: str, head: bytes | None) -> str | None:
        for folder in ("b", "d"):
            if (tmp_path / folder).is_dir():
                (tmp_path / folder).rename(tmp_path.parent / f"{tmp_path.name}-{folder}")
                (tmp_path / folder).symlink_to("/")
        return None

    found = scan(Root(tmp_path), IndexSettings(), detect_and_destroy)
    assert paths(found) == ["a.py"]
    assert set(reasons(found)) == {"b", "d"}


def test_only_what_is_asked_for_is_looked_at_and_patterns_do_not_hide_it(tmp_path: Path) -> None:
    write_tree(tmp_path, dict.fromkeys(("a.py", "b/c.py", "b/d.py", "b/x/e.py", "node_modules/f.py", "g/h.py"), ""))
    write_tree(tmp_path, {".gitignore": "a.py\nd.py\n/g\ne.py"})
    found = scan(Root(tmp_path), IndexSettings(), detect, below=("a.py", "b/d.py", "b/x", "node_modules", "g/h.py"))
    assert paths(found) == ["a.py", "b/d.py", "g/h.py", "node_modules/f.py"]
    assert reasons(found) == {"b/x/e.py": LeftOutReason.IGNORED}


def test_one_file_is_examined_without_patterns_but_with_limits(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "x", ".gitignore": "*", "tool": b"\0", "large.py": "x" * 20})
    os.mkfifo(tmp_path / "pipe.py")
    root, index = Root(tmp_path), IndexSettings(max_file_size_bytes=10)
    seen = examine(root, "a.py", index, detect)
    assert isinstance(seen, ScannedFile)
    assert (seen.path, seen.language, seen.size_bytes) == ("a.py", "python", 1)
    assert examine(root, "tool", index, detect) == LeftOut("tool", LeftOutReason.BINARY, "holds NUL bytes")
    assert examine(root, "pipe.py", index, detect) == LeftOut("pipe.py", LeftOutReason.SPECIAL_FILE, "a FIFO")
    too_large = LeftOut("large.py", LeftOutReason.TOO_LARGE, "20 bytes, the limit is 10")
    assert examine(root, "large.py", index, detect) == too_large
    with pytest.raises(NotFound):
        examine(root, "none.py", index, detect)
    with pytest.raises(InvalidPath):
        examine(root, "../a.py", index, detect)


def test_a_scan_that_is_stopped_ends_at_the_next_entry(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "", "b.py": ""})
    stopped = threading.Event()

    def detect_once(path: str, head: bytes | None) -> str | None:
        stopped.set()
        looked_at.append(path)
        return "python"

    looked_at: list[str] = []
    with pytest.raises(TimedOut, match="stopped"):
        scan(Root(tmp_path), IndexSettings(), detect_once, stopped=stopped)
    assert len(looked_at) == 1


async def test_a_cancel_stops_the_thread_that_scans() -> None:
    began, told = threading.Event(), threading.Event()

    def work(stopped: threading.Event) -> None:
        began.set()
        if stopped.wait(60):
            told.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(told.wait, 60)


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    make_links(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe")

    def fail(path: str, head: bytes | None) -> str | None:
        raise ZeroDivisionError

    before = os.listdir("/proc/self/fd")
    scanned(tmp_path, follow_links=True)
    with pytest.raises(ZeroDivisionError):
        scan(Root(tmp_path), IndexSettings(), fail)
    for name in ("in/outside", "in/self", "in/pipe", "in/dead", "in/up"):
        with pytest.raises(DuckError):
            Root(tmp_path / "in", by_walk=True).open_bytes(name.removeprefix("in/"), 10)
        with pytest.raises(DuckError):
            Root(tmp_path).write_atomic(f"{name}/x", b"")
    assert os.listdir("/proc/self/fd") == before


def test_counts_come_in_the_order_of_the_reasons(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.min.js": "", "b.log": "", "c.log": "", ".gitignore": "*.log"})
    assert list(scanned(tmp_path).left_out_counts().items()) == [
        (LeftOutReason.IGNORED, 2),
        (LeftOutReason.GENERATED, 1),
    ]


def test_a_nul_byte_in_the_first_eight_kilobytes_makes_a_file_binary() -> None:
    assert looks_binary(b"a" * 8191 + b"\0")
    assert not looks_binary(b"a" * 8192 + b"\0")


NAMES = st.sampled_from(
    [
        "a",
        "b.py",
        "tool",
        ".gitignore",
        ".duckignore",
        "pyvenv.cfg",
        "node_modules",
        ".git",
        "caf\udce9",
        "\n",
        "x" * 255,
    ]
)
KINDS = st.sampled_from(["file", "folder", "folder", "link", "fifo", "shut"])
ENTRIES = st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=4), KINDS, st.binary(max_size=30)), max_size=15)


def build(folder: Path, entries: list[tuple[list[str], str, bytes]]) -> None:
    """Make what can be made of the entries; what collides with an earlier one is left."""
    for parts, kind, content in entries:
        path = folder.joinpath(*parts)
        if os.path.lexists(path) or not path.parent.resolve().is_relative_to(folder):
            continue  # made already, or behind a link that leads out
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "folder":
                path.mkdir()
            elif kind == "link":
                path.symlink_to(["..", ".", "a", "b.py/a", "/", "\udcff"][len(content) % 6])
            elif kind == "fifo":
                os.mkfifo(path)
            else:
                path.write_bytes(content)
                path.chmod(0 if kind == "shut" else 0o600)
        except OSError:
            continue


@given(entries=ENTRIES, follow=st.booleans(), ignore=st.lists(st.text(max_size=8), max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_scan_of_any_tree_ends_and_repeats(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[list[str], str, bytes]],
    follow: bool,
    ignore: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    build(folder, entries)
    index = IndexSettings(follow_links=follow, ignore=tuple(ignore))
    with ordinary_user():
        first = scan(Root(folder), index, detect)
        assert first == scan(Root(folder), index, detect)
    listed = [file.path for file in first.files]
    assert listed == sorted(set(listed))
    assert all((folder / path).is_file() for path in listed)
