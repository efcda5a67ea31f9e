"""The front of llm over servers on this machine: chains, deadlines, faults that stay contained."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from rubber_duck.app import open_app
from rubber_duck.errors import Denied, DuckError, NotConfigured, TimedOut
from rubber_duck.llm.llm import LLM, Clocks, open_llm
from rubber_duck.llm.messages import Finished, Gap, TextDelta
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from tests.fake_provider import Answer, Asked, Send, event, fake_provider, head, saying, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
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
        first = await asyncio.gather(*(llm.health(1.0) for _ in range(5)))
        assert {each.is_well for found in first for each in found} == {True}
        moment[0] = 31.0
        (now,) = await llm.health(1.0)
        assert (now.is_well, "503" in now.error, len(fake.asked)) == (False, True, 2)
        off = msgspec.structs.replace(now.connection, is_enabled=False)
        await llm.change(SCOPE, lambda held: held.with_provider(off))
        assert await llm.health(1.0) == []


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


def dripping(part: bytes) -> Answer:
    async def answer(asked: Asked, send: Send) -> None:
        await send(head())
        while not asked.closed.is_set():
            await send(part)
            await asyncio.sleep(0.02)  # the fault itself: a server that is never silent and never says anything

    return answer


def faults(good: Sequence[bytes]) -> dict[str, Answer]:
    """Thirty ways in which a provider fails, over the wire whose good events these are."""
    cut = list(good[: len(good) // 2])
    broken = {
        "malformed": b"data: {oops\n\n", "no object": b"data: 7\n\n", "no UTF-8": b"data: {\"x\": \"\xff\"}\n\n",
        "surrogate": b'data: {"type":"content_block_delta","delta":{"text":"\\ud800"},"model":"\\ud800"}\n\n',
        "deep": b"data: " + b"[" * 50_000 + b"\n\n", "huge line": b"data: " + b"x" * 4_500_000,
        "error event": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
    }  # fmt: skip
    statuses = {f"status {code}": saying({"error": {"message": "no"}}, code) for code in
                (400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529)}  # fmt: skip
    return {
        **statuses,
        **{f"{name} at once": sending(head(), part) for name, part in broken.items()},
        "redirect": saying({}, 302, Location="http://127.0.0.1:9/"),
        "nothing": sending(b""),
        "no HTTP": sending(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "html": sending(head(200, "text/html") + b"<html>maintenance</html>"),
        "json error": saying({"error": {"message": "bad", "type": "server_error"}}),
        "empty stream": sending(head()),
        "stall before head": stalling(),
        "stall after head": stalling(head()),
        "short body": sending(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n"),
        "drip of comments": dripping(b": still here\n\n"),
        "cut in half": sending(head(), *cut),
    }


FAULTS = {wire: faults(case.events(["fine", " thanks", " and", " you"])) for wire, case in WIRES.items()}


def test_there_are_thirty_faults() -> None:
    assert {len(each) for each in FAULTS.values()} == {30}


@pytest.mark.parametrize("wire", list(WIRES))
@pytest.mark.parametrize("is_streaming", [True, False])
@pytest.mark.parametrize("fault", list(FAULTS["openai"]))
async def test_a_fault_hangs_nobody_slows_nobody_and_switches_no_model_in_mid_answer(
    tmp_path: Path, wire: str, is_streaming: bool, fault: str
) -> None:
    case = WIRES[wire]
    good = sending(head(), *case.events(["well"]))
    for name in ("ill", "well"):
        (tmp_path / name).mkdir()
    async with (
        fake_provider(FAULTS[wire][fault]) as ill,
        fake_provider(good) as fake,
        llm_over(tmp_path / "ill", ill, fake, wire=wire, timeout_s=2.0) as llm,
        llm_over(tmp_path / "well", fake, wire=wire) as other,
    ):
        asking = asyncio.create_task(outcome(llm, is_streaming=is_streaming))
        assert (await other.write(SCOPE, Role.CHAT, QUESTION)).text == "well"
        async with asyncio.timeout(4.0):
            said, error = await asking
    texts = "fine thanks and you"
    assert (said == "well" and error is None) or (error is not None and texts.startswith(said)), (said, error)
    if said and error is not None:
        assert len(ill.asked) == 1, "an answer that had begun was asked for again"


async def outcome(llm: LLM, *, is_streaming: bool) -> tuple[str, DuckError | None]:
    """What came, and what ended it."""
    said = ""
    try:
        if not is_streaming:
            return (await llm.write(SCOPE, Role.CHAT, QUESTION)).text, None
        async with aclosing(llm.stream(SCOPE, Role.CHAT, QUESTION)) as pieces:
            async for piece in pieces:
                said += piece.text if isinstance(piece, TextDelta) else ""
    except DuckError as error:
        return said, error
    return said, None


async def test_a_drip_ends_at_the_deadline_of_the_whole_request(tmp_path: Path) -> None:
    async with fake_provider(dripping(b": x\n\n")) as fake, llm_over(tmp_path, fake, timeout_s=0.4) as llm:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await llm.write(SCOPE, Role.CHAT, QUESTION)
    assert time.monotonic() - started < 3.0


async def test_two_hundred_streams_run_at_once(tmp_path: Path) -> None:
    together = asyncio.Barrier(200)

    async def answer(asked: Asked, send: Send) -> None:
        await together.wait()
        await send(head() + b"".join(GOOD))

    async with fake_provider(answer) as fake, llm_over(tmp_path, fake, timeout_s=60.0) as llm:

        async def one() -> str:
            async with aclosing(llm.stream(SCOPE, Role.CHAT, QUESTION)) as pieces:
                heard = [piece async for piece in pieces]
            assert isinstance(heard[-1], Finished)
            return "".join(piece.text for piece in heard if isinstance(piece, TextDelta))

        assert await asyncio.gather(*(one() for _ in range(200))) == ["fine"] * 200
