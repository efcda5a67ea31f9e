"""Ctrl-C, and being told to end, end everything within seconds and leave no process behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.duck import COMMAND, environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Work for several seconds: functions with more branches than anybody should write."""
    folder = tmp_path / "project"
    folder.mkdir()
    body = "".join(f"    if a == {number} and b > a:\n        b += len(str(a))\n" for number in range(400))
    for number in range(300):
        (folder / f"m{number}.py").write_text(f"def f{number}(a, b):\n{body}    return b\n" * 4)
    return folder


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    """What a terminal shows, up to `wanted` or its end."""
    shown = b""
    while wanted not in shown:
        try:
            piece = os.read(descriptor, 4096)
        except OSError:
            return shown  # the other side has closed: Linux says EIO
        if not piece:
            return shown
        shown += piece
    return shown


@pytest.fixture(autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A shell's background jobs ignore Ctrl-C, and so would the programs that these tests start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


_INTERRUPTED_IMPORT = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv[0] = "duck"
runpy.run_module("rubber_duck", run_name="__main__")
"""


def test_an_interrupt_while_it_starts_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IMPORT, "analyze", "."],
        env=environment(tmp_path / "home"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"duck: interrupted\n")


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"interrupted"), (signal.SIGTERM, 143, b""), (signal.SIGHUP, 129, b"")],
)
@pytest.mark.parametrize("command", ["analyze", "up"])
def test_a_signal_ends_everything(
    command: str, number: signal.Signals, code: int, said: bytes, project: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, command, str(project)],
        env=environment(tmp_path / "home", TERM="xterm", COLUMNS="80"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        assert b"300" in _read_until(ours, b"/300")
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, number)
        assert process.wait(timeout=10) == code
        rest = _read_until(ours, b"\0")
        assert said in rest
        assert b"Traceback" not in rest
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()
    assert not list((tmp_path / "home").glob("crash-*"))
