"""An engine declared wrongly fails when its class is made, with a sentence that names the class and what to do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from msgspec import Struct

from rubber_duck import app
from rubber_duck.call import Call
from rubber_duck.engines.engine import (
    PARTS,
    Engine,
    EngineHealth,
    ModelOptions,
    NoSettings,
    Strategy,
    engine_settings,
    engines,
    parse_request,
)
from rubber_duck.errors import Conflict, InvalidDeclaration, InvalidInput, InvalidSettings, LimitExceeded
from rubber_duck.llm.roles import Role
from rubber_duck.registry import Registry
from rubber_duck.scope import Right
from tests.unit.engines.samples import Ask, Said

MISSING = object()
STRUCTS = "it must be a msgspec.Struct type or a union of them"
AWAITED = "which returns and does not yield"
MODEL = "write ModelOptions(temperature in [0, 2], max_tokens of 1 or more)"


class Read(Struct, tag="read"):
    """One of a union."""

    path: str


class Write(Struct, tag="write"):
    """The other."""

    path: str
    text: str = ""


class Untagged(Struct):
    """Cannot be told from another."""

    path: str


class Choice(Struct):
    """A request with a choice, and with others like it inside."""

    kind: Literal["a", "b"]
    inner: list[Choice] = []


class Tuned(Struct, rename="kebab", forbid_unknown_fields=True):
    """An engine's own settings."""

    top_k: int = 5


async def _run(self: object, request: Ask, call: Call) -> Said:
    return Said(request.text)


def _not_awaited(self: object, request: Ask, call: Call) -> Said:
    return Said(request.text)


async def _yielding(self: object, request: Ask, call: Call) -> AsyncIterator[Said]:
    yield Said(request.text)


def declare(**changes: object) -> type[Engine[Any, Any]]:  # Any: engines of every request
    """An engine class with these class attributes; MISSING ones are left out."""
    body = {
        "__doc__": "Say it again.",
        "__module__": "plugin",
        "__qualname__": "Echo",
        "name": "echo",
        "request": Ask,
        "answer": Said,
        "right": Right.CATALOG_READ,
        "run": _run,
        **changes,
    }
    return type("Echo", (Engine,), {key: value for key, value in body.items() if value is not MISSING})


def test_what_is_not_declared_has_a_default() -> None:
    echo = declare()

    assert {
        key: getattr(echo, key)
        for key in (
            "capabilities",
            "model_options",
            "needs",
            "priority",
            "role",
            "settings",
            "strategy",
            "timeout_s",
        )
    } == {
        "capabilities": ("echo",),
        "model_options": ModelOptions(temperature=0.0, max_tokens=1024),
        "needs": (),
        "priority": 0,
        "role": None,
        "settings": NoSettings,
        "strategy": Strategy.NONE,
        "timeout_s": 600.0,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strategy", Strategy.FIM),
        ("role", Role.COMPLETION),
        ("model_options", ModelOptions(temperature=2.0, max_tokens=1)),
        ("priority", -3),
        ("timeout_s", 0.5),
        ("timeout_s", 3),
        ("needs", PARTS),
        ("settings", Tuned),
        ("request", Read | Write),
    ],
)
def test_what_is_declared_is_kept(field: str, value: object) -> None:
    assert getattr(declare(**{field: value}), field) == value


def test_an_engine_answers_to_its_own_name_first_and_to_what_it_declares() -> None:
    assert declare(capabilities=("say", "echo")).capabilities == ("echo", "say")


