"""Show which models are connected, connect others, and choose which are used for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.connections import Connection, Connections
from rubber_duck.llm.flavors import FLAVORS, flavor_named
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right

if TYPE_CHECKING:
    from decimal import Decimal

    from rubber_duck.llm.account import Budget, CallRecord, Tally
    from rubber_duck.llm.llm import Standing

Provider = Annotated[str, Meta(max_length=40, description="The provider's name.", extra={"argument": True})]
_KINDS: Final = ", ".join(FLAVORS)


class ModelStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="status"):
    """Show which providers are connected and which models are used for what."""

    probe: Annotated[bool, Meta(description="Ask each provider whether it answers.")] = False


class ConnectProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="connect", kw_only=True):
    """Connect a provider, or change one that is connected."""

    provider: Provider
    kind: Annotated[str, Meta(max_length=40, description=f"What it is: {_KINDS}; empty: as its name.")] = ""
    url: Annotated[str, Meta(max_length=2000, description="Its address; empty: where its kind usually is.")] = ""
    key: Annotated[str, Meta(max_length=10_000, description="Its key; empty: the one it has, or none.")] = ""
    headers: Annotated[dict[str, str], Meta(max_length=20, description="Headers to send besides.")] = {}
    private: Annotated[
        bool | None, Meta(description="Whether its name may lead to a private address; unset: as before, or not.")
    ] = None


class DisconnectProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="disconnect"):
    """Forget a provider and its key."""

    provider: Provider


class EnableProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="enable"):
    """Use a provider again."""

    provider: Provider


class DisableProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="disable"):
    """Use a provider no more until it is enabled; it stays connected."""

    provider: Provider


class ListModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="models"):
    """List the models that a provider has."""

    provider: Provider


class UseModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="use"):
    """Choose the models for a role, the next asked when one does not begin to answer; none: take its models away."""

    role: Annotated[Role, Meta(description="What for.", extra={"argument": True})]
    models: Annotated[
        tuple[str, ...], Meta(max_length=10, description="Models as provider/model.", extra={"argument": True})
    ] = ()


Everybody = Annotated[bool, Meta(description="Of all users; only for administrators.")]


class ShowUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="usage"):
    """Show what models took and cost, and what is left of budgets."""

    days: Annotated[int, Meta(ge=1, le=3660, description="So many days, today among them (UTC).")] = 30
    by: Annotated[Literal["model", "day", "user", "project"], Meta(description="What is summed up.")] = "model"
    everybody: Everybody = False


class ShowCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="log"):
    """Show the last requests to models, newest first."""

    most: Annotated[int, Meta(ge=1, le=1000, description="So many.")] = 20
    everybody: Everybody = False


class EstimateCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="estimate"):
    """Say about what a question takes and costs at most; nothing is sent. A budget is charged with more at first."""

    role: Annotated[Role, Meta(description="Which models would be asked.", extra={"argument": True})]
    text: Annotated[str, Meta(max_length=4_000_000, description="The question.")]
    answer_tokens: Annotated[int, Meta(ge=1, le=1_000_000, description="The most tokens of the answer.")] = 1024


ModelsRequest = (
    ModelStatus
    | ConnectProvider
    | DisconnectProvider
    | EnableProvider
    | DisableProvider
    | ListModels
    | UseModels
    | ShowUsage
    | ShowCalls
    | EstimateCost
)


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A connected provider; its key is not shown, and its address and errors only to administrators.

    `breaker` is closed, open or half_open. `well` is null when it was not asked, `error` what it said last.
    """

    name: str
    kind: str
    url: str
    has_key: bool
    enabled: bool
    breaker: str
    well: bool | None = None
    answered_ms: int = 0
    error: str = ""


class RoleView(msgspec.Struct, frozen=True):
    """The models for a role, in order."""

    role: str
    models: tuple[str, ...]


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """A sum of calls. `unpriced` are those whose price is not known; `cost_usd` is exact, without them."""

    name: str
    calls: int
    failed: int
    cached: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_usd: str


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spent until `period` (a day or a month, UTC) ends, and what is charged: 0 is no limit."""

    holder: str
    period: str
    most_usd: str
    spent_usd: str
    most_tokens: int
    spent_tokens: int


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `cost_usd` is null where the price is not known; `counted` is false where we counted ourselves.

    `asked` and `answered` are empty unless the setting `llm.log_texts` keeps them.
    """

    at: str
    user: str
    project: str
    role: str
    model: str
    input_tokens: int
    output_tokens: int
    counted: bool
    cached: bool
    cost_usd: str | None
    outcome: str
    first_ms: int
    duration_ms: int
    trace: str
    asked: str
    answered: str


class EstimateView(msgspec.Struct, frozen=True):
    """About the tokens a question takes, and the most of its answer; `cost_usd` is null where no price is known."""

    models: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost_usd: str | None


class ModelsAnswer(msgspec.Struct, frozen=True):
    """What is connected and used, or what else was asked for."""

    providers: tuple[ProviderView, ...] = ()
    roles: tuple[RoleView, ...] = ()
    models: tuple[str, ...] = ()
    usage: tuple[UsageView, ...] = ()
    budgets: tuple[BudgetView, ...] = ()
    calls: tuple[CallView, ...] = ()
    estimate: EstimateView | None = None


