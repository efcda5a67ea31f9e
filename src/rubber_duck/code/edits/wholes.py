"""Reads whole files out of a text: a code block with the file's name above it, on its fence, or in its first line.

Only a block that says its file's name and nothing else counts: prose around a snippet does not make it a file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from rubber_duck.code.edits.edit import Misread, Reading, Whole
from rubber_duck.code.edits.names import fence, path_in, path_in_comment
from rubber_duck.code.language import detect

_PROSE: Final = frozenset({"", "text", "txt", "console", "shell", "sh", "bash", "diff", "output", "plaintext"})
_OPENS: Final = "opens"
_CLOSES: Final = "closes"
_MOST_FENCES: Final = 100
"""So many fences behind an opening one are looked at for the one that closes it."""

_MOST_STRAYS: Final = 100
_MOST_WHOLES: Final = 1_000
_WORD: Final = re.compile(r"[\w+#.-]*")


@dataclass(frozen=True, slots=True)
class _Fence:
    """A fence on a line, from 0, and what is said on it, as a language."""

    line: int
    mark: str
    said: str

    def may_close(self, opening: str) -> bool:
        """Whether it is of the same kind as the fence `opening`, and as long."""
        return self.mark[0] == opening[0] and len(self.mark) >= len(opening)


def read_wholes(lines: Sequence[str], taken: Collection[int] = ()) -> Reading:
    """The files in `lines`, which have no line ends. A block that is not closed is misread: the text broke off.

    A code block with one of the lines `taken`, from 0, in it holds edits and is no file.
    """
    wholes: list[Whole] = []
    misread: list[Misread] = []
    fences = _fences(lines)
    edits = sorted(taken)
    at = strays = 0
    for opened in fences:
        if opened.line < at:
            continue
        at = opened.line
        path, first = _named(lines, at, opened.said)
        end, why = _closed(lines, _after(fences, at), opened.mark, path)
        following = bisect_left(edits, at)
        holds_edits = following < len(edits) and edits[following] < (end or len(lines))
        is_empty = bool(taken) and not any(line.strip() for line in lines[first:end])
        if path and not (holds_edits or is_empty):
            if why:
                misread.append(Misread(at + 1, why))
            elif end is not None:
                wholes.append(Whole(path, "".join(f"{line}\n" for line in lines[first:end]), at + 1))
        is_stray = end is None and bool(taken) and (holds_edits or not path)  # of an edit that lost a fence
        strays += is_stray
        if strays > _MOST_STRAYS or len(wholes) + len(misread) > _MOST_WHOLES:
            misread.append(Misread(at + 1, "there are too many code blocks, or too many that are not closed"))
            break
        at = at + 1 if is_stray else len(lines) if end is None else end + 1
    return Reading(tuple(wholes), tuple(misread))


def _fences(lines: Sequence[str]) -> list[_Fence]:
    """All fences; one in a quotation is none: the file's lines would begin with the mark of the quotation."""
    found = ((number, fence(line)) for number, line in enumerate(lines) if not line.lstrip().startswith(">"))
    return [_Fence(number, *each) for number, each in found if each is not None]


def _after(fences: Sequence[_Fence], line: int) -> Iterator[_Fence]:
    first = bisect_right(fences, line, key=lambda each: each.line)
    return (fences[number] for number in range(first, len(fences)))


def _closed(lines: Sequence[str], fences: Iterator[_Fence], mark: str, path: str) -> tuple[int | None, str]:
    """(the one of `fences` that closes the one before them, what is wrong)."""
    near = list(islice(fences, _MOST_FENCES))
    end = _end(chain(near, fences), mark)
    if not path or end is None:
        return end, "the code block is not closed: the text may have been broken off" if end is None else ""
    ends = _ends(lines, near, mark)
    if len(ends) == 1:
        return ends[0], ""
    if len(ends) > 1 and detect(path, None) is None:  # in a language that is parsed half a file shows
        return end, "several lines may close the code block; put a longer fence around a file that holds fences"
    return end, ""


def _end(fences: Iterable[_Fence], mark: str) -> int | None:
    """The first fence that may close: of the same kind, at least as long, with nothing behind it.

    In a Markdown file a model often forgets the longer fence, so an inner block that is opened with a language is
    closed before the outer one.
    """
    inside = 0
    for each in fences:
        if not each.may_close(mark):
            continue
        if each.said:
            inside += 1
        elif inside:
            inside -= 1
        else:
            return each.line
    return None


def _ends(lines: Sequence[str], fences: Sequence[_Fence], mark: str) -> list[int]:
    """Every one of `fences` that may close the one before them: those inside pair up then, and those behind it.

    Where several would do, those are left that contradict no fence's look: before an opening one there is a gap and
    behind it none, at a closing one it is the other way round.
    """
    ends = []
    fitting = []
    for at, each in enumerate(fences):
        if each.said or not each.may_close(mark):
            continue
        before, behind = _roles([one for one in fences[:at] if one.may_close(mark)]), _roles(fences[at + 1 :])
        if before is None or (behind is None and len(fences) < _MOST_FENCES):
            continue
        ends.append(each.line)
        roles = {**before, each.line: _CLOSES, **(behind or {})}
        if all(_look(lines, number) in ("", role) for number, role in roles.items()):
            fitting.append(each.line)
    return fitting if len(fitting) == 1 else ends


def _roles(fences: Sequence[_Fence]) -> dict[int, str] | None:
    """What each fence does, by its line, when all are code blocks one after the other; None when the last is open."""
    roles: dict[int, str] = {}
    mark = ""
    for each in fences:
        if not mark:
            roles[each.line], mark = _OPENS, each.mark
        elif each.may_close(mark) and not each.said:
            roles[each.line], mark = _CLOSES, ""
    return None if mark else roles


def _look(lines: Sequence[str], number: int) -> str:
    is_free_before = not lines[number - 1].strip()
    is_free_behind = number + 1 >= len(lines) or not lines[number + 1].strip()
    return "" if is_free_before == is_free_behind else _OPENS if is_free_before else _CLOSES


def _named(lines: Sequence[str], opened: int, said: str) -> tuple[str, int]:
    """The file's name, and the line that its content begins with; "" when the block is no file."""
    on_fence = path_in(lines[opened])
    if on_fence:
        return on_fence, opened + 1
    above = opened - 1
    if above >= 0 and not lines[above].strip():
        above -= 1
    if above >= 0 and fence(lines[above]) is None:
        found = path_in(lines[above])
        if found:
            return found, opened + 1
    word = _WORD.match(said)
    if opened + 1 < len(lines) and (word is None or word[0].lower() not in _PROSE):
        found = path_in_comment(lines[opened + 1])
        if found and ("/" in found or "\\" in found):
            return found, opened + 1
    return "", opened + 1
