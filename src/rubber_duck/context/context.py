"""The front of `context`: builds what a model is told about an ask, within a budget, and says why."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rubber_duck.context.packing import NO_ROOM, Packed, pack
from rubber_duck.context.repository_map import draw
from rubber_duck.context.rules_files import rules_files
from rubber_duck.context.snippet import Snippet, SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.strategy import Strategy, strategies
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.llm.tokens import count_tokens, cut
from rubber_duck.workspace.paths import display

RULES_SHARE: Final = 0.15
MAP_SHARE: Final = 0.15
"""The most of the budget that rules files and the map may take."""

_WORD: Final = re.compile(r"[A-Za-z_]\w{2,}")


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a context is, each part from 0 to 1.

    - `worth`: the mean score of what is told, by its tokens.
    - `found`: how much of what was gathered is told, by relevance; what is told already elsewhere counts as told.
    - `whole`: which share of the parts that are needed found room.
    """

    worth: float
    found: float
    whole: float

    @property
    def total(self) -> float:
        """`worth` times `whole`: a context without what is needed is worth little, however good the rest is."""
        return round(self.worth * self.whole, 3)


@dataclass(frozen=True, slots=True)
class Context:
    """What a model would be told.

    - `strategy` and how well each of them suited the ask (`suits`). `packed`: the parts, their scores, the text.
    - `problems`: what could not be told although it was meant to be.
    - `is_cached`: it was built before, and nothing has changed since.
    """

    ask: Ask
    strategy: str
    suits: dict[str, float]
    packed: Packed
    quality: Quality
    problems: tuple[str, ...]
    is_cached: bool = False


async def build(ask: Ask, sources: Sources, *, strategy: str = "") -> Context:
    """The context for `ask`; `strategy` names one to take instead of the one that suits best.

    Raises NotFound for a file that is not among the project's, InvalidInput for a line it does not have or an ask
    without place and question, UnknownName for a strategy.
    """
    _check(ask, sources)
    known = strategies.discover()
    made: dict[str, Strategy] = {name: cls() for name, cls in known.items()}
    suits = {name: round(each.suits(ask, sources), 3) for name, each in sorted(made.items())}
    name = strategy or max(suits, key=lambda each: suits[each])
    if strategy:
        _ = known[strategy]
    problems: list[str] = []
    rules = () if ask.is_alone else _rules(ask, sources, problems)
    snippets = [*rules, *await made[name].gather(ask, sources)]
    packed = await asyncio.to_thread(_packed, ask, sources, snippets)
    problems += [
        f"there is no room for {each.snippet.kind.value} {each.snippet.path}: {each.reason}"
        for each in packed.refused
        if each.snippet.is_needed
    ]
    return Context(ask, name, suits, packed, _quality(packed), tuple(problems))


def _check(ask: Ask, sources: Sources) -> None:
    if not ask.path and not ask.query:
        raise InvalidInput("a context is for a place or for a question: say FILE:LINE or --query TEXT")
    if not ask.path:
        return
    why_not = sources.picture.why_not(ask.path)
    if why_not:
        raise NotFound(f"'{display(ask.path)}' is not among the project's files, so nothing of it is told: {why_not}")
    count = len(sources.lines(ask.path))
    if not count and ask.path not in sources.facts:
        raise InvalidInput(f"'{display(ask.path)}' is empty, or is not text")
    if ask.line > max(count, 1):
        raise InvalidInput(f"'{display(ask.path)}' has {count:,} lines, and no line {ask.line:,}")


def _rules(ask: Ask, sources: Sources, problems: list[str]) -> list[Snippet]:
    """Rules files, those of the nearest folder first when there is not room for all, and told last: they hold most."""
    left = int(ask.budget_tokens * RULES_SHARE)
    found = []
    every = rules_files(sources.root, sources.picture, ask.path)
    problems += [rules.problem for rules in every if rules.problem]
    readable = [rules for rules in every if not rules.problem]
    for order in reversed(range(len(readable))):
        rules = readable[order]
        text = cut(rules.text, left)
        if text != rules.text:
            problems.append(f"'{display(rules.path)}' is longer than there is room for rules, and was cut")
        if text:
            left -= count_tokens(text)
            reason = "rules of the project for this folder"
            if len(readable) > 1:
                reason += f", {order + 1} of {len(readable)}: where they disagree, the last ones hold"
            found.append(Snippet(SnippetKind.RULES, rules.path, text, (reason,), 1.0, order=order))
    return found


def _packed(ask: Ask, sources: Sources, snippets: list[Snippet]) -> Packed:
    """Blocks: a large budget is hundreds of files to be counted."""
    drawn = () if ask.is_alone else _map(ask, sources, snippets)
    return pack([*snippets, *drawn], ask.budget_tokens, _counted)


@lru_cache(maxsize=1_024)
def _counted(text: str) -> int:
    """The tokens of a snippet: what is told around one cursor is told around the next."""
    return count_tokens(text)


def _map(ask: Ask, sources: Sources, told: list[Snippet]) -> list[Snippet]:
    mentioned = {*_WORD.findall(ask.query)}
    budget_tokens = int(ask.budget_tokens * MAP_SHARE)
    ranked = sources.picture.ground.landmarks(
        focus=(ask.path,) if ask.path else (), mentioned=mentioned, most=budget_tokens
    )
    whole = {snippet.path for snippet in told if snippet.kind in (SnippetKind.FILE, SnippetKind.BEFORE)}
    drawn = draw(ranked, budget_tokens, count_tokens, without=whole)
    if not drawn.text:
        return []
    count = len(drawn.landmarks)
    which = f"the {count:,} definitions" if count > 1 else "the definition"
    reasons = (f"{which} that the project leans on most, seen from here",)
    return [Snippet(SnippetKind.MAP, "", drawn.text, reasons, 0.9)]


def _quality(packed: Packed) -> Quality:
    tokens = sum(each.tokens for each in packed.chosen)
    worth = sum(each.score.total * each.tokens for each in packed.chosen) / tokens if tokens else 0.0
    told = sum(each.snippet.relevance for each in packed.chosen)
    lost = sum(each.snippet.relevance for each in packed.refused if each.reason == NO_ROOM)
    needed = sum(each.snippet.is_needed for each in packed.chosen)
    missing = sum(each.snippet.is_needed for each in packed.refused)
    return Quality(
        round(worth, 3),
        round(told / (told + lost), 3) if told + lost else 0.0,
        round(needed / (needed + missing), 3) if needed + missing else 1.0,
    )
