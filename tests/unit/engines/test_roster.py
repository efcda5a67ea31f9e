"""The roster picks the engine for a request, opens it once, lets it answer, and contains whatever it does wrong."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping

import pytest
from msgspec import Struct

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.call import Call, Delta, Parts, Progress
from rubber_duck.engines.engine import EngineHealth
from rubber_duck.engines.roster import AnyEngine, Roster
from rubber_duck.errors import (
    Denied,
    EngineFailed,
    InvalidInput,
    InvalidSettings,
    NotFound,
    TimedOut,
    Unavailable,
    UnknownName,
)
from rubber_duck.registry import Registry
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from tests.unit.engines.samples import NOBODY, Ask, Said, ask, echo, engine, failure, forever, roster, scope


class Tuned(Struct, forbid_unknown_fields=True):
    """An engine's own settings."""

    top_k: int = 5


class Shout(Struct):
    """Another request."""

    loud: str


async def _crash(*ignored: object) -> Said:
    raise KeyError("gone")


async def _cancelled(*ignored: object) -> Said:
    waited = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited
    raise AssertionError("the future was cancelled")


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Flaky:
    """Opening that fails so often before it works, and counts how often it was tried."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tried = 0

    async def __call__(self) -> None:
        self.tried += 1
        if self.tried <= self.failures:
            raise OSError(f"no device {self.tried}")


async def test_the_engine_answers() -> None:
    assert await ask(roster(engine()), {"text": "ab", "times": 2}) == Said("abab")


async def test_what_the_engine_says_meanwhile_comes_in_order() -> None:
    async def talk(request: Ask, call: Call) -> Said:
        call.emit(Progress(1, 2, "half"))
        call.emit(Delta("a"))
        call.emit(Delta("b"))
        return Said("ab")

    said: list[Delta | Progress] = []
    await ask(roster(engine(answering=talk)), Ask("x"), emit=said.append)

    assert said == [Progress(1, 2, "half"), Delta("a"), Delta("b")]


def test_the_highest_priority_comes_first_then_the_name() -> None:
    classes = [
        engine("low", capabilities=("say",), priority=-1),
        engine("zebra", capabilities=("say",), priority=5),
        engine("antelope", capabilities=("say",), priority=5),
        engine("other", priority=9),
    ]

    assert [each.name for each in roster(*classes).answering("say")] == ["antelope", "zebra", "low"]


def test_of_the_engines_that_accept_the_highest_priority_is_picked() -> None:
    usual = engine("usual", capabilities=("say",))
    special = engine("special", capabilities=("say",), priority=1, accepting=lambda request: request.times > 9)
    among = roster(usual, special)

    assert [among.pick(scope(), "say", Ask("x", times))[0] for times in (1, 10)] == [usual, special]


def test_an_engine_that_cannot_read_the_request_leaves_it_to_the_next() -> None:
    shouting = engine("shouting", capabilities=("say",), priority=1, request=Shout)
    usual = engine("usual", capabilities=("say",))

    assert roster(shouting, usual).pick(scope(), "say", {"text": "x"}) == (usual, Ask("x"))


def test_a_request_that_no_engine_can_read_is_refused_in_the_words_of_the_best() -> None:
    best = engine("best", capabilities=("say",), priority=1)
    other = engine("other", capabilities=("say",), request=Shout)

    with pytest.raises(InvalidInput) as caught:
        roster(best, other).pick(scope(), "say", {})

    assert caught.value.message == ("the request for 'best' is not valid: Object missing required field `text`")


def test_a_request_that_no_engine_accepts_is_refused() -> None:
    among = roster(engine(accepting=lambda request: False))

    with pytest.raises(InvalidInput, match="no engine that answers to 'sample' accepts this request"):
        among.pick(scope(), "sample", Ask("x"))


def test_a_name_that_nobody_answers_to_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^there is no engine 'smaple'; did you mean 'sample'\?$"):
        roster(engine()).answering("smaple")


def test_engines_registered_later_are_found() -> None:
    registry: Registry[AnyEngine] = Registry("engine")
    among = Roster(registry, Settings())
    late = registry.add(engine("late"))

    assert among.answering("late") == [late]


def test_without_the_right_nothing_is_parsed() -> None:
    parsed: list[Ask] = []

    def accepting(request: Ask) -> bool:
        parsed.append(request)
        return True

    among = roster(engine(accepting=accepting))

    with pytest.raises(Denied, match=r"^'Bob' may not do this: the right 'catalog.read' is missing$"):
        among.pick(NOBODY, "sample", {"no": "request at all"})

    assert parsed == []


async def test_without_the_right_nothing_is_opened() -> None:
    opening = Flaky(0)
    sample = engine(opening=opening)
    among = roster(sample)

    with pytest.raises(Denied):
        await among.run(sample, Ask("x"), Call(NOBODY, Parts(Settings())))

    assert opening.tried == 0


def test_an_engine_whose_right_is_missing_leaves_the_request_to_one_that_is_allowed() -> None:
    writer = engine("writer", capabilities=("say",), priority=1, right=Right.FILE_WRITE)
    reader = engine("reader", capabilities=("say",), right=Right.FILE_READ)

    assert roster(writer, reader).pick(scope(Right.FILE_READ), "say", Ask("x"))[0] is reader


async def test_an_engine_that_takes_too_long_is_timed_out_and_cancelled() -> None:
    ended: list[str] = []

    async def slow(request: Ask, call: Call) -> Said:
        try:
            await forever()
        finally:
            ended.append("cancelled")
        return Said("never")

    error = await failure(ask(roster(engine(answering=slow, timeout_s=0.01)), Ask("x")))

    assert (type(error), error.message, ended) == (
        TimedOut,
        "the engine 'sample' did not answer within 0.01 s",
        ["cancelled"],
    )


async def test_a_time_out_inside_an_engine_is_a_failure_of_the_engine() -> None:
    async def impatient(request: Ask, call: Call) -> Said:
        raise TimeoutError("the disk")

    error = await failure(ask(roster(engine(answering=impatient)), Ask("x")))

    assert (type(error), error.message) == (EngineFailed, "the engine 'sample' failed: TimeoutError: the disk")


async def test_an_exception_of_an_engine_is_its_failure_with_cause_and_traceback() -> None:
    error = await failure(ask(roster(engine(answering=_crash)), Ask("x")))

    shown = "".join(traceback.format_exception(error))
    assert (type(error), error.message, repr(error.__cause__), "in _crash" in shown) == (
        EngineFailed,
        "the engine 'sample' failed: KeyError: 'gone'",
        "KeyError('gone')",
        True,
    )


async def test_what_an_engine_says_of_the_tree_of_errors_is_passed_on() -> None:
    said = NotFound("there is no project 'p'")

    async def refuse(request: Ask, call: Call) -> Said:
        raise said

    assert await failure(ask(roster(engine(answering=refuse)), Ask("x"))) is said


async def test_an_answer_of_the_wrong_type_is_a_failure_of_the_engine() -> None:
    async def babble(request: Ask, call: Call) -> Ask:
        return request

    error = await failure(ask(roster(engine(answering=babble)), Ask("x")))

    assert (type(error), error.message) == (EngineFailed, "the engine 'sample' answered a Ask, it declares Said")


async def test_an_engine_whose_own_wait_was_cancelled_has_failed() -> None:
    error = await failure(ask(roster(engine(answering=_cancelled)), Ask("x")))

    assert (type(error), error.message) == (
        EngineFailed,
        "the engine 'sample' failed: something it waited for was cancelled",
    )


def test_an_exception_while_asking_what_an_engine_accepts_is_its_failure() -> None:
    def broken(request: Ask) -> bool:
        raise KeyError("gone")

    with pytest.raises(EngineFailed, match=r"^the engine 'sample' failed: KeyError: 'gone'$"):
        roster(engine(accepting=broken)).pick(scope(), "sample", Ask("x"))


async def test_being_cancelled_reaches_the_engine_and_goes_on_to_the_asker() -> None:
    started, ended = asyncio.Event(), list[str]()

    async def work(request: Ask, call: Call) -> Said:
        started.set()
        try:
            await forever()
        finally:
            ended.append("cleaned up")
        return Said("never")

    task = asyncio.create_task(ask(roster(engine(answering=work)), Ask("x")))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended == ["cleaned up"]


async def test_fifty_requests_at_once_are_answered_by_one_instance_opened_once() -> None:
    everybody, opening = asyncio.Barrier(50), Flaky(0)

    async def together(request: Ask, call: Call) -> Said:
        await everybody.wait()
        return await echo(request, call)

    among = roster(engine(answering=together, opening=opening))
    answers = await asyncio.gather(*(ask(among, Ask(f"{number};", 2)) for number in range(50)))

    assert (answers, opening.tried) == ([Said(f"{number};{number};") for number in range(50)], 1)


async def test_the_failure_of_one_request_does_not_touch_the_others() -> None:
    async def odd(request: Ask, call: Call) -> Said:
        if request.times % 2:
            raise KeyError(request.times)
        return await echo(request, call)

    among = roster(engine(answering=odd))
    outcomes = await asyncio.gather(*(ask(among, Ask("x", times)) for times in range(4)), return_exceptions=True)

    assert [outcome if isinstance(outcome, Said) else type(outcome) for outcome in outcomes] == [
        Said(""),
        EngineFailed,
        Said("xx"),
        EngineFailed,
    ]


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

    assert caught.value.message == ("there is no engine 'smaple'; did you mean 'sample'? (in [engines] of duck.toml)")


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
        (_crash, "KeyError: 'gone'"),
        (forever, "the health check took longer than 0.01 s"),
        (_cancelled, "the engine 'broken' failed: something it waited for was cancelled"),
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

    among = roster(engine("a", closing=close), engine("b", closing=_crash))
    await ask(among, Ask("x"), "a")
    await ask(among, Ask("x"), "b")
    error = await failure(among.close())

    assert (error.message, closed) == ("KeyError: 'gone'", ["a"])


def _without_times(name: str, fields: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    return name, {key: value for key, value in fields.items() if key != "duration_ms"}


async def test_a_run_is_told_in_events_a_span_and_a_counter() -> None:
    recorder, events = telemetry.MemoryRecorder(), list[tuple[str, dict[str, object]]]()
    with (
        telemetry.recording(recorder),
        telemetry.listening(lambda name, fields: events.append(_without_times(name, fields))),
    ):
        await ask(roster(engine()), Ask("x"))

    assert (events, recorder) == (
        [("engine.started", {"engine": "sample"}), ("engine.finished", {"engine": "sample"})],
        telemetry.MemoryRecorder([("engine.run", {"engine": "sample"})], {"engine.runs": 1}),
    )


async def test_a_failed_run_is_told_with_the_code_and_the_message() -> None:
    events: list[tuple[str, dict[str, object]]] = []
    with telemetry.listening(lambda name, fields: events.append(_without_times(name, fields))):
        await failure(ask(roster(engine(answering=_crash)), Ask("x")))

    assert events == [
        ("engine.started", {"engine": "sample"}),
        (
            "engine.failed",
            {
                "engine": "sample",
                "code": "engine_failed",
                "error": "the engine 'sample' failed: KeyError: 'gone'",
            },
        ),
    ]
