"""An uploaded archive is unpacked into its folder, or refused."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded
from rubber_duck.workspace.archive import ArchiveLimits, unpack


def tarred(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> bytes:
    """A tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as made:  # type: ignore[call-overload]  # the mode is a text here
        for entry, content in members:
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """An entry of a tar."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def zipped(files: dict[str, bytes], *, mode: int = 0o100644) -> bytes:
    """A zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            made.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Unpacks and tells which files there are."""

    def work(content: bytes, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
        (tmp_path / "archive").write_bytes(content)
        folder = tmp_path / "project"
        folder.mkdir()
        unpack(tmp_path / "archive", folder, limits)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return work


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_files_of_a_tar_are_there_without_the_folder_at_the_top(
    unpacked: Callable[..., dict[str, bytes]], mode: str, tmp_path: Path
) -> None:
    content = tarred(
        (named("./top/a"), b"1"), (named("top/b/c"), b"2"), (named("top/d", tarfile.DIRTYPE), b""), mode=mode
    )
    assert unpacked(content) == {"a": b"1", "b/c": b"2"}
    assert stat.S_IMODE((tmp_path / "project/a").stat().st_mode) == 0o600


def test_the_files_of_a_zip_are_there(unpacked: Callable[..., dict[str, bytes]]) -> None:
    assert unpacked(zipped({"a": b"1", "b/c": b"2"})) == {"a": b"1", "b/c": b"2"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no zip",
        tarred((named("../a"), b"1")),
        tarred((named("/etc/passwd"), b"1")),
        tarred((named("a/../../b"), b"1")),
        tarred((named("a//b"), b"1")),
        tarred((named("a\\b"), b"1")),
        tarred((named("a/.git/config"), b"1")),
        tarred((named("a/.GIT/config"), b"1")),
        tarred((named("a"), b"1"), (named("A"), b"2")),
        tarred((named("x/a"), b"1"), (named("x/a/b"), b"2")),
        tarred((named("x/A/b/c"), b"1"), (named("x/a"), b"2")),
        tarred((named("x/" + "y" * 256), b"1")),
        zipped({"a": b"1", "a/b": b"2"}),
        tarred((named("a", tarfile.SYMTYPE, "/etc"), b""), (named("b"), b"1")),
        tarred((named("a", tarfile.LNKTYPE, "b"), b""), (named("b"), b"1")),
        tarred((named("a", tarfile.FIFOTYPE), b""), (named("b"), b"1")),
        tarred((named("a", tarfile.CHRTYPE), b""), (named("b"), b"1")),
        tarred((named("/".join("x" * 70)), b"1")),
        tarred(),
        zipped({"../a": b"1"}),
        zipped({"a": b"/etc"}, mode=0o120777),
        zipped({"a": b"1", "a/b": b"2"})[:60],
    ],
)
def test_what_leads_elsewhere_or_is_no_file_is_refused_and_nothing_is_outside(
    unpacked: Callable[..., dict[str, bytes]], content: bytes, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput):
        unpacked(content)
    assert {path.name for path in tmp_path.iterdir()} <= {"archive", "project"}


def test_headers_that_are_read_at_once_are_short(unpacked: Callable[..., dict[str, bytes]]) -> None:
    long_name = tarred((named("x", tarfile.GNUTYPE_LONGNAME), b"a" * 200_000), (named("y"), b"1"), mode="w:gz")
    with pytest.raises(LimitExceeded, match="100 kB"):
        unpacked(long_name)


def test_a_file_that_only_says_that_it_is_large_is_not_waited_for(unpacked: Callable[..., dict[str, bytes]]) -> None:
    entry = named("a")
    entry.size = 10**12
    with pytest.raises(LimitExceeded):
        unpacked(entry.tobuf() + b"0" * 1024)


def test_too_much_is_refused(unpacked: Callable[..., dict[str, bytes]]) -> None:
    with pytest.raises(LimitExceeded, match="more than 1 files"):
        unpacked(tarred((named("a"), b"1"), (named("b"), b"2")), ArchiveLimits(files=1))


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        (zipped({"a": b"0" * 30_000_000}), ArchiveLimits(ratio=100)),
        (tarred((named("a"), b"0" * 2000)), ArchiveLimits(file_bytes=1000)),
        (tarred((named("a"), b"0" * 600), (named("b"), b"0" * 600)), ArchiveLimits(size_bytes=1000)),
    ],
)
def test_what_unpacks_to_too_much_is_refused(
    unpacked: Callable[..., dict[str, bytes]], content: bytes, limits: ArchiveLimits
) -> None:
    with pytest.raises(LimitExceeded):
        unpacked(content, limits)


@given(st.binary(max_size=300), st.integers(0, 600), st.booleans())
def test_no_bytes_whatever_raise_anything_but_ours(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, is_zip: bool
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    good = zipped({"a": b"1" * 50, "b/c": b"2"}) if is_zip else tarred((named("a"), b"1"), mode="w:gz")
    (folder / "archive").write_bytes(good[:at] + noise + good[at + len(noise) :])
    (folder / "project").mkdir()
    try:
        unpack(folder / "archive", folder / "project")
    except DuckError:
        return
