"""What an engine is: a request type in, an answer type out, and the declaration that lets the program run it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, ClassVar, Final, Generic, TypeVar, get_args

import msgspec

from rubber_duck.call import Call
from rubber_duck.errors import InvalidDeclaration, InvalidInput, InvalidSettings, did_you_mean
from rubber_duck.registry import Registry
from rubber_duck.scope import Right

R = TypeVar("R")
A = TypeVar("A")

engines: Final[Registry[Engine[Any, Any]]] = Registry(  # Any: engines of every request and answer
    "engine", package="rubber_duck.engines", group="rubber_duck.engines"
)
"""Every engine. Add one with `@engines.add`, in `engines/<name>.py`."""

PARTS: Final = ("database", "workspace", "analysis", "project_analysis")
"""The parts an engine may list in `needs`; `app` opens them in this order."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Strategy(StrEnum):
    """How the context for a model is chosen; `none` for engines that ask no model."""

    NONE = "none"
    FIM = "fim"
    RETRIEVAL = "retrieval"
    LONG_WINDOW = "long_window"


class Role(StrEnum):
    """Which chain of models an engine asks; the chains are settings."""

    COMPLETION = "completion"
    CHAT = "chat"
    EDIT = "edit"
    PLAN = "plan"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is asked: temperature in [0, 2]; the most tokens it may answer."""

    temperature: float = 0.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """Whether an engine can work now, and why not."""

    ok: bool
    detail: str = ""


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of an engine that has none."""


class Engine(ABC, Generic[R, A]):
    """Answers one kind of request. Class attributes, checked when the class is made:

    - `name`: what people type; the file is called the same. The docstring's first sentence is its help.
    - `request`, `answer`: msgspec Structs (a request may be a union of tagged ones); they are the wire format.
    - `right`: what the scope must hold. `needs`: the parts used, among `PARTS`.
    - `capabilities`: the names it answers to; default its own. Among engines that answer to a name and accept the
      request, the one with the highest `priority` runs (then the first by name).
    - `strategy`, `role`, `model_options`: for engines that ask a model.
    - `timeout_s`: seconds until the work is cancelled. `settings`: a Struct, filled from `[engines.<name>]`.

    One instance serves many requests at once, so `run` keeps nothing on `self`.
    """

    name: ClassVar[str]
    request: ClassVar[Any]  # a Struct type or a union of them: no common static type
    answer: ClassVar[type[msgspec.Struct]]
    right: ClassVar[Right]
    needs: ClassVar[tuple[str, ...]] = ()
    capabilities: ClassVar[tuple[str, ...]] = ()
    priority: ClassVar[int] = 0
    strategy: ClassVar[Strategy] = Strategy.NONE
    role: ClassVar[Role | None] = None
    model_options: ClassVar[ModelOptions] = ModelOptions()
    timeout_s: ClassVar[float] = 600.0
    settings: ClassVar[type[msgspec.Struct]] = NoSettings

    def __init__(self, options: msgspec.Struct | None = None) -> None:
        self.options = options if options is not None else self.settings()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        check_declaration(cls)
        if not cls.capabilities:
            cls.capabilities = (cls.name,)

    @classmethod
    def accepts(cls, request: R) -> bool:
        """Whether this engine can answer this very request."""
        return True

    async def open(self) -> None:
        """Called once before the first request; raising keeps the engine closed, and it is tried again later."""

    @abstractmethod
    async def run(self, request: R, call: Call) -> A:
        """The answer. Say what is going on through `call.emit`; being cancelled is normal."""

    async def health(self) -> EngineHealth:
        """Whether it could answer now."""
        return EngineHealth(ok=True)

    async def close(self) -> None:
        """Called once, when no request is running any more."""

    @classmethod
    def about(cls) -> str:
        """The first sentence of the docstring."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def parse_request(engine: type[Engine[R, A]], raw: object) -> R:
    """The engine's request from what came in (builtins or the type itself); raises InvalidInput."""
    if isinstance(raw, engine.request):
        already: R = raw
        return already
    try:
        parsed: R = msgspec.convert(raw, engine.request)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the request for {engine.name!r} is not valid: {error}") from error
    return parsed


def engine_settings(engine: type[Engine[R, A]], table: dict[str, Any]) -> msgspec.Struct:  # Any: TOML values
    """The engine's own settings from `[engines.<name>]`; raises InvalidSettings."""
    known = [field.name for field in msgspec.structs.fields(engine.settings)]
    for key in table:
        if key not in known:
            raise InvalidSettings(f"there is no setting 'engines.{engine.name}.{key}'{did_you_mean(key, known)}")
    try:
        return msgspec.convert(table, engine.settings)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"[engines.{engine.name}]: {error}") from error


def check_declaration(cls: type[Engine[R, A]]) -> None:
    """Raise InvalidDeclaration, with a sentence, for the first thing wrong with an engine class."""

    def refuse(what: str) -> InvalidDeclaration:
        return InvalidDeclaration(f"the engine class {cls.__module__}.{cls.__qualname__} {what}")

    for field in ("name", "request", "answer", "right"):
        if not hasattr(cls, field):
            raise refuse(f"needs a class attribute `{field}`")
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        raise refuse(f"has the name {cls.name!r}; write lower-case letters, digits and `-`")
    if not (cls.__doc__ or "").strip():
        raise refuse("needs a docstring: its first sentence is the help of its command")
    requests = get_args(cls.request) if isinstance(cls.request, UnionType) else (cls.request,)
    if not all(_is_struct(each) for each in requests):
        raise refuse(f"has the request {cls.request!r}; it must be a msgspec.Struct type or a union of them")
    if not _is_struct(cls.answer):
        raise refuse(f"has the answer {cls.answer!r}; it must be a msgspec.Struct type")
    if not isinstance(cls.right, Right):
        raise refuse(f"declares the unknown right {cls.right!r}{did_you_mean(str(cls.right), list(Right))}")
    if not isinstance(cls.strategy, Strategy):
        raise refuse(f"declares the unknown strategy {cls.strategy!r}{did_you_mean(str(cls.strategy), list(Strategy))}")
    if cls.role is not None and not isinstance(cls.role, Role):
        raise refuse(f"declares the unknown role {cls.role!r}{did_you_mean(str(cls.role), list(Role))}")
    _check_values(cls, refuse)


def _check_values(cls: type[Engine[R, A]], refuse: Any) -> None:  # Any: the closure above
    unknown = [part for part in cls.needs if part not in PARTS]
    if unknown:
        raise refuse(f"needs the unknown part {unknown[0]!r}{did_you_mean(unknown[0], PARTS)}")
    if isinstance(cls.priority, bool) or not isinstance(cls.priority, int):
        raise refuse(f"has the priority {cls.priority!r}; it must be a whole number, 0 is the default")
    if not isinstance(cls.timeout_s, (int, float)) or not cls.timeout_s > 0:
        raise refuse(f"has the time-out {cls.timeout_s!r}; it must be a positive number of seconds")
    if not isinstance(cls.model_options, ModelOptions):
        raise refuse("needs `model_options` to be ModelOptions")
    if not _is_struct(cls.settings):
        raise refuse(f"has the settings {cls.settings!r}; they must be a msgspec.Struct type")
    if not all(isinstance(each, str) and _NAME.fullmatch(each) for each in cls.capabilities):
        raise refuse(f"has the capabilities {cls.capabilities!r}; they must be names")


def _is_struct(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, msgspec.Struct)
