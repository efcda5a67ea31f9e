"""What an engine is: a request type in, an answer type out, and the declaration that lets the program run it."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from types import UnionType
from typing import Any, ClassVar, Final, Generic, TypeVar, get_args

import msgspec

from rubber_duck.call import Call
from rubber_duck.errors import InvalidDeclaration, InvalidInput, InvalidSettings, LimitExceeded, did_you_mean
from rubber_duck.llm.roles import Role
from rubber_duck.registry import Registry
from rubber_duck.scope import Right

R = TypeVar("R")
A = TypeVar("A")

PARTS: Final = (
    "workspace",
    "analysis",
    "project_analysis",
    "llm",
    "search",
    "memory",
    "ngram",
    "contexts",
    "journal",
    "conversations",
    "workflows",
    "notices",
)
"""The parts an engine may list in `needs`; `app` opens them, and what they stand on, in this order."""

USES: Final = ("git", "ruff", "sandbox")
"""What an engine may list in `uses`: programs, and the place where commands are run."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Strategy(StrEnum):
    """How `context` chooses what a model is told beside what the engine shows it; `none`: nothing."""

    NONE = "none"
    FIM = "fim"
    RETRIEVAL = "retrieval"
    LONG_WINDOW = "long_window"


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is asked: temperature in [0, 2]; the most tokens it may answer."""

    temperature: float = 0.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """Whether an engine can work now, and why not. `lacks`: what of it cannot work, because of what is not there."""

    ok: bool
    detail: str = ""
    lacks: tuple[str, ...] = ()


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of an engine that has none."""


class Engine(ABC, Generic[R, A]):
    """Answers one kind of request. Class attributes, checked when the class is made:

    - `name`: what people type; the file is called the same. The docstring's first sentence is its help.
    - `request`, `answer`: msgspec Structs (a request may be a union of tagged ones); they are the wire format.
    - `right`: what the scope must hold. `needs`: the parts used, among `PARTS`.
    - `capabilities`: names it answers to beside its own; a subclass does not inherit them. Among engines that answer
      to a name and accept the request, the one with the highest `priority` runs (then the first by name).
    - `strategy`, `role`, `model_options`: for engines that ask a model. `uses`: programs that it starts, among `USES`.
    - `timeout_s`: seconds until the work is cancelled. `settings`: a Struct, filled from `[engines.<name>]`.

    One instance serves many requests at once, so `run` keeps nothing of a request on `self`.
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
    uses: ClassVar[tuple[str, ...]] = ()
    model_options: ClassVar[ModelOptions] = ModelOptions()
    timeout_s: ClassVar[float] = 600.0
    settings: ClassVar[type[msgspec.Struct]] = NoSettings

    def __init__(self, options: msgspec.Struct | None = None) -> None:
        self.options = options if options is not None else self.settings()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.capabilities = cls.__dict__.get("capabilities", ())
        check_declaration(cls)
        cls.capabilities = tuple(dict.fromkeys((cls.name, *cls.capabilities)))

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
        """Whether it could answer now, apart from its role's model and what it `uses`, which are looked at for it."""
        return EngineHealth(ok=True)

    async def close(self) -> None:
        """Called once, when no request is running any more."""

    @classmethod
    def about(cls) -> str:
        """The first sentence of the docstring."""
        return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


engines: Final[Registry[Engine[Any, Any]]] = Registry(  # Any: engines of every request and answer
    "engine", of=Engine, package="rubber_duck.engines", group="rubber_duck.engines", hint="`duck engines` lists them"
)
"""Every engine. Add one with `@engines.add`, in `engines/<name>.py`."""


def parse_request(engine: type[Engine[R, A]], raw: object) -> R:
    """The engine's request from what came in (builtins or the type itself); raises InvalidInput or LimitExceeded."""
    if isinstance(raw, engine.request):
        already: R = raw
        return already
    try:
        parsed: R = msgspec.convert(raw, engine.request)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the request for {engine.name!r} is not valid: {error}") from error
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the request for {engine.name!r} is not valid: lone surrogates in a text") from error
    except RecursionError as error:
        raise LimitExceeded(f"the request for {engine.name!r} is nested too deeply") from error
    return parsed


