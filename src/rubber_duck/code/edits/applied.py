"""Tells whether an edit was applied to a file already: its old lines are gone, and its new ones are there.

New lines alone prove little: `return None` stands in many places. So something has to say that they stand where the old
ones did: lines that the edit keeps, or that the new ones are the old ones changed and stand nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from rubber_duck.code.edits.matching import How, Spot, occurrences, spots, tells

_LEAST_CONTEXT: Final = 3
"""So many lines that an edit keeps make it say where it belongs; then what looks done is taken to be done."""

_LEAST_ALIKE: Final = 0.7
"""How alike, from 0 to 1, old and new lines must be to be the same lines changed."""

_NEAR: Final = 0.1
"""Other lines less than so much less alike to the old ones are as likely to be those that were meant."""

_WORD: Final = re.compile(r"[^\W\d]\w*")
_EVERYWHERE: Final = re.compile(
    r"return|none|true|false|null|nil|undefined|self|this|pass|break|continue|else|end|do|done|then|try|finally|catch|if|elif|"
    r"fi|not|ok|error|err|raise|throw|new|result|value|await|async|yield|var|let|const|def|function",
    re.IGNORECASE,
)


def places(file: Sequence[str], old: Sequence[str], new: Sequence[str], found: Sequence[Spot]) -> list[int]:
    """Where the file has the new lines already, from 0; a few kept lines that every deletion leaves prove nothing."""
    if not any(line.strip() for line in new):
        return []
    only_removes = bool(occurrences(old, new))
    if only_removes and (found or sum(bool(line.strip()) for line in new) < _LEAST_CONTEXT):
        return []
    at = occurrences(file, new)
    return at or ([] if found and found[0].how is How.EXACT else [spot.start for spot in _alike(file, new)])


def says_where(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the edit keeps so many lines, blank ones aside, that they say where it belongs."""
    return len(_kept(old, new)) >= _LEAST_CONTEXT


def is_applied(file: Sequence[str], old: Sequence[str], new: Sequence[str], done: Sequence[int]) -> bool:
    """Whether the new lines are at the places `done` because the edit was applied; the old ones were not found."""
    lines, was, now = ([line.strip() for line in each] for each in (file, old, new))
    outside = _outside(lines, done, len(now))
    if any(occurrences(part, was) for part in outside) or any(_goes_on(lines, at, was, now) for at in done):
        return False
    kept = [line for line in _kept(was, now) if tells(line)]
    if kept and (says_where(was, now) or any(lines.count(line) == 1 for line in kept)):
        return True
    if [line for line in lines if line] == [line for line in now if line]:
        return True
    if len(occurrences(lines, now)) != 1:
        return False
    gone, come = _changed(was, now)
    if not come:
        return len(kept) == len(_kept(was, now)) > 1
    is_own = any(not _EVERYWHERE.fullmatch(word) for line in come for word in _WORD.findall(line))
    alike = SequenceMatcher(None, "\n".join(come), "\n".join(gone), autojunk=False).ratio()
    return is_own and alike >= _LEAST_ALIKE and not any(_is_near(part, gone, alike - _NEAR) for part in outside)


def _goes_on(lines: Sequence[str], at: int, old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a line that the edit takes away stands right before or behind the place still."""
    told = [number for number, line in enumerate(new) if line]
    start = next((number for number in range(at, len(lines)) if lines[number]), at)  # a blank one may not be there
    before = next((line for line in reversed(lines[:start]) if line), "")
    behind = next((line for line in lines[start + told[-1] - told[0] + 1 :] if line), "") if told else ""
    steps = [step for step in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if step[0] != "equal"]
    gone = {line for _, first, last, _, _ in steps for line in old[first:last] if tells(line)}
    first_gone = [line for _, first, last, _, _ in steps if not any(old[:first]) for line in old[first:last] if line]
    last_gone = [line for _, first, last, _, _ in steps if not any(old[last:]) for line in old[first:last] if line]
    return before in {*gone, *first_gone[-1:]} or behind in {*gone, *last_gone[:1]}


def _kept(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The lines of the edit, blank ones aside, that it keeps."""
    kept = {line.strip() for line in new}
    return [line for line in old if line.strip() and line.strip() in kept]


def _changed(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """(the old lines that go, the new ones that come)."""
    gone: list[str] = []
    come: list[str] = []
    for tag, first, last, new_first, new_last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += old[first:last]
            come += new[new_first:new_last]
    return gone, come


def _outside(lines: Sequence[str], done: Sequence[int], length: int) -> list[Sequence[str]]:
    """What stands between the places, before the first and behind the last."""
    parts = []
    at = 0
    for start in sorted(done):
        parts.append(lines[at : max(at, start)])
        at = max(at, start + length)
    return [*parts, lines[at:]]


def _is_near(lines: Sequence[str], gone: Sequence[str], least: float) -> bool:
    """Whether some of the lines are as alike to those that the edit takes away."""
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2("\n".join(gone))
    for at in range(len(lines) - len(gone) + 1):
        matcher.set_seq1("\n".join(lines[at : at + len(gone)]))
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= least and matcher.ratio() >= least:
            return True
    return False


def _alike(file: Sequence[str], new: Sequence[str]) -> list[Spot]:
    return [spot for spot in spots(file, new, new) if spot.how is not How.ANCHORED]
