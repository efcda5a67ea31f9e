"""The official clients, as oracles: what they make of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from rubber_duck.llm.messages import Finished, Piece, TextDelta, ToolCall


@dataclass(frozen=True, slots=True)
class Read:
    """What a client made of a stream. `calls` are (id, name, arguments)."""

    text: str
    calls: tuple[tuple[str, str, str], ...]
    reason: str
    usage: tuple[int, int, int]


def read_alike(pieces: list[Piece]) -> Read:
    """Our pieces, put together as the official clients do."""
    end = pieces[-1]
    assert isinstance(end, Finished)
    usage = (end.usage.input_tokens, end.usage.output_tokens, end.usage.cache_read_tokens)
    return Read(
        "".join(each.text for each in pieces if isinstance(each, TextDelta)),
        tuple((each.id, each.name, each.arguments) for each in pieces if isinstance(each, ToolCall)),
        end.reason.value,
        usage,
    )


_ANTHROPIC = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool",
    "refusal": "refused",
}
_OPENAI = {"stop": "stop", "length": "length", "tool_calls": "tool", "content_filter": "refused"}


async def official_anthropic(url: str) -> Read:
    """What Anthropic's client reads; calls that the end cut off are left out, as ours are."""
    from anthropic import AsyncAnthropic  # noqa: PLC0415  # takes seconds, in every process that collects tests

    async with AsyncAnthropic(api_key="k", base_url=url.removesuffix("/v1"), max_retries=0) as client:
        events = await client.messages.create(
            model="m-1", max_tokens=9, messages=[{"role": "user", "content": "?"}], stream=True
        )
        text, calls, raw, open_calls = "", [], dict[int, list[str]](), dict[int, tuple[str, str]]()
        reason, counts = "", dict[str, int]()
        async for event in events:
            match event.type:
                case "message_start":
                    counts |= {k: v for k, v in event.message.usage.model_dump().items() if isinstance(v, int)}
                case "content_block_start" if event.content_block.type == "tool_use":
                    open_calls[event.index] = (event.content_block.id, event.content_block.name)
                    raw[event.index] = []
                case "content_block_delta" if event.delta.type == "text_delta":
                    text += event.delta.text
                case "content_block_delta" if event.delta.type == "input_json_delta" and event.index in raw:
                    raw[event.index].append(event.delta.partial_json)
                case "content_block_stop" if event.index in open_calls:
                    calls.append((*open_calls[event.index], "".join(raw[event.index]) or "{}"))
                case "message_delta":
                    reason = event.delta.stop_reason or reason
                    counts |= {k: v for k, v in event.usage.model_dump().items() if isinstance(v, int)}
    cached = counts.get("cache_read_input_tokens", 0)
    read = counts["input_tokens"] + cached + counts.get("cache_creation_input_tokens", 0)
    return Read(text, tuple(calls), _ANTHROPIC[reason], (read, counts["output_tokens"], cached))


async def official_openai(url: str) -> Read:
    """What OpenAI's client reads."""
    from openai import AsyncOpenAI  # noqa: PLC0415  # as above

    async with AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
        chunks = await client.chat.completions.create(
            model="m-1", messages=[{"role": "user", "content": "?"}], stream=True
        )
        text, reason, usage = "", "", (0, 0, 0)
        calls = dict[int, list[str]]()
        async for chunk in chunks:
            if chunk.usage is not None:
                usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens, 0)
            for choice in chunk.choices:
                text += choice.delta.content or ""
                reason = choice.finish_reason or reason
                for call in choice.delta.tool_calls or ():
                    building = calls.setdefault(call.index, ["", "", ""])
                    building[0] += call.id or ""
                    if call.function is not None:
                        building[1] += call.function.name or ""
                        building[2] += call.function.arguments or ""
    return Read(text, tuple((a, b, c) for a, b, c in calls.values()), _OPENAI[reason], usage)
