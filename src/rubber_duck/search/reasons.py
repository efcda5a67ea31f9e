"""Why a hit is there, in the words of the query and of the code; and which words of the query stand nowhere."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Final

from rubber_duck.search.fields import ARGUMENTS, BODY, DOC, NAME, REST, name_word
from rubber_duck.search.hits import Hit, Reason, ReasonKind
from rubber_duck.search.query import Filter, Query
from rubber_duck.search.ranking import Ranked
from rubber_duck.search.reading import Text
from rubber_duck.search.words import SILENT, TOKEN, folded_case

_RELATED_SHOWN: Final = 3
_SHORTEST_RELATED: Final = 3
_EVERYWHERE: Final = frozenset(map(str.lower, [*dir(builtins), *keyword.kwlist, *keyword.softkwlist]))
"""What stands all over Python code; that a query is related to it tells nothing."""

_KINDS: Final = (
    (NAME, ReasonKind.NAME),
    (DOC, ReasonKind.DOCUMENTATION),
    (ARGUMENTS, ReasonKind.ARGUMENTS),
    (BODY, ReasonKind.BODY),
    (REST, ReasonKind.COMMENT),
)

_PLACES: Final = {kind: place for place, kind in enumerate(ReasonKind)}


def reasons(query: Query, ranked: Ranked, text: Text | None) -> Iterator[Reason]:
    """Why a chunk was found, the best reason first; `text` is its file, if it was read."""
    declared = tuple(dict.fromkeys(_declared(query, ranked, text)))
    if declared:
        yield Reason(ReasonKind.DECLARES, declared)
    yield from _by_words(ranked)
    if ranked.is_near:
        yield Reason(ReasonKind.MEANING, ())
    for phrase in query.phrases:
        if not phrase.is_negative:
            yield Reason(ReasonKind.PHRASE, (phrase.text,))
    for pattern in query.patterns:
        if not pattern.is_negative:
            yield Reason(ReasonKind.PATTERN, (pattern.source,))


def _by_words(ranked: Ranked) -> Iterator[Reason]:
    by_kind: dict[ReasonKind, list[str]] = {}
    for match in ranked.matches():
        shown = match.term.shown
        if shown in SILENT:
            continue
        if match.term.source:
            if len(shown) >= _SHORTEST_RELATED and shown not in _EVERYWHERE:
                by_kind.setdefault(ReasonKind.RELATED, []).append(f"{shown} ({match.term.source})")
            continue
        kind = next((kind for bit, kind in _KINDS if match.fields & bit), ReasonKind.PATH)
        by_kind.setdefault(kind, []).append(shown)
    for kind in sorted(by_kind, key=_PLACES.__getitem__):
        yield Reason(kind, tuple(by_kind[kind][: _RELATED_SHOWN if kind is ReasonKind.RELATED else None]))


def unseen(unknown: Sequence[str], hits: Sequence[Hit]) -> tuple[str, ...]:
    """Those of the words that stand in no hit, not even as parts of others or with other underscores."""
    shown = [_plain("\n".join((hit.path, hit.name, *(line.text for line in hit.lines)))) for hit in hits]
    return tuple(
        word for word in unknown if folded_case(word) not in SILENT and not any(_plain(word) in each for each in shown)
    )


def _declared(query: Query, ranked: Ranked, text: Text | None) -> Iterator[str]:
    """The names that were asked for and that the chunk declares, as they are written there."""
    own = ranked.file.record.names[ranked.at]
    asked = [each.term.shown for each in ranked.matches() if ranked.exactness and each.term.is_name and each.is_exact]
    for condition in query.of(Filter.SYMBOL):
        last = TOKEN.findall(condition.value.rpartition(".")[2])
        if not condition.is_negative and (own or last):
            is_whole = last and "*" not in condition.value and "?" not in condition.value
            asked.append(folded_case(last[-1]) if is_whole else name_word(own))
    for name in filter(None, asked):
        yield own if name_word(own) == name else _written(name, ranked, text)


def _written(name: str, ranked: Ranked, text: Text | None) -> str:
    """The name as it stands in the chunk, if possible where it is given something."""
    if text is None or not text.is_current:
        return name
    chunk = ranked.file.record.chunk(ranked.at)
    piece = text.content[chunk.start_byte : chunk.end_byte].decode("utf-8", "replace")
    word = rf"\b{re.escape(name)}\b"
    found = re.search(rf"{word}(?=\s*[:=])", piece, re.IGNORECASE) or re.search(word, piece, re.IGNORECASE)
    return found[0] if found else name


def _plain(text: str) -> str:
    return folded_case(text).replace("_", "")
