"""The settings of models: which are used for what, how they are asked, and what they may cost."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from rubber_duck.settings.section import Section


class LimitSettings(Section, frozen=True):
    """How much may be asked in a minute, by a bucket that is full at first and fills evenly; 0: no limit."""

    requests: Annotated[int, Meta(ge=0, le=10_000_000, description="Requests a minute.")] = 0
    tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000_000_000,
            description="Tokens a minute, of the prompt, as we count them, and the most the answer may have; what the "
            "provider says was not used is given back.",
        ),
    ] = 0


class BudgetSettings(Section, frozen=True):
    """What may be spent on models until the day or the month (UTC) ends. It is never passed."""

    usd: Annotated[float, Meta(ge=0, le=1e9, description="US dollars; 0: no limit in dollars.")] = 0.0
    tokens: Annotated[int, Meta(ge=0, le=10**15, description="Tokens; 0: no limit in tokens.")] = 0
    period: Annotated[Literal["day", "month"], Meta(description="When it begins anew.")] = "month"


class PriceSettings(Section, frozen=True):
    """What a model costs, in US dollars for a million tokens."""

    input: Annotated[float, Meta(ge=0, le=1e6, description="Tokens that are read.")]
    output: Annotated[float, Meta(ge=0, le=1e6, description="Tokens of answers.")]
    cache_read: Annotated[
        Annotated[float, Meta(ge=0, le=1e6)] | None,
        Meta(description="Tokens read from the provider's cache; none: as `input`."),
    ] = None
    cache_write: Annotated[
        Annotated[float, Meta(ge=0, le=1e6)] | None,
        Meta(description="Tokens written to the provider's cache; none: as `input`."),
    ] = None


class ModelSettings(Section, frozen=True):
    """How models are asked. Providers, their addresses and their keys are connected by `duck llm connect`."""

    completion: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10,
            description="Models to complete code, `provider/model` in order; empty: see `duck llm use`.",
        ),
    ] = ()
    chat: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10,
            description="Models to chat and explain, `provider/model` in order; empty: see `duck llm use`.",
        ),
    ] = ()
    edit: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10,
            description="Models to change code, `provider/model` in order; empty: see `duck llm use`.",
        ),
    ] = ()
    plan: Annotated[
        tuple[str, ...],
        Meta(max_length=10, description="Models to plan, `provider/model` in order; empty: see `duck llm use`."),
    ] = ()
    embed: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10,
            description="Models for vectors, as `provider/model`; the first alone is used.",
        ),
    ] = ()
    request_timeout_s: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds a request may take, all tries and waiting included.")
    ] = 180.0
    silence_s: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds without a byte after which a provider has not answered.")
    ] = 60.0
    connect_timeout_s: Annotated[float, Meta(gt=0, le=600, description="Seconds to wait for a connection.")] = 10.0
    retries: Annotated[int, Meta(ge=0, le=10, description="How often a provider is asked again.")] = 2
    breaker_failures: Annotated[
        int, Meta(ge=1, le=1000, description="Failures in a row after which a provider is left alone.")
    ] = 5
    breaker_successes: Annotated[
        int, Meta(ge=1, le=1000, description="Successes in a row after which it is trusted again.")
    ] = 2
    breaker_open_s: Annotated[
        float, Meta(gt=0, le=86_400, description="Seconds it is left alone before it is tried again.")
    ] = 60.0
    at_once: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Requests that one process has under way at a provider; more wait, and people take turns.",
        ),
    ] = 256
    most_waiting: Annotated[
        int, Meta(ge=1, le=100_000, description="Requests of one person that may wait for a provider.")
    ] = 1000
    limits: Annotated[
        dict[str, LimitSettings],
        Meta(
            description="Limits of each user, project and provider: `[llm.limits.user]`, `[llm.limits.project]`, "
            "`[llm.limits.provider]`."
        ),
    ] = field(default_factory=dict)
    budgets: Annotated[
        dict[str, BudgetSettings],
        Meta(
            description="What each user and each project may spend: `[llm.budgets.user]`, `[llm.budgets.project]`; one "
            'alone: `[llm.budgets."user:ann"]`, `[llm.budgets."project:<id>"]`.'
        ),
    ] = field(default_factory=dict)
    prices: Annotated[
        dict[str, PriceSettings],
        Meta(
            description='Prices that are not known or differ from the list: `[llm.prices."provider/model"]`, or '
            '`"provider/*"`.'
        ),
    ] = field(default_factory=dict)
    cache_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="Seconds for which a question at temperature 0, asked again in the same "
            "project is answered from memory; 0: never.",
        ),
    ] = 300.0
    cache_bytes: Annotated[int, Meta(ge=0, le=10**10, description="Memory for such answers.")] = 16_000_000
    log_days: Annotated[int, Meta(ge=1, le=3650, description="Days for which requests are kept in the log.")] = 30
    log_texts: Annotated[bool, Meta(description="Keep also what was asked and answered, with secrets taken out.")] = (
        False
    )
