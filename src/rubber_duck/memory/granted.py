"""What a question or a request takes for granted: the statement before it, behind it, or within it.

"My API runs on port 8443, how do I open the firewall?" states where the API runs, "did you know that it rains?" that it
rains. What comes after `if` or `when` is supposed and not stated.
"""

from __future__ import annotations

import re
from typing import Final

from rubber_duck.memory.words import terms_of

_ASKING: Final = (
    r"(?:how|why|what|which|who|whom|whose|where|when|is|are|am|isn't|aren't|was|were|do|does|did|don't|doesn't|can|can't|"
    r"could|couldn't|would|should|shouldn't|shall|will|won't|may|might|must|has|have|had|any (?:idea|chance|way|hint|"
    r"suggestion)s?|anyone|anybody|somebody|please|show|explain|tell|write|give|help|fix|find|check|make|add|"
    r"wie|warum|wieso|was|wer|wo|wann|welche\w*|kann|kannst|können|soll|sollen|sollte|muss|darf|gibt|"
    r"comment|pourquoi|que|quel\w*|qui|où|quand|combien|est-ce|peux|peut|dois|faut|"
    r"cómo|qué|quién|dónde|cuándo|cuál\w*|puedo|puedes|debo|hay)(?!\w)"
)
_JOINT: Final = r"(?:\s*[,;:]\s*|\s+[-–—]+\s+|\s*…\s*)(?:(?:and|so|but|then|now|und|aber|et|mais|y|pero)\s+)?"
_BEFORE: Final = re.compile(
    rf"^(?P<said>.+?)(?:{_JOINT}|\s+(?:and|so|but)\s+(?!(?:is|are|was|has|have|can|will|add|make)\b))(?={_ASKING})",
    re.IGNORECASE,
)
_IS_ASKED: Final = re.compile(rf"^{_ASKING}", re.IGNORECASE)
_MINE: Final = (
    r"(?:my|our|we|i|i'm|we're|i've|we've|mein\w*|unser\w*|wir|ich|mon|ma|mes|notre|nos|nous|je|j'ai|"
    r"mi|mis|nuestr\w*)(?!\w)"
)
_BEHIND: Final = re.compile(
    rf"(?:\s*[,;:]\s*|\s+[-–—]+\s+|\s*\()(?P<said>{_MINE}\s(?:(?!\s(?:or|and) ).)+?)\)?\s*[?.!]*$", re.IGNORECASE
)
_REASON: Final = re.compile(
    r"\s(?:since|because|given that|now that|considering that|seeing that|as(?= (?:i|we|my|our|the|it|they|he|she)\b)|"
    r"weil|puisque|parce que|car|porque|ya que)\s+(?P<said>[^?]+?)\s*[?.!]*$",
    re.IGNORECASE,
)
_TOLD: Final = re.compile(
    r"^(?:(?:did|do|does|have|has|had|are|were) (?:you|i|we|anyone|anybody) (?:already |ever |still )?(?:know|remember|"
    r"recall|hear|heard|notice|noticed|see|seen|aware|tell|told|mention|mentioned|say|said)(?: (?:you|me|anyone))?"
    r"(?: yet| before)?|"
    r"(?:is it|would it be|isn't it) (?:ok|okay|fine|bad|normal|wrong|strange|a problem|an issue)|"
    r"wei(?:ß|ss)t du(?: noch| schon)?|wusstest du|(?:tu )?sa(?:is|vais)[- ](?:tu )?|sab(?:es|ías))\s*,?\s+"
    r"(?:that|dass|que|qu')\s+(?P<said>[^?]+?)\s*\?*$",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    r"^(?:as|since|because|given that|now that|considering that|weil|puisque|porque)\s+", re.IGNORECASE
)
_SUPPOSED: Final = re.compile(
    r"^(?:if|when|whenever|unless|suppose|supposing|assuming|assume|let's say|in case|once|wenn|falls|si|"
    r"quand|cuando)\b",
    re.IGNORECASE,
)
_TOPIC: Final = re.compile(
    r"^(?:in|on|at|for|with|without|from|about|regarding|concerning|as for|to|of|by|under|after|before|during|within|"
    r"using|hey|hi|hello|dear|speaking of|für|mit|bei|pour|avec|dans|para|con|en)\b",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"\b(?:i|we|they|he|she|it|there|i'm|we're|it's|they're|wir|ich|nous|je)\b\s*\S", re.IGNORECASE
)
_HELP: Final = re.compile(
    r"^(?:how|why|(?:what|which|where|who|when)\b.{0,30}\b(?:should|can|could|must|do) (?:i|we)|"
    r"what (?:is|could be) wrong|can|could|would|wie|warum|wieso|comment|pourquoi|cómo|por qué)(?!\w)",
    re.IGNORECASE,
)
_OWN: Final = re.compile(r"\b(?:my|our|ours|mein\w*|unser\w*|mon|ma|notre|nos|mi|nuestr\w*)\b", re.IGNORECASE)
_EXACT: Final = re.compile(r"\w*\d[\w.:/-]*|\w+[./_-]\w+|`[^`]+`")
_LEAST_TERMS: Final = 2


def granted(sentence: str) -> str:
    """What the question or request states, without what it asks; "" when it states nothing.

    A question for help with something of one's own that says exactly what it is (a number, a host, a path) is told as
    a whole: it says that there is such a thing.
    """
    if told := _TOLD.match(sentence):
        return _statement(told["said"])
    if not _IS_ASKED.match(sentence):
        before = _BEFORE.match(sentence)
        return _statement(before["said"]) if before else ""
    for pattern in (_REASON, _BEHIND):
        found = pattern.search(sentence)
        if found and (said := _statement(found["said"])):
            return said
    is_of_help = _HELP.match(sentence) and _OWN.search(sentence) and _EXACT.search(sentence)
    return sentence if is_of_help else ""


def _statement(said: str) -> str:
    """The words, if they may be a statement: somebody or something of which something is said."""
    bare = _LINK.sub("", said.strip(" ,;:-–—"))
    if _SUPPOSED.match(bare) or _IS_ASKED.match(bare) or len(set(terms_of(bare))) < _LEAST_TERMS:
        return ""
    return "" if _TOPIC.match(bare) and not _SUBJECT.search(bare) else bare
