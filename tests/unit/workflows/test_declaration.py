"""A workflow that is declared wrongly is refused when its class is made, with a sentence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rubber_duck.errors import InvalidDeclaration, InvalidInput
from rubber_duck.scope import Right
from rubber_duck.workflows.run import Effect, Step
from rubber_duck.workflows.workflow import Workflow, parsed, workflows
from tests.durable import Sample, Words

GOOD: dict[str, Any] = {  # Any: class attributes of every type
    "__doc__": "Do something.",
    "name": "good",
    "version": 1,
    "request": Words,
    "answer": Words,
    "right": Right.ANALYSIS_RUN,
    "queue": "analysis",
}


async def run(self: object, request: object, run: object) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"right": None}, "unknown right"),
        ({"name": "Not So"}, "lower-case"),
        ({"version": 0}, "whole number of 1 or more"),
        ({"request": dict}, "must be a msgspec.Struct"),
        ({"queue": "analysys"}, "did you mean 'analysis'"),
        ({"__doc__": ""}, "docstring"),
        ({"starts_in": ("analysis",)}, "may start others only in queues after its own: generation, notification"),
        ({"starts_in": ("indexing",)}, "may start others only in queues after its own"),
        ({"queue": "notification", "starts_in": ("notification",)}, "comes last, so it may start no others"),
    ],
)
def test_a_wrong_declaration_is_refused(change: dict[str, Any], said: str) -> None:  # Any: as GOOD
    with pytest.raises(InvalidDeclaration, match=said):
        type("Wrong", (Workflow,), {**GOOD, "run": run, **change})


@pytest.mark.parametrize("beginning", ["undo ", "start "])
def test_a_step_that_is_called_like_one_of_ours_is_refused(beginning: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"the step name '{beginning}it' may not begin with '{beginning}'"):
        Step(f"{beginning}it", nothing, str)


@pytest.mark.parametrize("beginning", ["undo ", "start ", "wait for "])
def test_an_effect_that_is_called_like_one_of_ours_is_refused(beginning: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"the effect name '{beginning}it' may not begin with '{beginning}'"):
        Effect(f"{beginning}it", lambda _: "", str)


def test_a_step_that_would_not_be_undone_when_it_was_cached_is_refused() -> None:
    with pytest.raises(InvalidDeclaration, match="cannot be both undone and cached"):
        Step("write", nothing, str, undo=undone, cache="content")


async def nothing() -> str:
    """Do nothing."""
    return ""


async def undone(_kept: str) -> None:
    """Undo nothing."""


def test_an_undeclared_right_is_refused() -> None:
    without = {key: value for key, value in GOOD.items() if key != "right"}
    with pytest.raises(InvalidDeclaration, match="needs a class attribute `right`"):
        type("Wrong", (Workflow,), {**without, "run": run})


def test_every_workflow_of_ours_stands_in_the_file_of_its_name() -> None:
    for name, each in workflows.discover().items():
        if each.__module__.startswith("rubber_duck."):
            assert each.__module__ == f"rubber_duck.jobs.{name.replace('-', '_')}"


def test_a_request_that_does_not_fit_is_invalid_input() -> None:
    assert parsed(Sample, {"words": ["a"]}) == Words(("a",))
    with pytest.raises(InvalidInput, match="not valid"):
        parsed(Sample, msgspec.Raw(b"{}"))