@engines.add
class Models(Engine[Any, ModelsAnswer]):  # Any: a union has no class that could stand here
    """Show which models are connected, connect others, and choose which are used for what.

    To change something needs the right to administer. Keys are kept in a file of the home folder that only its owner
    can read, and are never shown.
    """

    name: ClassVar[str] = "llm"
    request = ModelsRequest
    answer = ModelsAnswer
    right = Right.CATALOG_READ
    needs = ("llm",)
    timeout_s = 60.0

    async def run(self, request: ModelsRequest, call: Call) -> ModelsAnswer:
        """Do what is asked; raises Denied, UnknownName, InvalidInput, InvalidSettings or Conflict."""
        llm, scope = call.parts.llm, call.scope
        match request:
            case ModelStatus(probe):
                return await _status(call, probe=probe)
            case ListModels(provider):
                scope.require(Right.ADMINISTER)
                return ModelsAnswer(models=await llm.models(provider))
            case ShowUsage() | ShowCalls() | EstimateCost():
                return await _account(request, call)
            case ConnectProvider():
                await llm.change(scope, lambda held: held.with_provider(_connection(request, held)))
            case DisconnectProvider(provider):
                await llm.change(scope, lambda held: held.without(provider))
            case EnableProvider(provider):
                await llm.change(scope, lambda held: _enabled(held, provider, is_enabled=True))
            case DisableProvider(provider):
                await llm.change(scope, lambda held: _enabled(held, provider, is_enabled=False))
            case UseModels(role, models):
                await llm.change(scope, lambda held: held.with_chain(role, models))
        return await _status(call, probe=False)


def _connection(request: ConnectProvider, held: Connections) -> Connection:
    before = held.providers.get(request.provider)
    kind = request.kind or (before.flavor if before else request.provider)
    flavor = flavor_named(kind)
    url = request.url or (before.url if before and before.flavor == kind else flavor.url)
    if not url:
        raise InvalidInput(f"the kind {kind!r} is at no usual address; say which with --url")
    is_same_place = before is not None and before.url == url
    key = request.key or (before.key if before and is_same_place else "")  # a key stays with its address
    if flavor.needs_key and not key:
        raise InvalidInput(f"the kind {kind!r} needs a key; give it with --key-file, or type it when asked")
    return Connection(
        name=request.provider,
        flavor=kind,
        url=url,
        key=key,
        headers=request.headers or (before.headers if before and is_same_place else {}),
        is_private=bool(before and is_same_place and before.is_private) if request.private is None else request.private,
        is_enabled=before.is_enabled if before else True,
    )


def _enabled(held: Connections, provider: str, *, is_enabled: bool) -> Connections:
    return held.with_provider(msgspec.structs.replace(held.named(provider), is_enabled=is_enabled))


async def _status(call: Call, *, probe: bool) -> ModelsAnswer:
    llm = call.parts.llm
    if probe:
        call.scope.require(Right.ADMINISTER)
    standing = await llm.standing(probe=probe)
    chains = ((role, llm.chain(role)) for role in Role)
    return ModelsAnswer(
        tuple(_view(each, is_whole=Right.ADMINISTER in call.scope.rights) for each in standing),
        tuple(RoleView(role.value, chain) for role, chain in chains if chain),
    )


async def _account(request: ShowUsage | ShowCalls | EstimateCost, call: Call) -> ModelsAnswer:
    llm, scope = call.parts.llm, call.scope
    match request:
        case ShowUsage(days, by, everybody):
            sums = await llm.usage(scope, days, by, everybody=everybody)
            budgets = await llm.budgets(scope)
            return ModelsAnswer(
                usage=tuple(_sum(name, tally) for name, tally in sums.items()), budgets=tuple(map(_budget, budgets))
            )
        case ShowCalls(most, everybody):
            calls = await llm.calls(scope, most, everybody=everybody)
            return ModelsAnswer(calls=tuple(map(_call, calls)))
        case EstimateCost(role, text, answer_tokens):
            prompt = Prompt((Message(Speaker.USER, text),), answer_tokens=answer_tokens)
            said = await llm.estimate(scope, role, prompt)
            usd = None if said.usd is None else usd_text(said.usd)
            return ModelsAnswer(estimate=EstimateView(said.models, said.input_tokens, said.output_tokens, usd))


def usd_text(usd: Decimal) -> str:
    """Every digit, and no more: 0.0125."""
    return format(usd.normalize() if usd else usd * 0, "f")


def _sum(name: str, tally: Tally) -> UsageView:
    return UsageView(
        name=name,
        calls=tally.calls,
        failed=tally.failed,
        cached=tally.cached,
        unpriced=tally.unpriced,
        input_tokens=tally.input_tokens,
        output_tokens=tally.output_tokens,
        cost_usd=usd_text(tally.cost_usd),
    )


def _budget(budget: Budget) -> BudgetView:
    return BudgetView(
        holder=budget.holder,
        period=budget.period,
        most_usd=usd_text(budget.most_usd),
        spent_usd=usd_text(budget.spent_usd),
        most_tokens=budget.most_tokens,
        spent_tokens=budget.spent_tokens,
    )


def _call(call: CallRecord) -> CallView:
    return CallView(
        at=call.at.isoformat(timespec="milliseconds"),
        user=call.actor,
        project=str(call.project or ""),
        role=call.role,
        model=call.model,
        input_tokens=call.usage.input_tokens,
        output_tokens=call.usage.output_tokens,
        counted=call.is_counted,
        cached=call.is_cached,
        cost_usd=None if call.cost_usd is None else usd_text(call.cost_usd),
        outcome=call.outcome,
        first_ms=call.first_ms,
        duration_ms=call.duration_ms,
        trace=call.trace,
        asked=call.asked,
        answered=call.answered,
    )


def _view(standing: Standing, *, is_whole: bool) -> ProviderView:
    connection = standing.connection
    return ProviderView(
        name=connection.name,
        kind=connection.flavor,
        url=connection.url if is_whole else "",
        has_key=bool(connection.key),
        enabled=connection.is_enabled,
        breaker=standing.breaker.value,
        well=standing.is_well,
        answered_ms=standing.answered_ms,
        error=standing.error if is_whole else "",
    )
