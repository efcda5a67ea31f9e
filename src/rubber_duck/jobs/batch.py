"""Let one engine answer many requests durably."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from rubber_duck.errors import DuckError
from rubber_duck.jobs.hands import ask
from rubber_duck.scope import Right
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows

MOST: Final = 1_000
"""Requests in one batch."""


class RunBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which engine, and what it is asked."""

    engine: Annotated[str, Meta(max_length=200, description="The engine's name.")]
    requests: Annotated[
        tuple[dict[str, Any], ...],  # Any: each engine has a request of its own
        Meta(min_length=1, max_length=MOST, description="Its requests.", extra={"asks": "engine"}),
    ]
    at_once: Annotated[int, Meta(ge=1, le=16, description="How many are worked on at once.")] = 2


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one request came to: an answer, or the code and sentence of an error."""

    answer: Any = None  # Any: as above
    code: str = ""
    error: str = ""


class BatchAnswer(msgspec.Struct, frozen=True):
    """What each request came to, in their order."""

    answers: tuple[Answered, ...]


@workflows.add
class BatchRunner(Workflow[RunBatch, BatchAnswer]):
    """Let one engine answer many requests; what one request fails with does not hinder the others."""

    name = "batch"
    version = 1
    request = RunBatch
    answer = BatchAnswer
    right = Right.CATALOG_READ
    queue = "generation"

    @classmethod
    def said(cls, answer: Any) -> str:  # Any: as builtins
        """How many requests were answered."""
        answers = answer["answers"]
        failed = sum(1 for each in answers if each.get("error"))
        return f"{len(answers) - failed:,} of {len(answers):,} requests were answered"

    async def run(self, request: RunBatch, run: Run) -> BatchAnswer:
        """A step for each request; the engine's own right is checked when it is asked."""
        steps = [
            Step(f"request {number}", lambda asked=asked: _answer(request.engine, asked, run), Any)  # type: ignore[misc]  # a loop's value, bound at once
            for number, asked in enumerate(request.requests, 1)
        ]
        found = await run.parallel(steps, at_once=request.at_once, note=request.engine)
        return BatchAnswer(
            tuple(
                Answered(code=each.code, error=each.message) if isinstance(each, DuckError) else Answered(answer=each)
                for each in found
            )
        )


async def _answer(engine: str, asked: dict[str, Any], run: Run) -> Any:  # Any: as above
    return msgspec.to_builtins(await ask(run, engine, asked))
