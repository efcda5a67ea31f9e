"""The same spoilt edits as unified diffs, as models write them, and whole files: judged by what becomes of the file."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from rubber_duck.code.edits.edit import Reading
from rubber_duck.code.edits.placing import Fate, Terms, place
from rubber_duck.code.edits.reading import Form, read_edits
from tests.unit.code.edits.spoilt import KINDS, SEED, Case, Origin, origin_in, sources, text_of

MARKS: Final = ("# ... rest of the code ...", "// ... existing code ...", "# (unchanged)", "// same as before")
DIFFS: Final = 1_600
WHOLES: Final = 400
FEWER: Final = 0.1
"""Of diffs so much less of each kind may be applied than of blocks: counts that are wrong make some unreadable."""


def diff_of(case: Case, start: int, dice: random.Random) -> str:
    """The edit as a diff: its numbers may be missing, old or wrong, and blank lines may have lost their blank."""
    body: list[str] = []
    for tag, first, last, new_first, new_last in SequenceMatcher(None, case.search, case.replace).get_opcodes():
        if tag == "equal":
            bare = dice.random() < 0.3
            body += ["" if bare and not line else f" {line}" for line in case.search[first:last]]
        else:
            body += [f"-{line}" for line in case.search[first:last]]
            body += [f"+{line}" for line in case.replace[new_first:new_last]]
    wrong = dice.choice((0, 0, 0, 1))
    counts = f"-{start + 1},{len(case.search) + wrong} +{start + 1 + dice.choice((0, 7))},{len(case.replace)}"
    head = dice.choice((f"@@ {counts} @@", "@@ ... @@"))
    return "\n".join(["Here it is:", "```diff", "--- a/a.py", "+++ b/a.py", head, *body, "```", "Done.", ""])


def applied(case: Case, reading: Reading, *, may_replace: bool = False) -> str | None:
    """What becomes of the file; None where the answer cannot be read as a whole, so that nothing of it is written.

    What is not there must not be said to be applied already.
    """
    if reading.misread or not reading.edits:
        return None
    placed = place(text_of(case.file), reading.edits, Terms(may_replace=may_replace))
    if case.right != case.file and placed.text == text_of(case.file):
        assert Fate.DONE not in {verdict.fate for verdict in placed.verdicts}
    return placed.text


def test_of_spoilt_diffs_none_is_applied_wrongly() -> None:
    dice = random.Random(f"diffs {SEED}")
    files, kinds = sources(), list(KINDS)
    made: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong = []
    for number in range(DIFFS):
        spoil = kinds[number % len(kinds)]
        origin = origin_in(files, dice)
        case = spoil(origin, dice)
        made[spoil.__name__] += 1
        said = diff_of(case, origin.start, dice)
        after = applied(case, read_edits(said))
        if after in (None, text_of(case.file)):
            continue
        if case.right is not None and after == text_of(case.right):
            right[spoil.__name__] += 1
        else:
            wrong.append((spoil.__name__, number, said, case))
    assert [each[:2] for each in wrong] == []
    least = {kind.__name__: max(0.0, share - FEWER) for kind, share in KINDS.items()}
    assert {name: right[name] / made[name] for name in made if right[name] / made[name] < least[name]} == {}


def whole(lines: Sequence[str], *, is_closed: bool = True) -> str:
    """An answer that is a whole file."""
    return "\n".join(["The file:", "", "a.py", "```python", *lines, *(["```", ""] if is_closed else [])])


def spoilt_whole(origin: Origin, dice: random.Random, how: int) -> tuple[str, bool]:
    """A whole file in an answer, and whether it is one that may be taken."""
    new = (*origin.file[: origin.start], *origin.new, *origin.file[origin.start + len(origin.old) :])
    cut = dice.randrange(1, len(new))
    match how:
        case 0:
            return whole(new), True
        case 1:
            return whole(new[:cut], is_closed=False), False
        case 2:
            mark = dice.choice(
                ("# ... rest of the code ...", "// ... existing code ...", "# (unchanged)", "// same as before")
            )
            return whole((*new[:cut], mark, *new[min(len(new), cut + 9) :])), False
        case _:
            return whole(new).replace("a.py\n", ""), False  # nobody says which file it is


def test_of_spoilt_whole_files_none_is_applied_wrongly() -> None:
    dice = random.Random(f"wholes {SEED}")
    files = sources()
    for number in range(WHOLES):
        origin = origin_in(files, dice)
        case = origin.case()
        said, is_sound = spoilt_whole(origin, dice, number % 4)
        assert case.right is not None
        asked_for = applied(case, read_edits(said, Form.WHOLE), may_replace=True)
        if is_sound:
            assert asked_for == text_of(case.right)
        else:
            assert asked_for in (None, text_of(case.file)), said
        assert applied(case, read_edits(said)) in (None, text_of(case.file)), "a file is replaced only if that is asked"
