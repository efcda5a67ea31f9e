"""The checks of `duck doctor` on what is registered: plug-ins of other distributions, grammars, engines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rubber_duck.cli.verdict import State, Verdict
from rubber_duck.errors import DuckError, InvalidInput, normalize
from rubber_duck.registry import Contribution, Registry
from rubber_duck.settings import Settings

_OPEN_TIMEOUT_S: Final = 10.0
"""How long an engine may take to open before it counts as unwell here; a request waits as long as it declares."""

_AGAIN: Final = "install RubberDuck's requirements again: make run"

AnyRegistry = Registry[Any]  # Any: registries of every kind


async def plugins(settings: Settings) -> Sequence[Verdict]:
    """Every entry point of another distribution: in use, or left out and why."""
    from rubber_duck.analysis.rule import rules  # noqa: PLC0415  # rules and grammars
    from rubber_duck.analysis.rule_set import RuleSet  # noqa: PLC0415  # as above
    from rubber_duck.code.language import languages  # noqa: PLC0415  # as above
    from rubber_duck.engines.engine import engines  # noqa: PLC0415  # as above
    from rubber_duck.workflows.workflow import workflows  # noqa: PLC0415  # as above; looking at them imports DBOS

    registries: tuple[AnyRegistry, ...] = (rules, languages, engines, workflows)
    for registry in registries:
        registry.discover()
    RuleSet({})  # leaves out the rules that cannot be made
    found = [each for registry in registries for each in registry.contributions]
    if not found:
        return [Verdict(State.WELL, "plug-ins", "none are installed")]
    return [_plugin(each) for each in sorted(found, key=lambda each: (each.package, each.kind, each.name))]


def _plugin(contribution: Contribution) -> Verdict:
    if not contribution.reason:
        return Verdict(State.WELL, "plug-ins", f"{contribution.what}, {contribution.target}")
    seen = f"{contribution.what} is left out: {contribution.reason}"
    return Verdict(State.NOTE, "plug-ins", seen, _way_without(contribution))


async def grammars(settings: Settings) -> Sequence[Verdict]:
    """Every language parses a line."""
    from rubber_duck.code.code import open_source  # noqa: PLC0415  # grammars
    from rubber_duck.code.language import languages  # noqa: PLC0415  # as above

    well: list[str] = []
    unwell: list[Verdict] = []
    for name in languages.discover():
        try:
            open_source(f"example{''.join(languages[name].suffixes[:1])}", b"duck\n", name)
        except Exception as error:  # noqa: BLE001  # grammars are somebody else's code
            unwell.append(_unwell("grammars", languages, name, normalize(error).message, _AGAIN))
        else:
            well.append(name)
    return [Verdict(State.WELL, "grammars", ", ".join(well)), *unwell]


async def engines(settings: Settings) -> Sequence[Verdict]:
    """Every engine opens and says that it is well, in an application that opens nothing else."""
    from rubber_duck.app import open_app  # noqa: PLC0415  # the engines' types
    from rubber_duck.engines.engine import engines as registry  # noqa: PLC0415  # as above

    try:
        async with open_app(settings, for_engines=()) as app:
            health = (await app.health(open_timeout_s=_OPEN_TIMEOUT_S)).engines
    except DuckError as error:
        return [Verdict(State.ILL, "engines", error.message, _way_to_open(error))]
    unwell = {name: each.detail for name, each in health.items() if not each.ok}
    advice = "correct it in duck.toml; `duck config check` looks at all of it"
    verdicts = [_unwell("engines", registry, name, detail, advice) for name, detail in unwell.items()]
    if len(unwell) < len(health):
        verdicts.insert(0, Verdict(State.WELL, "engines", f"{', '.join(sorted(health.keys() - unwell))} are open"))
    return verdicts


async def models(settings: Settings) -> Verdict:
    """Which engines have no model for their role; whether one answers is told by `duck llm status`."""
    from rubber_duck.engines.engine import engines as registry  # noqa: PLC0415  # as above
    from rubber_duck.engines.readiness import lacking  # noqa: PLC0415  # as above

    asking = [engine for engine in registry.discover().values() if engine.role is not None]
    lacks = await lacking(asking, settings)
    without = sorted(name for name, said in lacks.items() if any("duck llm" in each for each in said))
    if not without:
        return Verdict(State.WELL, "models", "there is one for every engine that asks one")
    seen = f"none is there for {', '.join(without)}, which do without what they can"
    return Verdict(State.NOTE, "models", seen, "connect a provider: `duck llm connect`")


def _unwell(subject: str, registry: AnyRegistry, name: str, detail: str, advice: str) -> Verdict:
    """A plug-in that does not work is a note, because RubberDuck works without it; something of ours is ill."""
    contribution = next(_contributed(registry, name), None)
    if contribution is None:
        return Verdict(State.ILL, subject, f"the {registry.kind} {name!r}: {detail}", advice)
    return Verdict(State.NOTE, subject, f"{contribution.what}: {detail}", _way_without(contribution))


def _contributed(registry: AnyRegistry, name: str) -> Iterator[Contribution]:
    return (each for each in registry.contributions if each.name == name and not each.reason)


def _way_without(contribution: Contribution) -> str:
    distribution, _, version = contribution.package.rpartition(" ")
    if not contribution.name or not distribution:
        return "repair or uninstall that package"
    del version
    return f"repair or update that package, or take it out: {sys.executable} -m pip uninstall {distribution}"


def _way_to_open(error: DuckError) -> str:
    if isinstance(error, InvalidInput):
        return "correct it in duck.toml; `duck config check` looks at all of it"
    return "make the home folder writable, or set telemetry.traces to off"
