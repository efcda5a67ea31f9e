"""Finds where an issue lies: asks the index about what the text says, and the project about its files and imports."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.errors import InvalidInput
from rubber_duck.search.hits import Hit, ReasonKind
from rubber_duck.search.localisation.frames import Frame
from rubber_duck.search.localisation.history import changed_with
from rubber_duck.search.localisation.issue import Issue, Manner, Name, read_issue
from rubber_duck.search.localisation.ranking import Clue, Evidence, Place, Suspect, neighbours, rank, shared_by_best
from rubber_duck.search.query import MAX_PARTS
from rubber_duck.workspace.git import Commit

MOST_NAMES: Final = 24
"""Identifiers that are looked up: those in the title and in code marks first."""

MOST_HOMES: Final = 20
"""What more files than this define tells nothing about where to look."""

MOST_NEIGHBOURS: Final = 12
"""Files whose imports are read, the likeliest ones."""

_CHUNKS: Final = 300
_MANNERS: Final = {Manner.MARKED: 1.0, Manner.WORD: 0.7, Manner.CODE: 0.3}
_IN_TITLE: Final = 1.5

Find = Callable[[str, int], Awaitable[Sequence[Hit]]]
"""Asks the index: a query and how many hits at the most."""

Edges = Callable[[Sequence[str]], Sequence[tuple[str, str]]]
"""Tells which of these files imports which; it may read them."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the project: the paths of its files, the index, its imports, its last commits."""

    paths: Sequence[str]
    find: Find
    edges: Edges
    commits: Sequence[Commit] = ()


async def locate(text: str, ground: Ground, limit: int) -> list[Suspect]:
    """The files that the text is likeliest about, best first. Raises InvalidInput when it says nothing."""
    issue = read_issue(text)
    if not (issue.title or issue.body or issue.code or issue.frames):
        raise InvalidInput(
            "the text says nothing that could be looked for: describe what is wrong, or give a traceback"
        )
    files = _Files(ground.paths)
    evidence = [*_framed(issue.frames, files), *_named(issue, files)]
    evidence += await _declared(issue.names, ground.find)
    evidence += await _worded(issue, ground.find)
    known = frozenset(ground.paths)
    evidence += [
        Evidence(path, Clue.HISTORY, spoken.share, str(spoken))
        for path, spoken in changed_with((*issue.title, *issue.body), ground.commits).items()
        if path in known
    ]
    first = rank(evidence, MOST_NEIGHBOURS)
    edges = await asyncio.to_thread(ground.edges, [each.path for each in first])
    return rank([*evidence, *neighbours(first, edges)], limit)


