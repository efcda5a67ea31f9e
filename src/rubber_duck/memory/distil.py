"""What is worth keeping of what was said: statements, told apart as preferences, style and facts; and a summary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.memory.remembered import Kind
from rubber_duck.memory.words import terms_of

_FENCE: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SENTENCE: Final = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9À-Þ`*_])|\n+|;\s+")
_LEAD: Final = re.compile(
    r"^(?:[-*•>#\d.)\s]+|(?:oh|ok|okay|well|so|and|but|also|by the way|btw|"
    r"(?:please )?(?:note|remember|keep in mind)(?: that)?|fyi|"
    r"just so you know|for the record)[,:]?\s+)+",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"^(?:he|she|it|they|this|that|these|those|his|her|its|their|there|the latter)\b", re.IGNORECASE
)
_REQUEST: Final = re.compile(
    r"^(?:can|could|would|will|do|does|did|is|are|was|were|what|which|who|whom|whose|why|how|when|where|please|show|"
    r"explain|write|give|help|fix|find|let's|let us|thank|thanks|sure|great|hello|hi|hey|yes|no|sorry|"
    r"tell me|any idea)\b",
    re.IGNORECASE,
)
_PREFERENCE: Final = re.compile(
    r"\b(?:i|we|my|our|us|me)\b.{0,40}\b(?:prefer|like|love|hate|dislike|want|favou?r|rather|always|never|usually|"
    r"avoid)\b"
    r"|\b(?:please |always |never )(?:use|avoid|do|don't|write|keep|put|answer|call)\b"
    r"|\b(?:don't|do not) (?:use|write|add)\b",
    re.IGNORECASE,
)
_STYLE: Final = re.compile(
    r"\b(?:tabs?|spaces|indent\w*|quotes?|semicolons?|camel ?case|snake_?case|docstrings?|type hints?|line length|"
    r"trailing commas?|naming|imports?|formatter|black|ruff|prettier|eslint|linter|code style)\b",
    re.IGNORECASE,
)
_LEAST_TERMS: Final = 2
_MOST_CHARACTERS: Final = 600
_MOST_OF_AN_ANSWER: Final = 12
_SUMMARY_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence worth keeping, and what it is."""

    text: str
    kind: Kind
    terms: tuple[str, ...]


def statements(asked: str, answered: str) -> list[Statement]:
    """What an interaction states, the person's words first. Questions, requests, thanks and code are left out."""
    told = list(_stated(asked, is_person=True))
    return told + list(_stated(answered, is_person=False))[:_MOST_OF_AN_ANSWER]


def summary(turns: Sequence[tuple[str, str]]) -> str:
    """The sentences of a session that hold most of what it was about, in their order; empty for small talk."""
    sentences = list(dict.fromkeys(
        sentence for asked, answered in turns for text in (asked, answered) for sentence in sentences_of(text)
    ))  # fmt: skip
    counts = Counter(term for sentence in sentences for term in set(terms_of(sentence)))
    worth = {
        sentence: sum(counts[term] for term in set(terms_of(sentence))) / (5 + len(terms_of(sentence)))
        for sentence in sentences
    }
    best = sorted((each for each in sentences if worth[each] > 0), key=lambda each: -worth[each])[:_SUMMARY_SENTENCES]
    return " ".join(each for each in sentences if each in best)


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a text without its code."""
    for piece in _SENTENCE.split(_FENCE.sub("\n", text)):
        sentence = " ".join(piece.split())
        if sentence:
            yield sentence[:_MOST_CHARACTERS]


def kind_of(sentence: str, *, is_person: bool) -> Kind:
    """What a statement is; only a person has preferences."""
    if is_person and _PREFERENCE.search(sentence):
        return Kind.STYLE if _STYLE.search(sentence) else Kind.PREFERENCE
    if is_person and _STYLE.search(sentence) and re.search(r"\b(?:use|uses|we|our|code)\b", sentence, re.IGNORECASE):
        return Kind.STYLE
    return Kind.FACT


def _stated(text: str, *, is_person: bool) -> Iterator[Statement]:
    before = ""
    for sentence in sentences_of(text):
        bare = _LEAD.sub("", sentence)
        is_statement = not bare.endswith("?") and not (_REQUEST.match(bare) and not _PREFERENCE.search(bare))
        terms = terms_of(bare)
        if is_statement and len(set(terms)) >= _LEAST_TERMS:
            whole = f"{before} {bare}" if before and _PRONOUN.match(bare) else bare
            yield Statement(whole, kind_of(bare, is_person=is_person), terms_of(whole))
        if not bare.endswith("?"):
            before = bare
