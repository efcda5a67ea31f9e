"""The order of what no word ranks, as /save/ or symbol:save find it: names before bodies, code before prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rubber_duck.code.language import languages
from rubber_duck.search.chunk import MODULE_CODE, SECTION, WINDOW
from rubber_duck.search.hits import Hit
from rubber_duck.search.patterns import Matcher
from rubber_duck.search.query import Filter, Query
from rubber_duck.search.ranking import Ranked
from rubber_duck.search.words import TOKEN, folded_case

MOST_GATHERED: Final = 300
"""Matches that are put in order; what matches beyond them is not looked at."""

MOST_FILES: Final = 512
"""Files that are looked into when there are enough hits already, in search of better ones."""

_NO_DEFINITION: Final = frozenset({MODULE_CODE, SECTION, WINDOW})

Key = tuple[int, int, int, int, str, int]


class Precedence:
    """Which match comes first: called exactly so, then with the match in its name or beside it, then other code."""

    def __init__(self, query: Query, required: Sequence[Matcher]) -> None:
        """`required` must all match in a hit."""
        self._symbols = frozenset(
            each.value.rpartition(".")[2] for each in query.of(Filter.SYMBOL) if not each.is_negative
        )
        self._folded = frozenset(map(folded_case, self._symbols))
        self._required = required
        self._code = frozenset(languages.discover())

    def of_chunk(self, ranked: Ranked) -> Key:
        """What is known before its file is read."""
        chunk = ranked.file.record.chunk(ranked.at)
        is_code = ranked.file.language in self._code
        is_definition = is_code and chunk.is_head and chunk.kind not in _NO_DEFINITION
        return self._key(chunk.name, is_code, is_definition, False, (ranked.file.path, chunk.start_byte))

    def of_hit(self, hit: Hit) -> Key:
        """What is known when its lines are."""
        own = (TOKEN.findall(hit.name) or [""])[-1]
        is_code = hit.language in self._code
        is_definition = is_code and hit.kind not in _NO_DEFINITION
        beside = any(line.spans and own and re.search(rf"\b{re.escape(own)}\b", line.text) for line in hit.lines)
        return self._key(own, is_code, is_definition, beside, (hit.path, hit.start_byte))

    def _key(self, own: str, is_code: bool, is_definition: bool, is_beside: bool, place: tuple[str, int]) -> Key:
        symbol = 0 if own in self._symbols else 1 if folded_case(own) in self._folded else 2
        in_name = self._required and any(any(each.spans(own.encode("utf-8", "replace"))) for each in self._required)
        is_named = is_definition and (is_beside or bool(in_name))
        return (symbol, 0 if is_named else 1, 0 if is_code else 1, 0 if is_definition else 1, *place)
