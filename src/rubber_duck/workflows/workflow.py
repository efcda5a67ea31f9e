"""What a workflow is: a request type in, an answer type out, and the declaration that lets the program run it."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

import msgspec

from rubber_duck.errors import InvalidDeclaration, InvalidInput, did_you_mean
from rubber_duck.registry import Registry
from rubber_duck.scope import Right

if TYPE_CHECKING:
    from rubber_duck.workflows.run import Run

R = TypeVar("R")
A = TypeVar("A")

Known = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Which of the runs of these ids are still kept."""

QUEUES: Final = ("indexing", "analysis", "generation", "notification")
"""The queues there are; each has a table of settings, `[workflows.queues.<name>]`.

Whoever waits for a run that it started holds a place in its own queue. So runs start others only in later queues:
those in the last wait for nobody, and what waits for them goes on when they have ended.
"""

_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Workflow(ABC, Generic[R, A]):
    """Durable work of one kind. Class attributes, checked when the class is made:

    - `name`: what people type; the docstring's first sentence is its help.
    - `version`: raised when the order of steps changes; runs of an older version are left to processes that have it.
    - `request`, `answer`: msgspec Structs; they are what is kept.
    - `right`: what the actor must hold, when it is started and again before every step.
    - `queue`: the queue it waits in, among `QUEUES`.
    - `starts_in`: the queues of the workflows that it starts, all of them later in `QUEUES` than its own; often none.

    `run` is carried out from its beginning again after a kill: what a step returned is remembered, so everything
    that takes long, reads the clock or changes something belongs in a step.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    request: ClassVar[type[msgspec.Struct]]
    answer: ClassVar[type[msgspec.Struct]]
    right: ClassVar[Right]
    queue: ClassVar[str]
    starts_in: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        wrong = next(chain(_missing(cls), _wrong(cls)), None)
        if wrong is not None:
            raise InvalidDeclaration(f"the workflow class {cls.__module__}.{cls.__qualname__} {wrong}")

    @abstractmethod
    async def run(self, request: R, run: Run) -> A:
        """The answer, by way of `run.step` for everything that is to be done once."""

    @classmethod
    def said(cls, answer: Any) -> str:  # Any: the answer as builtins
        """A sentence on an answer for whoever was not there; empty says only that it is there."""
        return ""

    @classmethod
    async def clear(cls, hands: object, known: Known, before: datetime) -> None:
        """Remove what its runs left outside of the database before that moment, and are no longer known; hourly."""

    @classmethod
    def about(cls) -> str:
        """The first sentence of the docstring."""
        return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


workflows: Final[Registry[Workflow[Any, Any]]] = Registry(  # Any: workflows of every request and answer
    "workflow",
    of=Workflow,
    package="rubber_duck.jobs",
    group="rubber_duck.workflows",
    hint="`duck workflows` lists them",
)
"""Every workflow. Add one with `@workflows.add`, in `jobs/<name>.py`."""


def parsed(workflow: type[Workflow[Any, Any]], raw: object) -> Any:  # Any: the request's own type
    """The workflow's request from builtins or the type itself; raises InvalidInput."""
    if isinstance(raw, workflow.request):
        return raw
    try:
        return msgspec.convert(raw, workflow.request)
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInput(f"the request for the workflow {workflow.name!r} is not valid: {error}") from error


def _missing(cls: Any) -> Iterator[str]:  # Any: what is declared may be of any type
    for field in ("name", "version", "request", "answer", "right", "queue"):
        if not hasattr(cls, field):
            yield f"needs a class attribute `{field}`"
    if not (cls.__doc__ or "").strip():
        yield "needs a docstring: its first sentence is its help"


def _wrong(cls: Any) -> Iterator[str]:  # Any: as above
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        yield f"has the name {cls.name!r}; write lower-case letters, digits and `-`"
    if isinstance(cls.version, bool) or not isinstance(cls.version, int) or cls.version < 1:
        yield f"has the version {cls.version!r}; it must be a whole number of 1 or more"
    for field in ("request", "answer"):
        declared = getattr(cls, field)
        if not isinstance(declared, type) or not issubclass(declared, msgspec.Struct):
            yield f"has the {field} {declared!r}; it must be a msgspec.Struct type"
    if not isinstance(cls.right, Right):
        yield f"declares the unknown right {cls.right!r}; write one of Right's"
    if cls.queue not in QUEUES:
        yield f"names the unknown queue {cls.queue!r}{did_you_mean(str(cls.queue), QUEUES)}"
    elif wrong := [name for name in cls.starts_in if name not in _later(cls.queue)]:
        yield f"starts others in {wrong[0]!r}; it {_allowed(cls.queue)}, so that no run waits for its own place"
    if not inspect.iscoroutinefunction(cls.run):
        yield "has a `run` that is not awaited; write `async def run`"


def _later(queue: str) -> tuple[str, ...]:
    return QUEUES[QUEUES.index(queue) + 1 :]


def _allowed(queue: str) -> str:
    if later := _later(queue):
        return f"may start others only in queues after its own: {', '.join(later)}"
    return f"waits in {queue!r}, which comes last, so it may start no others"
