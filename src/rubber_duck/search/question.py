"""What a question or a task in people's words is looked for by: its words, whatever else stands in it."""

from __future__ import annotations

from typing import Final

from rubber_duck.search.query import MAX_PARTS, Query, Word, dotted_name
from rubber_duck.search.words import LONG, TOKEN, is_compound, words_of

_AROUND_NAMES: Final = "`'\"()[]{}<>,;:!?."
_SHORTEST_PART: Final = 2
"""Of a dotted name, or `e.g.` would be one."""


def query_of(question: str) -> Query:
    """The query for a text of any length in which no sign means anything; it has no words if the text has none.

    Of more than MAX_PARTS words the first that tell something are taken, and up to half as many names of code.
    """
    tokens = list(dict.fromkeys(TOKEN.findall(question)))
    if len(tokens) > MAX_PARTS:
        telling = [token for token in tokens if words_of(token) not in ((), (LONG,))]
        names = [token for token in telling if _is_name(token)][: MAX_PARTS // 2]
        chosen = list(dict.fromkeys((*names, *(telling or tokens))))[:MAX_PARTS]
        tokens = [token for token in tokens if token in chosen]
    found = (dotted_name(part.strip(_AROUND_NAMES)) for part in question.split())
    dotted = [name for name in found if name and min(map(len, name)) >= _SHORTEST_PART and set(tokens).issuperset(name)]
    return Query(question, tuple(map(Word, tokens)), tuple(dict.fromkeys(dotted)))


def _is_name(token: str) -> bool:
    return "_" in token or is_compound(token)
