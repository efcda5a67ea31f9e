"""Analyses texts as if they were in the project: what engines check a patch with before anybody sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from rubber_duck.call import Call
from rubber_duck.engines.techniques import Judged

if TYPE_CHECKING:
    from rubber_duck.analysis.finding import Finding
    from rubber_duck.code.edits.planning import Plan
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root


async def findings_of(call: Call, root: Root, settings: Settings, path: str) -> tuple[Finding, ...]:
    """What the analysers say of one file of a project, what was suppressed there among it: `suppressed` says so."""
    from rubber_duck.analysis.target import Target  # noqa: PLC0415  # rules and grammars

    outcome = await call.parts.analysis.run(Target(root, (path,), settings), lambda done, total, note: None)
    return tuple(each for file in outcome.files if file.path == path for each in file.findings)


async def findings_in(call: Call, settings: Settings, files: Mapping[str, bytes], path: str) -> tuple[Finding, ...]:
    """What they would say of `path` if the project's files were `files`, which are written to a private folder."""
    from rubber_duck.workspace.paths import Root  # noqa: PLC0415  # only who patches
    from rubber_duck.workspace.private import private_folder  # noqa: PLC0415  # as above

    with private_folder() as folder:
        await asyncio.to_thread(_write, folder, files)
        return await findings_of(call, Root(folder, own=True), settings, path)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Analysed:
    """A file's bytes, and what the analysers say of them."""

    content: bytes
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a change did to a file's findings: those of before that are gone, and those that are new.

    One that is only suppressed is not gone.
    """

    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]

    def lacks(self, finding: Finding) -> bool:
        """Whether this very finding of before is gone."""
        return any(each is finding for each in self.gone)


def compared(before: Analysed, after: Analysed) -> Compared:
    """Tells findings by their rule and their place. A line that stayed keeps its findings wherever it moved.

    In lines that were rewritten a finding of the same rule is the old one, as often as there were such; those with the
    same words are told apart first. Any other is new: one that went here does not make up for one that came there.
    """
    if not before.findings or not after.findings:
        return Compared(before.findings, after.findings)
    left = list(after.findings)
    open_: list[Finding] = []
    blocks = _blocks(*(each.content.decode("utf-8", "replace").split("\n") for each in (before, after)))
    for each in before.findings:
        places = _places(blocks, each.span.start_line - 1)
        same = [one for one in left if one.rule == each.rule and one.span.start_line - 1 in places]
        best = next((one for one in same if one.message == each.message), None)
        if best is not None or (same and len(places) == 1):
            left.remove(best or same[0])
        else:
            open_.append(each)
    gone = []
    for each in open_:
        places = _places(blocks, each.span.start_line - 1)
        same = [one for one in left if one.rule == each.rule and one.span.start_line - 1 in places]
        if same:
            left.remove(same[0])
        else:
            gone.append(each)
    return Compared(tuple(gone), tuple(left))


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """How lines became others, as `SequenceMatcher` says it; that looks only at what lies between what stayed."""
    least = min(len(old), len(new))
    head = next((at for at in range(least) if old[at] != new[at]), least)
    tail = next((at for at in range(least - head) if old[-1 - at] != new[-1 - at]), least - head)
    old_end, new_end = len(old) - tail, len(new) - tail
    middle = SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False).get_opcodes()
    return [
        ("equal", 0, head, 0, head),
        *((tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in middle),
        ("equal", old_end, len(old), new_end, len(new)),
    ]


def _places(blocks: Sequence[tuple[str, int, int, int, int]], line: int) -> range:
    """The lines, from 0, that a line is now: one where it stayed, those of its block where it was rewritten."""
    for tag, start, end, new_start, new_end in blocks:
        if start <= line < end:
            here = new_start + line - start
            return range(here, here + 1) if tag == "equal" else range(new_start, new_end)
    return range(0)


async def judge_edits(call: Call, root: Root, settings: Settings, said: str) -> Judged[Plan]:
    """Whether edits can be placed, leave every file parsing, and bring no findings."""
    judged = await asyncio.to_thread(placed_edits, root, settings, said)
    if judged.problem or judged.value is None:
        return judged
    return Judged(judged.value, await new_finding(call, settings, judged.value))


def placed_edits(root: Root, settings: Settings, said: str) -> Judged[Plan]:
    """Whether edits can be placed, and leave every file parsing."""
    from rubber_duck.actions.apply import planned  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.placing import Fate  # noqa: PLC0415  # as above

    made = planned(root, settings, said)
    if made.misread:
        return Judged(None, f"line {made.misread[0].line} of the answer: {made.misread[0].why}")
    if not made.verdicts:
        return Judged(None, "there are no edits in the answer")
    wrong = next((each for each in made.verdicts if each.fate not in (Fate.PLACED, Fate.DONE)), None)
    if wrong is not None:
        why = wrong.why or "its lines are not there"
        return Judged(None, f"the edit of '{wrong.edit.path}' is {wrong.fate}: {why}")
    broken = next((change for change in made.changes if change.broken), None)
    return Judged(None, f"'{broken.path}': {broken.broken}") if broken is not None else Judged(made)


async def new_finding(call: Call, settings: Settings, made: Plan) -> str:
    """The first finding that a file has after a plan and had not before; "" where there is none."""
    for change in made.changes:
        if change.after is None:
            continue
        before = await findings_in(call, settings, {change.path: change.before}, change.path) if change.before else ()
        after = await findings_in(call, settings, {change.path: change.after}, change.path)
        old = Analysed(change.before or b"", before)
        new = (await asyncio.to_thread(compared, old, Analysed(change.after, after))).new
        if new:
            return f"'{change.path}' line {new[0].span.start_line}: {new[0].message} [{new[0].rule}]"
    return ""
