"""The roster picks the engine for a request, lets it answer, and contains whatever it does wrong."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager

import pytest
from msgspec import Struct

from rubber_duck import telemetry
from rubber_duck.call import Call, Delta, Parts, Progress
from rubber_duck.engines.roster import AnyEngine, Roster
from rubber_duck.errors import (
    Denied,
    EngineFailed,
    InvalidInput,
    InvalidSettings,
    NotFound,
    TimedOut,
    UnknownName,
)
from rubber_duck.registry import Registry
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from tests.unit.engines.samples import (
    NOBODY,
    Ask,
    Flaky,
    Said,
    ask,
    cancelled,
    crash,
    echo,
    engine,
    failure,
    forever,
    roster,
    scope,
)


class Shout(Struct):
    """Another request."""

    loud: str


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


async def test_of_the_engines_that_accept_the_highest_priority_is_picked() -> None:
    usual = engine("usual", capabilities=("say",))
    special = engine("special", capabilities=("say",), priority=1, accepting=lambda request: request.times > 9)
    among = roster(usual, special)

    assert [(await among.pick(scope(), "say", Ask("x", times)))[0] for times in (1, 10)] == [usual, special]


async def test_an_engine_that_cannot_read_the_request_leaves_it_to_the_next() -> None:
    shouting = engine("shouting", capabilities=("say",), priority=1, request=Shout)
    usual = engine("usual", capabilities=("say",))

    assert await roster(shouting, usual).pick(scope(), "say", {"text": "x"}) == (usual, Ask("x"))


async def test_a_request_that_no_engine_can_read_is_refused_in_the_words_of_the_best() -> None:
    best = engine("best", capabilities=("say",), priority=1)
    other = engine("other", capabilities=("say",), request=Shout)

    with pytest.raises(InvalidInput) as caught:
        await roster(best, other).pick(scope(), "say", {})

    assert caught.value.message == ("the request for 'best' is not valid: Object missing required field `text`")


async def test_a_request_that_no_engine_accepts_is_refused() -> None:
    among = roster(engine(accepting=lambda request: False))

    with pytest.raises(InvalidInput, match="no engine that answers to 'sample' accepts this request"):
        await among.pick(scope(), "sample", Ask("x"))


def test_a_name_that_nobody_answers_to_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^there is no engine 'smaple'; did you mean 'sample'\?$"):
        roster(engine()).answering("smaple")


def test_engines_registered_later_are_found() -> None:
    registry: Registry[AnyEngine] = Registry("engine")
    among = Roster(registry, Settings())
    late = registry.add(engine("late"))

    assert among.answering("late") == [late]


async def test_without_the_right_nothing_is_parsed() -> None:
    parsed: list[Ask] = []

    def accepting(request: Ask) -> bool:
        parsed.append(request)
        return True

    among = roster(engine(accepting=accepting))

    with pytest.raises(Denied, match=r"^'Bob' may not do this: the right 'catalog.read' is missing$"):
        await among.pick(NOBODY, "sample", {"no": "request at all"})

    assert parsed == []


async def test_without_the_right_nothing_is_opened() -> None:
    opening = Flaky(0)
    sample = engine(opening=opening)
    among = roster(sample)

    with pytest.raises(Denied):
        await among.run(sample, Ask("x"), Call(NOBODY, Parts(Settings())))

    assert opening.tried == 0


async def test_an_engine_whose_right_is_missing_leaves_the_request_to_one_that_is_allowed() -> None:
    writer = engine("writer", capabilities=("say",), priority=1, right=Right.FILE_WRITE)
    reader = engine("reader", capabilities=("say",), right=Right.FILE_READ)

    assert (await roster(writer, reader).pick(scope(Right.FILE_READ), "say", Ask("x")))[0] is reader


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
    error = await failure(ask(roster(engine(answering=crash)), Ask("x")))

    shown = "".join(traceback.format_exception(error))
    assert (type(error), error.message, repr(error.__cause__), "in crash" in shown) == (
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
    error = await failure(ask(roster(engine(answering=cancelled)), Ask("x")))

    assert (type(error), error.message) == (
        EngineFailed,
        "the engine 'sample' failed: something it waited for was cancelled",
    )


async def test_an_exception_while_asking_what_an_engine_accepts_is_its_failure() -> None:
    def broken(request: Ask) -> bool:
        raise KeyError("gone")

    with pytest.raises(EngineFailed, match=r"^the engine 'sample' failed: KeyError: 'gone'$"):
        await roster(engine(accepting=broken)).pick(scope(), "sample", Ask("x"))


def _heard_passing_over(events: list[dict[str, object]]) -> AbstractContextManager[None]:
    """Collects the fields of `engine.passed_over`."""

    def listener(name: str, fields: Mapping[str, object]) -> None:
        if name == "engine.passed_over":
            events.append(dict(fields))

    return telemetry.listening(listener)


async def test_an_engine_that_cannot_be_opened_leaves_the_request_to_the_next_and_this_is_told() -> None:
    events: list[dict[str, object]] = []
    best = engine("best", capabilities=("say",), priority=1, opening=Flaky(1))
    with _heard_passing_over(events):
        answer = await ask(roster(best, engine("usual", capabilities=("say",))), Ask("x"), "say")

    assert (answer, events) == (
        Said("x"),
        [
            {
                "engine": "best",
                "by": "usual",
                "error": "the engine 'best' could not be opened: the operating system refused: no device 1",
            }
        ],
    )


async def test_an_engine_that_fails_at_saying_what_it_accepts_leaves_the_request_to_the_next() -> None:
    events: list[dict[str, object]] = []

    def broken(request: Ask) -> bool:
        raise KeyError("gone")

    best = engine("best", capabilities=("say",), priority=1, accepting=broken)
    with _heard_passing_over(events):
        answer = await ask(roster(best, engine("usual", capabilities=("say",))), Ask("x"), "say")

    assert (answer, [each["error"] for each in events]) == (Said("x"), ["the engine 'best' failed: KeyError: 'gone'"])


async def test_an_engine_that_cannot_read_the_request_is_not_told_to_have_been_passed_over() -> None:
    events: list[dict[str, object]] = []
    shouting = engine("shouting", capabilities=("say",), priority=1, request=Shout)
    with _heard_passing_over(events):
        await ask(roster(shouting, engine("usual", capabilities=("say",))), {"text": "x"}, "say")

    assert events == []


async def test_a_mistake_in_the_settings_of_the_best_engine_is_said_and_not_worked_around() -> None:
    best = engine("best", capabilities=("say",), priority=1)
    among = roster(best, engine("usual", capabilities=("say",)), settings=Settings(engines={"best": {"x": 1}}))
    error = await failure(ask(among, Ask("x"), "say"))

    assert (type(error), error.message) == (InvalidSettings, "there is no setting 'engines.best.x'")


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
        await failure(ask(roster(engine(answering=crash)), Ask("x")))

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