def engine_settings(engine: type[Engine[R, A]], table: dict[str, Any]) -> msgspec.Struct:  # Any: TOML values
    """The engine's own settings from `[engines.<name>]`; raises InvalidSettings."""
    known = [field.encode_name for field in msgspec.structs.fields(engine.settings)]
    for key in table:
        if key not in known:
            raise InvalidSettings(f"there is no setting 'engines.{engine.name}.{key}'{did_you_mean(key, known)}")
    try:
        return msgspec.convert(table, engine.settings)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"[engines.{engine.name}]: {error}") from error


def check_declaration(cls: type[Engine[R, A]]) -> None:
    """Raise InvalidDeclaration, with a sentence, for the first thing wrong with an engine class."""
    wrong = next(chain(_wrong_types(cls), _wrong_values(cls), _wrong_methods(cls)), None)
    if wrong is not None:
        raise InvalidDeclaration(f"the engine class {cls.__module__}.{cls.__qualname__} {wrong}")


def _wrong_types(cls: Any) -> Iterator[str]:  # Any: what is declared may be of any type
    for field in ("name", "request", "answer", "right"):
        if not hasattr(cls, field):
            yield f"needs a class attribute `{field}`"
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        yield f"has the name {cls.name!r}; write lower-case letters, digits and `-`"
    if not (cls.__doc__ or "").strip():
        yield "needs a docstring: its first sentence is the help of its command"
    union = isinstance(cls.request, UnionType)
    if not all(_is_struct(each) for each in (get_args(cls.request) if union else (cls.request,))):
        yield f"has the request {cls.request!r}; it must be a msgspec.Struct type or a union of them"
    if union:
        try:
            msgspec.json.Decoder(cls.request)
        except TypeError:
            yield f"has the request {cls.request!r}; give each Struct of the union a `tag` of its own"
    if not _is_struct(cls.answer):
        yield f"has the answer {cls.answer!r}; it must be a msgspec.Struct type"
    if not _is_struct(cls.settings):
        yield f"has the settings {cls.settings!r}; they must be a msgspec.Struct type"


def _wrong_values(cls: Any) -> Iterator[str]:  # Any: what is declared may be of any type
    for kind, value, members in (("right", cls.right, Right), ("strategy", cls.strategy, Strategy)):
        if not isinstance(value, members):
            yield f"declares the unknown {kind} {value!r}; write {_choice(members)}"
    if cls.role is not None and not isinstance(cls.role, Role):
        yield f"declares the unknown role {cls.role!r}; write {_choice(Role)} or None"
    if not isinstance(cls.needs, tuple) or not all(isinstance(part, str) for part in cls.needs):
        yield f"needs the parts {cls.needs!r}; write a tuple of names such as ('workspace',)"
    unknown = next((part for part in cls.needs if part not in PARTS), None)
    if unknown is not None:
        yield f"needs the unknown part {unknown!r}{did_you_mean(unknown, PARTS)}; the parts are {', '.join(PARTS)}"
    if not isinstance(cls.uses, tuple) or not set(cls.uses) <= set(USES):
        yield f"uses {cls.uses!r}; write a tuple of {', '.join(map(repr, USES))}"
    names = isinstance(cls.capabilities, tuple) and all(
        isinstance(each, str) and _NAME.fullmatch(each) for each in cls.capabilities
    )
    if not names:
        yield f"has the capabilities {cls.capabilities!r}; write a tuple of names such as ({cls.name!r},)"
    if isinstance(cls.priority, bool) or not isinstance(cls.priority, int):
        yield f"has the priority {cls.priority!r}; it must be a whole number, 0 is the default"
    if isinstance(cls.timeout_s, bool) or not isinstance(cls.timeout_s, (int, float)) or not cls.timeout_s > 0:
        yield f"has the time-out {cls.timeout_s!r}; it must be a positive number of seconds"
    options = cls.model_options
    if not isinstance(options, ModelOptions) or not (0 <= options.temperature <= 2 and options.max_tokens >= 1):
        yield f"has the model options {options!r}; write ModelOptions(temperature in [0, 2], max_tokens of 1 or more)"


def _wrong_methods(cls: Any) -> Iterator[str]:  # Any: what is declared may be of any type
    if getattr(cls.run, "__isabstractmethod__", False):
        yield "needs `async def run(self, request, call)`"
    for name in ("open", "run", "health", "close"):
        if not inspect.iscoroutinefunction(getattr(cls, name)):
            yield f"has a `{name}` that is not awaited; write `async def {name}`, which returns and does not yield"


def _is_struct(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, msgspec.Struct)


def _choice(members: type[StrEnum]) -> str:
    return "one of " + ", ".join(f"{members.__name__}.{each.name}" for each in members)
