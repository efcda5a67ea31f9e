"""Ten thousand edits that are not quite right, made from real code by a seeded generator: none is applied wrongly,
and none is said to be applied that is not.

How often a case is applied nevertheless is bounded from below, so that refusing everything does not pass.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

from rubber_duck.code.edits.edit import Replace
from rubber_duck.code.edits.placing import Fate, place
from tests.unit.code.edits.spoilt import KINDS, SEED, origin_in, sources, text_of

CASES: Final = 10_000
LEAST_DONE: Final = 0.98
"""Of edits that the file has already so many are told to be applied."""


def test_of_ten_thousand_spoilt_edits_none_is_applied_wrongly_or_said_to_be() -> None:
    dice = random.Random(SEED)
    files = sources()
    kinds = list(KINDS)
    made: Counter[str] = Counter()
    right: Counter[str] = Counter()
    done: Counter[str] = Counter()
    wrong = []
    for number in range(CASES):
        spoil = kinds[number % len(kinds)]
        case = spoil(origin_in(files, dice), dice)
        made[spoil.__name__] += 1
        placed = place(text_of(case.file), [Replace("a", text_of(case.search), text_of(case.replace))])
        fate = placed.verdicts[0].fate
        if placed.text == text_of(case.file):
            is_done = case.right == case.file
            assert fate is not Fate.PLACED
            if fate is Fate.DONE and not is_done:
                wrong.append((spoil.__name__, number, case, placed))
            done[spoil.__name__] += fate is Fate.DONE
            continue
        if case.right is not None and placed.text == text_of(case.right):
            assert fate is Fate.PLACED
            right[spoil.__name__] += 1
        else:
            wrong.append((spoil.__name__, number, case, placed))
    assert [each[:2] for each in wrong] == []
    shares = {name: right[name] / count for name, count in made.items()}
    assert {
        kind.__name__: shares[kind.__name__] for kind, least in KINDS.items() if shares[kind.__name__] < least
    } == {}
    assert done["applied"] / made["applied"] >= LEAST_DONE
