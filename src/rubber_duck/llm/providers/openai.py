"""Every server that speaks the OpenAI protocol: OpenAI, vLLM, llama.cpp, Ollama, LM Studio, OpenRouter and others."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from typing import ClassVar, Final

import msgspec

from rubber_duck.errors import BadAnswer, InvalidInput, NotOffered
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.fim import prefixed, template_for
from rubber_duck.llm.flavors import Filling, Flavor, flavor_named
from rubber_duck.llm.forms import with_told
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
    Usage,
)
from rubber_duck.llm.provider import Provider, Setup, providers
from rubber_duck.llm.tool_calls import ToolCalls
from rubber_duck.llm.wire import Said, Wire, decoded, raise_said
from rubber_duck.redaction import JsonValue

_REASONS: Final = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSED,
    "tool_calls": FinishReason.TOOL,
    "function_call": FinishReason.TOOL,
}


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int | float | None = 0


class _Count(msgspec.Struct, frozen=True):
    prompt_tokens: int | float | None = 0
    completion_tokens: int | float | None = 0
    prompt_tokens_details: _Cached | None = None


class _Function(msgspec.Struct, frozen=True):
    """`arguments`: an object where a server does not write it as text, as Ollama's do."""

    name: str | None = None
    arguments: str | dict[str, object] | None = None


class _Part(msgspec.Struct, frozen=True):
    """A part of a text that is told in parts, as Mistral's thinking models do."""

    text: str | None = None
    thinking: str | tuple[_Part, ...] | None = None


class _Call(msgspec.Struct, frozen=True):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct, frozen=True):
    content: str | tuple[_Part, ...] | None = None
    tool_calls: tuple[_Call, ...] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    index: int | None = 0
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, frozen=True):
    choices: tuple[_Choice, ...] | None = ()
    usage: _Count | None = None
    model: str | None = None
    error: Said | str | None = None


class _InfillChunk(msgspec.Struct, frozen=True):
    """A line of llama.cpp's /infill."""

    content: str = ""
    stop: bool = False
    stop_type: str = ""
    tokens_evaluated: int = 0
    tokens_predicted: int = 0
    model: str | None = None
    error: Said | str | None = None


class _Vector(msgspec.Struct, frozen=True):
    embedding: tuple[float, ...]
    index: int = 0


class _Vectors(msgspec.Struct, frozen=True):
    data: tuple[_Vector, ...]
    usage: _Count | None = None


