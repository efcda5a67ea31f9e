"""Places the edits of one file in its text, one after the other, and says of each what became of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.code.edits.applied import is_applied, places, says_where
from rubber_duck.code.edits.edit import Delete, Edit, Hint, Replace, Whole
from rubber_duck.code.edits.elision import elides
from rubber_duck.code.edits.lines import body, cut, ending, usual_ending
from rubber_duck.code.edits.matching import How, Spot, bodies, occurrences, spots, tells
from rubber_duck.code.edits.merging import merged


class Fate(StrEnum):
    """What became of an edit. Only `placed` changes something."""

    PLACED = "placed"
    DONE = "already applied"
    AMBIGUOUS = "ambiguous"
    MISSING = "not found"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of an edit, how its place was found, and the 1-based `lines` of that place or of all it may mean."""

    edit: Edit
    fate: Fate
    how: str = ""
    lines: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """`text` is the file's after all edits that could be placed; None when there is no such file (any more)."""

    text: str | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an edit may do: replace a file that is there as a whole; and the git blob that the file is."""

    may_replace: bool = False
    blob: str = ""


def place(text: str | None, edits: Sequence[Edit], terms: Terms = Terms()) -> Placed:
    """Place `edits` in `text`, each in what the ones before it left; None is a file that does not exist."""
    verdicts: list[Verdict] = []
    first = text
    is_edited = any(isinstance(edit, Replace) for edit in edits)
    moved = 0
    for edit in edits:
        before = text
        match edit:
            case Replace():
                text, verdict = _replace(text, edit, terms.blob, moved)
            case Whole():
                is_shown = is_edited and _shows(edit, first, text)
                verdict = Verdict(edit, Fate.DONE, why="it shows lines that the file has")
                text, verdict = (text, verdict) if is_shown else _whole(text, edit, terms)
            case Delete():
                text, verdict = _delete(text, edit)
        if before is not None and text is not None:
            moved += len(cut(text)) - len(cut(before))
        verdicts.append(verdict)
    return Placed(text, tuple(verdicts))


def _replace(text: str | None, edit: Replace, blob: str, moved: int) -> tuple[str | None, Verdict]:
    if text is None:
        if edit.search.strip():
            return None, Verdict(edit, Fate.MISSING, why="there is no such file")
        return edit.replace, Verdict(edit, Fate.PLACED, "new file", (1,))
    if not edit.search.strip():
        return _fill(text, edit)
    if edit.search == edit.replace:
        return text, Verdict(edit, Fate.REFUSED, why="it changes nothing")
    if elides(edit.search, edit.replace):
        return text, Verdict(edit, Fate.REFUSED, why=_ELISION)
    file = cut(text)
    old, new = bodies(cut(edit.search)), bodies(cut(edit.replace))
    found, verdict = _found(file, edit, old, new)
    if verdict is not None:
        return text, verdict
    if len(found) > 1:
        found = _hinted(found, edit.hint, blob, moved)
    if len(found) == 1 and _half_done(bodies(file), old, found[0]):
        why = "some of what it adds stands right beside it: it may be applied in part"
        return text, Verdict(edit, Fate.AMBIGUOUS, lines=(found[0].start + 1,), why=why)
    if len(found) > 1:
        lines = tuple(spot.start + 1 for spot in found)
        return text, Verdict(edit, Fate.AMBIGUOUS, lines=lines, why=f"it may mean any of {len(lines)} places")
    return _put(text, file, edit, found[0])


def _found(
    file: Sequence[str], edit: Replace, old: Sequence[str], new: Sequence[str]
) -> tuple[list[Spot], Verdict | None]:
    """The places that the edit may mean, and the verdict if it changes none of them."""
    lines = bodies(file)
    found = spots(lines, old, new)
    end = _end(edit)
    if end is None:
        return found, _without_place(lines, edit, found)
    at_end = [spot for spot in found if spot.end == len(file)]
    if found and not at_end:
        return [], Verdict(edit, Fate.MISSING, why="it changes the end of the file, and other lines are there")
    if at_end and old == new:
        return at_end, None
    verdict = _without_place(lines, edit, at_end)
    if verdict is not None and verdict.fate is Fate.DONE and end is not bool(ending(file[-1])):
        verdict = dataclasses.replace(verdict, fate=Fate.AMBIGUOUS, why=_OTHER_END)
    return at_end, verdict


_OTHER_END: Final = "its lines are there, and the file ends otherwise: with a line feed where it says none, or without"


def _end(edit: Replace) -> bool | None:
    """Whether the file shall end in a line feed, where a patch changes that; None when it does not."""
    is_ended = edit.replace.endswith("\n")
    return is_ended if edit.replace and edit.search.endswith("\n") is not is_ended else None


def _fill(text: str, edit: Replace) -> tuple[str, Verdict]:
    """An edit that looks for nothing begins a file, and nothing else."""
    if not text.strip():
        return edit.replace, Verdict(edit, Fate.PLACED, "empty file", (1,))
    if bodies(cut(text)) == bodies(cut(edit.replace)):
        return text, Verdict(edit, Fate.DONE)
    return text, Verdict(edit, Fate.REFUSED, why="it says no lines to look for, and the file is not empty")


def _without_place(file: Sequence[str], edit: Replace, found: Sequence[Spot]) -> Verdict | None:
    """The verdict when nothing is to be changed: it is done already, or nowhere; None when there is a place."""
    old, new = bodies(cut(edit.search)), bodies(cut(edit.replace))
    done = places(file, old, new, found)
    if not found:
        lines = tuple(at + 1 for at in done)
        if done and is_applied(file, old, new, done):
            return Verdict(edit, Fate.DONE, lines=lines)
        return Verdict(edit, Fate.MISSING, lines=lines, why=_ELSEWHERE if done else "the file has no such lines")
    if not done:
        return None
    how = found[0].how
    there = [_is_at(spot, done, len(new), within=how is How.EXACT) for spot in found]
    is_done = all(there) if how is not How.ANCHORED else any(there)
    if is_done and (how is How.EXACT or is_applied(file, old, new, done)):
        return Verdict(edit, Fate.DONE, lines=tuple(at + 1 for at in done))
    if how is How.EXACT and not says_where(old, new) and not any(there):
        return None
    lines = tuple(sorted({*(at + 1 for at in done), *(spot.start + 1 for spot in found)}))
    return Verdict(edit, Fate.AMBIGUOUS, lines=lines, why=_BOTH)


_ELSEWHERE: Final = "the file has no such lines; those that it would put there it has, so it may be applied already"
_BOTH: Final = "the file has it both as it was and as it shall be: it may be applied already"


def _is_at(spot: Spot, done: Sequence[int], length: int, *, within: bool) -> bool:
    """Whether the place is one where the new lines stand: within them, or having some of them."""
    if within:
        return any(at <= spot.start and spot.end <= at + length for at in done)
    return any(at < spot.end and spot.start < at + length for at in done)


def _half_done(file: Sequence[str], old: Sequence[str], spot: Spot) -> bool:
    """Whether the lines right before or behind the place are the edit's first or last, one that it adds among them."""
    new = spot.replace
    known = {line.strip() for line in old}

    def adds(lines: Sequence[str]) -> bool:
        return any(line.strip() not in known and tells(line) for line in lines)

    before, behind = file[: spot.start], file[spot.end :]
    return any(
        (tuple(before[-size:]) == new[:size] and adds(new[:size]))
        or (tuple(behind[:size]) == new[-size:] and adds(new[-size:]))
        for size in range(1, len(new) + 1)
    )


