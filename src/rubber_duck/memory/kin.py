"""Words that stand for each other in what people ask and tell, and what a question's first word wants to hear."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rubber_duck.memory.words import stem

_GROUPS: Final = (
    "live reside home address based located sit stand",
    "move relocate",
    "boss manager lead leader head supervisor chief report",
    "lead run manage own owner maintain maintainer responsible charge belong",
    "phone telephone number extension reach call dial",
    "name called named title nickname",
    "favourite favorite prefer like love best enjoy",
    "dislike hate avoid",
    "company employer employed employee work job",
    "use run rely built based",
    "store keep save persist kept saved stored held hold",
    "deploy release ship rollout",
    "back return away leave holiday vacation",
    "born birthday birth age old",
    "meeting meet standup sync appointment",
    "database db datastore storage store",
    "repository repo",
    "environment env stage staging",
    "production prod live",
    "configuration config setting option set",
    "kubernetes k8s cluster",
    "authentication auth login signin",
    "deadline due planned date schedule",
    "buy bought purchase purchased order",
    "error bug failure fail broke broken crash",
    "server host machine node box",
    "team group squad department",
    "speak language talk",
    "pet dog cat parrot animal",
    "child kid son daughter",
    "wife husband spouse partner married",
    "drive car vehicle",
    "cost price pay expense",
    "limit maximum max most",
    "write wrote author written made",
    "choose chose pick decide decided decision",
    "because reason why cause",
    "begin start began started",
    "end finish stop ended",
    "customer client",
    "office desk room seat",
    "test check verify",
)


def _kin() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in _GROUPS:
        stems = {stem(word) for word in group.split()}
        for each in stems:
            found.setdefault(each, set()).update(stems - {each})
    return {each: frozenset(others) for each, others in found.items()}


KIN: Final = _kin()
"""Word → words that may stand for it, as they are found by."""

_PERSON: Final = r"who|whom|whose|wer|wem|wen|wessen|qui|quién|quien|quiénes|chi|кто|кого|кому|kto|kim|谁|誰"
_PLACE: Final = r"where|wo|woher|wohin|où|dónde|donde|dove|где|куда|gdzie|哪里|どこ"
_TIME: Final = r"when|wann|quand|cuándo|cuando|quando|когда|kiedy|什么时候|いつ"
_NUMBER: Final = (
    r"how (?:many|much|often|long|old|big)|(?:what|which) (?:port|number|version|amount|year|limit|time)|"
    r"wie ?viele?|wie (?:oft|lange)|combien|cuánt\w+|сколько|ile|多少|いくつ"
)
_WANTS: Final = tuple(
    (re.compile(rf"(?<!\w)(?:{asked})(?!\w)" if asked.isascii() else rf"(?:{asked})", re.IGNORECASE), re.compile(told))
    for asked, told in (
        (_NUMBER, r"\d"),
        (_TIME, r"\d|\b(?:[Mm]on|[Tt]ues|[Ww]ednes|[Tt]hurs|[Ff]ri|[Ss]atur|[Ss]un)day|"
                r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|\b(?:today|tomorrow|week|month|year)"),
        (_PERSON, r"(?<=\S )[A-ZÀ-ÞА-Я]\w+"),
        (_PLACE, r"(?<=\S )[A-ZÀ-ÞА-Я]\w+|\d"),
    )
)  # fmt: skip


def wanted_by(question: str) -> re.Pattern[str] | None:
    """What a sentence that answers the question has in it; None where that cannot be told."""
    return next((told for asked, told in _WANTS if asked.search(question)), None)
