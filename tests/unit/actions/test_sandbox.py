"""Programs written to break out, bomb, or outlive: each meets a wall, and the machine does not notice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from rubber_duck.actions.sandbox import Confined, CopiedFile, Copy, Ended, SandboxLimits, run_confined, sandbox_problem
from rubber_duck.errors import InvalidInput, LimitExceeded, ProgramUnavailable

SMALL = SandboxLimits(
    wall_s=30.0, cpu_s=20, memory_bytes=256 << 20, processes=24, output_bytes=100_000, disk_bytes=32 << 20
)
PROJECT = "/project/of/somebody"
PYTHON = os.path.realpath(sys.executable)


async def confined(program: str, limits: SandboxLimits = SMALL, files: tuple[CopiedFile, ...] = ()) -> Confined:
    """How this Python program ends in the sandbox."""
    copy = Copy(PROJECT, files, (sys.base_prefix,), (f"{sys.base_prefix}/bin",))
    return await run_confined([PYTHON, "-c", textwrap.dedent(program)], copy, limits)


async def said(program: str, limits: SandboxLimits = SMALL) -> str:
    """What the program wrote; it has to end by itself, with 0."""
    done = await confined(program, limits)
    assert (done.ended, done.code) == (Ended.EXIT, 0), done
    return done.stdout.decode()


async def test_a_sandbox_can_be_made_here() -> None:
    assert await sandbox_problem() == ""


async def test_a_program_sees_the_copy_and_may_change_it() -> None:
    files = (CopiedFile("a/b.txt", 0o640, b"bytes\xff"), CopiedFile("run", 0o755, b"#!/bin/sh\n"))
    done = await confined(
        """
        import os
        print(os.getcwd(), open("a/b.txt", "rb").read(), oct(os.stat("run").st_mode & 0o777), os.getuid())
        open("a/new", "w").write("x"); os.unlink("run"); print(sorted(os.listdir(".")))
        """,
        files=files,
    )
    assert done.stdout.decode() == f"{PROJECT} b'bytes\\xff' 0o755 1000\n['a']\n"


async def test_no_environment_of_ours_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    assert "canary" not in await said("import os; print(os.environ, open('/proc/self/environ').read())")


async def test_there_is_no_way_to_the_network_but_its_own_loopback() -> None:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        port = ours.getsockname()[1]
        heard = await said(
            f"""
            import socket
            for address in (("127.0.0.1", {port}), ("192.0.2.1", 80), ("10.0.0.1", 53)):
                try: socket.create_connection(address, 2); print("connected")
                except OSError as error: print(type(error).__name__)
            try: socket.getaddrinfo("localhost.test", 80); print("resolved")
            except OSError: print("unresolved")
            own = socket.socket(); own.bind(("127.0.0.1", 0)); own.listen()
            socket.create_connection(own.getsockname(), 2); print("own loopback")
            """
        )
    assert heard.split("\n") == ["ConnectionRefusedError", "OSError", "OSError", "unresolved", "own loopback", ""]


async def test_an_abstract_socket_of_this_machine_cannot_be_reached() -> None:
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind("\0duck-test")
        ours.listen()
        assert (
            await said(
                """
            import socket
            try: socket.socket(socket.AF_UNIX).connect("\\0duck-test"); print("connected")
            except OSError: print("refused")
            """
            )
            == "refused\n"
        )


async def test_nothing_outside_the_copy_can_be_written() -> None:
    places = [
        "/usr/x",
        "/etc/x",
        "/x",
        "/bin/x",
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/sys/x",
        "/dev/x",
    ]
    places.append(f"{sys.base_prefix}/x")
    heard = await said(
        f"""
        for path in {places!r}:
            try: open(path, "w").write("x"); print("wrote", path)
            except OSError: pass
        open("/tmp/x", "w"); open("x", "w"); open("/dev/null", "w"); print("done")
        """
    )
    assert heard in ("done\n", "wrote /dev/x\ndone\n")
    assert [path for path in map(Path, places) if path.exists() and path.name == "x"] == []


async def test_homes_and_keys_and_other_projects_are_not_there(tmp_path: Path) -> None:
    home = str(Path.home())  # looked up, not read
    secret = tmp_path / ".ssh" / "id_ed25519"
    secret.parent.mkdir()
    secret.write_text("canary")
    places = [str(secret), "/etc/shadow", f"{home}/.ssh", "/home/x", f"{home}/.netrc", "/var", "/run", "/boot"]
    heard = await said(
        f"""
        import os
        for path in {places!r}: print(os.path.exists(path))
        for folder, _, names in os.walk("/"):
            if folder.startswith(("/proc", "/usr", {sys.base_prefix!r})): continue
            for name in names:
                if folder.startswith("/dev"): continue
                try: content = open(os.path.join(folder, name), "rb").read(1000)
                except OSError: continue
                if b"canary" in content: print("found", folder, name)
        """
    )
    assert heard == "False\n" * len(places)


@pytest.mark.parametrize(
    "target", ["/etc/shadow", "/proc/1/root/etc/shadow", "../../../../../etc/shadow", "/proc/1/cwd"]
)
async def test_a_link_out_of_the_copy_leads_nowhere(target: str) -> None:
    heard = await said(
        f"""
        import os
        os.symlink({target!r}, "link")
        try: print(os.listdir("link") if os.path.isdir("link") else open("link").read())
        except OSError: print("nowhere")
        """
    )
    assert heard == "nowhere\n"


async def test_tricks_over_proc_reach_no_other_process() -> None:
    heard = await said(
        """
        import os, signal
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        print(sorted(numbers)[0], len(numbers) <= 3)
        for name in ("1/mem", "1/environ", "1/root/etc/passwd", "1/fd/0", "1/cwd/etc/passwd", "kcore"):
            path = "/proc/" + name
            try: open(path, "rb").read(10); print("read", path)
            except OSError: pass
        try: open("/proc/self/uid_map", "w").write("0 0 1"); print("mapped")
        except OSError: pass
        for number in (signal.SIGKILL, signal.SIGTERM):
            try: os.kill(1, number)
            except OSError: pass
        print("alive", os.getppid())
        """
    )
    assert heard == "1 True\nalive 1\n"


async def test_the_kernels_back_doors_are_refused() -> None:
    heard = await said(
        """
        import ctypes, platform
        libc = ctypes.CDLL(None, use_errno=True)
        own = (101, 165, 250, 272, 298, 321) if platform.machine() == "x86_64" else (117, 40, 97, 280)
        numbers = (425, 428, 442, *own)
        print({(libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno()) for number in numbers})
        print(libc.unshare(0x10000000), ctypes.get_errno())
        wanted = ("Cap", "NoNewPrivs", "Seccomp:")
        print([line.split()[1] for line in open("/proc/self/status") if line.startswith(wanted)])
        """
    )
    assert heard == "{(-1, 1)}\n-1 1\n" + str(["0" * 16] * 5 + ["1", "2"]) + "\n"


async def test_a_namespace_of_users_cannot_be_made_by_clone_either() -> None:
    heard = await said(
        """
        import ctypes, platform, signal
        libc = ctypes.CDLL(None, use_errno=True)
        number = 56 if platform.machine() == "x86_64" else 220
        print(libc.syscall(number, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0), ctypes.get_errno() != 0)
        """
    )
    assert heard == "-1 True\n"


async def test_a_fork_bomb_runs_into_its_limit_and_is_gone() -> None:
    marker = "duck-bomb-2207"
    program = f"import os  # {marker}\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
    done = await confined(program, _lasting(3.0))
    assert done.ended in (Ended.TIME, Ended.MEMORY)
    left = [each for each in psutil.process_iter(["cmdline"]) if marker in " ".join(each.info["cmdline"] or [])]
    assert left == []


async def test_a_memory_bomb_is_stopped_in_one_process_and_in_many() -> None:
    one = await confined("b = []\nwhile True: b.append(bytearray(1 << 24))")
    assert (one.ended, b"MemoryError" in one.stderr) in ((Ended.EXIT, True), (Ended.MEMORY, False))
    many = await confined(
        """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                held = b"a" * (100 << 20); time.sleep(60)
        time.sleep(60)
        """
    )
    assert many.ended is Ended.MEMORY


async def test_memory_that_is_shared_counts_and_what_no_process_maps_cannot_be_had() -> None:
    mapped = await confined(
        """
        import mmap
        held = mmap.mmap(-1, 1 << 30)
        for at in range(0, 1 << 30, 4096): held[at] = 1
        """
    )
    assert mapped.ended is Ended.MEMORY
    heard = await said(
        """
        import ctypes, os
        try: os.memfd_create("x")
        except OSError as error: print(error.errno in (1, 38))
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.shmget(0, 1 << 20, 0o1600))
        """
    )
    assert heard == "True\n-1\n"


async def test_endless_output_is_cut_and_ends_it() -> None:
    done = await confined("while True: print('x' * 1000)")
    assert (done.ended, len(done.stdout), len(done.stderr)) == (Ended.OUTPUT, SMALL.output_bytes, 0)


async def test_a_full_disk_is_its_own() -> None:
    heard = await said(
        """
        for path in ("big", "/tmp/big", "/dev/shm/big"):
            try:
                with open(path, "wb") as file:
                    while True: file.write(bytes(1 << 20))
            except OSError as error: print(error.errno in (27, 28))
        """
    )
    assert heard == "True\nTrue\nTrue\n"


async def test_sleeping_and_computing_end_at_their_limits() -> None:
    assert (await confined("import time; time.sleep(600)", _lasting(1.0))).ended is Ended.TIME
    limits = SandboxLimits(wall_s=30.0, cpu_s=1, memory_bytes=256 << 20)
    assert (await confined("while True: pass", limits)).ended is Ended.CPU


async def test_children_that_try_to_survive_die_with_it() -> None:
    marker = "duck-survivor-7319"
    heard = await said(
        f"""
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    program = "import time; time.sleep(600) # {marker}"
                    os.execv({PYTHON!r}, ["python", "-c", program])
                os._exit(0)
        time.sleep(0.5); print("parent ends")
        """
    )
    assert heard == "parent ends\n"
    assert [each for each in psutil.process_iter(["cmdline"]) if marker in " ".join(each.info["cmdline"] or [])] == []


def test_it_all_ends_when_we_are_killed() -> None:
    marker = "duck-orphan-5521"
    ours = f"""
