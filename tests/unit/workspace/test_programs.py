"""A program gets what it is given, ends in time, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from rubber_duck.errors import InvalidPath, LimitExceeded, ProgramUnavailable, TimedOut
from rubber_duck.workspace.git import (
    Commit,
    Revision,
    read_changed_at,
    read_changes,
    read_history,
    read_revision,
    read_untracked,
)
from rubber_duck.workspace.programs import Completed, Limits, find_program, run_program
from tests.factories import write_tree


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


LEAVES_A_CHILD = """
import os, signal
witness = open("witness", "wb", buffering=0)
ready, tell = os.pipe()
if os.fork() == 0:
    if {closes}:
        for descriptor in range(3):
            os.close(descriptor)
    witness.write(b"!")
    os.write(tell, b"!")
    signal.pause()
os.read(ready, 1)
if {stays}:
    signal.pause()
"""


class Witness:
    """The reading end of a FIFO whose writing end is held by a program and its children as long as they live."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "witness"
        os.mkfifo(self._path)

    async def sees_the_child_start(self) -> None:
        async with asyncio.timeout(20):
            self._stream = await asyncio.to_thread(self._path.open, "rb", 0)
            assert await asyncio.to_thread(self._stream.read, 1) == b"!"

    async def sees_all_end(self) -> None:
        with self._stream:
            async with asyncio.timeout(20):
                assert await asyncio.to_thread(self._stream.read, 1) == b""


async def test_input_outputs_and_return_code_pass_through(tmp_path: Path) -> None:
    code = "import sys; text = sys.stdin.read(); print(text[::-1], end=''); print('no', file=sys.stderr); sys.exit(3)"
    assert await run_program(python(code), cwd=tmp_path, stdin=b"abc") == Completed(3, b"cba", b"no\n")


