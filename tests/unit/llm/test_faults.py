"""Forty-three ways in which a provider fails, on both wires: each hangs nobody, slows nobody, and is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.errors import DuckError
from rubber_duck.llm.llm import LLM
from rubber_duck.llm.messages import Gap, Message, Prompt, TextDelta
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from tests.fake_provider import Answer, Asked, Send, event, fake_provider, head, saying, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
from tests.unit.llm.looptime import loop_time
from tests.unit.llm.wires import WIRES

ILL = QUESTION.messages[0].text.encode()
SILENCE_S = 30.0
REQUEST_S = 60.0
"""As `llm_over` sets them."""


ENDS = {"bad_answer", "invalid_input", "limit_exceeded", "provider_rejected", "provider_unavailable", "rate_limited"}
ENDS |= {"timed_out"}
"""How a request for vectors may end."""


class End(StrEnum):
    """What becomes of a request: the next model answers it, with or without blame; it fails; or it broke off."""

    FAILED = "the provider failed, and the next one answers"
    REFUSED = "the provider refused, and the next one answers"
    WRONG = "the question is wrong, and nobody else is asked"
    LATE = "the time is over"
    BROKEN = "the answer had begun, and ends in an error"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a server does: what it sends, and what again and again; whether it hangs then; and how that ends."""

    answer: Answer
    end: End = End.FAILED
    hangs_s: float = 0.0
    dripping: bytes = b""


