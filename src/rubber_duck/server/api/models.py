"""Models: which providers are connected, which models are used for what, what they took and cost."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from rubber_duck.engines.llm import ModelsAnswer
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.server.api.route import Call, Method, Route, flag
from rubber_duck.server.limits import RouteClass


class ProviderWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a provider is reached. Its key is never answered; empty, one that it has stays with its address."""

    kind: Annotated[str, Meta(max_length=40)] = ""
    url: Annotated[str, Meta(max_length=2000)] = ""
    key: Annotated[str, Meta(max_length=10_000)] = ""
    headers: Annotated[dict[str, str], Meta(max_length=20)] = {}
    private: bool | None = None


class Enabling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a provider shall be used."""

    enabled: bool


class ChainWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models for a role as `provider/model`, the next asked when one does not begin to answer; none: no model."""

    models: Annotated[tuple[str, ...], Meta(max_length=10)] = ()


class EstimateWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the models of a role, and the most tokens of its answer."""

    role: str
    text: Annotated[str, Meta(max_length=900_000)]
    answer_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 1024


async def status(call: Call) -> ModelsAnswer:
    """Which providers are connected, and which models are used for what; `?probe=true` asks the providers."""
    return await _ask(call, "status", probe=flag(call, "probe"))


async def connect(call: Call) -> ModelsAnswer:
    """Connect a provider, or change one that is connected."""
    wish: ProviderWish = call.body
    return await _ask(call, "connect", provider=call.path["provider"], **msgspec.structs.asdict(wish))


async def disconnect(call: Call) -> ModelsAnswer:
    """Forget a provider and its key; a conflict while a role uses it."""
    return await _ask(call, "disconnect", provider=call.path["provider"])


async def set_enabled(call: Call) -> ModelsAnswer:
    """Use a provider, or use it no more while it stays connected."""
    return await _ask(call, "enable" if call.body.enabled else "disable", provider=call.path["provider"])


async def list_models(call: Call) -> ModelsAnswer:
    """The models that a provider says it has."""
    return await _ask(call, "models", provider=call.path["provider"])


async def use(call: Call) -> ModelsAnswer:
    """Choose the models for a role."""
    return await _ask(call, "use", role=call.path["role"], models=call.body.models)


async def usage(call: Call) -> ModelsAnswer:
    """What models took and cost, and what is left of budgets: one's own, or with `?everybody=true` all."""
    days = _number(call, "days", 30)
    return await _ask(call, "usage", days=days, by=call.query.get("by", "model"), everybody=flag(call, "everybody"))


async def calls(call: Call) -> ModelsAnswer:
    """The last requests to models, newest first: one's own, or with `?everybody=true` all."""
    _, limit = call.page()
    return await _ask(call, "log", most=limit, everybody=flag(call, "everybody"))


async def estimate(call: Call) -> ModelsAnswer:
    """The most that a question could take and cost; nothing is sent."""
    return await _ask(call, "estimate", **msgspec.structs.asdict(call.body))


async def _ask(call: Call, what: str, **request: object) -> ModelsAnswer:
    """What `duck llm` says, which checks the right again."""
    answer: ModelsAnswer = await call.desk.app.run("llm", {"type": what, **request}, call.scope)
    return answer


def _number(call: Call, name: str, otherwise: int) -> int:
    written = call.query.get(name, str(otherwise))
    if not (written.isascii() and written.isdecimal()):
        raise InvalidInput(f"{name} is a whole number, not {written!r}")
    return int(written[:9])


_ADMIN, _READ, _WRITE = Right.ADMINISTER, Right.CATALOG_READ, RouteClass.WRITE
_P = "/llm/providers/{provider}"

ROUTES: tuple[Route, ...] = (
    Route(
        Method.GET,
        "/llm",
        _READ,
        status,
        "Which providers are connected, and which models are used",
        answer=ModelsAnswer,
        queries=("probe",),
    ),
    Route(
        Method.PUT,
        _P,
        _ADMIN,
        connect,
        "Connect a provider, or change one",
        ProviderWish,
        ModelsAnswer,
        _WRITE,
    ),
    Route(
        Method.DELETE,
        _P,
        _ADMIN,
        disconnect,
        "Forget a provider and its key",
        answer=ModelsAnswer,
        cost=_WRITE,
    ),
    Route(
        Method.PUT,
        _P + "/enabled",
        _ADMIN,
        set_enabled,
        "Use a provider, or use it no more",
        Enabling,
        ModelsAnswer,
        _WRITE,
    ),
    Route(
        Method.GET,
        _P + "/models",
        _ADMIN,
        list_models,
        "The models that a provider has",
        answer=ModelsAnswer,
        cost=RouteClass.RUN,
    ),
    Route(
        Method.PUT,
        "/llm/roles/{role}",
        _ADMIN,
        use,
        "Choose the models for a role",
        ChainWish,
        ModelsAnswer,
        _WRITE,
    ),
    Route(
        Method.GET,
        "/llm/usage",
        _READ,
        usage,
        "What models took and cost, and what is left of budgets",
        answer=ModelsAnswer,
        queries=("days", "by", "everybody"),
    ),
    Route(
        Method.GET,
        "/llm/calls",
        _READ,
        calls,
        "The last requests to models",
        answer=ModelsAnswer,
        queries=("limit", "everybody"),
    ),
    Route(
        Method.POST,
        "/llm/estimate",
        _READ,
        estimate,
        "The most that a question could take and cost",
        EstimateWish,
        ModelsAnswer,
    ),
)
"""The routes about models."""