class _Files:
    """The project's files by their last names."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in paths:
            self._by_name[path.rpartition("/")[2]].append(path)

    def ending(self, named: str) -> list[str]:
        """The files that `named` can mean: those that end with it, or with as much of its end as possible."""
        asked = [part for part in named.split("/") if part not in ("", ".", "..")]
        if not asked:
            return []
        alike = {path: _common(asked, path.split("/")) for path in self._by_name.get(asked[-1], ())}
        most = max(alike.values(), default=0)
        return [path for path, length in alike.items() if length == most]

    def module(self, dotted: str) -> list[str]:
        """The files of the module that the longest beginning of a dotted name is."""
        parts = dotted.split(".")
        for length in range(len(parts), 1, -1):
            ends = ["/".join(parts[:length]) + end for end in (".py", "/__init__.py", ".ex")]
            found = [path for end in ends for path in self._by_name.get(end.rpartition("/")[2], ()) if _ends(path, end)]
            if found:
                return found
        return []


def _ends(path: str, end: str) -> bool:
    return path == end or path.endswith(f"/{end}")


def _common(asked: Sequence[str], parts: Sequence[str]) -> int:
    length = 0
    while length < min(len(asked), len(parts)) and asked[-1 - length] == parts[-1 - length]:
        length += 1
    return length


def _framed(frames: Sequence[Frame], files: _Files) -> Iterator[Evidence]:
    """The innermost frame inside the project counts whole, each before it half as much as the next."""
    strength = 1.0
    for frame in reversed(frames):
        found = files.ending(frame.path)
        is_inside = len(found) == 1 and (frame.path.count("/") == 0 or _is_of_project(frame.path, found[0]))
        if not is_inside:
            continue
        what = f" in {frame.function}" if frame.function else ""
        place = Place(frame.function, "line", frame.line, frame.line)
        yield Evidence(found[0], Clue.FRAME, strength, f"the traceback passes line {frame.line}{what}", place, strength)
        strength /= 2


def _is_of_project(printed: str, path: str) -> bool:
    """Whether a file that was printed with its folders is this one: the end they share is all, or two components."""
    common = _common(printed.split("/"), path.split("/"))
    return common == len(path.split("/")) or common == len(printed.split("/")) or common >= 2


def _named(issue: Issue, files: _Files) -> Iterator[Evidence]:
    for path in issue.paths:
        found = files.ending(path)
        for each in found:
            yield Evidence(each, Clue.PATH, 1 / len(found), f"{path} is named")
    for module in issue.modules:
        found = files.module(module)
        for each in found:
            yield Evidence(each, Clue.MODULE, 1 / len(found), f"the module of {module} is named")


async def _declared(names: Sequence[Name], find: Find) -> list[Evidence]:
    found: list[Evidence] = []
    chosen = sorted(names, key=lambda name: (-name.in_title, -name.manner))[:MOST_NAMES]
    for name in chosen:
        hits = [hit for hit in await find(name.name, _CHUNKS) if _declares(hit, name.name)]
        if name.owner:
            hits = [hit for hit in hits if f".{hit.name}".endswith(f".{name.owner}.{name.name}")] or hits
        homes = {hit.path for hit in hits}
        if not homes or len(homes) > MOST_HOMES:
            continue
        strength = _MANNERS[name.manner] * (_IN_TITLE if name.in_title else 1.0) / len(homes)
        seen: set[str] = set()
        for hit in hits:
            share = strength if hit.path not in seen else 0.0  # a file's second definition is another place, not more
            seen.add(hit.path)
            found.append(Evidence(hit.path, Clue.DEFINES, share, f"defines {name.name}", _place(hit), strength))
    return found


def _declares(hit: Hit, name: str) -> bool:
    return any(reason.kind is ReasonKind.DECLARES for reason in hit.reasons) and (
        hit.name.rpartition(".")[2] == name
        or not hit.name
        or name.lower() in (word.lower() for word in hit.reasons[0].words)
    )


async def _worded(issue: Issue, find: Find) -> list[Evidence]:
    body = list(dict.fromkeys((*issue.title, *issue.body)))
    asked = [(Clue.TITLE, list(issue.title)), (Clue.WORDS, body), (Clue.CODE, list(issue.code))]
    found: list[Evidence] = []
    for clue, words in asked:
        if words:
            scored = _scored(clue, await find(" ".join(words[:MAX_PARTS])[:_MOST_CHARACTERS], _CHUNKS))
            is_all_title = clue is Clue.WORDS and words == asked[0][1]  # then the same reason has been given
            found += [replace(each, said="") for each in scored] if is_all_title else scored
    return found


_MOST_CHARACTERS: Final = 3_500


def _scored(clue: Clue, hits: Sequence[Hit]) -> Iterator[Evidence]:
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for hit in hits:
        scores[hit.path].append(hit.score)
    shares = shared_by_best(scores)
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    where = {Clue.TITLE: "the title's words", Clue.WORDS: "the text's words", Clue.CODE: "the quoted code's words"}[
        clue
    ]
    for path, share in shares.items():
        words = list(dict.fromkeys(_words(hit for hit in hits if hit.path == path)))[:_WORDS_SHOWN]
        yield Evidence(path, clue, share, f"has {where}: {', '.join(words)}")
    for hit in hits:
        if hit.name:
            yield Evidence(hit.path, clue, 0.0, "", _place(hit), hit.score / best)  # the file has its share already


_WORDS_SHOWN: Final = 6
_BY_WORDS: Final = frozenset(ReasonKind) - {ReasonKind.RELATED}


def _words(hits: Iterator[Hit]) -> Iterator[str]:
    for hit in hits:
        for reason in hit.reasons:
            if reason.kind in _BY_WORDS:
                yield from reason.words


def _place(hit: Hit) -> Place:
    return Place(hit.name, hit.kind, hit.start_line, hit.end_line)