def test_a_subclass_answers_to_its_own_name_and_not_to_its_parents() -> None:
    class Louder(declare()):  # type: ignore[misc]  # a class made by a function
        """Say it louder."""

        name = "louder"

    assert Louder.capabilities == ("louder",)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": MISSING}, "needs a class attribute `name`"),
        ({"request": MISSING}, "needs a class attribute `request`"),
        ({"answer": MISSING}, "needs a class attribute `answer`"),
        ({"right": MISSING}, "needs a class attribute `right`"),
        ({"run": MISSING}, "needs `async def run(self, request, call)`"),
        ({"__doc__": MISSING}, "needs a docstring: its first sentence is the help of its command"),
        ({"__doc__": " "}, "needs a docstring: its first sentence is the help of its command"),
        ({"name": "Echo"}, "has the name 'Echo'; write lower-case letters, digits and `-`"),
        ({"name": ""}, "has the name ''; write lower-case letters, digits and `-`"),
        ({"name": "echo\n"}, "has the name 'echo\\n'; write lower-case letters, digits and `-`"),
        ({"name": None}, "has the name None; write lower-case letters, digits and `-`"),
        ({"request": "Ask"}, f"has the request 'Ask'; {STRUCTS}"),
        ({"request": dict}, f"has the request <class 'dict'>; {STRUCTS}"),
        (
            {"request": Read | None},
            f"has the request {Read | None!r}; {STRUCTS}",
        ),
        (
            {"request": Read | Untagged},
            f"has the request {Read | Untagged!r}; give each Struct of the union a `tag` of its own",
        ),
        ({"answer": "Said"}, "has the answer 'Said'; it must be a msgspec.Struct type"),
        ({"answer": Said("x")}, "has the answer Said(text='x'); it must be a msgspec.Struct type"),
        ({"settings": dict}, "has the settings <class 'dict'>; they must be a msgspec.Struct type"),
        (
            {"strategy": "fim"},
            "declares the unknown strategy 'fim'; write one of Strategy.NONE, Strategy.FIM, Strategy.RETRIEVAL, "
            "Strategy.LONG_WINDOW",
        ),
        (
            {"role": "chat"},
            "declares the unknown role 'chat'; write one of Role.COMPLETION, Role.CHAT, Role.EDIT, Role.PLAN, "
            "Role.EMBED or None",
        ),
        ({"uses": ("emacs",)}, "uses ('emacs',); write a tuple of 'git', 'ruff', 'sandbox'"),
        ({"needs": "analysis"}, "needs the parts 'analysis'; write a tuple of names such as ('workspace',)"),
        ({"needs": (3,)}, "needs the parts (3,); write a tuple of names such as ('workspace',)"),
        (
            {"needs": ("database",)},
            f"needs the unknown part 'database'; the parts are {', '.join(PARTS)}",
        ),
        (
            {"needs": ("workspaces",)},
            f"needs the unknown part 'workspaces'; did you mean 'workspace'?; the parts are {', '.join(PARTS)}",
        ),
        ({"capabilities": "say"}, "has the capabilities 'say'; write a tuple of names such as ('echo',)"),
        ({"capabilities": ("Say it",)}, "has the capabilities ('Say it',); write a tuple of names such as ('echo',)"),
        ({"priority": "high"}, "has the priority 'high'; it must be a whole number, 0 is the default"),
        ({"priority": 1.5}, "has the priority 1.5; it must be a whole number, 0 is the default"),
        ({"priority": True}, "has the priority True; it must be a whole number, 0 is the default"),
        ({"timeout_s": 0}, "has the time-out 0; it must be a positive number of seconds"),
        ({"timeout_s": -1.0}, "has the time-out -1.0; it must be a positive number of seconds"),
        ({"timeout_s": float("nan")}, "has the time-out nan; it must be a positive number of seconds"),
        ({"timeout_s": "60"}, "has the time-out '60'; it must be a positive number of seconds"),
        ({"timeout_s": True}, "has the time-out True; it must be a positive number of seconds"),
        (
            {"model_options": {"temperature": 1}},
            f"has the model options {{'temperature': 1}}; {MODEL}",
        ),
        (
            {"model_options": ModelOptions(temperature=2.1)},
            f"has the model options ModelOptions(temperature=2.1, max_tokens=1024); {MODEL}",
        ),
        (
            {"model_options": ModelOptions(max_tokens=0)},
            f"has the model options ModelOptions(temperature=0.0, max_tokens=0); {MODEL}",
        ),
        (
            {"run": _not_awaited},
            f"has a `run` that is not awaited; write `async def run`, {AWAITED}",
        ),
        (
            {"run": _yielding},
            f"has a `run` that is not awaited; write `async def run`, {AWAITED}",
        ),
        (
            {"health": lambda self: EngineHealth(ok=True)},
            f"has a `health` that is not awaited; write `async def health`, {AWAITED}",
        ),
    ],
)
def test_a_wrong_declaration_fails_when_the_class_is_made(changes: dict[str, object], wrong: str) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        declare(**changes)

    assert caught.value.message == f"the engine class plugin.Echo {wrong}"


def test_an_unknown_right_is_answered_with_all_there_are() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        declare(right="catalog.read")

    rights = ", ".join(f"Right.{right.name}" for right in Right)
    assert caught.value.message == (
        f"the engine class plugin.Echo declares the unknown right 'catalog.read'; write one of {rights}"
    )


