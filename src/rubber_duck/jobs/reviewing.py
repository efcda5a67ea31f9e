"""The review of a project by a model: the files most worth it, one step each, so that none is paid for twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from rubber_duck.errors import DuckError, Unavailable, UnknownName
from rubber_duck.jobs.hands import ask, hands_of
from rubber_duck.llm.roles import Role
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step

ENGINE: Final = "review"
"""The engine that reviews; where none is registered, there is no review."""

BY_MODEL: Final = "model"
_AT_ONCE: Final = 2

SeverityName = Literal["info", "low", "medium", "high", "critical"]


class Worth(msgspec.Struct, frozen=True):
    """A file that could be reviewed: the more was found in it, the more it is worth. `content` is its hash."""

    path: str
    score: int
    content: str


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said of one line, whose text is `evidence`. `confidence` is in [0, 1]."""

    path: str
    line: int
    severity: SeverityName
    confidence: float
    message: str
    evidence: str
    source: str = BY_MODEL


class FileReview(msgspec.Struct, frozen=True, kw_only=True):
    """The review of one file, as far as it is used: what the engine answers has more.

    Without `files` there was nothing to review; with them a `note` says why the model was not asked, or not to the end.
    """

    files: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    model: str = ""
    note: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The files to be reviewed, and by which models; or why there are none."""

    files: tuple[Worth, ...] = ()
    chain: tuple[str, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What the review came to: how many files a model saw, what it said, what failed, and why it was left out."""

    files: int = 0
    remarks: tuple[Remark, ...] = ()
    failed: tuple[str, ...] = ()
    left_out: str = ""


async def reviewed(run: Run, path: str, candidates: Sequence[Worth], most: int) -> Review:
    """Let the model look at the `most` files that are worth it most; one that fails is said, the others stand."""
    if not most:
        return Review(left_out="it was not asked for")
    choice = await run.step(Step("choose what to review", lambda: _chosen(run, candidates, most), Choice))
    if choice.left_out:
        return Review(left_out=choice.left_out)
    chosen = choice.files
    steps = [
        Step(
            f"review {each.path}",
            lambda name=each.path: _review(run, path, name),  # type: ignore[misc]  # a loop's value, bound at once
            FileReview,
            retries=Retries(2),
            cache=" ".join((each.content, *choice.chain)),
        )
        for each in chosen
    ]
    found = await run.parallel(steps, at_once=_AT_ONCE, note="reviewing")
    missing = next((each for each in found if isinstance(each, UnknownName)), None)
    if missing is not None:
        return Review(left_out=missing.message)
    failed = tuple(
        f"the review of {each.path!r} failed: {got.message}"
        for each, got in zip(chosen, found, strict=True)
        if isinstance(got, DuckError)
    )
    seen = [each for each in found if isinstance(each, FileReview)]
    asked = [each for each in seen if each.model]
    remarks = tuple(remark for each in asked for remark in each.remarks if remark.source == BY_MODEL)
    return Review(len(asked), remarks, failed, "" if asked or failed or not seen else seen[0].note)


async def _chosen(run: Run, candidates: Sequence[Worth], most: int) -> Choice:
    """A step, since which models there are may be another tomorrow, and on the machine that goes on with the run."""
    try:
        chain = hands_of(run).parts.llm.chain(Role.CHAT)
    except DuckError as error:
        return Choice(left_out=error.message)
    if not chain:
        return Choice(left_out="no model is configured: `duck llm connect` changes that")
    files = sorted(candidates, key=lambda each: (-each.score, each.path))[:most]
    return Choice(files=tuple(files), chain=tuple(chain))


async def _review(run: Run, path: str, name: str) -> FileReview:
    asked = {"files": [name], "project": path, "model": True}
    answer = await ask(run, ENGINE, asked)
    review = msgspec.convert(msgspec.to_builtins(answer), FileReview)
    if review.files and review.note:
        raise Unavailable(review.note)  # what is returned is kept for the next analysis: half a review must not be
    return review
