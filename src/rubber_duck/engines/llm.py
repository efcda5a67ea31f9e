"""Show which models are connected, connect others, and choose which are used for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.connections import Connection, Connections
from rubber_duck.llm.flavors import FLAVORS, flavor_named
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right

if TYPE_CHECKING:
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
    private: Annotated[bool, Meta(description="Its name may lead to a private address.")] = False


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


ModelsRequest = (
    ModelStatus | ConnectProvider | DisconnectProvider | EnableProvider | DisableProvider | ListModels | UseModels
)


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A connected provider; its key is not shown.

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


class ModelsAnswer(msgspec.Struct, frozen=True):
    """What is connected and used, or the models that were asked for."""

    providers: tuple[ProviderView, ...] = ()
    roles: tuple[RoleView, ...] = ()
    models: tuple[str, ...] = ()


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
        is_private=request.private,
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
        tuple(map(_view, standing)), tuple(RoleView(role.value, chain) for role, chain in chains if chain)
    )


def _view(standing: Standing) -> ProviderView:
    connection = standing.connection
    return ProviderView(
        name=connection.name,
        kind=connection.flavor,
        url=connection.url,
        has_key=bool(connection.key),
        enabled=connection.is_enabled,
        breaker=standing.breaker.value,
        well=standing.is_well,
        answered_ms=standing.answered_ms,
        error=standing.error,
    )
