"""Ways of asking a model that are worth more than one question: check and repair, think first, look again.

Each is a function of its own, can be left out, and says what it did, so that an answer with it can be compared with one
without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from rubber_duck.llm.llm import LLM, Answer
    from rubber_duck.llm.messages import Prompt
    from rubber_duck.llm.roles import Role
    from rubber_duck.scope import Scope

T = TypeVar("T")

Technique = Literal["repair", "thought", "feedback"]

REPAIRS: Final = 3
"""How often a draft that fails its check is sent back."""

ROUNDS: Final = 2
"""How often a model may ask to see more."""

_MOST_PROBLEM: Final = 4_000
_MOST_QUERIES: Final = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks which models."""

    llm: LLM
    scope: Scope
    role: Role


@dataclass(frozen=True, slots=True)
class Judged(Generic[T]):
    """What became of one draft: its value, None when it could not be read, and what is wrong with it, if anything."""

    value: T | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Drafted(Generic[T]):
    """The last draft. `tries` counts all of them; `problems` are what was wrong with each, the last one's last."""

    value: T | None
    answer: Answer
    tries: int
    problems: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether the last draft passed its check."""
        return self.value is not None and len(self.problems) < self.tries


async def draft(
    asking: Asking, prompt: Prompt, judge: Callable[[str], Awaitable[Judged[T]]], *, repairs: int = REPAIRS
) -> Drafted[T]:
    """Draft, check, repair: an answer that fails `judge` is sent back with what is wrong, at most `repairs` times.

    The same problem twice with the same answer ends it: the model has nothing else to say.
    """
    from rubber_duck.llm.messages import Message, Role  # noqa: PLC0415  # only who asks a model

    problems: list[str] = []
    texts: list[str] = []
    asked = prompt
    while True:
        answer = await asking.llm.write(asking.scope, asking.role, asked)
        judged = await judge(answer.text)
        if not judged.problem:
            return Drafted(judged.value, answer, len(texts) + 1, tuple(problems))
        problems.append(judged.problem)
        if len(texts) >= repairs or answer.text in texts:
            return Drafted(judged.value, answer, len(texts) + 1, tuple(problems))
        texts.append(answer.text)
        told = (
            f"A check of your answer says:\n{judged.problem[:_MOST_PROBLEM]}\n\n"
            "Repair that and give the whole answer again, in the same form."
        )
        # only the last draft is shown: older ones cost tokens, and small models copy them
        asked = replace(
            prompt,
            messages=(*prompt.messages, Message(Role.ASSISTANT, answer.text or "(nothing)"), Message(Role.USER, told)),
        )


class Thought(msgspec.Struct, frozen=True):
    """The steps that a model takes before it answers."""

    steps: tuple[str, ...]


async def think(asking: Asking, prompt: Prompt) -> tuple[str, ...]:
    """Chain of thought: the steps by which the model would answer `prompt`; they are no part of the answer."""
    from rubber_duck.llm.messages import Message, Role  # noqa: PLC0415  # only who asks a model

    told = (
        "Do not answer yet. Think about it in at most seven short steps: what is asked, what is there, what can fail."
    )
    asked = replace(prompt, messages=(*prompt.messages, Message(Role.USER, told)), answer_tokens=1024)
    written = await asking.llm.write_as(asking.scope, asking.role, asked, Thought)
    return tuple(" ".join(step.split()) for step in written.value.steps[:12] if step.strip())


def with_thought(prompt: Prompt, steps: Sequence[str]) -> Prompt:
    """The prompt with the steps that were thought before."""
    from rubber_duck.llm.messages import Message, Role  # noqa: PLC0415  # only who asks a model

    if not steps:
        return prompt
    listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    messages = (
        *prompt.messages,
        Message(Role.ASSISTANT, f"My steps:\n{listed}"),
        Message(Role.USER, "Now give the answer itself, without the steps."),
    )
    return replace(prompt, messages=messages)


class Wanted(msgspec.Struct, frozen=True):
    """What a model wants to see before it answers: words to search the project for; none when it has enough."""

    queries: tuple[str, ...]


async def look_again(
    asking: Asking,
    prompt: Prompt,
    found: Mapping[str, str],
    find: Callable[[str], Awaitable[Mapping[str, str]]],
    *,
    rounds: int = ROUNDS,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Retrieval with feedback: the model says what is missing, which is looked for and added, at most `rounds` times.

    `found` and what `find` gives are texts by their place. Gives all that was found, and the queries that were asked.
    """
    from rubber_duck.engines.prompting import fenced  # noqa: PLC0415  # which knows no technique
    from rubber_duck.llm.messages import Message, Role  # noqa: PLC0415  # only who asks a model

    held = dict(found)
    asked: list[str] = []
    for _ in range(rounds):
        shown = "\n".join(fenced("code", place, text) for place, text in held.items())
        told = (
            f"Of the project you know this:\n{shown}\nDo not answer yet. Which names or words should be looked up in "
            f"the project first? Give at most {_MOST_QUERIES} queries, or none if this is enough."
        )
        question = replace(prompt, messages=(*prompt.messages, Message(Role.USER, told)), answer_tokens=256)
        wanted = (await asking.llm.write_as(asking.scope, asking.role, question, Wanted)).value.queries
        new = [query.strip()[:200] for query in wanted[:_MOST_QUERIES] if query.strip() and query.strip() not in asked]
        before = len(held)
        for query in new:
            asked.append(query)
            held |= {place: text for place, text in (await find(query)).items() if place not in held}
        if not new or len(held) == before:
            break
    return held, tuple(asked)
