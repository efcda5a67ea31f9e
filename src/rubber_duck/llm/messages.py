"""What is said to a model and what it says back, whoever provides the model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rubber_duck.errors import InvalidInput


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a tool. `arguments` is the text of a JSON object; it was checked to be one, and no more."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. `calls` are the assistant's; a tool's message says which `call` it answers, by id."""

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call. `parameters` is the text of a JSON schema of an object."""

    name: str
    about: str
    parameters: str


@dataclass(frozen=True, slots=True)
class Form:
    """What the whole answer must be: JSON after a schema, which is its text; providers that can, enforce it."""

    name: str
    schema: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation that a model is to continue.

    - `messages`: at least one, the last one not the assistant's.
    - `answer_tokens`: the most tokens the answer may have. `temperature`: 0.0 to 2.0; 0 is as repeatable as it gets.
    - `stop`: the answer ends before the first of these texts.
    - `tools`: what the model may call. `form`: what the answer must be, None for free text.
    """

    messages: tuple[Message, ...]
    answer_tokens: int = 1024
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    form: Form | None = None

    def __post_init__(self) -> None:
        if not self.messages or self.messages[-1].role is Role.ASSISTANT:
            raise InvalidInput("a prompt needs messages, and the last word must not be the assistant's")
        _check_limits(self.answer_tokens, self.temperature)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of another file, by its path in the project."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap in a text that a model is to fill: what stands before it and after it (fill in the middle).

    `path` is the text's own. `beside` is told in the form that the model's family has for other files, and to families
    that have none in comments before the prefix, each line behind `comment`; without that mark they are told nothing.
    """

    prefix: str
    suffix: str
    answer_tokens: int = 64
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    path: str = ""
    beside: tuple[Excerpt, ...] = ()
    comment: str = ""

    def __post_init__(self) -> None:
        _check_limits(self.answer_tokens, self.temperature)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """The next piece of what the model thinks before it answers; no part of the answer, and never empty."""

    text: str


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    REFUSED = "refused"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took, in the provider's own count of tokens.

    `input_tokens` holds those read from the provider's cache and those written to it, which are priced apart.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer; always the last piece, and there is always one unless the stream raised.

    `model` is what the provider says has answered; empty: it did not say. `is_counted` is false where the provider did
    not say what the answer took.
    """

    reason: FinishReason
    usage: Usage
    model: str = ""
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `model` is the one that gave it, as `provider/model`."""

    text: str
    calls: tuple[ToolCall, ...]
    reason: FinishReason
    usage: Usage
    model: str


Piece = TextDelta | ThoughtDelta | ToolCall | Finished
"""What a stream is made of: text, thoughts and calls of tools, then its end."""

Question = Prompt | Gap
"""What a stream answers."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per text, in their order, all of one length and of norm 1 (or 0 for a text that says nothing)."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


def _check_limits(answer_tokens: int, temperature: float) -> None:
    if answer_tokens < 1:
        raise InvalidInput(f"an answer needs at least one token, not {answer_tokens}")
    if not 0.0 <= temperature <= 2.0:
        raise InvalidInput(f"a temperature lies between 0.0 and 2.0, not at {temperature}")
