"""The roster opens an engine once, tries again later when that fails, asks how it is, and closes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import Struct

from rubber_duck.backoff import Backoff
from rubber_duck.engines.engine import EngineHealth
from rubber_duck.errors import InvalidSettings, Unavailable, UnknownName
from rubber_duck.llm.roles import Role
from rubber_duck.settings import Settings
from tests.fake_provider import fake_provider
from tests.models import connect
from tests.unit.engines.samples import Ask, Flaky, Said, ask, cancelled, crash, engine, failure, forever, roster


class Tuned(Struct, forbid_unknown_fields=True):
    """An engine's own settings."""

    top_k: int = 5


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def test_an_engine_gets_its_own_settings() -> None:
    seen: list[object] = []
    sample = engine(settings=Tuned)

    class Watching(sample):  # type: ignore[misc, valid-type]  # a class made by a function
        """Remembers its options."""

        name = "watching"

        async def open(self) -> None:
            """Look."""
            seen.append(self.options)

    await ask(roster(Watching, settings=Settings(engines={"watching": {"top_k": 9}})), Ask("x"), "watching")

    assert seen == [Tuned(top_k=9)]


def test_settings_for_an_engine_that_is_not_there_are_refused() -> None:
    with pytest.raises(UnknownName) as caught:
        roster(engine(), settings=Settings(engines={"smaple": {}}))

    assert caught.value.message == "there is no engine 'smaple' (in [engines] of duck.toml); did you mean 'sample'?"


async def test_wrong_settings_of_an_engine_are_said_when_it_is_asked() -> None:
    among = roster(engine(settings=Tuned), settings=Settings(engines={"sample": {"top_k": "many"}}))
    error = await failure(ask(among, Ask("x")))

    assert (type(error), error.message) == (
        InvalidSettings,
        "[engines.sample]: Expected `int`, got `str` - at `$.top_k`",
    )


async def test_an_engine_that_cannot_be_opened_is_unavailable_with_the_cause() -> None:
    error = await failure(ask(roster(engine(opening=Flaky(1))), Ask("x")))

    assert (type(error), error.message, repr(error.__cause__)) == (
        Unavailable,
        "the engine 'sample' could not be opened: the operating system refused: no device 1",
        "OSError('no device 1')",
    )


async def test_an_engine_that_cannot_be_made_is_unavailable() -> None:
    def broken(self: object, options: object) -> None:
        raise KeyError("gone")

    error = await failure(ask(roster(engine(__init__=broken)), Ask("x")))

    assert (type(error), error.message) == (
        Unavailable,
        "the engine 'sample' could not be opened: KeyError: 'gone'",
    )


async def test_an_engine_that_opens_too_slowly_is_unavailable() -> None:
    error = await failure(ask(roster(engine(opening=forever, timeout_s=0.01)), Ask("x")))

    assert (type(error), error.message) == (
        Unavailable,
        "the engine 'sample' could not be opened: the operation took longer than its time-out",
    )


async def test_until_the_wait_is_over_opening_is_not_tried_again() -> None:
    opening, clock = Flaky(1), Clock()
    among = roster(engine(opening=opening), clock=clock, backoff=Backoff(first_s=2.0))
    await failure(ask(among, Ask("x")))
    clock.now_s += 1.9
    error = await failure(ask(among, Ask("x")))

    assert (type(error), error.message, opening.tried) == (
        Unavailable,
        "the engine 'sample' could not be opened: the operating system refused: no device 1; try again in a moment",
        1,
    )


async def test_after_the_wait_opening_is_tried_again() -> None:
    opening, clock = Flaky(1), Clock()
    among = roster(engine(opening=opening), clock=clock, backoff=Backoff(first_s=2.0))
    await failure(ask(among, Ask("x")))
    clock.now_s += 2.0

    assert (await ask(among, Ask("x")), opening.tried) == (Said("x"), 2)


async def test_the_wait_grows_with_each_failure() -> None:
    opening, clock = Flaky(9), Clock()
    among = roster(engine(opening=opening), clock=clock, backoff=Backoff(first_s=1.0, cap_s=4.0))
    tried: list[int] = []
    for _ in range(12):
        await failure(ask(among, Ask("x")))
        tried.append(opening.tried)
        clock.now_s += 1.0

    assert tried == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5]


async def test_while_one_engine_opens_another_answers() -> None:
    among = roster(engine("stuck", opening=forever), engine("free"))
    stuck = asyncio.create_task(ask(among, Ask("x"), "stuck"))
    answer = await ask(among, Ask("x"), "free")
    stuck.cancel()
    await asyncio.wait([stuck])

    assert answer == Said("x")


