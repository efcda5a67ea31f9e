"""Patches of several files as git mails them, of Markdown with fences, whole or cut off: none is taken in part."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Final

from rubber_duck.code.edits.planning import plan
from rubber_duck.code.edits.reading import Form, read_edits
from tests.unit.code.edits.spoilt import SEED, sources, text_of

PATCHES: Final = 300
LEAST_WHOLE: Final = 0.95
"""So many of the patches that are whole have to be applied; some lines stand twice."""

BOUNDARIES: Final = ("@@ ", "diff --git", "-- ")


def markdown(code: Sequence[str], dice: random.Random) -> tuple[str, ...]:
    """A text with code blocks, of real lines."""
    lines: list[str] = ["# Title", ""]
    at = dice.randrange(max(1, len(code) - 60))
    for part in range(dice.randint(2, 5)):
        mark = dice.choice(("```", "~~~"))
        more = at + dice.randint(2, 9)
        indent = dice.choice(("", "", "  "))
        lines += [f"Part {part} of the text.", "", f"{indent}{mark}{dice.choice(('', 'python', 'sh'))}"]
        lines += [f"{indent}{line}" for line in code[at:more]]
        lines += [f"{indent}{mark}", ""]
        at = more
    return tuple(lines)


def changed(lines: Sequence[str], dice: random.Random) -> tuple[str, ...]:
    """Some lines become others, come, or go."""
    new = list(lines)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(new))
        written = f"{' ' * (len(new[at]) - len(new[at].lstrip()))}duck {dice.randrange(10**6)}"
        new[at : at + dice.randrange(2)] = [written] if dice.random() < 0.8 or len(new) < 4 else []
    return tuple(new) if tuple(new) != tuple(lines) else changed(lines, dice)


def mailed(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines of a mail as `git format-patch` writes it."""
    lines = [
        "From 0a1b2c3 Mon Sep 17 00:00:00 2001",
        "From: Ann <ann@example.org>",
        "Subject: [PATCH] Change",
        "",
        "---",
    ]
    lines += [f" {path} | 2 +-" for path in after] + [""]
    for path, new in after.items():
        old = before.get(path)
        lines.append(f"diff --git a/{path} b/{path}")
        lines += (
            ["new file mode 100644", f"index 0000000..{'1111111' if new else 'e69de29'}"]
            if old is None
            else ["index 1111111..2222222 100644"]
        )
        names = "/dev/null" if old is None else f"a/{path}", f"b/{path}"
        lines += unified_diff(old or (), new, *names, lineterm="")
    return [*lines, "-- ", "2.43.0", ""]


def test_of_patches_none_is_applied_in_part() -> None:
    dice = random.Random(f"patches {SEED}")
    files = sources()
    whole = 0
    for number in range(PATCHES):
        before = {"docs/README.md": markdown(dice.choice(files), dice), "src/plain.txt": dice.choice(files)[:80]}
        after: dict[str, tuple[str, ...]] = {path: changed(lines, dice) for path, lines in before.items()}
        after |= {"src/empty.txt": ()} if dice.random() < 0.3 else {}
        after |= {"src/new.txt": dice.choice(files)[:9]} if dice.random() < 0.3 else {}
        lines = mailed(before, after)
        is_cut = number % 3 == 2
        if is_cut:
            at = dice.randrange(10, len(lines))
            while any(
                line.startswith(BOUNDARIES) for line in lines[at : at + 2]
            ):  # whole hunks are left, nobody can tell
                at = dice.randrange(10, len(lines))
            lines = lines[:at]
        contents = {path: text_of(each).encode() for path, each in before.items()}
        made = plan(read_edits("\n".join(lines)), contents.get, contents)
        right = {path: text_of(each).encode() for path, each in after.items() if before.get(path) != each}
        got = {change.path: change.after for change in made.changes}
        told = {path for path in right if any(f" b/{path}" in line for line in lines)}
        if made.is_sound:
            assert got == {path: each for path, each in right.items() if path in told}, "\n".join(lines)
            whole += not is_cut
    assert whole / (PATCHES * 2 / 3) >= LEAST_WHOLE


def test_of_answers_with_blocks_and_new_files_no_file_is_forgotten() -> None:
    dice = random.Random(f"answers {SEED}")
    files = sources()
    for _ in range(PATCHES):
        old = dice.choice(files)[:40]
        new = changed(old, dice)
        made_up = markdown(dice.choice(files), dice) if dice.random() < 0.5 else dice.choice(files)[:20]
        fence = dice.choice(("````", "`````"))
        block = ["src/a.txt", "```", "<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", "```"]
        whole = ["docs/new.txt", fence, *made_up, fence]
        parts = [block, whole] if dice.random() < 0.5 else [whole, block]
        said = "\n".join(["Both files:", "", *parts[0], "", "And then", "", *parts[1], "Done."])
        contents = {"src/a.txt": text_of(old).encode()}
        plans = plan(read_edits(said), contents.get, contents)
        if plans.is_sound:
            assert {change.path: change.after for change in plans.changes} == {
                "src/a.txt": text_of(new).encode(),
                "docs/new.txt": text_of(made_up).encode(),
            }, said


def test_of_whole_files_with_fences_none_is_cut_short() -> None:
    dice = random.Random(f"fences {SEED}")
    files = sources()
    read = 0
    for _ in range(PATCHES):
        content = markdown(dice.choice(files), dice)
        behind = dice.choice(([], ["", "Run it:", "", "```", "make", "```"], ["", "Run it:", "```sh", "make", "```"]))
        said = "\n".join(["README.md", "```markdown", *content, "```", *behind, ""])
        reading = read_edits(said, Form.WHOLE)
        if not reading.misread:
            read += 1
            assert [getattr(edit, "content", "") for edit in reading.edits] == [text_of(content)], said
    assert read / PATCHES >= 0.5
