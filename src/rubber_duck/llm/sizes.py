"""How large a question is: the most tokens it can take, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.llm.messages import Excerpt, Gap, Prompt, Question, Usage

_PER_MESSAGE: Final = 16
_ALWAYS: Final = 64
_PER_TOOLS: Final = 600


def most_tokens(question: Question | Sequence[str]) -> Usage:
    """The most tokens that a question and its answer can take, whatever vocabulary the model has.

    A token is at least one byte of the text, and marks around messages and tools are counted generously.
    """
    match question:
        case Prompt():
            tools = [f"{each.name}{each.about}{each.parameters}" for each in question.tools]
            form = [question.form.schema] if question.form else []
            extra = _PER_MESSAGE * len(question.messages) + (_PER_TOOLS if tools or form else 0)
            calls = [f"{call.id}{call.name}{call.arguments}" for each in question.messages for call in each.calls]
            size = sum(map(_size, (*(each.text for each in question.messages), *calls, *tools, *form)))
            return Usage(_ALWAYS + extra + size, question.answer_tokens)
        case Gap():
            beside = sum(2 * _size(each.path) + _commented_size(question, each) for each in question.beside)
            size = _size(question.prefix) + _size(question.suffix) + 2 * _size(question.path) + beside
            return Usage(_ALWAYS + size, question.answer_tokens)
        case _:
            return Usage(sum(_PER_MESSAGE + _size(each) for each in question), 0)


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


def _commented_size(gap: Gap, beside: Excerpt) -> int:
    """With the marks of comments on each line, or those around a file."""
    lines = beside.text.count("\n") + 2
    return _size(beside.text) + lines * (len(gap.comment) + 2) + _PER_MESSAGE


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
