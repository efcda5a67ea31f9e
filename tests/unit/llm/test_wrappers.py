"""Wrappers of providers: retries, the breaker, and the chain of models."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from rubber_duck.errors import (
    BadAnswer,
    DuckError,
    InvalidInput,
    LimitExceeded,
    NotConfigured,
    NotOffered,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    TimedOut,
)
from rubber_duck.llm.breaker import Breaker, Thresholds
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.fallback import Fallback, Link
from rubber_duck.llm.messages import Message, Piece, Prompt, Role, TextDelta
from rubber_duck.llm.provider import Provider
from rubber_duck.llm.providers.scripted import Line, ScriptedProvider
from rubber_duck.llm.retrying import Patience, Retrying

QUESTION = Prompt((Message(Role.USER, "How are you?"),))


@dataclass(slots=True)
class Time:
    """A clock that goes on when somebody sleeps by it."""

    now_s: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


async def heard(provider: Provider) -> list[Piece]:
    async with aclosing(provider.stream("script", QUESTION, Errand())) as pieces:
        return [piece async for piece in pieces]


async def text(provider: Provider) -> str:
    return "".join(piece.text for piece in await heard(provider) if isinstance(piece, TextDelta))


def failing(error: DuckError, *pieces: str) -> Line:
    return Line(pieces, failure=error)


def patient(time: Time, *lines: Line, retries: int = 2) -> Retrying:
    return Retrying(ScriptedProvider(lines), "a", Patience(time.sleep, lambda: 0.5, retries))


async def test_what_did_not_begin_is_asked_again_later_each_time() -> None:
    time = Time()
    down = failing(ProviderUnavailable("down"))
    assert await text(patient(time, down, down, Line(("fine",)))) == "fine"
    assert time.slept == [0.25, 0.5]


async def test_retries_end() -> None:
    time = Time()
    with pytest.raises(ProviderUnavailable, match="third"):
        await heard(patient(time, *(failing(ProviderUnavailable(each)) for each in ("first", "second", "third"))))


async def test_a_provider_is_left_alone_for_as_long_as_it_says() -> None:
    time = Time()
    assert await text(patient(time, failing(RateLimited("busy", 7.0)), Line(("fine",)))) == "fine"
    assert time.slept == [7.25]


async def test_one_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    time = Time()
    with pytest.raises(RateLimited):
        await heard(patient(time, failing(RateLimited("busy", 3600.0)), Line(("fine",))))
    assert time.slept == []


@pytest.mark.parametrize("error", [ProviderRejected("no"), InvalidInput("no"), LimitExceeded("no"), TimedOut("no")])
async def test_what_would_fail_again_is_not_asked_again(error: DuckError) -> None:
    time = Time()
    with pytest.raises(type(error)):
        await heard(patient(time, failing(error), Line(("fine",))))
    assert time.slept == []


async def test_nothing_is_asked_again_after_the_first_piece() -> None:
    time = Time()
    with pytest.raises(BadAnswer):
        await heard(patient(time, failing(BadAnswer("broken"), "half"), Line(("fine",))))
    assert time.slept == []


def state_of(breaker: Breaker) -> str:
    return breaker.state.value


def breaking(time: Time, *lines: Line) -> tuple[Breaker, ScriptedProvider]:
    scripted = ScriptedProvider(lines)
    return Breaker(scripted, "a", Thresholds(failures=2, successes=2, open_s=10.0), time), scripted


async def test_a_provider_that_keeps_failing_is_left_alone_and_tried_again_later() -> None:
    time = Time()
    down = failing(ProviderUnavailable("down"))
    breaker, scripted = breaking(time, down, down, Line(("one",)), Line(("two",)))
    for _ in range(2):
        with pytest.raises(ProviderUnavailable, match="down"):
            await heard(breaker)
    assert state_of(breaker) == "open"
    with pytest.raises(ProviderUnavailable, match="left alone"):
        await heard(breaker)
    assert len(scripted.asked.prompts) == 2

    time.now_s = 10.0
    assert state_of(breaker) == "half_open"
    assert await text(breaker) == "one"
    assert state_of(breaker) == "half_open"
    assert await text(breaker) == "two"
    assert state_of(breaker) == "closed"


async def test_a_failure_while_it_is_tried_opens_it_again() -> None:
    time = Time()
    breaker, _ = breaking(time, *[failing(ProviderUnavailable("down"))] * 3)
    for moment in (0.0, 0.0, 10.0):
        time.now_s = moment
        with pytest.raises(ProviderUnavailable):
            await heard(breaker)
    assert state_of(breaker) == "open"


async def test_only_one_question_tries_it() -> None:
    time = Time()
    hold = asyncio.Event()
    down = failing(ProviderUnavailable("down"))
    breaker, _ = breaking(time, down, down, Line(("one",), hold=hold))
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await heard(breaker)
    time.now_s = 10.0
    first = asyncio.create_task(text(breaker))
    await asyncio.sleep(0)
    with pytest.raises(ProviderUnavailable, match="left alone"):
        await heard(breaker)
    hold.set()
    assert await first == "one"


async def test_what_was_asked_before_it_opened_neither_closes_it_nor_keeps_it_open() -> None:
    time, hold = Time(), asyncio.Event()
    down = failing(ProviderUnavailable("down"))
    well, ill = Line(("well",), hold=hold), Line(("half",), hold=hold, failure=ProviderUnavailable("late"))
    breaker, _ = breaking(time, well, well, ill, down, down)
    earlier = [asyncio.create_task(text(breaker)) for _ in range(3)]
    await asyncio.sleep(0)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await heard(breaker)
    time.now_s = 5.0
    hold.set()
    said = await asyncio.gather(*earlier, return_exceptions=True)
    assert (said[:2], breaker.last_error, state_of(breaker)) == (["well", "well"], "down", "open")
    time.now_s = 10.0
    assert state_of(breaker) == "half_open"


async def test_one_who_leaves_while_trying_it_makes_room_for_the_next() -> None:
    time = Time()
    down = failing(ProviderUnavailable("down"))
    breaker, _ = breaking(time, down, down, Line(("one", "more")), Line(("two",)))
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await heard(breaker)
    time.now_s = 10.0
    async with aclosing(breaker.stream("script", QUESTION, Errand())) as pieces:
        await anext(pieces)
    assert await text(breaker) == "two"


@pytest.mark.parametrize("error", [InvalidInput("no"), LimitExceeded("no"), ProviderRejected("no")])
async def test_what_is_the_questions_fault_does_not_count(error: DuckError) -> None:
    breaker, _ = breaking(Time(), *[failing(error)] * 3)
    for _ in range(3):
        with pytest.raises(type(error)):
            await heard(breaker)
    assert state_of(breaker) == "closed"


def chain(*lines: Line) -> tuple[Fallback, list[str]]:
    chosen: list[str] = []
    links = [Link(str(number), "script", ScriptedProvider([line])) for number, line in enumerate(lines)]
    return Fallback(links, lambda link: chosen.append(link.label)), chosen


async def test_the_next_model_answers_when_one_does_not_begin() -> None:
    fallback, chosen = chain(failing(ProviderUnavailable("down")), failing(TimedOut("slow")), Line(("fine",)))
    assert await text(fallback) == "fine"
    assert chosen == ["0/script", "1/script", "2/script"]


async def test_fallback_is_not_tried_after_the_first_piece() -> None:
    fallback, chosen = chain(failing(ProviderUnavailable("down"), "half"), Line(("fine",)))
    with pytest.raises(ProviderUnavailable):
        await heard(fallback)
    assert chosen == ["0/script"]


async def test_a_wrong_question_is_not_passed_on() -> None:
    fallback, chosen = chain(failing(InvalidInput("what?")), Line(("fine",)))
    with pytest.raises(InvalidInput):
        await heard(fallback)
    assert chosen == ["0/script"]


async def test_a_model_that_does_not_do_what_is_asked_is_passed_over() -> None:
    fallback, chosen = chain(failing(NotOffered("fills no gaps")), Line(("fine",)))
    assert await text(fallback) == "fine"
    assert chosen == ["0/script", "1/script"]


async def test_vectors_come_from_the_first_model_alone() -> None:
    links = [Link("a", "absent", ScriptedProvider()), Link("b", "words", ScriptedProvider())]
    with pytest.raises(DuckError):
        await Fallback(links, lambda link: None).embed("", ["x"], Errand())


def test_a_chain_has_at_least_one_model() -> None:
    with pytest.raises(NotConfigured, match="duck llm connect"):
        Fallback([], lambda link: None)


async def test_wrappers_compose_and_a_stream_that_is_left_is_closed_through_all_of_them() -> None:
    time = Time()
    scripted = ScriptedProvider([Line(("one", "two"))])
    way = Breaker(Retrying(scripted, "a", Patience(time.sleep, lambda: 0.0)), "a", Thresholds(), time)
    async with aclosing(
        Fallback([Link("a", "script", way)], lambda link: None).stream("", QUESTION, Errand())
    ) as pieces:
        assert await anext(pieces) == TextDelta("one")
    assert scripted.asked.closed_early == 1
