"""What DBOS says of runs that were stopped or failed reaches nobody: it is told by events of ours. All else does."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from dbos import error as errors_of_dbos

from rubber_duck.errors import InvalidInput
from rubber_duck.workflows.corners import quiet

RAISED = "Exception encountered in asynchronous workflow:"


class _Hears(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said."""
        self._said.append(record.getMessage())


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What DBOS's logger lets through, from warnings on."""
    said: list[str] = []
    quiet()
    logger, hears = logging.getLogger("dbos"), _Hears(said)
    logger.addHandler(hears)
    yield said
    logger.removeHandler(hears)


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("the word is bad"),
        errors_of_dbos.DBOSAwaitedWorkflowCancelledError("1"),
        errors_of_dbos.DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded("1"),
    ],
)
def test_a_run_that_failed_or_was_stopped_writes_no_traceback(heard: list[str], error: Exception) -> None:
    logging.getLogger("dbos").error(RAISED, exc_info=error)
    assert heard == []


@pytest.mark.parametrize(
    "said",
    [
        "Asyncio task cancelled for workflow or step <function secret>",
        "Workflow 1 was cancelled during execution. Waiting for the recorded outcome",
        "Workflow 1 is no longer owned by this execution. Waiting for the owner's recorded outcome",
    ],
)
def test_that_a_run_is_left_to_others_is_no_warning(heard: list[str], said: str) -> None:
    logging.getLogger("dbos").warning(said)
    assert heard == []


def test_what_nobody_else_tells_is_heard(heard: list[str]) -> None:
    logging.getLogger("dbos").error(RAISED, exc_info=OSError("no space left"))
    logging.getLogger("dbos").warning("Notification poller error: gone")
    assert heard == [RAISED, "Notification poller error: gone"]
