import asyncio
import math
from contextlib import aclosing

import pytest

from rubber_duck.errors import InvalidInput, Unavailable, UnknownName
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Finished, FinishReason, Gap, Message, Piece, Prompt, Role, TextDelta, Usage
from rubber_duck.llm.providers.scripted import DIMENSIONS, Line, ScriptedProvider

QUESTION = Prompt((Message(Role.USER, "How are you?"),))


def likeness(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def heard(provider: ScriptedProvider, prompt: Prompt = QUESTION) -> list[Piece]:
    async with aclosing(provider.stream("script", prompt, Errand())) as pieces:
        return [piece async for piece in pieces]


async def test_a_script_is_said_line_by_line_and_what_was_asked_is_kept() -> None:
    provider = ScriptedProvider([Line(("fine", " thanks")), Line(("again",))])

    assert await heard(provider) == [
        TextDelta("fine"),
        TextDelta(" thanks"),
        Finished(FinishReason.STOP, Usage(4, 2)),
    ]
    assert await heard(provider) == [TextDelta("again"), Finished(FinishReason.STOP, Usage(4, 1))]
    assert provider.asked.prompts == [QUESTION, QUESTION]


async def test_an_answer_ends_at_the_limit_of_its_tokens() -> None:
    provider = ScriptedProvider([Line(("one", " two", " three"))])

    assert await heard(provider, Prompt(QUESTION.messages, answer_tokens=2)) == [
        TextDelta("one"),
        TextDelta(" two"),
        Finished(FinishReason.LENGTH, Usage(4, 2)),
    ]


async def test_a_failure_comes_after_the_pieces_before_it() -> None:
    provider = ScriptedProvider([Line(("half",), failure=Unavailable("the model fell silent"))])

    async with aclosing(provider.stream("script", QUESTION, Errand())) as pieces:
        assert await anext(pieces) == TextDelta("half")
        with pytest.raises(Unavailable, match="fell silent"):
            await anext(pieces)


async def test_a_stream_that_is_left_early_is_closed() -> None:
    provider = ScriptedProvider([Line(("one", "two"))])

    async with aclosing(provider.stream("script", QUESTION, Errand())) as pieces:
        await anext(pieces)

    assert provider.asked.closed_early == 1


async def test_a_cancelled_stream_is_closed() -> None:
    provider = ScriptedProvider([Line(("late",), hold=asyncio.Event())])
    task = asyncio.create_task(heard(provider))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert provider.asked.closed_early == 1


async def test_a_gap_is_filled_with_the_next_line() -> None:
    provider = ScriptedProvider([Line(("return 1",))])
    gap = Gap("def f():\n    ", "\n")

    async with aclosing(provider.fill("script", gap, Errand())) as stream:
        pieces = [piece async for piece in stream]

    assert pieces == [TextDelta("return 1"), Finished(FinishReason.STOP, Usage(5, 3))]
    assert provider.asked.gaps == [gap]


async def test_a_script_that_has_ended_says_so() -> None:
    with pytest.raises(InvalidInput, match="no more lines"):
        await heard(ScriptedProvider())


async def test_texts_that_share_words_are_near_each_other() -> None:
    answer = await ScriptedProvider().embed("words", ["parseHeader", "parse the header", "bake bread", ""], Errand())
    first, second, third, empty = answer.vectors

    assert [len(vector) for vector in answer.vectors] == [DIMENSIONS] * 4
    assert math.isclose(math.hypot(*first), 1.0)
    assert math.hypot(*empty) == 0.0
    assert likeness(first, second) > 0.7
    assert likeness(first, third) < 0.3


async def test_a_model_it_does_not_have_is_named() -> None:
    with pytest.raises(UnknownName, match="gpt"):
        await ScriptedProvider().embed("gpt", ["x"], Errand())


@pytest.mark.parametrize("messages", [(), (Message(Role.ASSISTANT, "I say"),)])
def test_a_prompt_ends_with_somebody_else_than_the_assistant(messages: tuple[Message, ...]) -> None:
    with pytest.raises(InvalidInput, match="assistant"):
        Prompt(messages)


def test_limits_of_an_answer_are_checked() -> None:
    with pytest.raises(InvalidInput, match="at least one token"):
        Gap("", "", answer_tokens=0)
    with pytest.raises(InvalidInput, match=r"3\.0"):
        Prompt(QUESTION.messages, temperature=3.0)