class _Model(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: tuple[_Model, ...] | None = ()


_chunks: Final = msgspec.json.Decoder(_Chunk)
_infill: Final = msgspec.json.Decoder(_InfillChunk)


@providers.add
class OpenAIProvider(Provider):
    """Chat, streaming, tools, JSON after a schema, filling in the middle, and vectors, over the OpenAI protocol."""

    name: ClassVar[str] = "openai"

    def __init__(self, wire: Wire, flavor: Flavor) -> None:
        self._wire = wire
        self._flavor = flavor

    @classmethod
    def connect(cls, setup: Setup) -> Provider:
        """One for the server at the setup's address."""
        return cls(Wire(setup.egress, setup.timeout_s), flavor_named(setup.flavor))

    async def stream(self, model: str, prompt: Prompt, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The answer of /chat/completions."""
        body: dict[str, JsonValue] = {
            "model": model,
            "messages": [_message(each) for each in self._told(prompt)],
            self._flavor.limit_field: prompt.answer_tokens,
            **self._shared(prompt.temperature, prompt.stop),
        }
        if self._takes_no_temperature(model):
            del body["temperature"]
            body.pop("stop", None)
        if prompt.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {"name": each.name, "description": each.about, "parameters": _schema(each.parameters)},
                }
                for each in prompt.tools
            ]
        if prompt.form is not None:
            schema: JsonValue = {"name": prompt.form.name, "schema": _schema(prompt.form.schema), "strict": True}
            body["response_format"] = (
                {"type": "json_schema", "json_schema": schema} if self._flavor.schemas else {"type": "json_object"}
            )
        async with self._wire.events("/chat/completions", body, errand) as stream:
            reading = _Reading(errand)
            async for event in stream:
                if event == b"[DONE]":
                    reading.is_done = True
                    break
                for piece in reading.pieces(event):
                    yield piece
            for piece in reading.end():
                yield piece

    async def fill(self, model: str, gap: Gap, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The text of the gap, as the server and the model's family want to be asked."""
        is_infill = self._flavor.filling is Filling.INFILL
        if is_infill:
            body: dict[str, JsonValue] = {
                "input_prefix": gap.prefix, "input_suffix": gap.suffix, "n_predict": gap.answer_tokens,
                "temperature": gap.temperature, "stop": list(gap.stop), "stream": True,
            }  # fmt: skip
            if gap.beside:
                body["input_extra"] = [{"filename": each.path, "text": each.text} for each in gap.beside]
        else:
            body = self._completion(model, gap)
        async with self._wire.events(self._flavor.filling_path, body, errand) as stream:
            reading = _Reading(errand)
            read = reading.infilled if is_infill else reading.pieces
            async for event in stream:
                if event == b"[DONE]":
                    reading.is_done = True
                    break
                for piece in read(event):
                    yield piece
            for piece in reading.end():
                yield piece

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """The vectors of /embeddings, scaled to norm 1."""
        if not texts:
            return Embeddings((), Usage(0, 0))
        body: JsonValue = {"model": model, "input": [each or " " for each in texts], "encoding_format": "float"}
        answer = await self._wire.json("/embeddings", body, _Vectors, errand)
        usage = _usage(answer.usage)
        if answer.usage is not None:
            errand.count(usage)
        ordered = sorted(answer.data, key=lambda each: each.index)
        if [each.index for each in ordered] != list(range(len(texts))):
            raise BadAnswer(f"the provider answered {len(ordered)} vectors for {len(texts)} texts, or in no order")
        if len({len(each.embedding) for each in ordered}) != 1 or not ordered[0].embedding:
            raise BadAnswer("the provider answered vectors of different lengths, or of none")
        return Embeddings(tuple(_unit(each.embedding) for each in ordered), usage)

    async def models(self) -> tuple[str, ...]:
        """What /models lists."""
        answer = await self._wire.json("/models", None, _Models, Errand())
        return tuple(sorted(each.id for each in answer.data or ()))

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    def _completion(self, model: str, gap: Gap) -> dict[str, JsonValue]:
        body: dict[str, JsonValue] = {"model": model, "max_tokens": gap.answer_tokens}
        if self._flavor.filling is Filling.SUFFIX:
            return body | {"prompt": prefixed(gap), "suffix": gap.suffix, **self._shared(gap.temperature, gap.stop)}
        template = template_for(model)
        if template is None:
            raise NotOffered(
                f"the model {model!r} is of no family that fills gaps; use StarCoder, CodeLlama, DeepSeek, Qwen, "
                "Codestral or CodeGemma for the role 'completion'"
            )
        stop = (*gap.stop, *template.stop)
        return body | {"prompt": template.ask(gap), **self._shared(gap.temperature, stop)}

    def _shared(self, temperature: float, stop: tuple[str, ...]) -> dict[str, JsonValue]:
        shared: dict[str, JsonValue] = {"temperature": temperature, "stream": True}
        if self._flavor.counts_streams:
            shared["stream_options"] = {"include_usage": True}
        if stop:
            shared["stop"] = list(stop[:4] if self._flavor.limit_field == "max_completion_tokens" else stop)
        return shared

    def _told(self, prompt: Prompt) -> tuple[Message, ...]:
        """The messages; where the server enforces no schema they hold it."""
        if prompt.form is None or self._flavor.schemas:
            return prompt.messages
        return with_told(prompt.messages, prompt.form)

    def _takes_no_temperature(self, model: str) -> bool:
        """OpenAI's models that think refuse any temperature but the default, and stop texts."""
        is_thinking = model.startswith(("o1", "o3", "o4", "gpt-5"))
        return self._flavor.limit_field == "max_completion_tokens" and is_thinking


class _Reading:
    """What has come of one answer."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._calls = ToolCalls()
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._model = ""
        self._is_refused = False
        self.is_done = False

    def pieces(self, event: bytes) -> list[Piece]:
        """The pieces that an event brings."""
        chunk = decoded(event, _chunks)
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)
            self._errand.count(self._usage)
        if chunk.error is not None:
            raise_said(chunk.error if isinstance(chunk.error, Said) else Said(chunk.error))
        self._errand.has_begun = True
        if chunk.model:
            self._model = chunk.model
        found: list[Piece] = []
        for choice in chunk.choices or ():
            if not choice.index:
                self._choose(choice, found)
        return found

    def _choose(self, choice: _Choice, found: list[Piece]) -> None:
        if self._reason is not None and (choice.text or (choice.delta and choice.delta.content)):
            raise BadAnswer("the provider's answer goes on after its end")
        if choice.text:
            found.append(TextDelta(choice.text))
        if (delta := choice.delta) is not None:
            if isinstance(delta.content, tuple):
                found += _parts(delta.content)
            elif delta.content:
                found.append(TextDelta(delta.content))
            elif thought := delta.reasoning_content or delta.reasoning:
                found.append(ThoughtDelta(thought))
            if delta.refusal:
                self._is_refused = True
                found.append(TextDelta(delta.refusal))
            for call in delta.tool_calls or ():
                function = call.function or _Function()
                arguments = function.arguments or ""
                said = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
                self._calls.add(call.index, call.id or "", function.name or "", said)
                self._errand.withheld.append(said)
        if choice.finish_reason:
            self._reason = _REASONS.get(choice.finish_reason, FinishReason.STOP)

    def infilled(self, event: bytes) -> list[Piece]:
        """The pieces that an event of /infill brings."""
        chunk = decoded(event, _infill)
        if chunk.error is not None:
            raise_said(chunk.error if isinstance(chunk.error, Said) else Said(chunk.error))
        self._errand.has_begun = True
        if chunk.stop:
            self._reason = FinishReason.LENGTH if chunk.stop_type == "limit" else FinishReason.STOP
            self._usage = Usage(chunk.tokens_evaluated, chunk.tokens_predicted)
            self._model = chunk.model or ""
        return [TextDelta(chunk.content)] if chunk.content else []

    def end(self) -> list[Piece]:
        """Calls and the end; raises BadAnswer when the answer broke off."""
        if self._reason is None:
            raise BadAnswer("the provider's answer broke off before its end")
        found: list[Piece] = [*self._calls.whole(is_cut=self._reason is FinishReason.LENGTH)]
        reason = FinishReason.TOOL if found and self._reason is FinishReason.STOP else self._reason
        reason = FinishReason.REFUSED if self._is_refused else reason
        found.append(Finished(reason, self._usage or Usage(0, 0), self._model, self._usage is not None))
        return found


def _message(message: Message) -> JsonValue:
    if message.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": message.call, "content": message.text}
    said: dict[str, JsonValue] = {"role": message.role.value, "content": message.text}
    if message.calls:
        said["tool_calls"] = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.arguments}}
            for each in message.calls
        ]
    return said


def _schema(text: str) -> JsonValue:
    try:
        schema: JsonValue = msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"a schema for a model is not valid JSON: {error}") from error
    return schema


def _usage(count: _Count | None) -> Usage:
    if count is None:
        return Usage(0, 0)
    details = count.prompt_tokens_details
    told = (count.prompt_tokens, count.completion_tokens, details.cached_tokens if details else 0)
    asked, said, cached = numbers = [int(each or 0) for each in told]
    if min(numbers) < 0 or cached > asked or numbers != [each or 0 for each in told]:
        raise BadAnswer("the provider counts tokens that cannot be")
    return Usage(asked, said, cached)


def _parts(parts: tuple[_Part, ...]) -> list[Piece]:
    """The text and the thoughts of a text that is told in parts."""
    found: list[Piece] = []
    for part in parts:
        thought = part.thinking
        if isinstance(thought, tuple):
            thought = "".join(each.text or "" for each in thought)
        if thought:
            found.append(ThoughtDelta(thought))
        if part.text:
            found.append(TextDelta(part.text))
    return found


def _unit(vector: tuple[float, ...]) -> tuple[float, ...]:
    norm = math.hypot(*vector)
    if not math.isfinite(norm):
        raise BadAnswer("the provider answered a vector that is not finite")
    return tuple(value / norm for value in vector) if norm else vector
