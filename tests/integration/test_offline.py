"""RubberDuck works without a network: `make run` in a network namespace that has nothing but loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import absent

ROOT = Path(__file__).parents[2]

# Brings loopback up (SIOCSIFFLAGS with IFF_UP, netdevice(7)), makes sure that there is no way out, becomes the command.
INSIDE = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x", b"lo", 1))
    try:
        probe.connect(("192.0.2.1", 9))
    except OSError:
        os.execvp(sys.argv[1], sys.argv[1:])
sys.exit("the namespace has a way out")
"""


def namespace() -> list[str]:
    """The command that starts another one where there is only loopback; CI fails where that cannot be."""
    unshare = shutil.which("unshare")
    candidates = [[unshare, "-rn"], *([[unshare, "-n"]] if os.geteuid() == 0 else [])] if unshare else []
    for command in candidates:
        tried = [str(each) for each in [*command, sys.executable, "-c", INSIDE, "true"]]
        if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return tried[:-1]
    return absent("a network namespace of one's own (unshare is missing or refused)")


def test_make_run_needs_nothing_but_loopback(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "example.py").write_text("import os\n\n\ndef answer(text):\n    return eval(text)\n")
    (project / "example.ts").write_text("export const answer = (text: string) => eval(text);\n")
    environment = os.environ | {"DUCK_HOME": str(tmp_path / "home"), "MAKEFLAGS": "", "LC_ALL": "C.UTF-8"}

    done = subprocess.run(
        [*namespace(), "make", "-C", str(ROOT), "run", f"PROJECT={project}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "example.py" in done.stdout
    assert "in 2 files, nothing left out." in done.stdout
    assert sorted(path.name for path in project.iterdir()) == ["example.py", "example.ts"]


def test_a_connection_to_another_machine_fails_a_test() -> None:
    with socket.socket() as outward, pytest.raises(ConnectionRefusedError, match="only loopback"):
        outward.connect(("192.0.2.1", 9))
