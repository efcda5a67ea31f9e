"""Anthropic's Messages: system prompts, streaming, tools, cache control, usage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import ClassVar, Final

import msgspec

from rubber_duck.errors import BadAnswer, InvalidInput, LimitExceeded, NotOffered
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import (
    Embeddings,
    Finished,
    FinishReason,
    Gap,
    Message,
    Piece,
    Prompt,
    Role,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Usage,
)
from rubber_duck.llm.provider import Provider, Setup, providers
from rubber_duck.llm.wire import TOOL_BYTES, Said, Wire, decoded, is_object, raise_said
from rubber_duck.redaction import JsonValue

_REASONS: Final = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL,
    "refusal": FinishReason.REFUSED,
}
_CACHED_CHARACTERS: Final = 4_000
"""A system prompt of at least so many characters is worth caching: Anthropic caches from 1,024 tokens on."""

_FORM_TOOL: Final = "answer_"
"""Before the name of the tool whose arguments are the answer, where a form is asked for."""


class _Count(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Opening(msgspec.Struct, frozen=True):
    model: str = ""
    usage: _Count = _Count()


class _Target(msgspec.Struct, frozen=True):
    model: str = ""


class _Block(msgspec.Struct, frozen=True):
    type: str = ""
    to: _Target | None = None
    id: str = ""
    name: str = ""
    text: str | None = None


class _Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    index: int = 0
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Opening | None = None
    usage: _Count | None = None
    error: Said | None = None


class _Model(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: tuple[_Model, ...] = ()


_events: Final = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class _Building:
    """A call that comes in pieces."""

    id: str
    name: str
    arguments: list[str] = field(default_factory=list)
    size: int = 0


@providers.add
class AnthropicProvider(Provider):
    """Claude, over Anthropic's Messages. It neither fills gaps nor makes vectors."""

    name: ClassVar[str] = "anthropic"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @classmethod
    def connect(cls, setup: Setup) -> Provider:
        """One for the server at the setup's address."""
        return cls(Wire(setup.egress, setup.timeout_s))

    async def stream(self, model: str, prompt: Prompt, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The answer of /messages."""
        async with self._wire.events("/messages", _body(model, prompt), errand) as stream:
            reading = _Reading(errand, is_form=prompt.form is not None)
            async for event in stream:
                for piece in reading.pieces(event):
                    yield piece
                if reading.is_over:
                    break
            yield reading.end()

    def fill(self, model: str, gap: Gap, errand: Errand) -> AsyncGenerator[Piece, None]:
        """Raises NotOffered: these models fill no gaps."""
        raise NotOffered(f"the model {model!r} fills no gaps; give the role 'completion' a model that does")

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """Raises NotOffered: there are no vectors here."""
        raise NotOffered("Anthropic has no embeddings; give the role 'embed' a model of another provider")

    async def models(self) -> tuple[str, ...]:
        """What /models lists."""
        answer = await self._wire.json("/models?limit=1000", None, _Models, Errand())
        return tuple(sorted(each.id for each in answer.data))

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()


class _Reading:
    """What has come of one answer."""

    def __init__(self, errand: Errand, *, is_form: bool) -> None:
        self._errand = errand
        self._is_form = is_form
        self._is_begun = False
        self._calls: dict[int, _Building] = {}
        self._reason: FinishReason | None = None
        self._usage = _Count(0, 0, 0, 0)
        self._model = ""
        self.is_over = False

    def pieces(self, event: bytes) -> Sequence[Piece]:
        """The pieces that an event brings; kinds of events that are not known are passed over."""
        read = decoded(event, _events)
        if read.type == "content_block_delta":
            return self._delta(read)
        if read.type == "error":
            raise_said(read.error or Said("it does not say what"))
        if read.type == "message_start":
            self._is_begun = self._errand.has_begun = True
            if read.message is not None:
                self._model = read.message.model
                self._count(read.message.usage)
        elif read.type == "content_block_start" and read.content_block is not None:
            return self._start(read.index, read.content_block)
        elif read.type == "content_block_stop":
            return self._stop(read.index)
        elif read.type == "message_delta":
            if read.delta is not None and read.delta.stop_reason:
                self._reason = _REASONS.get(read.delta.stop_reason, FinishReason.STOP)
            self._count(read.usage)
        elif read.type == "message_stop":
            self.is_over = True
        return ()

    def end(self) -> Finished:
        """The end; raises BadAnswer when the answer broke off."""
        if not self.is_over or self._reason is None:
            raise BadAnswer("the provider's answer broke off before its end")
        reason = self._reason
        if self._is_form and reason is FinishReason.TOOL:
            reason = FinishReason.STOP
        return Finished(reason, _usage(self._usage), self._model)

    def _delta(self, read: _Event) -> Sequence[Piece]:
        delta = read.delta
        if delta is None or not self._is_begun or self._reason is not None:
            raise BadAnswer("the provider's answer is out of order")
        if delta.text:
            return (TextDelta(delta.text),)
        if delta.thinking:
            return (ThoughtDelta(delta.thinking),)
        if delta.partial_json is not None and (call := self._calls.get(read.index)) is not None:
            call.size += len(delta.partial_json)
            if call.size > TOOL_BYTES:
                raise LimitExceeded(f"the arguments of the tool {call.name!r} are larger than {TOOL_BYTES:,} bytes")
            call.arguments.append(delta.partial_json)
            if self._is_form and delta.partial_json:
                return (TextDelta(delta.partial_json),)
            self._errand.withheld.append(delta.partial_json)
        return ()

    def _start(self, index: int, block: _Block) -> Sequence[Piece]:
        if block.type == "tool_use":
            self._calls[index] = _Building(block.id, block.name)
        elif block.type == "fallback" and block.to is not None:
            self._model = block.to.model  # the provider went on with another model of its own, and says so
        return (TextDelta(block.text),) if block.type == "text" and block.text else ()

    def _stop(self, index: int) -> Sequence[Piece]:
        call = self._calls.pop(index, None)
        if call is None or self._is_form:
            return ()
        arguments = "".join(call.arguments) or "{}"
        if not call.name or not is_object(arguments):
            raise BadAnswer(f"the provider's call of the tool {call.name!r} is no JSON object")
        return (ToolCall(call.id, call.name, arguments),)

    def _count(self, count: _Count | None) -> None:
        """Later counts replace earlier ones; what is not said again stays."""
        if count is not None:
            said = {name: value for name, value in msgspec.structs.asdict(count).items() if value is not None}
            self._usage = msgspec.structs.replace(self._usage, **said)
            self._errand.count(_usage(self._usage))


def _usage(count: _Count) -> Usage:
    read, written = count.cache_read_input_tokens or 0, count.cache_creation_input_tokens or 0
    numbers = ((count.input_tokens or 0) + read + written, count.output_tokens or 0, read, written)
    if min(numbers) < 0:
        raise BadAnswer("the provider counts tokens that cannot be")
    return Usage(*numbers)


def _body(model: str, prompt: Prompt) -> JsonValue:
    system = "\n\n".join(each.text for each in prompt.messages if each.role is Role.SYSTEM and each.text)
    spoken = [each for each in prompt.messages if each.role is not Role.SYSTEM]
    body: dict[str, JsonValue] = {
        "model": model,
        "max_tokens": prompt.answer_tokens,
        "temperature": min(prompt.temperature, 1.0),
        "stream": True,
        "messages": [
            {"role": role, "content": [block for each in group for block in _blocks(each)]}
            for role, group in groupby(spoken, key=_side)
        ],
    }
    if system:
        block: dict[str, JsonValue] = {"type": "text", "text": system}
        if len(system) >= _CACHED_CHARACTERS:
            block["cache_control"] = {"type": "ephemeral"}
        body["system"] = [block]
    if prompt.stop:
        body["stop_sequences"] = list(prompt.stop)
    tools: list[JsonValue] = [
        {"name": each.name, "description": each.about, "input_schema": _schema(each.parameters)}
        for each in prompt.tools
    ]
    if prompt.form is not None:
        name = f"{_FORM_TOOL}{prompt.form.name}"
        about = "Give the whole answer by calling this tool."
        tools = [{"name": name, "description": about, "input_schema": _schema(prompt.form.schema)}]
        body["tool_choice"] = {"type": "tool", "name": name}
    if tools:
        body["tools"] = tools
    return body


def _side(message: Message) -> str:
    """Results of tools come from the user, as Anthropic sees it."""
    return "assistant" if message.role is Role.ASSISTANT else "user"


def _blocks(message: Message) -> list[JsonValue]:
    if message.role is Role.TOOL:
        return [{"type": "tool_result", "tool_use_id": message.call, "content": message.text}]
    blocks: list[JsonValue] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    blocks += [
        {"type": "tool_use", "id": each.id, "name": each.name, "input": _schema(each.arguments)}
        for each in message.calls
    ]
    return blocks or [{"type": "text", "text": "(nothing)"}]


def _schema(text: str) -> JsonValue:
    try:
        schema: JsonValue = msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"a schema or an argument for a model is not valid JSON: {error}") from error
    return schema
