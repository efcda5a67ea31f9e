"""What code that a model wrote for a task is judged by, after the imports that it lacks were added."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rubber_duck.call import Call, Progress
from rubber_duck.engines.place import Where, texts_of
from rubber_duck.engines.techniques import Judged
from rubber_duck.engines.type_checkers import Errors, type_errors
from rubber_duck.engines.verifying import new_finding, placed_edits
from rubber_duck.scope import Right

if TYPE_CHECKING:
    from rubber_duck.code.edits.planning import FileChange, Plan

SOURCES: Final = (".py", ".pyi", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
"""The files in which is looked for how the project imports something."""


@dataclass(slots=True)
class Generating:
    """Where code is written, and what was seen of it. A stretch of lines in `where` is all that may change there.

    `imports` are the lines that were added to the last draft, `checker` the type checker that was asked; `known` what
    it said of files as they are.
    """

    where: Where
    imports: tuple[str, ...] = ()
    checker: str = ""
    known: dict[frozenset[str], tuple[str, Errors]] = field(default_factory=dict)

    async def judge(self, call: Call, said: str) -> Judged[Plan]:
        """Whether edits can be placed, stay in their stretch, parse, bring no findings and no errors of types."""
        where = self.where
        judged = await asyncio.to_thread(placed_edits, where.root, where.settings, said)
        made = judged.value
        if judged.problem or made is None:
            return judged
        outside = next(filter(None, (_outside(where, change) for change in made.changes)), "")
        if outside:
            return Judged(None, outside)
        whole, self.imports = await asyncio.to_thread(_completed, where, made)
        problem = await new_finding(call, where.settings, whole)
        if not problem and Right.COMMAND_RUN in call.scope.rights:
            problem = await self._new_type_error(call, whole)
        return Judged(whole, problem)

    async def _new_type_error(self, call: Call, made: Plan) -> str:
        """The first error of types that a change brings; "" where there is none, or no checker."""
        paths = frozenset(change.path for change in made.changes if change.after is not None)
        if paths not in self.known:
            call.emit(Progress(0, 0, "checking types as the code is"))
            there = [change.path for change in made.changes if change.before is not None]
            self.known[paths] = await type_errors(call, self.where, {}, there)
        call.emit(Progress(0, 0, "checking the types of the draft"))
        changed = {change.path: change.after for change in made.changes}
        self.checker, now = await type_errors(call, self.where, changed, paths)
        checker, known = self.known[paths]
        is_all_new = all(each.before is None for each in made.changes)
        # Where it failed at the code as it is, nobody can tell what is new.
        new = now - known if is_all_new or checker == self.checker else ()
        return next((f"'{path}': {words} [{self.checker}]" for path, words in new), "")


def _outside(where: Where, change: FileChange) -> str:
    """Why a change reaches out of the stretch that was asked for; imports above all else may come."""
    if not where.end_line or change.path != where.path or change.before is None:
        return ""
    lines, after = change.old.split("\n"), change.new.split("\n")
    for hunk in change.hunks:
        is_import = all(_is_head(line) for line in (*lines[: hunk.end], *after[hunk.new_start : hunk.new_end]))
        if not is_import and not (where.line - 1 <= hunk.start and hunk.end <= where.end_line):
            place = hunk.start + 1
            return f"only lines {where.line} to {where.end_line} of '{where.path}' may change, not line {place}"
    return ""


def _is_head(line: str) -> bool:
    """Whether a line is one of those that stand over a file's code."""
    words = ("import ", "from ", "#", "//", '"""', "'use ", '"use ', "alias ", "}", ")", "/*", " *")
    return not line.strip() or line.startswith(words) or line.startswith((" ", "\t"))


def _completed(where: Where, made: Plan) -> tuple[Plan, tuple[str, ...]]:
    """The plan with the imports that its files lack, and which lines those are."""
    from rubber_duck.actions.apply import writable  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.planning import rewritten  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.missing import with_imports  # noqa: PLC0415  # as above

    if not any(change.path.endswith(SOURCES) and change.after is not None for change in made.changes):
        return made, ()
    texts = texts_of(where, SOURCES)
    texts |= {change.path: change.new for change in made.changes if change.after is not None}
    added: list[str] = []
    after: dict[str, str | None] = {}
    for change in made.changes:
        after[change.path] = None
        if change.after is not None:
            after[change.path], lines = with_imports(texts, change.path, change.old)
            added += (f"{change.path}: {line}" for line in lines)
    if not added:
        return made, ()
    whole = rewritten(after, writable(where.root, where.settings))
    return dataclasses.replace(made, changes=whole.changes), tuple(added)
