"""Fault points do nothing until a test arms one; then exactly that one acts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rubber_duck import fault
from rubber_duck.errors import UnknownName

_PASS = "from rubber_duck import fault; fault.arm_from_environment(); fault.point('app.after_part'); print('alive')"


def _passing(environment: dict[str, str]) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUCK_")}
    ended = subprocess.run(
        [sys.executable, "-c", _PASS], env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout


def test_an_armed_point_acts_each_time_it_is_passed_until_the_block_ends() -> None:
    acted: list[str] = []
    with fault.injected("app.after_part", lambda: acted.append("acted")):
        fault.point("app.after_part")
        fault.point("app.after_part")
    fault.point("app.after_part")

    assert acted == ["acted", "acted"]


def test_other_points_are_not_armed() -> None:
    acted: list[str] = []
    with fault.injected("app.after_part", lambda: acted.append("acted")):
        fault.point("storage.before_commit")

    assert acted == []


def test_what_the_action_raises_comes_out_of_the_point() -> None:
    def fail() -> None:
        raise OSError("injected")

    with fault.injected("app.after_part", fail), pytest.raises(OSError, match="injected"):
        fault.point("app.after_part")


def test_a_point_is_unarmed_after_a_block_that_raised() -> None:
    acted: list[str] = []
    with pytest.raises(KeyError), fault.injected("app.after_part", lambda: acted.append("acted")):
        raise KeyError
    fault.point("app.after_part")

    assert acted == []


def test_an_unknown_point_cannot_be_armed() -> None:
    with (
        pytest.raises(
            UnknownName, match=r"^there is no fault point 'app.after_prat'; did you mean 'app.after_part'\?$"
        ),
        fault.injected("app.after_prat", lambda: None),
    ):
        raise AssertionError("the block was entered")


def test_the_variable_kills_the_process_at_its_point() -> None:
    assert _passing({"DUCK_FAULT": "app.after_part"}) == (-signal.SIGKILL, "")


def test_it_kills_the_whole_group_where_that_is_asked_for() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_PASS!r}]); print('the parent lives')"
    environment = {**os.environ, "DUCK_FAULT": "group:app.after_part"}
    started = subprocess.Popen(
        [sys.executable, "-c", child], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert started.communicate(timeout=60)[0] == ""
    assert started.returncode == -signal.SIGKILL


@pytest.mark.parametrize("environment", [{}, {"DUCK_FAULT": ""}, {"DUCK_FAULT": "storage.after_commit"}])
def test_without_the_variable_or_at_another_point_the_process_lives(environment: dict[str, str]) -> None:
    assert _passing(environment) == (0, "alive\n")


def test_a_variable_that_names_no_point_ends_the_process_with_an_error() -> None:
    assert _passing({"DUCK_FAULT": "app.after_prat"}) == (1, "")


def test_every_point_is_passed_somewhere_in_the_code() -> None:
    package = Path(fault.__file__).parent
    code = "\n".join(path.read_text() for path in package.rglob("*.py") if path.name != "fault.py")

    assert [name for name in fault.POINTS if f'point("{name}")' not in code] == []