async def test_an_opening_that_was_cancelled_is_begun_anew_by_the_next_request() -> None:
    tried: list[int] = []
    started = asyncio.Event()

    async def once_slow() -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            started.set()
            await forever()

    among = roster(engine(opening=once_slow))
    first = asyncio.create_task(ask(among, Ask("x")))
    await started.wait()
    second = asyncio.create_task(ask(among, Ask("y")))
    first.cancel()
    await asyncio.wait([first])

    assert (await second, tried) == (Said("y"), [0, 1])


async def test_an_engine_that_was_never_used_is_well() -> None:
    assert await roster(engine()).health() == {"sample": EngineHealth(ok=True, detail="not used yet")}


async def test_an_open_engine_is_asked_how_it_is() -> None:
    async def poorly() -> EngineHealth:
        return EngineHealth(ok=False, detail="no model")

    among = roster(engine(healthy=poorly))
    await ask(among, Ask("x"))

    assert await among.health() == {"sample": EngineHealth(ok=False, detail="no model")}


async def test_an_engine_that_could_not_be_opened_is_unwell_until_it_is_open() -> None:
    clock = Clock()
    among = roster(engine(opening=Flaky(1)), clock=clock, backoff=Backoff(first_s=1.0))
    await failure(ask(among, Ask("x")))
    before = await among.health()
    clock.now_s += 1.0
    await ask(among, Ask("x"))

    assert [before, await among.health()] == [
        {"sample": EngineHealth(ok=False, detail="the operating system refused: no device 1")},
        {"sample": EngineHealth(ok=True)},
    ]


@pytest.mark.parametrize(
    ("checking", "detail"),
    [
        (crash, "KeyError: 'gone'"),
        (forever, "the health check took longer than 0.01 s"),
        (cancelled, "the engine 'broken' failed: something it waited for was cancelled"),
    ],
)
async def test_a_broken_health_check_is_an_unwell_engine_and_hides_no_other(checking: object, detail: str) -> None:
    among = roster(engine("broken", healthy=checking), engine("well"), health_timeout_s=0.01)
    await ask(among, Ask("x"), "broken")
    await ask(among, Ask("x"), "well")

    assert await among.health() == {
        "broken": EngineHealth(ok=False, detail=detail),
        "well": EngineHealth(ok=True),
    }


async def test_a_health_check_that_answers_something_else_is_an_unwell_engine() -> None:
    async def vague() -> str:
        return "fine"

    among = roster(engine(healthy=vague))
    await ask(among, Ask("x"))

    assert await among.health() == {
        "sample": EngineHealth(ok=False, detail="the health check answered a str, not an EngineHealth")
    }


async def test_opening_all_asks_every_engine_how_it_is_and_raises_nothing() -> None:
    async def poorly() -> EngineHealth:
        return EngineHealth(ok=False, detail="no model")

    among = roster(
        engine("well"),
        engine("unwell", healthy=poorly),
        engine("shut", opening=Flaky(1)),
        engine("slow", opening=forever),
        engine("wrong"),
        settings=Settings(engines={"wrong": {"x": 1}}),
    )

    assert await among.open_all(timeout_s=0.01) == {
        "well": EngineHealth(ok=True),
        "unwell": EngineHealth(ok=False, detail="no model"),
        "shut": EngineHealth(ok=False, detail="the operating system refused: no device 1"),
        "slow": EngineHealth(ok=False, detail="opening it took longer than 0.01 s"),
        "wrong": EngineHealth(ok=False, detail="there is no setting 'engines.wrong.x'"),
    }


async def test_closing_closes_what_was_opened_last_first_and_what_was_not_opened_never() -> None:
    closed: list[str] = []

    def closing(name: str) -> object:
        async def close() -> None:
            closed.append(name)

        return close

    among = roster(*(engine(name, closing=closing(name)) for name in ("a", "b", "unused")))
    await ask(among, Ask("x"), "a")
    await ask(among, Ask("x"), "b")
    await among.close()

    assert closed == ["b", "a"]


async def test_every_engine_is_closed_even_when_closing_one_fails() -> None:
    closed: list[str] = []

    async def close() -> None:
        closed.append("a")

    among = roster(engine("a", closing=close), engine("b", closing=crash))
    await ask(among, Ask("x"), "a")
    await ask(among, Ask("x"), "b")
    error = await failure(among.close())

    assert (error.message, closed) == ("KeyError: 'gone'", ["a"])


async def test_an_engine_says_what_it_declared_to_use_and_is_not_there(tmp_path: Path) -> None:
    asking = engine("asking", role=Role.EDIT, uses=("git",))
    among = roster(asking, engine("other"), settings=Settings(home=str(tmp_path)))
    health = await among.health()
    assert (health["other"].lacks, health["asking"].ok) == ((), True)
    (why,) = health["asking"].lacks
    assert why.startswith("no model is there for 'edit': `duck llm connect`")
    async with fake_provider() as fake:
        connect(tmp_path, fake)
        assert (await among.health())["asking"].lacks == ()