import asyncio, sys
from rubber_duck.actions.sandbox import *
copy = Copy("/p", (), (sys.base_prefix,))
program = "import time; time.sleep(600) # {marker}"
asyncio.run(run_confined([{PYTHON!r}, "-c", program], copy))
"""
    with subprocess.Popen([sys.executable, "-c", ours]) as process:
        with _waiting(marker):
            process.kill()
        process.wait(30)


@contextmanager
def _waiting(marker: str) -> Iterator[None]:
    """Wait until a process with `marker` runs, and, behind the block, until none does."""
    deadline = time.monotonic() + 60
    while not (found := [each for each in psutil.process_iter(["cmdline"]) if _is_python(each, marker)]):
        assert time.monotonic() < deadline, "it never ran"
    yield
    _, alive = psutil.wait_procs(found, timeout=20)
    assert alive == []


def _is_python(process: psutil.Process, marker: str) -> bool:
    arguments = process.info["cmdline"] or []
    return len(arguments) == 3 and arguments[2].startswith("import time") and marker in arguments[2]


async def test_what_cannot_be_started_says_so() -> None:
    done = await run_confined(["no-such-program"], Copy("/p"), SMALL)
    assert (done.ended, done.why) == (Ended.START, "No such file or directory")


async def test_wrong_orders_are_refused_before_anything_starts() -> None:
    with pytest.raises(InvalidInput):
        await run_confined([], Copy("/p"), SMALL)
    with pytest.raises(InvalidInput):
        await run_confined(["a\0b"], Copy("/p"), SMALL)
    with pytest.raises(LimitExceeded):
        await run_confined(["true"], Copy("/p", (CopiedFile("a", 0o644, bytes(33 << 20)),)), SMALL)
    with pytest.raises(ProgramUnavailable, match="commands are off"):
        await run_confined(["true"], Copy("/p", reads=("/not/there",)), SMALL)


def _lasting(wall_s: float) -> SandboxLimits:
    return SandboxLimits(wall_s=wall_s, cpu_s=20, memory_bytes=256 << 20, processes=24, disk_bytes=32 << 20)
