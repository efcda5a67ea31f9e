"""One deadline goes with a question through every wrapper to the wire: nothing begins after it or outlives it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from rubber_duck.egress import Door, Egress
from rubber_duck.errors import ProviderUnavailable, TimedOut
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.fallback import Fallback, Link
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.provider import Provider, Setup
from rubber_duck.llm.providers.scripted import Line, ScriptedProvider
from rubber_duck.llm.retrying import Patience, Retrying
from rubber_duck.llm.roles import Role
from rubber_duck.redaction import Redactor
from tests.fake_provider import Answer, Asked, Send, fake_provider, head, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
from tests.unit.llm.looptime import loop_time
from tests.unit.llm.wires import WIRES, connected

GOOD = WIRES["openai"].events(["fine"])


def over() -> Errand:
    """An errand whose deadline is now."""
    return Errand(asyncio.get_running_loop().time())


async def test_no_other_model_is_asked_after_the_deadline() -> None:
    late, well = ScriptedProvider([Line(failure=TimedOut("too slow"))]), ScriptedProvider([Line(("fine",))])
    chain = Fallback([Link("a", "script", late), Link("b", "script", well)], lambda link: None)
    with pytest.raises(TimedOut, match="no whole answer came in time; the last that went wrong: too slow"):
        async with aclosing(chain.stream("", QUESTION, over())) as pieces:
            await anext(pieces)
    assert well.asked.prompts == []


async def test_nobody_waits_for_a_try_that_would_begin_after_the_deadline() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    down = ScriptedProvider([Line(failure=ProviderUnavailable("down")), Line(("fine",))])
    patient = Retrying(down, "a", Patience(sleep, lambda: 0.5))
    with pytest.raises(ProviderUnavailable, match="down"):
        async with aclosing(patient.stream("script", QUESTION, over())) as pieces:
            await anext(pieces)
    assert slept == []


@pytest.mark.parametrize("wire", list(WIRES))
async def test_a_request_ends_with_its_errand(wire: str) -> None:
    stalls = asyncio.Event()
    with loop_time() as time:
        async with fake_provider(_stalling(stalls, head())) as fake:
            provider = connected(WIRES[wire], fake.url, timeout_s=300.0, silence_s=300.0)
            stream = provider.stream("m-1", QUESTION, Errand(asyncio.get_running_loop().time() + 100.0))
            asking = asyncio.ensure_future(anext(stream))
            await _settled(stalls)
            assert not asking.done()
            time.pass_by(101.0)
            with pytest.raises(TimedOut):
                await asking
            await stream.aclose()
            await provider.close()


async def test_of_models_that_are_known_already_no_second_one_is_asked_after_the_deadline(tmp_path: Path) -> None:
    stalls = asyncio.Event()
    with loop_time() as time:
        async with (
            fake_provider(_stalling(stalls)) as slow,
            fake_provider(sending(head(), *GOOD)) as well,
            llm_over(tmp_path, slow, well, silence_s=300.0) as llm,
        ):
            for _ in range(4):
                asking = asyncio.create_task(llm.write(SCOPE, Role.CHAT, QUESTION))
                await _settled(stalls)
                time.pass_by(61.0)
                with pytest.raises(TimedOut):
                    await asking
    assert (len(slow.asked), well.asked) == (4, [])


@pytest.mark.parametrize("wire", list(WIRES))
async def test_what_was_left_before_there_was_a_connection_took_nothing(wire: str) -> None:
    stalls, looked_up = asyncio.Event(), asyncio.Event()

    async def never(host: str, port: int) -> list[str]:
        looked_up.set()
        await asyncio.Event().wait()
        return []

    async with fake_provider(_stalling(stalls)) as fake:
        taken = []
        for resolve, event in ((never, looked_up), (None, stalls)):
            egress = Egress(Door(fake.url.replace("127.0.0.1", "localhost")), Redactor(), resolve)
            provider = WIRES[wire].kind.connect(Setup(egress, WIRES[wire].flavor))
            errand = Errand()
            asking = asyncio.ensure_future(anext(_patient(provider).stream("m-1", QUESTION, errand)))
            await _settled(event)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            taken.append(errand.taken("cancelled"))
            await provider.close()
    assert taken == [(Usage(0, 0), True), (Usage(0, 0), False)]


def _patient(provider: Provider) -> Retrying:
    return Retrying(provider, "a", Patience(asyncio.sleep, lambda: 0.5))


async def _settled(stalls: asyncio.Event) -> None:
    """Wait until the server stalls, and whoever asks waits for it."""
    await stalls.wait()
    stalls.clear()
    for _ in range(20):
        await asyncio.sleep(0)


def _stalling(stalls: asyncio.Event, *parts: bytes) -> Answer:
    async def answer(asked: Asked, send: Send) -> None:
        for part in parts:
            await send(part)
        stalls.set()
        await asked.closed.wait()

    return answer
