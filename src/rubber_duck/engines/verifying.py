"""Analyses texts as if they were in the project: what engines check a patch with before anybody sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
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
    """What the analysers say of one file of a project, without what was suppressed."""
    from rubber_duck.analysis.target import Target  # noqa: PLC0415  # rules and grammars

    outcome = await call.parts.analysis.run(Target(root, (path,), settings), lambda done, total, note: None)
    return tuple(
        each for file in outcome.files if file.path == path for each in file.findings if each.suppressed is None
    )


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


def added(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of rules that find more than before."""
    counts = Counter(each.rule for each in before)
    found = []
    for each in after:
        if counts[each.rule]:
            counts[each.rule] -= 1
        else:
            found.append(each)
    return tuple(found)


def is_gone(finding: Finding, before: tuple[Finding, ...], after: tuple[Finding, ...]) -> bool:
    """Whether its rule finds less than before."""
    return sum(each.rule == finding.rule for each in after) < sum(each.rule == finding.rule for each in before)


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
        new = added(before, await findings_in(call, settings, {change.path: change.after}, change.path))
        if new:
            return f"'{change.path}' line {new[0].span.start_line}: {new[0].message} [{new[0].rule}]"
    return ""
