"""Edits that are not quite right, made from real code by a seeded generator.

Each case knows the one text that may come of it. Leaving the file as it is is always allowed, saying that it is done
only where it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parents[3] / "data" / "sources"
SEED: Final = 20_261_128
MOST_ALIKE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Case:
    """`file` is what lies on the disk, `right` all it may become; lines have no ends."""

    file: tuple[str, ...]
    search: tuple[str, ...]
    replace: tuple[str, ...]
    right: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Origin:
    """A right edit of the lines [start, start + len(old)) of `file`."""

    file: tuple[str, ...]
    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    def case(self) -> Case:
        end = self.start + len(self.old)
        return Case(self.file, self.old, self.new, (*self.file[: self.start], *self.new, *self.file[end:]))


def origin_in(files: Sequence[tuple[str, ...]], dice: random.Random) -> Origin:
    """Some lines, not to be found twice, of which one to three become others, come, or go."""
    while True:
        file = dice.choice(files)
        length = dice.randint(4, 14)
        start = dice.randrange(len(file) - length)
        old = file[start : start + length]
        if sum(bool(line.strip()) for line in old) < 4 or _count(file, old) != 1:
            continue
        new = list(old)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(new))
            written = f"{' ' * (len(new[at]) - len(new[at].lstrip()))}duck_{dice.randrange(10**6)}()"
            match dice.randrange(3):
                case 0:
                    new[at] = written
                case 1:
                    new.insert(at, written)
                case _ if len(new) > 2 and new[at].strip():  # of two blank lines one gone leaves no trace
                    del new[at]
        if tuple(new) != old and any(line.startswith("duck_") for line in map(str.strip, new)):
            return Origin(file, start, old, tuple(new))


def _count(file: Sequence[str], wanted: Sequence[str]) -> int:
    stripped, lines = [line.strip() for line in file], [line.strip() for line in wanted]
    return sum(stripped[at : at + len(lines)] == lines for at in range(len(stripped)))


def shifted(origin: Origin, dice: random.Random) -> Case:
    """The file has grown or shrunk above the place."""
    case = origin.case()
    cut = dice.randint(0, origin.start)
    more = tuple(f"# line {number}" for number in range(dice.randint(0, 30)))
    assert case.right is not None
    return replace(case, file=more + case.file[cut:], right=more + case.right[cut:])


def reindented(origin: Origin, dice: random.Random) -> Case:
    """The edit is indented more or less than the file, as a model does that saw the lines alone."""
    case = origin.case()
    by = dice.randint(-12, 12)

    def move(lines: tuple[str, ...]) -> tuple[str, ...]:
        if by >= 0:
            return tuple(" " * by + line if line.strip() else line for line in lines)
        least = min(len(line) - len(line.lstrip(" ")) for line in (*case.search, *case.replace) if line.strip())
        return tuple(line[min(-by, least) :] if line.strip() else line for line in lines)

    return replace(case, search=move(case.search), replace=move(case.replace))


def spaced(origin: Origin, dice: random.Random) -> Case:
    """The edit has other white space at the ends of lines, and blank lines around it."""
    case = origin.case()
    search = tuple(line + " " * dice.choice((0, 0, 1, 3)) for line in case.search)
    around = ("",) * dice.randint(0, 2)
    return replace(case, search=around + search, replace=around + case.replace)


def partly_applied(origin: Origin, dice: random.Random) -> Case:
    """Of several changes some are in the file already."""
    case = origin.case()
    half: list[str] = []
    for tag, first, last, new_first, new_last in SequenceMatcher(None, origin.old, origin.new).get_opcodes():
        done = tag != "equal" and dice.random() < 0.6
        half += origin.new[new_first:new_last] if done else origin.old[first:last]
    end = origin.start + len(origin.old)
    return replace(case, file=(*origin.file[: origin.start], *half, *origin.file[end:]))


def applied(origin: Origin, dice: random.Random) -> Case:
    """The file has it all already."""
    case = origin.case()
    del dice
    assert case.right is not None
    return replace(case, file=case.right)


def ambiguous(origin: Origin, dice: random.Random) -> Case:
    """The same lines stand in the file twice, the second time indented differently or not."""
    case = origin.case()
    by = dice.choice((0, 0, 4, 8))
    second = tuple(" " * by + line for line in origin.old)
    outside = [*range(origin.start + 1), *range(origin.start + len(origin.old), len(origin.file) + 1)]
    at = dice.choice(outside)
    file = (*origin.file[:at], *second, *origin.file[at:])
    if by == 0:
        return replace(case, file=file, right=None)
    assert case.right is not None
    moved = at if at <= origin.start else at - len(origin.old) + len(origin.new)
    return replace(case, file=file, right=(*case.right[:moved], *second, *case.right[moved:]))


def drifted(origin: Origin, dice: random.Random) -> Case:
    """Somebody has changed a line meanwhile that the edit keeps: theirs has to stay."""
    case = origin.case()
    assert case.right is not None
    kept = [at for at, line in enumerate(origin.old) if origin.new.count(line) == 1 and origin.old.count(line) == 1]
    if not kept:
        return case
    at = dice.choice(kept)
    line = origin.old[at] + "  # theirs"
    file = (*origin.file[: origin.start + at], line, *origin.file[origin.start + at + 1 :])
    there = origin.start + origin.new.index(origin.old[at])
    return replace(case, file=file, right=(*case.right[:there], line, *case.right[there + 1 :]))


def gone(origin: Origin, dice: random.Random) -> Case:
    """The lines are not there any more, or others like them in their stead."""
    case = origin.case()
    end = origin.start + len(origin.old)
    changed = [at for at, line in enumerate(origin.old) if line.strip() and line not in origin.new]
    if not changed or dice.random() < 0.5:
        return replace(case, file=(*origin.file[: origin.start], *origin.file[end:]), right=None)
    like = list(origin.old)
    for at in changed:
        like[at] = like[at] + " + 1"
    return replace(case, file=(*origin.file[: origin.start], *like, *origin.file[end:]), right=None)


def stands_elsewhere(origin: Origin, dice: random.Random) -> Case:
    """What shall be stands in another place already, and the edit is indented otherwise than both."""
    case = reindented(origin, dice)
    while (second := _indented(origin.new, dice.choice((0, 4, 8)))) == case.replace:
        pass
    end = origin.start + len(origin.old)
    at = dice.choice([*range(origin.start + 1), *range(end, len(origin.file) + 1)])
    assert case.right is not None
    moved = at if at <= origin.start else at - len(origin.old) + len(origin.new)
    return replace(
        case,
        file=(*origin.file[:at], *second, *origin.file[at:]),
        right=(*case.right[:moved], *second, *case.right[moved:]),
    )


def _indented(lines: Sequence[str], by: int) -> tuple[str, ...]:
    return tuple(" " * by + line if line.strip() else line for line in lines)


def short(origin: Origin, dice: random.Random) -> Case:
    """One line or two, written with a slip, shall become lines that the file has elsewhere."""
    length = dice.choice((1, 1, 2))
    told = [at for at, line in enumerate(origin.file[:-length]) if line.strip()]
    search = list(origin.file[(at := dice.choice(told)) : at + length])
    middle = len(search[0]) - len(search[0].lstrip()) + len(search[0].strip()) // 2
    search[0] = f"{search[0][:middle]}Q{search[0][middle:]}"
    there = dice.choice([each for each in told if abs(each - at) >= length])
    return Case(origin.file, tuple(search), origin.file[there : there + length], None)


def vanished(origin: Origin, dice: random.Random) -> Case:
    """A line that is gone from the file shall become one that the file has elsewhere.

    Not one that is almost the same: where the place of a single line is gone, nobody can tell the two apart.
    """
    file = origin.file
    told = [at for at, line in enumerate(file) if line.strip() and file.count(line) == 1]
    gone, there = dice.sample(told, 2)
    while SequenceMatcher(None, file[gone].strip(), file[there].strip()).ratio() > MOST_ALIKE:
        gone, there = dice.sample(told, 2)
    return Case((*file[:gone], *file[gone + 1 :]), (file[gone],), (file[there],), None)


KINDS: Final[dict[Callable[[Origin, random.Random], Case], float]] = {
    shifted: 0.98,
    reindented: 0.9,
    spaced: 0.95,
    partly_applied: 0.1,
    applied: 0.0,
    ambiguous: 0.2,
    drifted: 0.2,
    gone: 0.0,
    stands_elsewhere: 0.0,
    short: 0.0,
    vanished: 0.0,
}
"""How edits are spoilt, and the least share of each kind that has to be applied all the same."""


def sources() -> list[tuple[str, ...]]:
    """The lines of real files."""
    return [
        tuple(path.read_text(encoding="utf-8").split("\n")[:-1])
        for path in sorted(SOURCES.rglob("*.*"))
        if path.suffix in {".py", ".js", ".ts", ".ex"} and path.stat().st_size > 2_000
    ]


def text_of(lines: Sequence[str]) -> str:
    """Lines with their ends."""
    return "".join(f"{line}\n" for line in lines)
