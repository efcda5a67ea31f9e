"""The engines `rules` and `engines` tell what there is."""

from __future__ import annotations

import inspect

import pytest

from rubber_duck.analysis.rule import rules
from rubber_duck.call import Call, Parts
from rubber_duck.engines.engine import engines
from rubber_duck.engines.engines import Engines, EnginesRequest
from rubber_duck.engines.projects import ProjectView
from rubber_duck.engines.rules import Rules, RulesRequest
from rubber_duck.errors import UnknownName
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings

CALL = Call(Scope.local(), Parts(Settings()))


async def test_every_rule_is_listed_in_short() -> None:
    answer = await Rules().run(RulesRequest(), CALL)
    assert [each.name for each in answer.rules] == list(rules.discover())
    assert all(each.summary and each.languages for each in answer.rules)
    assert not any(each.documentation or each.bad or each.options for each in answer.rules)


async def test_one_rule_comes_with_its_documentation_examples_and_options() -> None:
    answer = await Rules().run(RulesRequest(name="complex-function"), CALL)
    [rule] = answer.rules
    assert (rule.name, rule.kind, rule.severity) == ("complex-function", "semantic", "low")
    assert rule.documentation.startswith(rule.summary[:20])
    assert len(rule.bad) == len(rules["complex-function"].bad)
    assert rule.good[0].code == rule.good[0].code.strip("\n")
    assert rule.bad[0].options == {"max_complexity": 4}
    assert all(len(each.code.splitlines()) < 10 for each in (*rule.bad, *rule.good))
    assert rule.options == dict(rules["complex-function"].options)


@pytest.mark.parametrize(
    ("name", "languages", "titles"),
    [
        (
            "sql-injection",
            ("elixir", "javascript", "python", "typescript"),
            ("Elixir", "JavaScript", "Python", "TypeScript"),
        ),
        ("unless-with-else", ("elixir",), ("Elixir",)),
    ],
)
async def test_a_rule_names_its_languages_and_not_their_families(
    name: str, languages: tuple[str, ...], titles: tuple[str, ...]
) -> None:
    [rule] = (await Rules().run(RulesRequest(name=name), CALL)).rules
    assert (rule.languages, rule.titles) == (languages, titles)
    assert {each.title for each in (*rule.bad, *rule.good)} <= set(titles)


async def test_what_is_reported_without_a_rule_of_its_own_is_explained_too() -> None:
    [rule] = (await Rules().run(RulesRequest(name="invalid-encoding"), CALL)).rules
    assert (rule.kind, rule.severity, rule.summary) == (
        "syntax",
        "medium",
        "Bytes that are not text in the file's encoding.",
    )
    assert "Save the file as UTF-8" in rule.documentation


async def test_a_rule_of_ruff_is_explained_by_ruff() -> None:
    [rule] = (await Rules().run(RulesRequest(name="ruff/S324"), CALL)).rules
    assert (rule.kind, rule.severity, rule.cwe, rule.languages) == ("security", "low", 327, ("python",))
    assert "## What it does" in rule.documentation


async def test_a_rule_of_ruffs_that_ours_replaces_says_so() -> None:
    [rule] = (await Rules().run(RulesRequest(name="ruff/S307"), CALL)).rules
    assert rule.documentation.startswith(
        "ruff is not asked for this rule, because `unsafe-eval` says the same.\n\n## What"
    )


@pytest.mark.parametrize("name", ["ruff/F4xx", "ruff/", "ruff/--help", "ruff/-h", "ruff/\n"])
async def test_a_rule_that_ruff_does_not_know_is_said(name: str) -> None:
    with pytest.raises(UnknownName, match="ruff does not know"):
        await Rules().run(RulesRequest(name=name), CALL)


async def test_an_unknown_rule_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'complex-function'"):
        await Rules().run(RulesRequest(name="complx-function"), CALL)


async def test_every_engine_is_listed_in_short() -> None:
    answer = await Engines().run(EnginesRequest(), CALL)
    assert [each.name for each in answer.engines] == list(engines.discover())
    assert not any(each.request or each.documentation for each in answer.engines)


async def test_one_engine_comes_with_the_schemas_of_what_it_takes_and_answers() -> None:
    [engine] = (await Engines().run(EnginesRequest(name="projects"), CALL)).engines
    assert engine.right == "project.read"
    assert engine.needs == ("workspace",)
    assert (engine.answer["$ref"], list(engine.answer["$defs"])) == (
        "#/$defs/ProjectsAnswer",
        ["ProjectsAnswer", "ProjectView", "FilesView"],
    )
    assert {each["properties"]["type"]["enum"][0] for each in engine.request["$defs"].values()} == {
        "add", "list", "show", "rename", "remove", "restore", "purge",
    }  # fmt: skip


async def test_descriptions_are_told_without_the_indentation_of_their_code() -> None:
    [engine] = (await Engines().run(EnginesRequest(name="projects"), CALL)).engines
    told = engine.answer["$defs"]["ProjectView"]["description"]
    assert told == inspect.cleandoc(ProjectView.__doc__ or "")
    assert "\n    " not in told
    assert "\n" in told


async def test_choices_are_told_in_the_order_that_means_something() -> None:
    [engine] = (await Engines().run(EnginesRequest(name="analyze"), CALL)).engines
    [severity, nothing] = engine.request["$defs"]["AnalyzeRequest"]["properties"]["min_severity"]["anyOf"]
    assert severity == {"enum": ["info", "low", "medium", "high", "critical"]}
    assert nothing == {"type": "null"}


@pytest.mark.parametrize(("name", "meant"), [("S108", "ruff/S108"), ("f401", "ruff/F401"), ("sql", "sql-injection")])
async def test_a_rule_that_is_named_in_part_is_told_its_name(name: str, meant: str) -> None:
    with pytest.raises(UnknownName, match=f"there is no rule '{name}'; did you mean '{meant}'"):
        await Rules().run(RulesRequest(name), CALL)


async def test_an_unknown_engine_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'outline'"):
        await Engines().run(EnginesRequest(name="outlines"), CALL)
