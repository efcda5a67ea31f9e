"""Reports are written as a whole, where the person said, and private ones for them alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rubber_duck.cli.files import write_private, write_report
from rubber_duck.errors import DuckError, InvalidPath, NotFound


def test_a_report_replaces_the_file_and_keeps_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "report.txt"
    place.write_text("old")
    place.chmod(0o640)
    assert write_report(str(place), "new") == place
    assert place.read_text() == "new"
    assert place.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link").symlink_to("real.txt")
    write_report(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_report(str(pipe), "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


def test_what_this_process_has_open_is_written_to(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, b"before ")
    (tmp_path / "link").symlink_to(f"/dev/fd/{writer}")
    try:
        assert write_report(f"/dev/fd/{writer}", "one ") == Path(f"/dev/fd/{writer}")
        write_report(f"/proc/self/fd/{writer}", "two ")
        write_report(str(tmp_path / "link"), "three")
        write_report(f"/dev/fd/{log}", "after")
        assert os.read(reader, 100) == b"one two three"
        assert (tmp_path / "log").read_bytes() == b"before after"
        with pytest.raises(InvalidPath, match=f"^'/dev/fd/{reader}' is not open for writing$"):
            write_report(f"/dev/fd/{reader}", "x")
    finally:
        for each in (reader, writer, log):
            os.close(each)


def test_a_folder_that_takes_no_files_is_named_as_the_reason() -> None:
    with pytest.raises(DuckError, match=r"^('version' lies in a folder that takes no new files|.* does not allow .*)$"):
        write_report("/proc/version", "x")


@pytest.mark.parametrize(
    ("name", "error"), [("", InvalidPath), ("a\0b", InvalidPath), ("folder", InvalidPath), ("no/such/place", NotFound)]
)
def test_a_place_that_cannot_be_is_an_error_of_ours(name: str, error: type[DuckError], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(error):
        write_report(name and f"{tmp_path}/{name}", "x")


def test_a_private_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    place = write_private(tmp_path / "a", "b.html", "<p>\udcff")
    assert place.read_bytes() == b"<p>\\udcff"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_private_folder_that_is_a_file_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(DuckError):
        write_private(tmp_path / "a", "b", "x")
