"""What is worth keeping of what was said: statements, told apart as preferences, style and facts; and a summary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.memory.granted import granted
from rubber_duck.memory.reading import Unit, plain_sentences, units
from rubber_duck.memory.remembered import Kind
from rubber_duck.memory.words import terms_of

_LEAD: Final = re.compile(
    r"^(?:[-*•>#\d.)\s]+(?=\D)|(?:oh|ok|okay|well|so|and|but|also|by the way|btw|no|nope|yes|yeah|wait|actually|sorry|"
    r"hm+|correction|update|scratch that|i mean|thanks|thank you|great|as far as i (?:know|can see|remember)|"
    r"(?:(?:can|could|would|will) you )?(?:please )?(?:note|remember|keep in mind|make a note)(?: of)?(?: that)?|fyi|"
    r"just so you know|for the record|you should know(?: that)?)\b[,:.!]*\s+)+",
    re.IGNORECASE,
)
_TAG: Final = re.compile(
    r"(?:[,;]\s*|\s+)(?:right|correct|is that right|isn't it|aren't they|doesn't it|shall we|ok|okay|yes|oder|"
    r"nicht wahr|n'est-ce pas|verdad)\s*\?$",
    re.IGNORECASE,
)
_NOTING: Final = re.compile(
    r"^(?:can|could|would|will) you (?:please )?(?:note|remember|keep in mind|make a note)\b", re.IGNORECASE
)
_GIVEN: Final = re.compile(
    r"^((?:since|as|because|given that|now that|after|although|while)\s+[^,?]+),\s", re.IGNORECASE
)
_PRONOUN: Final = re.compile(
    r"^(?:the (?:latter|former)|"
    r"(?:(?:in|at|on|for|with|from|of|by|to|about|mit|bei|für|von|in|pour|chez|avec|para|con|за|у|для|к|с|от|о)\s+)?"
    r"(?:he|she|it|they|his|her|him|its|their|them|er|sie|ihr|ihm|il|elle|ils|él|ella|"
    r"он|она|оно|они|его|её|него|нее|неё|них|ему|ей|им|нём|ней))\b",
    re.IGNORECASE,
)
_INNER: Final = re.compile(r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs)\b", re.IGNORECASE)
_POINTING: Final = re.compile(r"^(?:this|that|these|those|there)\b", re.IGNORECASE)
_IMPERATIVE: Final = re.compile(
    r"^(?:please )?(?:show|explain|write|give|help|fix|find|look|see|try|check|run|let me know|thank|thanks|sure|great|"
    r"hello|hi|hey|tell me|any idea|summari[sz]e|describe|rename|make|add|remove|shorten|review)\b",
    re.IGNORECASE,
)
_POLITE: Final = re.compile(r"^(?:can|could|would|will|may) (?:you|we|i|somebody|someone)\b", re.IGNORECASE)
_PREFERENCE: Final = re.compile(
    r"\b(?:i|we|my|our|us|me)\b.{0,40}\b(?:prefers?|likes?|loves?|hates?|dislikes?|want|favou?rs?|rather)\b"
    r"|\b(?:i|we)(?:'d)?(?: (?:should|would|must|will|do|almost|nearly|try to|have to|like to)){0,2} "
    r"(?:always|never|usually|avoid)\b"
    r"|\b(?:please |always |never )(?:use|avoid|do|don't|write|keep|put|answer|call)\b"
    r"|\b(?:don't|do not) (?:use|write|add)\b",
    re.IGNORECASE,
)
_WISH: Final = re.compile(
    r"\b(?:i|we)(?:'d|\b.{0,20}?\b(?:want|need|would|have|plan))\b(?: like| love| want)?(?: you)? to \w", re.IGNORECASE
)
_LASTING: Final = re.compile(
    r"\b(?:always|never|usually|prefer|rather|every|all|from now on|by default)\b", re.IGNORECASE
)
"""Who asks for something to be done names it; what is to hold from now on says so."""

_STYLE: Final = re.compile(
    r"\b(?:tabs?|spaces|indent\w*|quotes?|semicolons?|camel ?case|snake_?case|docstrings?|type hints?|line length|"
    r"trailing commas?|naming|imports?|formatter|black|ruff|prettier|eslint|linter|code style)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=\S )[A-ZÀ-Þ]\w+|\d+|\w+[_\-/.]\w+|`[^`]+`|\b\w+[a-z][A-Z]\w*|[A-Z]{2,}\w*")
_LEAST_TERMS: Final = 2
_LEAST_NAMES: Final = 2
_MOST_OF_AN_ANSWER: Final = 40
_SUMMARY_SENTENCES: Final = 3
_ENDS: Final = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence worth keeping, and what it is."""

    text: str
    kind: Kind
    terms: tuple[str, ...]


