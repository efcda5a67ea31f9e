"""Tell which engines there are, and what one of them takes and answers."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rubber_duck.call import Call
from rubber_duck.engines.choices import choices_of, in_order
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.readiness import lacking
from rubber_duck.scope import Right


class EnginesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which engines to tell about."""

    name: Annotated[str, Meta(max_length=200, description="One engine.", extra={"argument": True})] = ""


class EngineView(Struct, frozen=True, omit_defaults=True):
    """An engine. The documentation and the schemas are there only for a single one.

    `request` and `answer` are JSON Schemas (2020-12). `right` is what the one who asks must hold. `role` is what models
    are asked for, `uses` which programs; `lacks` says of either what is not there, and what to do.
    """

    name: str
    about: str
    answers_to: tuple[str, ...]
    priority: int
    right: str
    timeout_s: float
    needs: tuple[str, ...] = ()
    asks_model: bool = False
    role: str = ""
    uses: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    documentation: str = ""
    request: dict[str, Any] = {}  # Any: JSON Schema
    answer: dict[str, Any] = {}  # Any: JSON Schema
    settings: dict[str, Any] = {}  # Any: JSON Schema


class EnginesAnswer(Struct, frozen=True):
    """The engines by name."""

    engines: tuple[EngineView, ...]


@engines.add
class Engines(Engine[EnginesRequest, EnginesAnswer]):
    """Tell which engines there are, what each lacks here, and what one of them takes and answers."""

    name = "engines"
    request = EnginesRequest
    answer = EnginesAnswer
    right = Right.CATALOG_READ
    timeout_s = 30.0

    async def run(self, request: EnginesRequest, call: Call) -> EnginesAnswer:
        """The named engine, or all; UnknownName for one that does not exist."""
        known = engines.discover()
        chosen = [known[request.name]] if request.name else list(known.values())
        lacks = await lacking(chosen, call.settings)
        return EnginesAnswer(tuple(_view(each, lacks[each.name], whole=bool(request.name)) for each in chosen))


def _view(
    engine: type[Engine[Any, Any]],  # Any: an engine of any request
    lacks: tuple[str, ...],
    *,
    whole: bool,
) -> EngineView:
    short = EngineView(
        name=engine.name,
        about=engine.about(),
        answers_to=engine.capabilities,
        priority=engine.priority,
        right=engine.right.value,
        timeout_s=engine.timeout_s,
        needs=engine.needs,
        asks_model=engine.role is not None,
        role=engine.role.value if engine.role is not None else "",
        uses=engine.uses,
        lacks=lacks,
    )
    if not whole:
        return short
    own = msgspec.structs.fields(engine.settings)
    return msgspec.structs.replace(
        short,
        documentation=inspect.cleandoc(engine.__doc__ or ""),
        request=schema_of(engine.request),
        answer=schema_of(engine.answer),
        settings=schema_of(engine.settings) if own else {},
    )


def schema_of(declared: type[Struct] | UnionType) -> dict[str, Any]:  # Any: JSON Schema
    """The JSON Schema of a request or an answer, choices in the order of their declaration."""
    schema: dict[str, Any] = in_order(msgspec.json.schema(declared), choices_of(declared))  # Any: JSON Schema
    return schema