def faults(good: Sequence[bytes]) -> dict[str, Fault]:
    """Every fault, over the wire whose good events these are: the last of them is of the second piece of text."""
    broken = {
        "malformed": b"data: {oops\n\n", "no object": b"data: 7\n\n", "no UTF-8": b"data: {\"x\": \"\xff\"}\n\n",
        "surrogate": b'data: {"type":"content_block_delta","delta":{"text":"\\ud800"},"model":"\\ud800"}\n\n',
        "deep": b"data: " + b"[" * 50_000 + b"\n\n", "huge line": b"data: " + b"x" * 4_500_000,
        "error event": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
    }  # fmt: skip
    ends = {400: End.WRONG, 422: End.WRONG, 401: End.REFUSED, 403: End.REFUSED, 404: End.REFUSED, 413: End.REFUSED}
    codes = (400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529)
    short = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99999\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    begun = b"".join(good)
    drip = b": still here\n\n"
    at_first = {
        **{f"status {each}": Fault(saying({"error": {"message": "no"}}, each), ends.get(each, End.FAILED))
           for each in codes},
        **{f"{name} at once": Fault(sending(head(), part)) for name, part in broken.items()},
        "redirect": Fault(saying({}, 302, Location="http://127.0.0.1:9/"), End.REFUSED),
        "nothing": Fault(sending(b"")),
        "no HTTP": Fault(sending(b"SSH-2.0-OpenSSH_9.2\r\n")),
        "html": Fault(sending(head(200, "text/html") + b"<html>maintenance</html>")),
        "json error": Fault(saying({"error": {"message": "bad", "type": "server_error"}})),
        "empty stream": Fault(sending(head())),
        "stall before head": Fault(sending(), hangs_s=SILENCE_S),
        "stall after head": Fault(sending(head()), hangs_s=SILENCE_S),
        "short body": Fault(sending(short)),
        "drip of comments": Fault(sending(head()), End.LATE, REQUEST_S, drip),
        "closed after its first event": Fault(sending(head(), good[0])),
    }  # fmt: skip
    in_mid_answer = {
        **{f"{name} in mid-answer": Fault(sending(head(), *good, part), End.BROKEN) for name, part in broken.items()},
        "cut in half": Fault(sending(head(), *good), End.BROKEN),
        "cut in mid-event": Fault(sending(head(), *good, good[-1][: len(good[-1]) // 2]), End.BROKEN),
        "stall in mid-answer": Fault(sending(head(), *good), End.BROKEN, SILENCE_S),
        "drip in mid-answer": Fault(sending(head(), *good), End.BROKEN, REQUEST_S, drip),
        "short body in mid-answer": Fault(sending(short, *good), End.BROKEN),
        "no chunk in mid-answer": Fault(
            sending(chunked, b"%x\r\n%b\r\n" % (len(begun), begun), b"nonsense\r\n"), End.BROKEN
        ),
    }  # fmt: skip
    return at_first | in_mid_answer


GOOD = {
    wire: events[: next(at for at, each in enumerate(events, 1) if b" thanks" in each)]
    for wire, events in ((wire, case.events(["fine", " thanks", " and you"])) for wire, case in WIRES.items())
}
FAULTS = {wire: faults(good) for wire, good in GOOD.items()}


@dataclass(slots=True)
class Patient:
    """A server that is ill for one question, once it is told to go on, and well for all others."""

    fault: Fault
    well: Answer
    came: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, asked: Asked, send: Send) -> None:
        """One answer."""
        if ILL not in asked.body:
            await self.well(asked, send)
            return
        self.came.set()
        await self.go_on.wait()
        await self.fault.answer(asked, send)
        if self.fault.hangs_s:
            self.hangs.set()
            while self.fault.dripping and not asked.closed.is_set():
                await send(self.fault.dripping)
                await asyncio.sleep(0.01)  # the fault itself: a server that is never silent and never says anything
            await asked.closed.wait()


def test_there_are_thirty_faults_before_an_answer_and_thirteen_in_it() -> None:
    ends = [[each.end is End.BROKEN for each in found.values()] for found in FAULTS.values()]
    assert [(each.count(False), each.count(True)) for each in ends] == [(30, 13), (30, 13)]


@pytest.mark.parametrize("wire", list(WIRES))
@pytest.mark.parametrize("is_streaming", [True, False])
@pytest.mark.parametrize("name", list(FAULTS["openai"]))
async def test_a_fault_hangs_nobody_slows_nobody_and_switches_no_model_in_mid_answer(
    tmp_path: Path, wire: str, is_streaming: bool, name: str
) -> None:
    fault, well = FAULTS[wire][name], sending(head(), *WIRES[wire].events(["well"]))
    patient, told = Patient(fault, well), list[tuple[str, ...]]()
    with loop_time() as time, telemetry.listening(lambda event, fields: told.append(trace_of(event, fields))):
        async with (
            fake_provider(patient.answer) as ill,
            fake_provider(well) as spare,
            llm_over(tmp_path, ill, spare, wire=wire, breaker_failures=1, cache_s=0.0) as llm,
        ):
            asking = asyncio.create_task(outcome(llm, is_streaming=is_streaming))
            await patient.came.wait()
            assert await asyncio.gather(*(other(llm, number) for number in range(3))) == ["well of p0/qwen-m"] * 3
            assert not asking.done(), "the others waited for the one that is ill"
            patient.go_on.set()
            if fault.hangs_s:
                await patient.hangs.wait()
                assert await other(llm, 3) == "well of p0/qwen-m"
                assert not asking.done()
                time.pass_by(fault.hangs_s + 1.0)
            said, code = await asking
            asked = sum(ILL in each.body for each in ill.asked)
            helped = sum(ILL in each.body for each in spare.asked)
            assert_ended(fault.end, said if is_streaming or not code else "fine thanks", code, (asked, helped))
            is_blamed = fault.end not in {End.REFUSED, End.WRONG}
            assert_told(fault.end, told, is_blamed=is_blamed)
            assert await other(llm, 4) == ("well of p1/qwen-m" if is_blamed else "well of p0/qwen-m")


BEFORE = [name for name, fault in FAULTS["openai"].items() if fault.end is not End.BROKEN]


@pytest.mark.parametrize("name", BEFORE)
async def test_vectors_are_asked_in_one_piece_and_every_fault_of_that_is_told(tmp_path: Path, name: str) -> None:
    fault = FAULTS["openai"][name]
    patient = Patient(fault, sending(head(), *WIRES["openai"].events(["well"])))
    with loop_time() as time:
        async with fake_provider(patient.answer) as ill, llm_over(tmp_path, ill, cache_s=0.0) as llm:
            asking = asyncio.create_task(llm.embed(SCOPE, [QUESTION.messages[0].text]))
            await patient.came.wait()
            assert await other(llm, 0) == "well of p0/qwen-m"
            assert not asking.done(), "the other waited for the one that is ill"
            patient.go_on.set()
            if fault.hangs_s:
                await patient.hangs.wait()
                assert await other(llm, 1) == "well of p0/qwen-m"
                time.pass_by(fault.hangs_s + 1.0)
            with pytest.raises(DuckError) as caught:
                await asking
            assert (caught.value.code == "timed_out") == (fault.hangs_s > 0)
            assert caught.value.code in ENDS


@pytest.mark.parametrize("name", BEFORE)
async def test_a_gap_meets_the_same_faults_and_the_next_model_fills_it(tmp_path: Path, name: str) -> None:
    fault, well = FAULTS["openai"][name], filling("well")
    patient = Patient(fault, well)
    with loop_time() as time:
        async with (
            fake_provider(patient.answer) as ill,
            fake_provider(well) as spare,
            llm_over(tmp_path, ill, spare, breaker_failures=1, cache_s=0.0) as llm,
        ):
            asking = asyncio.create_task(filled(llm))
            await patient.came.wait()
            patient.go_on.set()
            if fault.hangs_s:
                await patient.hangs.wait()
                assert await other(llm, 1) == "well of p0/qwen-m"
                time.pass_by(fault.hangs_s + 1.0)
            said, code = await asking
    match fault.end:
        case End.WRONG:
            assert code == "invalid_input"
        case End.LATE:
            assert code == "timed_out"
        case _:
            assert (said, code) == ("well of p1/qwen-m", "")


def filling(text: str) -> Answer:
    """A server's answer to a gap."""
    said = event({"choices": [{"index": 0, "text": text, "finish_reason": "stop"}]})
    return sending(head(), said, b"data: [DONE]\n\n")


async def filled(llm: LLM) -> tuple[str, str]:
    """As `outcome`, of a gap."""
    try:
        answer = await llm.fill(SCOPE, Gap(QUESTION.messages[0].text, "", 20))
    except DuckError as error:
        return "", error.code
    return f"{answer.text} of {answer.model}", ""


def assert_ended(end: End, said: str, code: str, asked: tuple[int, int]) -> None:
    """What came, which error it ended in, and how often the server that is ill and the spare one were asked."""
    broken = {"bad_answer", "provider_unavailable", "timed_out"}
    match end:
        case End.FAILED | End.REFUSED:
            assert (said, code, asked[1]) == ("well of p1/qwen-m", "", 1)
        case End.WRONG:
            assert (code, asked) == ("invalid_input", (1, 0))
        case End.LATE:
            assert code == "timed_out"
        case End.BROKEN:
            assert (said, asked) == ("fine thanks", (1, 0)), "an answer that had begun was asked for again"
            assert code in broken


def assert_told(end: End, told: list[tuple[str, ...]], *, is_blamed: bool) -> None:
    """That a fallback and an opened breaker are told, and nothing that was not."""
    fell_back = ("llm.fell_back", "p0/qwen-m", "p1/qwen-m")
    if end is not End.LATE:  # then it depends on which of two timers for the same moment rings first
        assert told.count(fell_back) == (end in {End.FAILED, End.REFUSED})
    assert told.count(("llm.breaker_changed", "p0", "open")) == is_blamed


def trace_of(event: str, fields: Mapping[str, telemetry.Value]) -> tuple[str, ...]:
    """An event without what was said."""
    return (event, *(str(value) for name, value in fields.items() if name not in {"error", "delay_s"}))


async def other(llm: LLM, number: int) -> str:
    """What somebody else is answered, and by whom."""
    answer = await llm.write(SCOPE, Role.CHAT, Prompt((Message(Speaker.USER, f"Question {number}"),)))
    return f"{answer.text} of {answer.model}"


async def outcome(llm: LLM, *, is_streaming: bool) -> tuple[str, str]:
    """What came, with the model that said it where it is known, and the code of the error that ended it."""
    said = ""
    try:
        if not is_streaming:
            answer = await llm.write(SCOPE, Role.CHAT, QUESTION)
            return f"{answer.text} of {answer.model}", ""
        async with aclosing(llm.stream(SCOPE, Role.CHAT, QUESTION)) as pieces:
            async for piece in pieces:
                said += piece.text if isinstance(piece, TextDelta) else ""
    except DuckError as error:
        return said, error.code
    return f"{said} of p1/qwen-m" if said == "well" else said, ""
