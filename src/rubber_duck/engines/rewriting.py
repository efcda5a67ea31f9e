"""Refactors by a model what no rule knows; what it says is checked against those who use the files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rubber_duck.call import Call, Progress
from rubber_duck.engines.place import Where, refuse_untold, texts_of
from rubber_duck.engines.prompting import EDIT_FORM, asker, fenced, messages
from rubber_duck.engines.techniques import Asking, Drafted, Judged, draft, think, with_thought
from rubber_duck.engines.telling import BESIDE_TOKENS, as_code, told_beside
from rubber_duck.engines.testing import Outcome, run_tests
from rubber_duck.engines.verifying import judge_edits
from rubber_duck.errors import Conflict
from rubber_duck.llm.roles import Role
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.code.edits.planning import Plan
    from rubber_duck.engines.engine import Engine

_MOST_FILE_TOKENS: Final = 12_000
_MOST_SHOWN: Final = 40
_REPAIRS: Final = 3
_STEERING: Final = frozenset(
    {"conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "sitecustomize.py", "usercustomize.py"}
)
_TESTS_S: Final = 600.0
_SYSTEM: Final = """\
You refactor code in an existing project: you change how it is written and keep what it does, for every caller. Do what
is asked and nothing beside it. Keep every name and parameter that other files use, comments that stay true, and the
style around. You may change only the files that you are shown as code, and add new ones."""

_SUFFIXES: Final = (".py", ".pyi", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".ex", ".exs")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a model is to do: to `paths`, the only files that may change; new ones may come beside them.

    `before` is how the project's tests end as the code is, if they are to be run on each draft.
    """

    where: Where
    instruction: str
    paths: tuple[str, ...]
    texts: Mapping[str, str]
    before: Outcome | None = None


async def begin(call: Call, where: Where, instruction: str, also: tuple[str, ...], *, with_tests: bool) -> Rewriting:
    """Read what is needed; raises Conflict when the tests cannot run or fail as the code is, NotFound, Denied."""
    paths = tuple(dict.fromkeys((where.path, *also)))
    for path in paths:
        await asyncio.to_thread(refuse_untold, *where.place, path)
    texts = await asyncio.to_thread(texts_of, where, _SUFFIXES)
    for path in paths:
        if path not in texts:
            texts[path] = (await asyncio.to_thread(texts_of, where, (), only=path))[path]
    before = None
    if with_tests:
        call.emit(Progress(0, 0, "running the project's tests as the code is"))
        before = await run_tests(call, where, {}, wall_s=_TESTS_S)
        if before.trouble or not before.passed:
            raise Conflict(f"nothing can be told from the tests: {before.trouble or 'none of them passes'}")
    return Rewriting(where, instruction, paths, texts, before)


async def drafted(
    call: Call,
    asked: Rewriting,
    techniques: tuple[str, ...],
    engine: Engine[Any, Any],  # Any: it is only asked for its strategy
) -> tuple[Drafted[Plan], tuple[str, ...]]:
    """The model's last draft, and the steps it thought before; raises what the model's provider raises.

    The model is told of the project what the engine's strategy gathers around the place.
    """
    from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
    from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

    asking = Asking(call.parts.llm, await asker(call, asked.where.root), Role.EDIT)
    where, options = asked.where, engine.model_options
    ask = Ask(where.path, where.line, 1, "", BESIDE_TOKENS, 0, 0)
    beside = await told_beside(call, where.place, ask, engine)
    shown = {place: text for place, text in beside.items() if place.rpartition(":")[0] not in asked.paths}
    user = as_code(shown) + await asyncio.to_thread(_told, asked)
    prompt = Prompt(messages(f"{_SYSTEM}\n{EDIT_FORM}", user), options.max_tokens, options.temperature)
    steps: tuple[str, ...] = ()
    if "thought" in techniques:
        call.emit(Progress(0, 0, "letting the model think"))
        steps = await think(asking, prompt)
        prompt = with_thought(prompt, steps)
    call.emit(Progress(0, 0, "asking the model"))
    repairs = _REPAIRS if "repair" in techniques else 0
    return await draft(asking, prompt, lambda said: judge(call, asked, said), repairs=repairs), steps


