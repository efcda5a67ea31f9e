"""Nothing leads out of a Root, nothing hangs it, and a write is before or after."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubber_duck import fault
from rubber_duck.errors import Denied, DuckError, InvalidPath, LimitExceeded, NotFound
from rubber_duck.workspace.beneath import kernel_confines
from rubber_duck.workspace.paths import Root, display
from tests.unit.workspace.privileges import ordinary_user

WAYS = [True] + ([False] if kernel_confines() else [])


@pytest.fixture(params=WAYS, ids=lambda by_walk: "walk" if by_walk else "kernel")
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    inside = tmp_path / "inside"
    (inside / "folder").mkdir(parents=True)
    (inside / "folder" / "a.py").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"secret")
    return Root(inside, by_walk=request.param)


def test_a_regular_file_is_read(root: Root) -> None:
    assert root.open_bytes("folder/a.py", 100) == b"inside"


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../secret", "folder/../../secret", ".", "folder/", "folder//a.py", "a\0b", "\ud800"]
)
def test_a_name_that_is_not_plainly_downward_is_refused(root: Root, name: str) -> None:
    with pytest.raises(InvalidPath):
        root.open_bytes(name, 100)


@pytest.mark.parametrize("target", ["../secret", "folder/../../secret", "/etc/passwd", "folder/../..", "/"])
def test_a_link_out_of_the_root_is_refused(root: Root, target: str) -> None:
    (root.path / "link").symlink_to(target)
    with pytest.raises(InvalidPath):
        root.open_bytes("link", 100)


def test_an_absolute_link_is_refused_also_when_it_leads_inside(root: Root) -> None:
    (root.path / "link").symlink_to(root.path / "folder" / "a.py")
    with pytest.raises(InvalidPath, match="leads out"):
        root.open_bytes("link", 100)


@pytest.mark.parametrize(
    ("link", "target", "name"),
    [
        ("link", "folder/a.py", "link"),
        ("link", "folder", "link/a.py"),
        ("folder/link", "../folder/./a.py", "folder/link"),
        ("folder/up", "..", "folder/up/folder/up/folder/a.py"),
    ],
)
def test_a_link_inside_the_root_is_followed(root: Root, link: str, target: str, name: str) -> None:
    (root.path / link).symlink_to(target)
    assert root.open_bytes(name, 100) == b"inside"


def test_a_loop_of_links_is_refused(root: Root) -> None:
    (root.path / "one").symlink_to("two")
    (root.path / "two").symlink_to("one")
    with pytest.raises(InvalidPath, match="loop"):
        root.open_bytes("one", 100)


def test_a_fifo_without_a_writer_does_not_hang(root: Root) -> None:
    os.mkfifo(root.path / "pipe.py")
    with pytest.raises(InvalidPath, match="regular"):
        root.open_bytes("pipe.py", 100)


def test_a_socket_and_a_folder_are_not_regular_files(root: Root) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(root.path, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/socket.py")  # the full path is too long for a socket
        os.close(folder)
    for name in ("socket.py", "folder"):
        with pytest.raises(InvalidPath, match="regular"):
            root.open_bytes(name, 100)


def test_a_missing_file_is_not_found(root: Root) -> None:
    for name in ("none.py", "folder/a.py/below"):
        with pytest.raises(NotFound):
            root.open_bytes(name, 100)


def test_a_file_that_may_not_be_read_is_denied(root: Root) -> None:
    (root.path / "folder" / "a.py").chmod(0)
    with ordinary_user(), pytest.raises(Denied, match=r"folder/a\.py"):
        root.open_bytes("folder/a.py", 100)


def test_a_limit_is_the_largest_size_allowed(root: Root) -> None:
    assert root.open_bytes("folder/a.py", 6) == b"inside"
    with pytest.raises(LimitExceeded, match="5 bytes"):
        root.open_bytes("folder/a.py", 5)


def test_a_file_that_grows_while_it_is_read_meets_the_limit() -> None:
    with pytest.raises(LimitExceeded):
        Root("/proc/self").open_bytes("maps", 10)  # says it is empty


@pytest.mark.parametrize("name", ["-rf", "new\nline.py", "caf\udce9.py", "\u202egnp.py", "a b.py", "*.py", "é.py", "~"])
def test_strange_names_are_read_and_written(root: Root, name: str) -> None:
    root.write_atomic(name, b"strange")
    assert root.open_bytes(name, 100) == b"strange"
    assert name in os.listdir(root.path)


def test_a_path_of_over_four_thousand_bytes_is_read(root: Root) -> None:
    descriptor = os.open(root.path, os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d" * 80, dir_fd=descriptor)
        below = os.open("d" * 80, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("deep.py", os.O_CREAT, 0o600, dir_fd=descriptor))
    os.close(descriptor)
    assert root.open_bytes("/".join(["d" * 80] * 100 + ["deep.py"]), 100) == b""


@pytest.mark.parametrize("name", ["a/" * 300 + "b", "n" * 256, "é" * 128])
def test_a_name_beyond_the_limits_is_refused(root: Root, name: str) -> None:
    with pytest.raises(InvalidPath):
        root.open_bytes(name, 100)


def test_a_root_must_be_an_existing_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for given_path, error in [("none", NotFound), ("file", InvalidPath)]:
        with pytest.raises(error):
            Root(tmp_path / given_path)
    for text in ("", "a\0b"):
        with pytest.raises(InvalidPath):
            Root(text)


def test_a_new_file_gets_the_mode_that_the_umask_leaves(root: Root) -> None:
    root.write_atomic("new.py", b"text")
    (root.path / "usual").touch()
    assert (root.path / "new.py").stat().st_mode == (root.path / "usual").stat().st_mode


def test_a_replaced_file_keeps_its_mode(root: Root) -> None:
    file = root.path / "folder" / "a.py"
    file.chmod(0o751)
    root.write_atomic("folder/a.py", b"changed")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"changed", 0o751)


@pytest.mark.parametrize(
    "name", [".git/config", "folder/.git/hooks/x", ".GIT/config", ".git", ".git. /x", "g\u200cit~1/x"]
)
def test_gits_own_folder_is_never_written(root: Root, name: str) -> None:
    (root.path / ".git").mkdir()
    with pytest.raises(InvalidPath, match="git's own"):
        root.write_atomic(name, b"x")


def test_a_write_goes_through_no_link(root: Root) -> None:
    (root.path / "link").symlink_to("folder")
    (root.path / "file").symlink_to("folder/a.py")
    for name in ("link/a.py", "link/new.py", "file"):
        with pytest.raises(InvalidPath):
            root.write_atomic(name, b"x")
    assert root.open_bytes("folder/a.py", 100) == b"inside"


def test_a_write_into_a_missing_folder_or_onto_a_folder_is_refused(root: Root) -> None:
    with pytest.raises(NotFound):
        root.write_atomic("none/a.py", b"x")
    with pytest.raises(InvalidPath):
        root.write_atomic("folder", b"x")


class Stop(Exception):
    """What a test throws at a fault point."""


def _stop() -> None:
    raise Stop


@given(old=st.binary(max_size=50), new=st.binary(max_size=50))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(root: Root, old: bytes, new: bytes) -> None:
    root.write_atomic("x.py", old)
    before = sorted(os.listdir(root.path))
    with fault.injected("workspace.before_rename", _stop), pytest.raises(Stop):
        root.write_atomic("x.py", new)
    assert (root.open_bytes("x.py", 100), sorted(os.listdir(root.path))) == (old, before)
    root.write_atomic("x.py", new)
    assert root.open_bytes("x.py", 100) == new


KILLED_WRITE = """
import sys
from rubber_duck import fault
from rubber_duck.workspace.paths import Root
fault.arm_from_environment()
Root(sys.argv[1]).write_atomic("folder/a.py", b"half")
"""


def test_a_killed_write_leaves_the_old_content(root: Root) -> None:
    environment = os.environ | {fault.ENVIRONMENT: "workspace.before_rename"}
    ended = subprocess.run([sys.executable, "-c", KILLED_WRITE, root.path], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert root.open_bytes("folder/a.py", 100) == b"inside"


PIECES = st.sampled_from(
    ["..", ".", "", "/", "inside", "folder", "a.py", "secret", "out", "up", "loop", "\0", "x" * 300]
)
NAMES = st.lists(PIECES, max_size=8).map("/".join) | st.text(max_size=20)
TARGETS = st.lists(st.sampled_from(["..", ".", "inside", "folder", "secret", "up", ""]), max_size=5).map("/".join)


@given(name=NAMES, target=TARGETS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_and_no_link_leads_out_of_the_root(root: Root, name: str, target: str) -> None:
    for link, where in (("up", target or "."), ("loop", "loop"), ("out", "../secret"), ("folder/up", target or "/")):
        (root.path / link).unlink(missing_ok=True)
        (root.path / link).symlink_to(where)
    for path in (name, f"folder/up/{name}"):
        try:
            assert root.open_bytes(path, 100) == b"inside"
        except DuckError:
            continue


@given(name=NAMES, target=TARGETS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_walk_means_what_the_kernel_means(tmp_path: Path, name: str, target: str) -> None:
    if not kernel_confines():
        return  # there is only one way here
    inside = tmp_path / "inside" / "folder"
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "a.py").write_bytes(b"inside")
    for link in (inside / "up", inside.parent / "up"):
        link.unlink(missing_ok=True)
        link.symlink_to(target or ".")
    answers = []
    for by_walk in (False, True):
        try:
            answers.append(repr(Root(inside.parent, by_walk=by_walk).open_bytes(name, 100)))
        except DuckError as error:
            answers.append(error.message)
    assert answers[0] == answers[1]


def test_display_escapes_what_cannot_be_seen() -> None:
    assert display("é/plain name.py") == "é/plain name.py"
    assert display("a\nb\x1b[31m\u202e\udce9\\n\U000e0001") == r"a\nb\x1b[31m\u202e\xe9\\n\U000e0001"
    assert display("\x85\udc85") == r"\u0085\x85"
    assert display("\ud800") == r"\ud800"


@given(st.text(), st.text())
def test_display_is_printable_and_different_names_look_different(one: str, other: str) -> None:
    assert display(one).isprintable()
    assert (display(one) == display(other)) == (one == other)