def test_two_engines_of_one_name_are_a_conflict() -> None:
    registry: Registry[Engine[Any, Any]] = Registry("engine")
    registry.add(declare())

    with pytest.raises(Conflict, match=r"^two engines are called 'echo': plugin\.Echo and plugin\.Echo; rename one$"):
        registry.add(declare())


def test_an_engine_may_need_every_part_of_the_application_but_the_ground() -> None:
    assert tuple(part.name for part in app.PARTS if part.name not in {"database", "cluster"}) == PARTS


@pytest.mark.parametrize("name", sorted(engines.discover()))
def test_every_engine_of_ours_says_what_it_does_in_a_sentence(name: str) -> None:
    assert re.fullmatch(r"[A-Z].{10,100}\.", engines[name].about())


def test_the_first_sentence_of_the_docstring_is_one_line() -> None:
    assert declare(__doc__="\n    Say it\n    again.\n\n    More.\n").about() == "Say it again."


def test_an_engine_without_a_word_about_itself_accepts_every_request() -> None:
    assert declare().accepts(Ask("x")) is True


async def test_an_engine_without_a_word_about_its_health_is_well() -> None:
    assert await declare()().health() == EngineHealth(ok=True, detail="")


def test_an_engine_made_without_options_has_the_defaults() -> None:
    assert declare(settings=Tuned)().options == Tuned(top_k=5)


def test_a_request_of_the_right_type_is_taken_as_it_is() -> None:
    request = Ask("x")

    assert parse_request(declare(), request) is request


def test_a_request_is_made_from_builtins() -> None:
    assert parse_request(declare(), {"text": "x", "times": 2}) == Ask("x", 2)


def test_the_tag_says_which_request_of_a_union_is_meant() -> None:
    assert parse_request(declare(request=Read | Write), {"type": "write", "path": "p"}) == Write("p")


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ({}, "Object missing required field `text`"),
        ({"text": 1}, "Expected `str`, got `int` - at `$.text`"),
        ({"text": "x", "times": "2"}, "Expected `int`, got `str` - at `$.times`"),
        (None, "Expected `object`, got `null`"),
        ([], "Expected `object`, got `array`"),
        (Said("x"), "Expected `object`, got `Said`"),
    ],
)
def test_a_wrong_request_is_refused_with_its_place(raw: object, wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(declare(), raw)

    assert caught.value.message == f"the request for 'echo' is not valid: {wrong}"


def test_a_lone_surrogate_where_a_choice_is_expected_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'echo' is not valid: lone surrogates in a text"):
        parse_request(declare(request=Choice), {"kind": "\udcff"})


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    deep: dict[str, object] = {"kind": "a"}
    for _ in range(100_000):
        deep = {"kind": "a", "inner": [deep]}

    with pytest.raises(LimitExceeded, match="the request for 'echo' is nested too deeply"):
        parse_request(declare(request=Choice), deep)


@examples(max_examples=200)
@given(
    raw=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "inner", "path", "type"]) | st.text(), inner, max_size=4)
        ),
        max_leaves=10,
    ),
    request_type=st.sampled_from([Ask, Choice, Read | Write]),
)
def test_whatever_is_sent_is_parsed_or_refused(raw: object, request_type: type[Struct]) -> None:
    engine = declare(request=request_type)
    try:
        parsed = parse_request(engine, raw)
    except InvalidInput:
        return
    assert isinstance(parsed, request_type)


def test_settings_of_an_engine_are_made_from_its_table() -> None:
    assert engine_settings(declare(settings=Tuned), {"top-k": 7}) == Tuned(top_k=7)


def test_an_unknown_setting_of_an_engine_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidSettings) as caught:
        engine_settings(declare(settings=Tuned), {"topk": 7})

    assert caught.value.message == "there is no setting 'engines.echo.topk'; did you mean 'top-k'?"


def test_a_wrong_setting_of_an_engine_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidSettings) as caught:
        engine_settings(declare(settings=Tuned), {"top-k": "many"})

    assert caught.value.message == "[engines.echo]: Expected `int`, got `str` - at `$.top-k`"


def test_every_engine_of_ours_that_has_a_strategy_builds_by_it_what_a_model_is_told() -> None:
    engines.discover()
    own = [each for each in engines.values() if each.__module__.startswith("rubber_duck.engines.")]
    declared = {each.name for each in own if each.strategy is not Strategy.NONE}
    assert declared == {each.name for each in own if each.role is not None and "contexts" in each.needs}
    assert {"complete", "explain", "generate"} <= declared