async def judge(call: Call, asked: Rewriting, said: str, hunks: tuple[int, ...] | None = None) -> Judged[Plan]:
    """Whether edits, or these hunks of them, can be placed in the files that may change, and what worked still does.

    Every file parses, analysers find nothing new, no name is gone that a file takes, and no test that passed fails.
    Raises InvalidInput for a hunk that is not there.
    """
    from rubber_duck.code.edits.planning import chosen  # noqa: PLC0415  # grammars

    where = asked.where
    judged = await judge_edits(call, where.root, where.settings, said)
    made = judged.value
    if judged.problem or made is None:
        return judged
    foreign = [each.path for each in made.changes if each.before is not None and each.path not in asked.paths]
    if foreign:
        return Judged(None, f"'{foreign[0]}' may not be changed, only {', '.join(asked.paths)}; or add new files")
    turned = next((each.path for each in made.changes if _steers_tests(each.path) and each.path not in asked.paths), "")
    if turned:
        return Judged(None, f"'{turned}' tells how tests are run, and was not named: leave it alone")
    if hunks is not None:
        made = await asyncio.to_thread(chosen, made, hunks)
    if not made.changes:
        return Judged(None, "the edits change nothing")
    problem = await asyncio.to_thread(_lost, asked, made)
    if not problem and asked.before is not None:
        call.emit(Progress(0, 0, "running the project's tests on the draft"))
        changed = {change.path: change.after for change in made.changes}
        problem = _worse(asked.before, await run_tests(call, where, changed, wall_s=_TESTS_S))
    return Judged(None if problem else made, problem)


def _told(asked: Rewriting) -> str:
    """The files, the lines of others that use them, and what to do."""
    from rubber_duck.code.refactoring.offers import offered, takings  # noqa: PLC0415  # grammars
    from rubber_duck.llm.tokens import cut  # noqa: PLC0415  # its ranks

    parts = [fenced("code", display(path), cut(asked.texts[path], _MOST_FILE_TOKENS)) for path in asked.paths]
    used: list[str] = []
    for path in asked.paths:
        for taking in takings(asked.texts, path, offered(path, asked.texts[path])):
            if taking.path not in asked.paths:
                line = asked.texts[taking.path].split("\n")[taking.line - 1].strip()
                used.append(f"{display(taking.path)}:{taking.line}: {line[:200]}")
    if used:
        listed = list(dict.fromkeys(used))
        parts.append(fenced("uses", "of these files in others", "\n".join(listed[:_MOST_SHOWN])))
    where = asked.where
    lines = f" (lines {where.line} to {where.end_line or where.line} of {where.path})" if where.line else ""
    return "\n".join([*parts, f"The refactoring{lines}: {asked.instruction}"])


def _steers_tests(path: str) -> bool:
    """Whether a file changes what tests mean, so that they would pass whatever the code does."""
    return path.rpartition("/")[2].casefold() in _STEERING


def _lost(asked: Rewriting, made: Plan) -> str:
    """The first name that is gone from a file, and that another one takes from it; "" when none is."""
    from rubber_duck.code.refactoring.offers import offered, takings  # noqa: PLC0415  # grammars

    after = {**asked.texts, **{each.path: each.new for each in made.changes if each.after is not None}}
    for change in made.changes:
        if change.before is None:
            continue
        kept = offered(change.path, change.new) if change.after is not None else frozenset()
        gone = offered(change.path, change.old) - kept
        taken = next(iter(takings(after, change.path, gone)), None)
        if taken is not None:
            return f"'{taken.path}' line {taken.line} takes {taken.name!r} from '{change.path}', which has it no more"
    return ""


def _worse(before: Outcome, after: Outcome) -> str:
    """What fails that did not, or passes no more; "" when nothing does."""
    if after.trouble:
        return after.trouble
    known = {(file, each.name) for file, each in zip(before.files, before.failed, strict=True)}
    failed = zip(after.files, after.failed, strict=True)
    new = [f"{file}::{each.name}: {each.why}" for file, each in failed if (file, each.name) not in known]
    if new:
        return "tests that passed fail now:\n" + "\n".join(new[:10])
    if after.passed < before.passed:
        return f"{after.passed} tests pass, {before.passed} did before"
    return ""