async def test_large_input_and_output_do_not_block_each_other(tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    completed = await run_program(
        python("import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"),
        cwd=tmp_path,
        stdin=content,
    )
    assert completed == Completed(0, content, b"")


async def test_a_program_that_reads_nothing_is_no_error(tmp_path: Path) -> None:
    assert (await run_program(python("pass"), cwd=tmp_path, stdin=b"x" * 3_000_000)).returncode == 0


async def test_the_environment_is_clean_and_home_empty(tmp_path: Path) -> None:
    code = "import os; print(sorted(os.environ)); print(os.listdir(os.environ['HOME'])); print(os.getcwd())"
    completed = await run_program(python(code), cwd=tmp_path, environment={"EXTRA": "1"})
    names, home, cwd = completed.stdout.decode().splitlines()
    assert (names, home, cwd) == ("['EXTRA', 'HOME', 'LANG', 'PATH']", "[]", str(tmp_path))


@pytest.mark.parametrize("stays", [True, False])
async def test_a_timeout_kills_the_whole_group(tmp_path: Path, stays: bool) -> None:
    witness = Witness(tmp_path)
    program = python(LEAVES_A_CHILD.format(closes=False, stays=stays))
    running = asyncio.create_task(run_program(program, cwd=tmp_path, timeout_s=2))
    await witness.sees_the_child_start()
    with pytest.raises(TimedOut, match="within 2 s"):
        await running
    await witness.sees_all_end()


async def test_what_a_finished_program_leaves_running_is_killed(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    program = python(LEAVES_A_CHILD.format(closes=True, stays=False))
    running = asyncio.create_task(run_program(program, cwd=tmp_path, timeout_s=20))
    await witness.sees_the_child_start()
    assert (await running).returncode == 0
    await witness.sees_all_end()


async def test_a_cancelled_run_kills_the_group(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    program = python(LEAVES_A_CHILD.format(closes=False, stays=True))
    running = asyncio.create_task(run_program(program, cwd=tmp_path, timeout_s=60))
    await witness.sees_the_child_start()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await witness.sees_all_end()


async def test_a_killed_duck_takes_its_programs_and_what_they_started_with_it(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    program = python(f"import sys; sys.stdin.read()\n{LEAVES_A_CHILD.format(closes=False, stays=True)}")
    code = (
        "import asyncio, pathlib; from rubber_duck.workspace.programs import run_program; "
        f"asyncio.run(run_program({program!r}, cwd=pathlib.Path({str(tmp_path)!r}), timeout_s=600))"
    )
    duck = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    await witness.sees_the_child_start()
    duck.kill()
    await duck.wait()
    await witness.sees_all_end()


async def test_output_over_the_limit_kills_it(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="wrote more"):
        await run_program(python("while True: print('x' * 10000)"), cwd=tmp_path, limits=Limits(output_bytes=100_000))


async def test_processor_time_over_the_limit_kills_it(tmp_path: Path) -> None:
    with pytest.raises(TimedOut, match=r"used more than 1 s of processor time"):
        await run_program(python("while True: pass"), cwd=tmp_path, limits=Limits(cpu_s=1))


async def test_memory_over_the_limit_is_refused(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read(); x = bytes(1 << 30)"  # the input ends after the limits are set
    completed = await run_program(python(code), cwd=tmp_path, limits=Limits(memory_bytes=1 << 29))
    assert (completed.returncode, completed.stderr.splitlines()[-1]) == (1, b"MemoryError")


async def test_a_program_that_dies_leaves_no_core_behind(tmp_path: Path) -> None:
    code = "import resource, sys; sys.stdin.read(); print(resource.getrlimit(resource.RLIMIT_CORE))"
    assert (await run_program(python(code), cwd=tmp_path)).stdout == b"(0, 0)\n"


async def test_a_killed_program_has_a_negative_return_code(tmp_path: Path) -> None:
    assert (await run_program(python("import os; os.kill(os.getpid(), 9)"), cwd=tmp_path)).returncode == -9


async def test_a_program_that_cannot_be_started_is_unavailable(tmp_path: Path) -> None:
    write_tree(tmp_path, {"text": "no program"})
    for program in ("/nonexistent/program", str(tmp_path / "text")):
        with pytest.raises(ProgramUnavailable, match="cannot be started"):
            await run_program([program], cwd=tmp_path)
    with pytest.raises(InvalidPath):
        await run_program([sys.executable, "a\0b"], cwd=tmp_path)


def test_programs_are_found_beside_the_interpreter_and_on_the_path() -> None:
    assert find_program("ruff") == str(Path(sys.executable).parent / "ruff")
    found = find_program("sh")
    assert found is not None
    assert os.path.isabs(found)
    assert find_program("no-such-program") is None


async def git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=duck", "-c", "user.email=duck@example.org", "-c", "init.defaultBranch=main")
    completed = await run_program([find_program("git") or "git", *names, *arguments], cwd=folder)
    assert completed.returncode == 0, completed.stderr


async def test_the_revision_of_a_repository_is_read(tmp_path: Path) -> None:
    assert await read_revision(tmp_path) is None
    await git(tmp_path, "init", "-q")
    assert await read_revision(tmp_path) == Revision(None, "main")
    await git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    revision = await read_revision(tmp_path)
    assert revision is not None
    assert (len(revision.commit or ""), revision.branch) == (40, "main")
    await git(tmp_path, "checkout", "-q", "--detach")
    assert await read_revision(tmp_path) == Revision(revision.commit, None)


async def test_the_history_and_the_changes_of_a_folder_are_read(tmp_path: Path) -> None:
    assert (await read_history(tmp_path, limit=9), await read_changes(tmp_path)) == ((), None)
    await git(tmp_path, "init", "-q")
    assert (await read_history(tmp_path, limit=9), await read_changes(tmp_path)) == ((), None)
    write_tree(tmp_path, {"pond/caf\u00e9.py": "a\n", "pond/b\nc.py": "b\n", "other.py": "c\n"})
    await git(tmp_path, "add", "-A")
    await git(tmp_path, "commit", "-q", "-m", "first\x01")
    write_tree(tmp_path, {"pond/caf\u00e9.py": "a\nb\n"})
    await git(tmp_path, "commit", "-q", "-a", "-m", "Feed the ducks, twice")
    write_tree(tmp_path, {"pond/b\nc.py": "d\n", "other.py": "d\n"})
    found = await read_history(tmp_path / "pond", limit=9)
    assert [sorted(each.paths) for each in found] == [["caf\u00e9.py"], ["b\nc.py", "caf\u00e9.py"]]
    assert await read_history(tmp_path / "pond", limit=1) == (
        Commit(found[0].commit, ("caf\u00e9.py",), "Feed-the-ducks-twice", found[0].committed_s),
    )
    changes = await read_changes(tmp_path / "pond")
    assert changes is not None
    assert changes.split("\n", 2)[2] == '--- "a/b\\nc.py"\n+++ "b/b\\nc.py"\n@@ -1 +1 @@\n-b\n+d\n'


async def test_files_that_git_does_not_know_are_listed_but_for_those_it_ignores(tmp_path: Path) -> None:
    assert await read_untracked(tmp_path) == ()
    await git(tmp_path, "init", "-q")
    write_tree(tmp_path, {"pond/caf\u00e9\n.py": "a\n", "pond/old.py": "b\n", "other.py": "c\n", ".gitignore": "*.o\n"})
    write_tree(tmp_path, {"pond/duck.o": "d\n"})
    await git(tmp_path, "add", "pond/old.py")
    assert await read_untracked(tmp_path / "pond") == ("caf\u00e9\n.py",)


async def test_the_history_knows_when_files_were_changed_that_are_as_committed(tmp_path: Path) -> None:
    assert await read_changed_at(tmp_path, limit=9) == {}
    await git(tmp_path, "init", "-q")
    write_tree(tmp_path, {"pond/old.py": "a\n", "pond/new.py": "b\n", "pond/edited.py": "c\n"})
    await git(tmp_path, "add", "-A")
    await git(tmp_path, "commit", "-q", "-m", "first", "--date", "2001-01-01T00:00:00Z")
    write_tree(tmp_path, {"pond/new.py": "bb\n"})
    await git(tmp_path, "commit", "-q", "-a", "-m", "second")
    write_tree(tmp_path, {"pond/edited.py": "cc\n"})
    second, first = await read_history(tmp_path, limit=9)
    assert await read_changed_at(tmp_path / "pond", limit=9) == {
        "old.py": first.committed_s * 1_000_000_000,
        "new.py": second.committed_s * 1_000_000_000,
    }
    assert await read_changed_at(tmp_path / "pond", limit=1) == {"new.py": second.committed_s * 1_000_000_000}


async def test_a_repository_of_another_user_runs_nothing_of_its_own(tmp_path: Path) -> None:
    await git(tmp_path, "init", "-q")
    await git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/ran")
    await git(tmp_path, "config", "core.pager", f"touch {tmp_path}/ran")
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
        os.chown(tmp_path / ".git", 65534, 65534)
    assert await read_revision(tmp_path) == Revision(None, "main")
    assert not (tmp_path / "ran").exists()
