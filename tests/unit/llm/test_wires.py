"""What providers send and how they read what comes back, on both wires."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubber_duck.errors import (
    BadAnswer,
    DuckError,
    InvalidInput,
    LimitExceeded,
    NotOffered,
    ProviderRejected,
    RateLimited,
)
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.fim import TEMPLATES, template_for
from rubber_duck.llm.messages import (
    Finished,
    FinishReason,
    Form,
    Gap,
    Message,
    Prompt,
    Role,
    TextDelta,
    ThoughtDelta,
    Tool,
    ToolCall,
    Usage,
)
from rubber_duck.llm.wire import seconds_in
from tests.fake_provider import event, fake_provider, head, saying, sending
from tests.unit.llm.oracles import official_anthropic, official_openai, read_alike
from tests.unit.llm.wires import QUESTION, WIRES, connected, heard, talking

WEATHER = Tool("weather", "Tells the weather.", '{"type":"object","properties":{"place":{"type":"string"}}}')
CALL = ToolCall("t1", "weather", '{"place": "Paris"}')
A_FEW_TURNS = 20
"""Turns of the event loop in which the end of a connection on this machine is seen: far less than a millisecond."""


@pytest.fixture(params=list(WIRES))
def wire(request: pytest.FixtureRequest) -> str:
    """Each wire by name."""
    return str(request.param)


async def test_an_answer_comes_piece_by_piece_with_its_usage(wire: str) -> None:
    case = WIRES[wire]
    async with fake_provider(sending(head(), *case.events(["fine", " thanks"]))) as fake:
        pieces = await heard(connected(case, fake.url))

    assert pieces == [TextDelta("fine"), TextDelta(" thanks"), Finished(FinishReason.STOP, Usage(7, 3), "m-1")]
    assert fake.asked[0].headers["authorization"] == "Bearer only-a-test"


async def test_an_answer_cut_at_every_byte_is_the_same(wire: str) -> None:
    case = WIRES[wire]
    stream = b"".join(case.events(["fine ✓", " thanks"], calls=[("t1", "weather", CALL.arguments)]))
    async with fake_provider(sending(head(), *(stream[at : at + 1] for at in range(len(stream))))) as fake:
        pieces = await heard(connected(case, fake.url))

    said = [TextDelta("fine ✓"), TextDelta(" thanks"), CALL]
    assert pieces == [*said, Finished(FinishReason.TOOL, Usage(7, 3), "m-1")]


async def test_line_ends_may_be_of_any_kind(wire: str) -> None:
    case = WIRES[wire]
    stream = b": a comment\n\n" + b"".join(case.events(["fine"]))
    for end in (b"\r\n", b"\r"):
        content = stream.replace(b"\n", end)
        parts = [content[at : at + 3] for at in range(0, len(content), 3)]
        async with fake_provider(sending(head(), *parts)) as fake:
            assert (await heard(connected(case, fake.url)))[0] == TextDelta("fine")


async def test_a_conversation_with_tools_is_sent_as_the_wire_wants_it(wire: str) -> None:
    case = WIRES[wire]
    turns = (
        *QUESTION.messages,
        Message(Role.ASSISTANT, "", calls=(CALL,)),
        Message(Role.TOOL, "rain", call="t1"),
    )
    async with fake_provider(sending(head(), *case.events(["wet"]))) as fake:
        await heard(connected(case, fake.url), Prompt(turns, tools=(WEATHER,), stop=("END",)))

    sent = fake.asked[0].json
    if wire == "openai":
        assert [each["role"] for each in sent["messages"]] == ["system", "user", "assistant", "tool"]
        assert sent["messages"][2]["tool_calls"][0]["function"] == {"name": "weather", "arguments": CALL.arguments}
        assert sent["tools"][0]["function"]["parameters"]["type"] == "object"
        assert sent["stop"] == ["END"]
    else:
        assert sent["system"] == [{"type": "text", "text": "Be brief."}]
        assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "user"]
        assert sent["messages"][1]["content"][0]["input"] == {"place": "Paris"}
        assert sent["messages"][2]["content"][0]["tool_use_id"] == "t1"
        assert sent["stop_sequences"] == ["END"]


async def test_a_form_is_asked_for_and_its_json_is_the_text(wire: str) -> None:
    case = WIRES[wire]
    prompt = Prompt(QUESTION.messages, form=Form("mood", '{"type":"object"}'))
    said = '{"mood": "good"}'
    events = case.events([said]) if wire == "openai" else case.events([], calls=[("t", "answer_mood", said)])
    async with fake_provider(sending(head(), *events)) as fake:
        pieces = await heard(connected(case, fake.url), prompt)

    assert "".join(each.text for each in pieces if isinstance(each, TextDelta)) == said
    assert pieces[-1] == Finished(FinishReason.STOP, Usage(7, 3), "m-1")
    sent = fake.asked[0].json
    assert (sent["response_format"]["type"] if wire == "openai" else sent["tool_choice"]["type"]) in {
        "json_schema",
        "tool",
    }


async def test_a_long_system_prompt_is_marked_for_the_cache() -> None:
    case = WIRES["anthropic"]
    prompt = Prompt((Message(Role.SYSTEM, "Be brief. " * 500), Message(Role.USER, "Hello")))
    async with fake_provider(sending(head(), *case.events(["hi"]))) as fake:
        await heard(connected(case, fake.url), prompt)

    assert fake.asked[0].json["system"][0]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (401, "bad key", ProviderRejected),
        (404, "no such model", ProviderRejected),
        (400, "context_length exceeded", LimitExceeded),
        (400, "what is that", InvalidInput),
        (429, "slow down", RateLimited),
        (302, "elsewhere", ProviderRejected),
    ],
)
async def test_a_status_becomes_the_error_that_fits(wire: str, status: int, said: str, error: type[DuckError]) -> None:
    answer = saying({"error": {"message": said, "type": "x"}}, status, Retry_After="7", Location="http://127.0.0.1:9/")
    async with fake_provider(answer) as fake:
        with pytest.raises(error, match=said) as raised:
            await heard(connected(WIRES[wire], fake.url))

    assert len(fake.asked) == 1
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        pytest.param(lambda good: good[:-3], BadAnswer, id="truncated"),
        pytest.param(lambda good: [*good[:2], b"data: {nonsense\n\n", *good[2:]], BadAnswer, id="malformed"),
        pytest.param(lambda good: [*good[:2], b"data: [1,2]\n\n"], BadAnswer, id="another shape"),
        pytest.param(lambda good: [g.replace(b"fine", b"\\ud83d") for g in good], BadAnswer, id="surrogate"),
        pytest.param(lambda good: [g.replace(b"fine", b"\xff\xfe") for g in good], BadAnswer, id="no UTF-8"),
        pytest.param(lambda good: [good[0], b"data: " + b"x" * 5_000_000], BadAnswer, id="oversized"),
        pytest.param(lambda good: [], BadAnswer, id="empty"),
        pytest.param(lambda good: [b"data: " + b"[" * 100_000 + b"\n\n"], BadAnswer, id="deep"),
    ],
)  # fmt: skip
async def test_a_broken_stream_ends_in_a_typed_error(wire: str, broken: object, error: type[DuckError]) -> None:
    case = WIRES[wire]
    assert callable(broken)
    async with fake_provider(sending(head(), *broken(list(case.events(["fine", "er"]))))) as fake:
        with pytest.raises(error):
            await heard(connected(case, fake.url))


async def test_a_stream_that_is_left_is_closed_at_the_server_at_once(wire: str) -> None:
    case = WIRES[wire]
    never = asyncio.Event()

    async def answer(asked: object, send: object) -> None:
        assert callable(send)
        await send(head() + b"".join(case.events(["fine"])[:5]))
        await never.wait()

    async with fake_provider(answer) as fake:

        async def listen() -> None:
            async with (
                talking(case, fake.url) as provider,
                aclosing(provider.stream("m-1", QUESTION, Errand())) as pieces,
            ):
                async for _ in pieces:
                    listening.set()

        listening = asyncio.Event()
        task = asyncio.create_task(listen())
        await listening.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(A_FEW_TURNS):
            await asyncio.sleep(0)
        assert fake.asked[0].closed.is_set()


async def test_what_servers_write_otherwise_than_openai_is_read_too() -> None:
    deltas: list[dict[str, object]] = [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "text", "text": "fine"}]},
        {"tool_calls": [{"index": 0, "id": "t1", "function": {"name": "weather", "arguments": {"place": "Paris"}}}]},
    ]
    events = [event({"choices": [{"index": None, "delta": delta}]}) for delta in deltas]
    events += [
        event({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
        event({"choices": None, "usage": {"prompt_tokens": 3.0, "completion_tokens": None}}),
    ]
    async with fake_provider(sending(head(), *events, b"data: [DONE]\n\n")) as fake:
        pieces = await heard(connected(WIRES["openai"], fake.url))
    assert pieces[:2] == [ThoughtDelta("hm"), TextDelta("fine")]
    assert pieces[2:] == [ToolCall("t1", "weather", '{"place":"Paris"}'), Finished(FinishReason.TOOL, Usage(3, 0), "")]


@pytest.mark.parametrize("family", list(TEMPLATES))
async def test_each_family_is_asked_to_fill_with_its_marks(family: str) -> None:
    template = template_for(f"some-{family}-7b")
    assert template is TEMPLATES[family]
    gap = Gap("def f(x):\n", f"\n# {template.before.strip()}")
    completion = event({"choices": [{"index": 0, "text": "    return x", "finish_reason": "stop"}], "model": "q"})
    async with (
        fake_provider(sending(head(), completion, b"data: [DONE]\n\n")) as fake,
        talking(WIRES["openai"], fake.url) as provider,
        aclosing(provider.fill(f"some-{family}-7b", gap, Errand())) as pieces,
    ):
        found = [piece async for piece in pieces]

    assert found == [TextDelta("    return x"), Finished(FinishReason.STOP, Usage(0, 0), "q", is_counted=False)]
    prompt = fake.asked[0].json["prompt"]
    assert "def f(x):\n" in prompt
    assert prompt.count(template.before.strip()) == 1
    assert set(template.stop) <= set(fake.asked[0].json["stop"])


async def test_a_server_that_knows_suffixes_is_given_one() -> None:
    completion = event({"choices": [{"index": 0, "text": "x", "finish_reason": "length"}]})
    async with (
        fake_provider(sending(head(), completion, b"data: [DONE]\n\n")) as fake,
        talking(WIRES["openai"], fake.url, flavor="ollama") as provider,
        aclosing(provider.fill("any", Gap("a", "b"), Errand())) as pieces,
    ):
        assert await anext(pieces) == TextDelta("x")
    assert (fake.asked[0].json["prompt"], fake.asked[0].json["suffix"]) == ("a", "b")


async def test_mistral_is_asked_at_its_own_path_and_answers_as_in_a_chat() -> None:
    parts = [
        event({"model": "codestral", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "re"}}]}),
        event(
            {
                "model": "codestral",
                "choices": [{"index": 0, "delta": {"content": "turn"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
            }
        ),
        b"data: [DONE]\n\n",
    ]
    async with (
        fake_provider(sending(head(), *parts)) as fake,
        talking(WIRES["openai"], fake.url, flavor="mistral") as provider,
        aclosing(provider.fill("codestral-latest", Gap("a", "b"), Errand())) as pieces,
    ):
        found = [piece async for piece in pieces]
    assert found == [TextDelta("re"), TextDelta("turn"), Finished(FinishReason.STOP, Usage(4, 2), "codestral")]
    assert fake.asked[0].path == "/v1/fim/completions"
    assert fake.asked[0].json == {
        "model": "codestral-latest", "prompt": "a", "suffix": "b", "max_tokens": 64, "temperature": 0.0, "stream": True,
    }  # fmt: skip


async def test_llama_cpp_is_asked_by_its_own_address() -> None:
    parts = [
        event({"content": "re", "stop": False}),
        event({"content": "", "stop": True, "stop_type": "eos", "tokens_evaluated": 4, "tokens_predicted": 2}),
    ]
    async with (
        fake_provider(sending(head(), *parts)) as fake,
        talking(WIRES["openai"], fake.url, flavor="llamacpp") as provider,
        aclosing(provider.fill("any", Gap("a", "b"), Errand())) as pieces,
    ):
        assert [piece async for piece in pieces] == [TextDelta("re"), Finished(FinishReason.STOP, Usage(4, 2))]
    assert fake.asked[0].path == "/infill"


async def test_a_model_of_no_family_fills_no_gaps(wire: str) -> None:
    async with fake_provider() as fake, talking(WIRES[wire], fake.url) as provider:
        with pytest.raises(NotOffered, match="gaps"):
            await anext(provider.fill("gpt-2", Gap("a", "b"), Errand()))
    assert not fake.asked


async def test_vectors_come_in_the_order_of_their_texts_and_of_norm_one() -> None:
    data = [{"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [3.0, 4.0]}]
    async with (
        fake_provider(saying({"data": data, "usage": {"prompt_tokens": 5}})) as fake,
        talking(WIRES["openai"], fake.url) as provider,
    ):
        found = await provider.embed("e", ["one", "two"], Errand())
    assert found.vectors == ((0.6, 0.8), (0.0, 1.0))
    assert found.usage == Usage(5, 0)


@pytest.mark.parametrize("data", [[], [{"index": 0, "embedding": [1.0]}], [{"index": 0, "embedding": [1.0]}] * 2])
async def test_vectors_that_do_not_fit_the_texts_are_refused(data: list[object]) -> None:
    async with fake_provider(saying({"data": data})) as fake, talking(WIRES["openai"], fake.url) as provider:
        with pytest.raises(BadAnswer):
            await provider.embed("e", ["one", "two"], Errand())


async def test_models_are_listed_by_name(wire: str) -> None:
    async with (
        fake_provider(saying({"data": [{"id": "b"}, {"id": "a"}]})) as fake,
        talking(WIRES[wire], fake.url) as provider,
    ):
        assert await provider.models() == ("a", "b")


def recorded() -> Iterator[tuple[str, str]]:
    """Recorded streams by name; `tests/data/provider_streams.md` says where they come from."""
    with gzip.open(Path(__file__).parents[2] / "data" / "provider_streams.jsonl.gz", "rt") as lines:
        for line in lines:
            case = json.loads(line)
            yield case["id"], case["body"]


async def test_recorded_streams_replay_as_the_official_client_reads_them() -> None:
    cases = list(recorded())
    assert len(cases) == 10
    for name, body in cases:
        async with fake_provider(sending(head(), body.encode())) as fake:
            ours = await heard(connected(WIRES["anthropic"], fake.url))
            official = await official_anthropic(fake.url)
        assert read_alike(ours) == official, name


CHARACTERS = st.characters(codec="utf-8")
TEXTS = st.lists(st.text(CHARACTERS, min_size=1, max_size=30), max_size=6)
CALLS = st.lists(
    st.tuples(
        st.from_regex(r"call_[a-z0-9]{1,12}", fullmatch=True),
        st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
        st.dictionaries(
            st.text(CHARACTERS, max_size=9),
            st.integers() | st.text(CHARACTERS, max_size=20),
            max_size=3,
        ).map(json.dumps),
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS, calls=CALLS, usage=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)))
async def test_generated_streams_are_read_as_the_official_clients_read_them(
    wire: str, texts: list[str], calls: list[tuple[str, str, str]], usage: tuple[int, int]
) -> None:
    case = WIRES[wire]
    events = case.events(texts, calls=calls, usage=usage)
    async with fake_provider(sending(head(), *events)) as fake:
        ours = read_alike(await heard(connected(case, fake.url)))
        official = await (official_openai if wire == "openai" else official_anthropic)(fake.url)
    assert ours == official


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("7", "", 7.0),
        ("0.5", "", 0.5),
        ("Wed, 21 Oct 2026 07:28:10 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 10.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:10 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 GMT", "", None),
        ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", "", None),
        ("", "", None),
    ],
)
def test_when_to_ask_again_is_read_in_both_forms(retry_after: str, date: str, seconds: float | None) -> None:
    assert seconds_in(retry_after, date) == seconds