def statements(asked: str, answered: str) -> list[Statement]:
    """What an interaction states, the person's words first."""
    return statements_of([(asked, answered)])[0]


def statements_of(turns: Sequence[tuple[str, str]]) -> list[list[Statement]]:
    """What each turn of a session states, the person's words first.

    Questions, requests and thanks are left out, but for what they presuppose; of code only lines that set a name to a
    value are told. What speaks of somebody as he, she or it is told together with the sentence that says who that is,
    also when that was said in the turn before.
    """
    listener = _Listener()
    told = []
    for asked, answered in turns:
        mine = list(listener.heard(asked, is_person=True))
        told.append(mine + list(listener.heard(answered, is_person=False))[:_MOST_OF_AN_ANSWER])
    return told


def leans(text: str) -> bool:
    """Whether a text begins with who or what was spoken of before it, so that it needs what stands before."""
    first = next(units(text), None)
    return first is not None and not first.is_code and bool(_PRONOUN.match(_LEAD.sub("", first.text)))


def summary(turns: Sequence[tuple[str, str]]) -> str:
    """The sentences of a session that hold most of what it was about, in their order; empty for small talk."""
    sentences = list(dict.fromkeys(
        sentence for asked, answered in turns for text in (asked, answered) for sentence in plain_sentences(text)
    ))  # fmt: skip
    counts = Counter(term for sentence in sentences for term in set(terms_of(sentence)))
    worth = {
        sentence: sum(counts[term] for term in set(terms_of(sentence))) / (5 + len(terms_of(sentence)))
        for sentence in sentences
    }
    best = sorted((each for each in sentences if worth[each] > 0), key=lambda each: -worth[each])[:_SUMMARY_SENTENCES]
    return " ".join(each if each.endswith(_ENDS) else f"{each}." for each in sentences if each in best)


def kind_of(sentence: str, *, is_person: bool) -> Kind:
    """What a statement is; only a person has preferences."""
    is_errand = _WISH.search(sentence) and _NAME.search(sentence) and not _LASTING.search(sentence)
    if is_person and _PREFERENCE.search(sentence) and not is_errand:
        return Kind.STYLE if _STYLE.search(sentence) else Kind.PREFERENCE
    if is_person and _STYLE.search(sentence) and re.search(r"\b(?:use|uses|we|our|code)\b", sentence, re.IGNORECASE):
        return Kind.STYLE
    return Kind.FACT


def names_in(sentence: str) -> int:
    """How many names, numbers and identifiers a sentence holds: what makes it worth keeping among many."""
    return len(_NAME.findall(sentence))


class _Listener:
    """Follows a conversation: who or what was spoken of last, in whose place a pronoun may stand."""

    def __init__(self) -> None:
        self._named = ""
        self._last = ""

    def heard(self, text: str, *, is_person: bool) -> Iterator[Statement]:
        """What a text states."""
        for unit in units(text):
            stated = unit.text if unit.is_code else _stated(unit.text)
            whole = self._whole(unit, stated or _LEAD.sub("", unit.text), is_kept=bool(stated))
            if not stated:
                continue
            terms = terms_of(whole)
            if len(set(terms)) >= _LEAST_TERMS and set(terms_of(stated)):
                yield Statement(whole, kind_of(stated, is_person=is_person and not unit.is_code), terms)

    def _whole(self, unit: Unit, bare: str, *, is_kept: bool) -> str:
        """The sentence with what it needs to be understood alone."""
        if unit.head:
            return f"{unit.head} {bare}"
        leans = bool(_PRONOUN.match(bare)) or (
            # it points at what was just said
            not unit.is_first and bool(unit.is_unspaced or _POINTING.match(bare) or _INNER.search(bare))
        )
        before = " ".join(dict.fromkeys(each for each in (self._named, self._last) if each and each != bare))
        if not unit.is_code and len(set(terms_of(bare))) >= _LEAST_TERMS:
            if not leans:
                self._named, self._last = bare, ""
            elif is_kept:
                self._last = bare
        return f"{before} {bare}" if leans and before else bare


def _stated(sentence: str) -> str:
    """What a sentence states; empty for questions, requests and thanks that state nothing."""
    bare = _LEAD.sub("", sentence)
    if sentence.rstrip().endswith(("?", "？")):
        if _NOTING.match(sentence):
            return bare.rstrip("?？ ")
        if _TAG.search(bare):
            return _TAG.sub("", bare)
        if given := _GIVEN.match(bare):
            return given[1]
        if said := granted(bare):
            return said
        return bare if _POLITE.match(bare) and names_in(bare) >= _LEAST_NAMES else ""
    is_asking = _IMPERATIVE.match(bare) or _POLITE.match(bare)
    if is_asking and not _PREFERENCE.search(bare) and names_in(bare) < _LEAST_NAMES:
        return granted(bare)
    return bare