def _hinted(found: Sequence[Spot], hint: Hint | None, blob: str, moved: int) -> list[Spot]:
    """The place at the line that a patch names, if the file is the very one that the patch was made for."""
    if hint is None or not blob.startswith(hint.blob):
        return list(found)
    return [spot for spot in found if spot.start == hint.line - 1 + moved] or list(found)


def _put(text: str, file: Sequence[str], edit: Replace, spot: Spot) -> tuple[str, Verdict]:
    there = list(file[spot.start : spot.end])
    result = merged(spot.search, spot.replace, bodies(there), exactly=spot.how is How.EXACT)
    if result is None:
        why = "the place that it may mean differs where it changes something"
        return text, Verdict(edit, Fate.MISSING, lines=(spot.start + 1,), why=why)
    usual = usual_ending(there) if any(ending(line) for line in there) else usual_ending(file)
    lines = [there[kept] if kept is not None else line + usual for line, kept in result]
    after = [*file[: spot.start], *lines, *file[spot.end :]]
    end = _end(edit)
    new = "".join(_ended(after, usual, at_end=bool(ending(file[-1])) if end is None else end))
    if new == text:
        return text, Verdict(edit, Fate.DONE, lines=(spot.start + 1,))
    return new, Verdict(edit, Fate.PLACED, str(spot.how), (spot.start + 1,))


def _ended(lines: list[str], usual: str, *, at_end: bool) -> list[str]:
    """Every line with an end, but the last only if the file had one there."""
    ended = [line if ending(line) else line + usual for line in lines]
    if ended and not at_end:
        ended[-1] = body(ended[-1])
    return ended


def _shows(edit: Whole, *texts: str | None) -> bool:
    """Whether it is a part of one of the texts: shown beside edits of the file, it is no edit itself."""
    lines = bodies(cut(edit.content.strip("\n")))
    return any(text is not None and occurrences(bodies(cut(text)), lines) for text in texts)


def _whole(text: str | None, edit: Whole, terms: Terms) -> tuple[str | None, Verdict]:
    if elides(text or "", edit.content):
        return text, Verdict(edit, Fate.REFUSED, why=_ELISION)
    if text is None:
        return edit.content, Verdict(edit, Fate.PLACED, "new file", (1,))
    if bodies(cut(text)) == bodies(cut(edit.content)):
        return text, Verdict(edit, Fate.DONE)
    if edit.is_new:
        return text, Verdict(edit, Fate.REFUSED, why="it makes a new file, and there is one of that name")
    if not terms.may_replace:
        why = "it would replace all of a file that is there, which has to be asked for: the form `whole`"
        return text, Verdict(edit, Fate.REFUSED, why=why)
    usual = usual_ending(cut(text))
    lines = [body(line) + usual for line in cut(edit.content)]
    new = "".join(_ended(lines, usual, at_end=not text or text.endswith("\n")))
    return new, Verdict(edit, Fate.PLACED, "whole file", (1,))


def _delete(text: str | None, edit: Delete) -> tuple[str | None, Verdict]:
    if text is None:
        return None, Verdict(edit, Fate.DONE, why="there is no such file")
    if bodies(cut(text)) != bodies(cut(edit.content)):
        return text, Verdict(edit, Fate.REFUSED, why="it removes a file whose content is another one by now")
    return None, Verdict(edit, Fate.PLACED, "removed file", (1,))


_ELISION: Final = "it leaves out code that it means to keep, with a remark or dots in its place"
