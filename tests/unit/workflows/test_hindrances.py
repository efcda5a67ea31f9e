"""A run that waits says what has to be done so that it begins, and nothing where others are only first."""

from __future__ import annotations

import pytest

from rubber_duck.workflows.hindrances import hindrance
from rubber_duck.workflows.status import RunStatus

RUN = RunStatus("r", "report", 2, "analysis", "waiting", 0, 0, "", 0, None, "", None, 0, None, None)


@pytest.mark.parametrize(
    ("living", "has_begun", "said"),
    [
        ((), False, "no process works"),
        ((["report@2"],), True, ""),
        ((["other@2"], ["report@2"]), False, ""),
        ((["report@3"],), True, "steps of version 2 of 'report', which no process that works has: let `duck work` of"),
        ((["report@3"],), False, ""),
        ((["other@2"],), False, "no process that works has the workflow 'report': install the package"),
    ],
)
def test_a_run_that_waits_says_what_keeps_it(living: tuple[list[str], ...], has_begun: bool, said: str) -> None:
    found = hindrance(RUN, living, has_begun=has_begun)
    assert said in found
    assert bool(found) == bool(said)
