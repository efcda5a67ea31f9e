"""Answers of a given shape: the schema that a model is asked to keep to, and how its answer is read."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import astuple, dataclass, replace
from typing import Final, Generic, TypeVar

import msgspec

from rubber_duck.errors import BadAnswer, InvalidDeclaration, InvalidInput, ProviderRejected
from rubber_duck.llm.messages import Answer, FinishReason, Form, Message, Prompt, Role, Usage
from rubber_duck.redaction import JsonValue

T = TypeVar("T")
Write = Callable[[Prompt], Awaitable[Answer]]

_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_FENCE: Final = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_THOUGHT: Final = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_KEPT: Final = frozenset(
    {"type", "properties", "items", "prefixItems", "anyOf", "enum", "const", "$ref", "$defs", "description", "required",
     "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "pattern"}
)  # fmt: skip
_json: Final = json.JSONDecoder()
_STARTS: Final = 20
"""In so many places of an answer its beginning is looked for."""


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """An answer in its shape. `answer` is what was said, with what all tries together took; `repaired` is true where
    the first try did not fit."""

    value: T
    answer: Answer
    repaired: bool


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with an answer that is not of its form."""

    wrong: str


def form_of(shape: type[T]) -> Form:
    """The form that asks for a value of `shape`, a msgspec Struct. Raises InvalidDeclaration for any other type.

    The schema is what strict servers take: every property is required, none besides; what they do not know is left
    out, and is checked when the answer is read.
    """
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        raise InvalidDeclaration(f"a model's answer has the shape of a msgspec Struct, not of {shape!r}")
    schema = msgspec.json.schema(shape)
    named = schema.pop("$ref", "").removeprefix("#/$defs/")
    definitions = schema.pop("$defs", {})
    root = _strict(definitions.get(named, schema))
    if not isinstance(root, dict):
        raise InvalidDeclaration(f"the shape {shape.__name__!r} has no schema of an object")
    used = {name: _strict(each) for name, each in definitions.items() if name != named or _refers(definitions, named)}
    if used:
        root["$defs"] = used
    return Form(_NAME.sub("_", shape.__name__)[:60], msgspec.json.encode(root).decode())


def with_told(messages: tuple[Message, ...], form: Form) -> tuple[Message, ...]:
    """The messages with the words that ask for a form where nothing enforces it, as part of the one system message."""
    words = (
        "Answer with one JSON object and nothing else: no explanation before or after it, no Markdown. "
        f"It must be valid against this JSON schema:\n{form.schema}"
    )
    if messages[0].role is Role.SYSTEM:
        return (replace(messages[0], text=f"{messages[0].text}\n\n{words}"), *messages[1:])
    return (Message(Role.SYSTEM, words), *messages)


async def written_as(write: Write, prompt: Prompt, shape: type[T]) -> Written[T]:
    """What `write` answers to `prompt`, as a value of `shape`.

    A server that does not take the form is told of it in words. An answer that does not fit is shown to the model
    once, with what is wrong. Raises BadAnswer when the second does not fit either, or was cut off; ProviderRejected
    when the model refuses; and what `write` raises.
    """
    form = form_of(shape)
    asking = replace(prompt, form=form)
    try:
        first = await write(asking)
    except InvalidInput:
        asking = replace(prompt, messages=with_told(prompt.messages, form))
        first = await write(asking)
    value = _read(first, shape, form)
    if not isinstance(value, Misfit):
        return Written(value, first, repaired=False)
    turns = (
        Message(Role.ASSISTANT, first.text or "(nothing)"),
        Message(Role.USER, f"That does not fit: {value.wrong}. Answer again, with the whole JSON object alone."),
    )
    again = await write(replace(asking, messages=(*with_told(prompt.messages, form), *turns)))
    usage = Usage(*(a + b for a, b in zip(astuple(first.usage), astuple(again.usage), strict=True)))
    value = _read(again, shape, form)
    if isinstance(value, Misfit):
        raise BadAnswer(f"the model {again.model!r} answered twice in a form that was not asked for: {value.wrong}")
    return Written(value, replace(again, usage=usage), repaired=True)


def read_form(said: str, shape: type[T]) -> T | Misfit:
    """The value in an answer, whatever a model put around it: thoughts, a sentence, a fence.

    Of several objects the first that fits counts.
    """
    wrong = ""
    for candidate in _candidates(said):
        try:
            return msgspec.json.decode(candidate, type=shape, strict=False)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
            if candidate.startswith("{"):
                wrong = wrong or str(error)
    return Misfit(wrong or "there is no JSON object in it")


def _read(answer: Answer, shape: type[T], form: Form) -> T | Misfit:
    value = read_form(answer.text, shape)
    if isinstance(value, Misfit) and answer.reason is FinishReason.REFUSED:
        raise ProviderRejected(f"the model {answer.model!r} refuses to answer")
    if isinstance(value, Misfit) and answer.reason is FinishReason.LENGTH:
        tokens = answer.usage.output_tokens
        raise BadAnswer(f"the answer in the form {form.name!r} was cut off after {tokens:,} tokens")
    return value


def _candidates(said: str) -> Iterator[str]:
    text = _THOUGHT.sub("", said).strip()
    yield text
    yield from (found.strip() for found in _FENCE.findall(text))
    at = -1
    for _ in range(_STARTS):
        at = text.find("{", at + 1)
        if at < 0:
            return
        with contextlib.suppress(ValueError, RecursionError):
            yield text[at : _json.raw_decode(text, at)[1]]


def _strict(schema: JsonValue) -> JsonValue:
    """A schema as strict servers take it."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict: dict[str, JsonValue] = {}
    for key, value in schema.items():
        if key in {"enum", "const", "required", "type", "$ref", "description"}:
            strict[key] = value
        elif key in {"properties", "$defs"} and isinstance(value, dict):
            strict[key] = {name: _strict(each) for name, each in value.items()}
        elif key in _KEPT:
            strict[key] = _strict(value)
        else:
            strict |= {key: _strict(value)} if key == "additionalProperties" and isinstance(value, dict) else {}
    values = strict.get("enum")
    if isinstance(values, list) and all(isinstance(each, str) for each in values):
        strict["type"] = "string"
    properties = strict.get("properties")
    if isinstance(properties, dict):
        strict["required"] = list(properties)
        strict["additionalProperties"] = False
    return strict


def _refers(definitions: JsonValue, name: str) -> bool:
    """Whether a definition refers to the one called `name`."""
    if isinstance(definitions, dict):
        return definitions.get("$ref") == f"#/$defs/{name}" or any(_refers(each, name) for each in definitions.values())
    return isinstance(definitions, list) and any(_refers(each, name) for each in definitions)
