"""How large a question is: the most tokens it can take, about how many it takes, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.llm.messages import Excerpt, Gap, Prompt, Question, Usage
from rubber_duck.llm.tokens import count_tokens

_PER_MESSAGE: Final = 16
_ALWAYS: Final = 64
_PER_TOOLS: Final = 600


def most_tokens(question: Question | Sequence[str]) -> Usage:
    """The most tokens that a question and its answer can take, whatever vocabulary the model has.

    A token is at least one byte of the text, and marks around messages and tools are counted generously.
    """
    texts, marks = _parts(question)
    return Usage(marks + sum(map(_size, texts)), _answer_tokens(question))


def likely_tokens(question: Question | Sequence[str]) -> Usage:
    """About how many tokens a question takes, and the most of its answer; off the event loop where it may be long.

    The text is counted in tokens of the vocabulary that ships, and a fifth more: others cut code into more.
    """
    texts, marks = _parts(question)
    return Usage(marks + sum(map(count_tokens, texts)) * 6 // 5, _answer_tokens(question))


def asked_text(question: Question | Sequence[str]) -> str:
    """The words of a question, for who counts or keeps them."""
    match question:
        case Prompt():
            said = [f"{each.role.value}: {each.text}" for each in question.messages]
            return "\n\n".join((*said, *(tool.parameters for tool in question.tools)))
        case Gap():
            beside = "".join(f"{each.path}\n{each.text}\n" for each in question.beside)
            return f"{beside}{question.prefix}⟨gap⟩{question.suffix}"
        case _:
            return "\n\n".join(question)


def _parts(question: Question | Sequence[str]) -> tuple[Sequence[str], int]:
    """The texts that are sent, and the tokens of the marks around them."""
    match question:
        case Prompt():
            tools = [f"{each.name}{each.about}{each.parameters}" for each in question.tools]
            form = [question.form.schema] if question.form else []
            marks = _PER_MESSAGE * len(question.messages) + (_PER_TOOLS if tools or form else 0)
            calls = [f"{call.id}{call.name}{call.arguments}" for each in question.messages for call in each.calls]
            return (*(each.text for each in question.messages), *calls, *tools, *form), _ALWAYS + marks
        case Gap():
            texts = [question.prefix, question.suffix, question.path, question.path]
            texts += [text for each in question.beside for text in (each.path, each.path, each.text)]
            return texts, _ALWAYS + sum(_PER_MESSAGE + _comment_marks(question, each) for each in question.beside)
        case _:
            return question, _PER_MESSAGE * len(question)


def _comment_marks(gap: Gap, beside: Excerpt) -> int:
    """The bytes of the marks of comments, on each line of another file."""
    return (beside.text.count("\n") + 2) * (len(gap.comment) + 2)


def _answer_tokens(question: Question | Sequence[str]) -> int:
    return question.answer_tokens if isinstance(question, (Prompt, Gap)) else 0


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
