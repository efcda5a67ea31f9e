"""Answers of a given shape: enforced where a server can, told where it cannot, read from whatever surrounds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import BadAnswer, InvalidDeclaration, ProviderRejected
from rubber_duck.llm.forms import Misfit, form_of, read_form
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from tests.fake_provider import Answer, fake_provider, head, saying, sending
from tests.unit.llm.asking import QUESTION, SCOPE, llm_over
from tests.unit.llm.wires import WIRES


class Remark(msgspec.Struct, frozen=True):
    """A remark about a line."""

    line: Annotated[int, msgspec.Meta(ge=1)]
    text: Annotated[str, msgspec.Meta(max_length=50)]
    severity: Literal["low", "high"] = "low"


class Review(msgspec.Struct, frozen=True):
    """What a review says."""

    remarks: tuple[Remark, ...]
    within: Review | None = None


FITTING = '{"remarks": [{"line": 3, "text": "here", "severity": "high"}]}'
REVIEW = Review((Remark(3, "here", "high"),))
SYSTEM = Prompt((Message(Speaker.SYSTEM, "Be brief."), *QUESTION.messages))


def answering(text: str, wire: str = "openai", reason: str = "") -> Answer:
    """The answer of a server; Anthropic's gives a form as the arguments of a tool."""
    if wire == "anthropic":
        return sending(head(), *WIRES[wire].events([], calls=[("t", "answer_Review", text)]))
    return sending(head(), *WIRES[wire].events([text], **({"reason": reason} if reason else {})))


@pytest.mark.parametrize("wire", list(WIRES))
async def test_a_server_that_can_is_given_the_schema_and_its_answer_is_a_value(tmp_path: Path, wire: str) -> None:
    async with fake_provider(answering(FITTING, wire)) as fake, llm_over(tmp_path, fake, wire=wire) as llm:
        written = await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)
    assert (written.value, written.repaired, written.answer.model) == (REVIEW, False, "p0/qwen-m")
    body = fake.asked[0].json
    schema = body["response_format"]["json_schema"]["schema"] if wire == "openai" else body["tools"][0]["input_schema"]
    assert schema["properties"]["remarks"]["items"] == {"$ref": "#/$defs/Remark"}
    assert len(body["messages"]) == 1


async def test_a_server_that_enforces_no_schema_is_told_of_it_in_its_system_message(tmp_path: Path) -> None:
    async with fake_provider(answering(FITTING)) as fake, llm_over(tmp_path, fake, flavor="deepseek") as llm:
        assert (await llm.write_as(SCOPE, Role.EDIT, SYSTEM, Review)).value == REVIEW
    body = fake.asked[0].json
    assert body["response_format"] == {"type": "json_object"}
    assert [each["role"] for each in body["messages"]] == ["system", "user"]
    assert body["messages"][0]["content"].startswith("Be brief.")
    assert "JSON schema" in body["messages"][0]["content"]


async def test_a_server_that_takes_no_form_is_told_of_it_in_words(tmp_path: Path) -> None:
    refusal = saying({"error": {"message": "response_format is not supported"}}, 400)
    async with fake_provider(refusal, answering(FITTING)) as fake, llm_over(tmp_path, fake) as llm:
        assert (await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)).value == REVIEW
    assert "response_format" not in fake.asked[1].json
    assert "JSON schema" in fake.asked[1].json["messages"][0]["content"]


async def test_what_does_not_fit_is_shown_once_and_both_tries_are_counted(tmp_path: Path) -> None:
    wrong = '{"remarks": [{"line": 0, "text": "here"}]}'
    async with fake_provider(answering(wrong), answering(FITTING)) as fake, llm_over(tmp_path, fake) as llm:
        written = await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)
    assert (written.value, written.repaired) == (REVIEW, True)
    assert (written.answer.usage.input_tokens, written.answer.usage.output_tokens) == (14, 6)
    turns = fake.asked[1].json["messages"][-2:]
    assert turns[0] == {"role": "assistant", "content": wrong}
    assert "`int` >= 1 - at `$.remarks[0].line`" in turns[1]["content"]


async def test_the_second_answer_that_does_not_fit_is_an_error_and_nothing_more_is_asked(tmp_path: Path) -> None:
    async with fake_provider(answering("I would rather not.")) as fake, llm_over(tmp_path, fake) as llm:
        with pytest.raises(BadAnswer, match="no JSON object"):
            await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)
    assert len(fake.asked) == 2


async def test_an_answer_that_was_cut_off_is_not_repaired(tmp_path: Path) -> None:
    async with fake_provider(answering(FITTING[:20], reason="length")) as fake, llm_over(tmp_path, fake) as llm:
        with pytest.raises(BadAnswer, match="cut off after 3 tokens"):
            await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)
    assert len(fake.asked) == 1


async def test_a_refusal_is_told_as_one(tmp_path: Path) -> None:
    async with fake_provider(answering("No.", reason="content_filter")) as fake, llm_over(tmp_path, fake) as llm:
        with pytest.raises(ProviderRejected, match="refuses to answer"):
            await llm.write_as(SCOPE, Role.EDIT, QUESTION, Review)


@pytest.mark.parametrize(
    "said",
    [
        FITTING,
        f"Sure! Here is {{the}} review:\n```json\n{FITTING}\n```\nAnything else?",
        f'<think>maybe {{"remarks": []}}</think>\n{FITTING}',
        f"The review is {FITTING} and that is all.",
        FITTING.replace("3", '"3"'),
        f'{{"note": 1}} {FITTING}',
    ],
)
def test_an_answer_is_found_in_what_a_model_put_around_it(said: str) -> None:
    assert read_form(said, Review) == REVIEW


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=9).map(json.dumps))
def test_whatever_is_said_is_a_value_or_a_misfit(said: str) -> None:
    value = read_form(said, Review)
    assert isinstance(value, Review) or value.wrong


@pytest.mark.parametrize("said", ["{" * 5_000, "[" * 90_000, '{"remarks": ' * 3_000, "```json\n" * 900, ""])
def test_hostile_answers_are_misfits(said: str) -> None:
    assert isinstance(read_form(said, Review), Misfit)


def test_a_schema_is_what_strict_servers_take() -> None:
    schema = json.loads(form_of(Review).schema)
    remark = schema["$defs"]["Remark"]
    assert remark["additionalProperties"] is False
    assert remark["required"] == ["line", "text", "severity"]
    assert remark["properties"]["severity"] == {"enum": ["high", "low"], "type": "string"}
    assert "maxLength" not in remark["properties"]["text"]
    assert "Review" in schema["$defs"], "it refers to itself"


def test_only_a_struct_is_a_shape() -> None:
    with pytest.raises(InvalidDeclaration):
        form_of(dict)
