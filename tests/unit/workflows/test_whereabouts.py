"""Whether a process of this machine is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rubber_duck.workflows.whereabouts import is_gone, own_place


def test_a_process_that_lives_is_not_gone() -> None:
    assert not is_gone(own_place())


def test_a_process_that_ended_is_gone_also_before_anybody_waited_for_it() -> None:
    program = "from rubber_duck.workflows.whereabouts import own_place; print(own_place(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        place = process.stdout.readline().rstrip("\n")
        assert not is_gone(place)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(place)
        process.wait()
    assert is_gone(place)


def test_another_process_with_the_same_number_is_not_it() -> None:
    machine, _, _ = own_place().rpartition(" ")
    assert is_gone(f"{machine} 1")


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    _, _, rest = own_place().partition(" ")
    assert [is_gone(f"other {rest}"), is_gone(""), is_gone("nonsense")] == [False, False, False]


def test_one_that_lives_is_not_gone_where_the_system_hides_it(tmp_path: Path) -> None:
    machine, _, _ = own_place().rpartition(" ")[0].rpartition(" ")
    assert not is_gone(own_place(), proc=tmp_path)
    assert is_gone(f"{machine} {2**22 + 1} 1", proc=tmp_path)
