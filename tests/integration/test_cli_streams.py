"""What `duck` writes arrives whole in pipes, files and terminals of every kind, or ends quietly."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.duck import COMMAND, duck, environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with many findings, one of them in a file whose name is not UTF-8."""
    folder = tmp_path / "project"
    folder.mkdir()
    for number in range(40):
        (folder / f"m{number}.py").write_text("import os\n\n\ndef f(a):\n    return eval(a)  # é …\n")
    with open(os.path.join(os.fsencode(folder), b"\xff.py"), "wb") as file:
        file.write(b"def f(a):\n    return eval(a)\n")
    return folder


@pytest.mark.parametrize("command", ["analyze", "up"])
def test_a_reader_that_goes_away_is_no_error(command: str, project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -n 1; echo "${PIPESTATUS[0]}"', "-", *COMMAND, command, str(project)],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    # 1 or 0 when all of it fitted into the pipe, 141 when it did not
    assert done.stdout.splitlines()[-1] in ("0", "1", "141")


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "2>&-", ">&- 2>&-"])
def test_a_closed_or_full_output_is_no_crash(redirection: str, project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "-", *COMMAND, "analyze", str(project)],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    full = "duck: error: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == ((2, full) if "full" in redirection else (1, ""))
    assert not list((tmp_path / "home").glob("crash-*"))


@pytest.mark.parametrize("named", ["nope", "project"])
def test_a_full_error_stream_keeps_the_exit_code_of_a_failure(named: str, project: Path, tmp_path: Path) -> None:
    redirection = "2>/dev/full" if named == "nope" else ">/dev/full 2>/dev/full"
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "-", *COMMAND, "analyze", named],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_a_full_error_stream_takes_nothing_from_the_report(project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" 2>/dev/full', "-", *COMMAND, "analyze", str(project), "-o", str(tmp_path / "report")],
        env=environment(tmp_path / "home"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert "41 files" in (tmp_path / "report").read_text()


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/stderr", "/dev/fd/7", ">(cat >&7)"])
def test_a_report_goes_into_an_open_pipe(place: str, project: Path, tmp_path: Path) -> None:
    redirected = f'{{ "$@" -o {place}; code=$?; wait $!; exit $code; }} 7>&1'
    wanted = ["--rule", "unsafe-eval", "--format", "json", "--quiet"]
    done = subprocess.run(
        ["bash", "-c", redirected, "-", *COMMAND, "analyze", str(project), *wanted],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told, silent = (done.stderr, done.stdout) if "stderr" in place else (done.stdout, done.stderr)
    assert (done.returncode, silent) == (1, "")
    assert json.loads(told)["summary"]["findings"] == 41


def test_any_locale_can_show_any_name(project: Path, tmp_path: Path) -> None:
    narrow = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = duck("analyze", str(project), home=tmp_path / "home", **narrow)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.isascii()
    assert "xff.py" in done.stdout


def test_the_page_of_two_folders_names_both(tmp_path: Path) -> None:
    for name in ("lake", "pond"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("x = 1\n")
    done = duck("analyze", "pond", "lake", "--format", "html", home=tmp_path / "home", cwd=tmp_path)
    assert "<title>lake and pond: no findings</title>" in done.stdout


@pytest.mark.parametrize("format_", ["json", "sarif", "html"])
def test_reports_for_machines_are_utf8_and_the_same_twice(format_: str, project: Path, tmp_path: Path) -> None:
    first = duck("analyze", ".", "--format", format_, home=tmp_path / "home", cwd=project)
    narrow = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}
    second = duck("analyze", ".", "--format", format_, home=tmp_path / "home", cwd=project, **narrow)
    assert first.stdout == second.stdout
    assert first.stdout.encode()  # no lone surrogate
    if format_ != "html":
        assert json.loads(first.stdout)


def test_colours_are_for_terminals_and_for_who_asks(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "\x1b[" not in duck("analyze", "m1.py", home=home, cwd=project).stdout
    assert "\x1b[" in duck("analyze", "m1.py", home=home, cwd=project, FORCE_COLOR="1").stdout
    assert "\x1b[" in duck("analyze", "m1.py", "--color=always", home=home, cwd=project).stdout
    assert "\x1b[" not in duck("analyze", "m1.py", home=home, cwd=project, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_pipe_sees_no_progress(project: Path, tmp_path: Path) -> None:
    assert duck("up", str(project), home=tmp_path / "home").stderr == ""
