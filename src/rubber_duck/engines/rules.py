"""Tell which rules there are, and all about one of them."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rubber_duck.analysis.codes import CODES, RUFF
from rubber_duck.call import Call
from rubber_duck.code.language import languages, title
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import ProgramUnavailable, UnknownName
from rubber_duck.scope import Right
from rubber_duck.workspace.programs import find_program, run_program


class RulesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules to tell about."""

    name: Annotated[
        str,
        Meta(max_length=200, description="One rule, e.g. `sql-injection` or `ruff/F401`.", extra={"argument": True}),
    ] = ""


class ExampleView(Struct, frozen=True, omit_defaults=True):
    """A snippet in one language, and the rule's options that it was made for where they are not the defaults.

    `title` is how people write the language.
    """

    language: str
    title: str
    code: str
    options: dict[str, int | float | bool | str | tuple[str, ...]] = {}


class RuleView(Struct, frozen=True, omit_defaults=True):
    """A rule. `documentation` is Markdown; it, the examples and the options are there only for a single rule.

    `languages` are those it is for, by name; `titles` how people write them; both empty for any language at all.
    """

    name: str
    kind: str
    severity: str
    confidence: str
    summary: str
    languages: tuple[str, ...]
    titles: tuple[str, ...]
    cwe: int | None = None
    documentation: str = ""
    bad: tuple[ExampleView, ...] = ()
    good: tuple[ExampleView, ...] = ()
    options: dict[str, int | float | bool | str | tuple[str, ...]] = {}


class RulesAnswer(Struct, frozen=True):
    """The rules by name."""

    rules: tuple[RuleView, ...]


class _RuffRule(Struct, frozen=True):
    """What `ruff rule --output-format json` prints, as far as it is used."""

    summary: str
    explanation: str


@engines.add
class Rules(Engine[RulesRequest, RulesAnswer]):
    """Tell which rules there are, and all about one of them.

    ruff's rules are not listed; a single one is explained in ruff's own words.
    """

    name = "rules"
    request = RulesRequest
    answer = RulesAnswer
    right = Right.CATALOG_READ
    timeout_s = 30.0

    async def run(self, request: RulesRequest, call: Call) -> RulesAnswer:
        """The named rule, or all of our own; UnknownName for one that does not exist."""
        if request.name.startswith(RUFF):
            return RulesAnswer((await _ruff_rule(request.name),))
        from rubber_duck.analysis.rule import rules  # noqa: PLC0415  # grammars, which other engines need not

        known = rules.discover()
        if request.name in known:
            return RulesAnswer((_view(known[request.name], whole=True),))
        if request.name:
            return RulesAnswer((_built_in(request.name, await _of_ruff(request.name)),))
        return RulesAnswer(tuple(_view(rule, whole=False) for rule in known.values()))


def _view(rule: Any, *, whole: bool) -> RuleView:  # Any: type[Rule], which may not be imported above
    documentation = inspect.cleandoc(rule.__doc__ or "")
    own = _languages(rule.kinds)
    short = RuleView(
        name=rule.name,
        kind=rule.kind.value,
        severity=rule.severity.label,
        confidence=rule.confidence.label,
        summary=" ".join(documentation.split("\n\n", 1)[0].split()),
        languages=own,
        titles=tuple(map(title, own)),
        cwe=rule.cwe,
    )
    if not whole:
        return short
    return msgspec.structs.replace(
        short,
        documentation=documentation,
        bad=tuple(map(_example, rule.bad)),
        good=tuple(map(_example, rule.good)),
        options=dict(rule.options),
    )


def _languages(kinds: Iterable[str]) -> tuple[str, ...]:
    """The languages that `kinds`, names of languages and of families, stand for."""
    wanted = set(kinds)
    return tuple(name for name, each in languages.discover().items() if {name, each.family} & wanted)


def _built_in(name: str, meant: Iterable[str]) -> RuleView:
    """What is reported without a rule class of its own; UnknownName, perhaps for `meant`, when it is not even that."""
    from rubber_duck.analysis.outcome import BUILT_IN, known_rules  # noqa: PLC0415  # grammars, which other engines need not
    from rubber_duck.analysis.rule import rules  # noqa: PLC0415  # as above

    if name not in BUILT_IN:
        raise UnknownName.among("rule", name, {*known_rules(), *meant}, hint=rules.hint)
    about = BUILT_IN[name]
    return RuleView(
        name=name,
        kind=about.kind.value,
        severity=about.severity.label,
        confidence=about.confidence.label,
        summary=about.summary,
        languages=(),
        titles=(),
        documentation=f"{about.summary}\n\n{about.documentation}",
    )


async def _of_ruff(name: str) -> tuple[str, ...]:
    """`ruff/S108` for `S108` or `s108`, where ruff has such a rule and was only not named."""
    code = name.upper()
    if CODES[RUFF].fullmatch(code) is None:
        return ()
    try:
        return ((await _ruff_rule(f"{RUFF}{code}")).name,)
    except (ProgramUnavailable, UnknownName):
        return ()


async def _ruff_rule(name: str) -> RuleView:
    """One of ruff's rules, documented by ruff itself; UnknownName for a code that ruff does not know."""
    from rubber_duck.analysis.ruff import rule_meaning  # noqa: PLC0415  # as in run
    from rubber_duck.analysis.rule import stand_ins  # noqa: PLC0415  # as in run

    code = name.removeprefix(RUFF)
    program = find_program("ruff")
    if program is None:
        raise ProgramUnavailable("there is no ruff beside Python nor on PATH: install RubberDuck's requirements again")
    done = await run_program([program, "rule", "--output-format", "json", "--", code], cwd=Path("/"), timeout_s=10.0)
    try:
        about = msgspec.json.decode(done.stdout, type=_RuffRule)
    except msgspec.MsgspecError:
        pages = "https://docs.astral.sh/ruff/rules/ lists what it knows"
        raise UnknownName(f"there is no rule {name!r}: ruff does not know {code!r}; {pages}") from None
    meant = rule_meaning(name)
    ours = " and ".join(f"`{each}`" for each in stand_ins().get(name, ()))
    instead = f"ruff is not asked for this rule, because {ours} says the same.\n\n" if ours else ""
    return RuleView(
        name=name,
        kind=meant.kind.value,
        severity=meant.severity.label,
        confidence=meant.confidence.label,
        summary=about.summary,
        languages=("python",),
        titles=("Python",),
        cwe=meant.cwe,
        documentation=instead + about.explanation,
    )


def _example(example: Any) -> ExampleView:  # Any: Example, which may not be imported above
    code = textwrap.dedent(example.code).strip("\n")
    return ExampleView(example.language, title(example.language), code, dict(example.options))
