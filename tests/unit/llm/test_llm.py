"""The front of llm over servers on this machine: chains, deadlines, faults that stay contained."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from rubber_duck.app import open_app
from rubber_duck.errors import Denied, LimitExceeded, NotConfigured, TimedOut
from rubber_duck.llm.llm import Clocks, open_llm
from rubber_duck.llm.messages import Finished, Gap, Message, Prompt, TextDelta
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.settings.models import LimitSettings
from tests.fake_provider import Answer, Asked, Send, event, fake_provider, head, saying, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
from tests.unit.llm.looptime import loop_time
from tests.unit.llm.wires import WIRES

GOOD = WIRES["openai"].events(["fine"])


async def test_an_answer_comes_from_the_first_model_of_the_role(tmp_path: Path) -> None:
    async with fake_provider(sending(head(), *GOOD)) as fake, llm_over(tmp_path, fake) as llm:
        answer = await llm.write(SCOPE, Role.CHAT, QUESTION)
    assert (answer.text, answer.model) == ("fine", "p0/qwen-m")
    assert fake.asked[0].headers["authorization"] == "Bearer only-a-test-0"


async def test_the_next_model_answers_and_is_named_and_each_gets_its_own_key(tmp_path: Path) -> None:
    async with (
        fake_provider(saying({}, 503)) as down,
        fake_provider(sending(head(), *GOOD)) as fake,
        llm_over(tmp_path, down, fake) as llm,
    ):
        answer = await llm.write(SCOPE, Role.CHAT, QUESTION)
    assert (answer.text, answer.model) == ("fine", "p1/qwen-m")
    assert len(down.asked) == 2
    assert {each.headers["authorization"] for each in down.asked} == {"Bearer only-a-test-0"}
    assert {each.headers["authorization"] for each in fake.asked} == {"Bearer only-a-test-1"}


async def test_a_gap_is_filled_and_texts_become_vectors(tmp_path: Path) -> None:
    filled = sending(head(), event({"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}))
    vectors = saying({"data": [{"index": 0, "embedding": [0.0, 1.0]}]})
    async with fake_provider(filled, vectors) as fake, llm_over(tmp_path, fake) as llm:
        assert (await llm.fill(SCOPE, Gap("a", "b"))).text == "x"
        assert (await llm.embed(SCOPE, ["one"])).vectors == ((0.0, 1.0),)


async def test_a_gap_goes_past_models_that_fill_none(tmp_path: Path) -> None:
    filled = sending(head(), event({"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}))
    async with fake_provider() as claude, fake_provider(filled) as fake, llm_over(tmp_path, claude, fake) as llm:
        first = msgspec.structs.replace(llm.connections().named("p0"), flavor="anthropic")
        await llm.change(SCOPE, lambda held: held.with_provider(first))
        answer = await llm.fill(SCOPE, Gap("a", "b"))
    assert (answer.text, answer.model, claude.asked) == ("x", "p1/qwen-m", [])


CODE = Path(__file__).read_text()


async def test_an_estimate_is_near_to_what_the_vocabulary_counts(tmp_path: Path) -> None:
    question = Prompt((Message(Speaker.USER, CODE),), answer_tokens=100)
    async with fake_provider() as fake, llm_over(tmp_path, fake) as llm:
        said = await llm.estimate(SCOPE, Role.CHAT, question)
    counted = count_tokens(CODE)
    assert counted < said.input_tokens < 1.25 * counted
    assert (said.output_tokens, fake.asked) == (100, [])


@pytest.mark.parametrize("whose", ["user", "project", "provider"])
async def test_limits_by_the_minute_bind_by_the_tokens_that_the_provider_counts(tmp_path: Path, whose: str) -> None:
    """A byte a token would refuse the first question, and without what is given back the second would wait too long."""
    tokens, scope = 2 * count_tokens(CODE), SCOPE.within(uuid4())
    good = sending(head(), *WIRES["openai"].events(["fine"], usage=(tokens // 20, 5)))
    settings: dict[str, Any] = {  # Any: fields of ModelSettings
        "limits": {whose: LimitSettings(tokens=tokens)},
        "request_timeout_s": 30.0,
        "cache_s": 0.0,
    }
    async with fake_provider(good) as fake, llm_over(tmp_path, fake, **settings) as llm:
        for _ in range(3):
            question = Prompt((Message(Speaker.USER, CODE),), answer_tokens=tokens // 4)
            assert (await llm.write(scope, Role.CHAT, question)).text == "fine"
            await llm._limits.close()  # the one way to see that all is given back
        with pytest.raises(LimitExceeded, match="this takes about"):
            await llm.write(scope, Role.CHAT, Prompt((Message(Speaker.USER, CODE * 3),)))
    assert len(fake.asked) == 3


async def test_without_a_provider_one_sentence_says_how_to_connect_one(tmp_path: Path) -> None:
    async with open_llm(Settings(home=str(tmp_path))) as llm:
        with pytest.raises(NotConfigured, match="duck llm connect"):
            await llm.write(SCOPE, Role.CHAT, QUESTION)


async def test_only_an_administrator_changes_what_is_connected(tmp_path: Path) -> None:
    reader = Scope(SCOPE.actor, None, frozenset(), SCOPE.trace)
    async with open_llm(Settings(home=str(tmp_path))) as llm:
        with pytest.raises(Denied):
            await llm.change(reader, lambda held: held)


async def test_a_changed_key_is_used_at_once(tmp_path: Path) -> None:
    async with fake_provider(sending(head(), *GOOD)) as fake, llm_over(tmp_path, fake) as llm:
        await llm.write(SCOPE, Role.CHAT, QUESTION)
        await llm.change(
            SCOPE, lambda held: held.with_provider(msgspec.structs.replace(held.named("p0"), key="only-another-test"))
        )
        await llm.write(SCOPE, Role.CHAT, QUESTION)
    assert [each.headers["authorization"][7:] for each in fake.asked] == ["only-a-test-0", "only-another-test"]


async def test_a_health_page_that_is_read_often_asks_a_provider_every_half_minute(tmp_path: Path) -> None:
    moment = [0.0]
    async with (
        fake_provider(saying({"data": []}), saying({}, 503)) as fake,
        llm_over(tmp_path, fake),
        open_llm(Settings(home=str(tmp_path)), Clocks(seconds=lambda: moment[0])) as llm,
    ):
        first = await asyncio.gather(*(llm.health(30.0) for _ in range(5)))
        assert {each.is_well for found in first for each in found} == {True}
        moment[0] = 31.0
        (now,) = await llm.health(30.0)
        assert (now.is_well, "503" in now.error, len(fake.asked)) == (False, True, 2)
        off = msgspec.structs.replace(now.connection, is_enabled=False)
        await llm.change(SCOPE, lambda held: held.with_provider(off))
        assert await llm.health(30.0) == []


async def test_a_provider_that_does_not_answer_is_ill_in_time(tmp_path: Path) -> None:
    async with fake_provider(stalling()) as fake, llm_over(tmp_path, fake) as llm:
        (ill,) = await llm.health(0.05)
    assert (ill.is_well, ill.error) == (False, "no answer came within 0.05 s")


async def test_search_is_given_the_configured_embeddings(tmp_path: Path) -> None:
    vectors = saying({"data": [{"index": 0, "embedding": [0.0, 1.0]}]})
    settings = Settings(home=str(tmp_path))
    database = msgspec.structs.replace(settings.database, url=f"sqlite:///{tmp_path}/duck.db")
    settings = msgspec.structs.replace(settings, database=database)
    async with (
        fake_provider(vectors) as fake,
        llm_over(tmp_path, fake),
        open_app(settings, for_engines=["search"]) as app,
    ):
        embedder = app.parts.search._sources.embedder  # the one way to see it without a project
        assert embedder is not None
        assert embedder.model == "p0/qwen-m"
        assert list(await embedder.embed(SCOPE, ["one"])) == [(0.0, 1.0)]


def test_nothing_that_can_reach_a_network_is_imported_before_a_model_is_asked(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from rubber_duck.llm.llm import open_llm\nfrom rubber_duck.settings import Settings\n"
        "async def main():\n"
        f"    async with open_llm(Settings(home={str(tmp_path)!r})) as llm:\n"
        "        await llm.standing(probe=True)\n"
        "asyncio.run(main())\n"
        "sys.exit(', '.join(sorted({'httpx', 'rubber_duck.egress'} & set(sys.modules))) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def stalling(*parts: bytes) -> Answer:
    async def answer(asked: Asked, send: Send) -> None:
        for part in parts:
            await send(part)
        await asked.closed.wait()

    return answer


async def test_a_drip_ends_at_the_deadline_of_the_whole_request(tmp_path: Path) -> None:
    drips = asyncio.Event()

    async def dripping(asked: Asked, send: Send) -> None:
        await send(head())
        while not asked.closed.is_set():
            await send(b": x\n\n")
            drips.set()
            await asyncio.sleep(0.01)  # the fault itself: a server that is never silent and never says anything

    with loop_time() as time:
        async with fake_provider(dripping) as fake, llm_over(tmp_path, fake, silence_s=30.0) as llm:
            asking = asyncio.create_task(llm.write(SCOPE, Role.CHAT, QUESTION))
            await drips.wait()
            time.pass_by(29.0)
            await asyncio.sleep(0.05)
            assert not asking.done()
            time.pass_by(31.0)
            with pytest.raises(TimedOut, match="60 s"):
                await asking


async def test_two_hundred_streams_run_at_once(tmp_path: Path) -> None:
    together = asyncio.Barrier(200)

    async def answer(asked: Asked, send: Send) -> None:
        await together.wait()
        await send(head() + b"".join(GOOD))

    async with fake_provider(answer) as fake, llm_over(tmp_path, fake) as llm:

        async def one() -> str:
            async with aclosing(llm.stream(SCOPE, Role.CHAT, QUESTION)) as pieces:
                heard = [piece async for piece in pieces]
            assert isinstance(heard[-1], Finished)
            return "".join(piece.text for piece in heard if isinstance(piece, TextDelta))

        assert await asyncio.gather(*(one() for _ in range(200))) == ["fine"] * 200
