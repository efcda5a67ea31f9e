"""Make findings of the analysers disappear, by a patch that adds none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.patch import Approve, EditedFile, show_or_write
from rubber_duck.engines.place import ProjectFolder, Where, find, refuse_untold
from rubber_duck.engines.prompting import asker, contained, fenced, messages
from rubber_duck.engines.techniques import Asking, Judged, draft
from rubber_duck.engines.telling import BESIDE_TOKENS, as_code, told_beside
from rubber_duck.engines.verifying import Analysed, Compared, compared, findings_in, findings_of
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.analysis.finding import Edit, Finding

MOST_ASKED: Final = 10
"""So many findings of one file are shown to the model."""

_SYSTEM: Final = """\
You repair findings of analysers in one file. Change as little as possible, keep what the code does, and do not silence
the analyser by a comment. Answer with search/replace blocks and nothing else, each of this form, the file's name on the
line before it; SEARCH holds whole lines exactly as they are in the file, enough of them to be found once:
{path}
<<<<<<< SEARCH
lines as they are
=======
lines as they shall be
>>>>>>> REPLACE"""


class FixRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose findings to fix. Without `approve` nothing is written: the answer says what would be."""

    at: Annotated[
        str,
        Meta(
            max_length=4096, description="FILE, or FILE:LINE of one finding.", extra={"argument": True, "place": True}
        ),
    ]
    rule: Annotated[str, Meta(max_length=200, description="Only findings of this rule.")] = ""
    unsafe: Annotated[bool, Meta(description="Also fixes that may change what the code does.")] = False
    model: Annotated[bool, Meta(description="Ask a model for findings that no rule can fix.")] = False
    project: ProjectFolder = ""
    directory: Directory = ""
    approve: Approve = ""


class FixedFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finding and how it goes away: by its `rule`, by the `model`; empty: it stays, and `why` says why."""

    line: int
    rule: str
    message: str
    by: str = ""
    why: str = ""


class FixAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The findings, and the patch. `digest` names exactly these changes; `written` is the number in the journal."""

    root: str
    findings: tuple[FixedFinding, ...]
    files: tuple[EditedFile, ...]
    digest: str
    written: int = 0
    note: str = ""


@dataclass(slots=True)
class _State:
    """A file being repaired: its bytes then and now, its findings then, and what became of each of them."""

    path: str
    original: bytes
    content: bytes
    before: tuple[Finding, ...]
    fates: dict[int, tuple[str, str]]


@engines.add
class FixFindings(Engine[FixRequest, FixAnswer]):
    """Make findings of the analysers disappear, by a patch that adds none.

    The patched text is analysed before anybody sees it: a finding that stays, or one that comes, undoes the change.
    Rules with an evident fix need no model; with `--model` one is asked for the others.
    """

    name: ClassVar[str] = "fix"
    request = FixRequest
    answer = FixAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "contexts", "journal", "llm")
    strategy = Strategy.LONG_WINDOW
    role = Role.EDIT
    model_options = ModelOptions(max_tokens=4096)
    uses = ("ruff",)
    timeout_s = 900.0

    async def run(self, request: FixRequest, call: Call) -> FixAnswer:
        """The patch; raises InvalidInput when there is no such finding, NotFound, Denied, StaleVersion."""
        where = await find(call, request.at, request.project, request.directory)
        if request.model:
            await asyncio.to_thread(refuse_untold, *where.place, where.path)
        call.emit(Progress(0, 0, "analysing"))
        content = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes, links=False)
        before = await findings_of(call, where.root, where.settings, where.path)
        wanted = _wanted(request, where, before)
        state = _State(where.path, content, content, before, {})
        await _by_rules(call, where, state, wanted, unsafe=request.unsafe)
        note = ""
        left = [finding for finding in wanted if not state.fates.get(id(finding), ("", ""))[0]]
        if request.model and left:
            note = await self._by_model(call, where, state, left)
        elif left and not request.model:
            note = "what stays has no fix of its own: --model asks a model for it"
        texts = await asyncio.to_thread(_texts, where, state)
        about = f"fix {request.rule or 'findings'} in {where.path}"
        shown = await show_or_write(call, where.place, texts, request.approve, about)
        return FixAnswer(
            root=display(os.fspath(where.root.path)),
            findings=tuple(_view(finding, state) for finding in wanted),
            files=shown.files,
            digest=shown.digest,
            written=shown.written,
            note=note,
        )

    async def _by_model(self, call: Call, where: Where, state: _State, left: Sequence[Finding]) -> str:
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
        from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

        call.emit(Progress(0, 0, "asking the model"))
        asked = left[:MOST_ASKED]
        listed = "\n".join(f"line {each.span.start_line}: {each.message} [{each.rule}]" for each in asked)
        text = state.content.decode("utf-8", "replace")
        ask = Ask(where.path, asked[0].span.start_line, 1, "", BESIDE_TOKENS, 0, 0)
        beside = as_code(await told_beside(call, where.place, ask, self))
        user = f"{beside}{fenced('code', display(where.path), text)}\n{fenced('findings', 'to repair', listed)}"
        prompt = Prompt(
            messages(_SYSTEM.format(path=display(where.path)), user),
            self.model_options.max_tokens,
            self.model_options.temperature,
        )

        async def judge(said: str) -> Judged[bytes]:
            return await _judged(call, where, state, asked, said)

        asking = Asking(call.parts.llm, await asker(call, where.root), Role.EDIT)
        said = await contained(lambda: draft(asking, prompt, judge), "what rules can fix is fixed")
        if said.value is None:
            return said.note
        if not said.value.is_sound or said.value.value is None:
            for each in asked:
                state.fates[id(each)] = ("", f"the model's patch was refused: {said.value.problems[-1][:300]}")
            return f"the model tried {said.value.tries} times, and no patch passed the check"
        state.content = said.value.value
        for each in asked:
            state.fates[id(each)] = ("model", "")
        return ""


def _wanted(request: FixRequest, where: Where, before: Sequence[Finding]) -> list[Finding]:
    chosen = [
        each
        for each in before
        if each.suppressed is None
        and (not where.line or each.span.start_line <= where.line <= max(each.span.end_line, each.span.start_line))
        and (not request.rule or each.rule in (request.rule, f"ruff/{request.rule}"))
    ]
    if not chosen:
        which = f" of {request.rule!r}" if request.rule else ""
        at = f" in line {where.line}" if where.line else ""
        raise InvalidInput(f"there is no finding{which}{at} in '{display(where.path)}'; `duck analyze` lists them")
    return chosen


async def _by_rules(call: Call, where: Where, state: _State, wanted: Sequence[Finding], *, unsafe: bool) -> None:
    """Apply the fixes that findings carry: all at once if that passes the check, else one after the other."""
    fixable = [each for each in wanted if each.fix is not None and (unsafe or each.fix.safe)]
    for each in wanted:
        if each.fix is not None and each not in fixable:
            state.fates[id(each)] = ("", "its fix may change what the code does: --unsafe takes it")
    if not fixable or state.content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    together = _applied(state.content, [edit for each in fixable if each.fix for edit in each.fix.edits])
    if together is not None and len(fixable) > 1:
        found = await _compared(call, where, state, together)
        if not found.new and all(map(found.lacks, fixable)):
            state.content = together
            state.fates |= {id(each): ("rule", "") for each in fixable}
            return
    taken: list[Edit] = []
    fixed: list[Finding] = []
    for each in fixable:
        assert each.fix is not None  # chosen for it
        patched = _applied(state.content, [*taken, *each.fix.edits])
        if patched is None:
            state.fates[id(each)] = ("", "its fix overlaps another: fix again when that is written")
            continue
        found = await _compared(call, where, state, patched)
        if found.new:
            state.fates[id(each)] = ("", f"its fix would bring {found.new[0].rule!r}")
        elif not all(map(found.lacks, (*fixed, each))):
            state.fates[id(each)] = ("", "its fix does not make it disappear")
        else:
            taken += each.fix.edits
            fixed.append(each)
            state.fates[id(each)] = ("rule", "")
    whole = _applied(state.content, taken)
    state.content = whole if whole is not None else state.content


async def _compared(call: Call, where: Where, state: _State, patched: bytes) -> Compared:
    """What became of the file's findings, as it was in the project, with `patched`."""
    after = await findings_in(call, where.settings, {where.path: patched}, where.path)
    return await asyncio.to_thread(compared, Analysed(state.original, state.before), Analysed(patched, after))


def _applied(content: bytes, edits: Sequence[Edit]) -> bytes | None:
    """The content with the edits; None when two overlap."""
    done = content
    last = len(content) + 1
    for edit in sorted(set(edits), key=lambda each: (each.start_byte, each.end_byte), reverse=True):
        if edit.end_byte > last:
            return None
        done = done[: edit.start_byte] + edit.text.encode() + done[edit.end_byte :]
        last = edit.start_byte
    return done


async def _judged(call: Call, where: Where, state: _State, asked: Sequence[Finding], said: str) -> Judged[bytes]:
    """Whether a model's blocks can be placed in the file, break nothing, and make the findings disappear."""
    from rubber_duck.code.edits.planning import plan  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.reading import Form, read_edits  # noqa: PLC0415  # as above

    reading = read_edits(said, Form.AUTO)
    if not reading.edits:
        return Judged(None, "there is no search/replace block in the answer")
    if any(edit.path not in (where.path, os.path.basename(where.path)) for edit in reading.edits):
        return Judged(None, f"only '{where.path}' may be changed")
    edits = tuple(replace(edit, path=where.path) for edit in reading.edits)
    made = await asyncio.to_thread(plan, replace(reading, edits=edits), lambda path: state.content, {where.path})
    wrong = next((each for each in made.verdicts if each.fate.value not in ("placed", "already applied")), None)
    if wrong is not None:
        return Judged(None, f"a block cannot be placed: {wrong.why or wrong.fate.value}")
    if not made.is_sound or len(made.changes) != 1 or made.changes[0].after is None:
        broken = made.changes[0].broken if made.changes else "nothing is changed"
        return Judged(None, broken or "the blocks cannot be read as a whole")
    patched = made.changes[0].after
    found = await _compared(call, where, state, patched)
    if found.new:
        new = found.new[0]
        return Judged(patched, f"line {new.span.start_line} has a new finding: {new.message} [{new.rule}]")
    by_rules = (each for each in state.before if state.fates.get(id(each), ("", ""))[0] == "rule")
    left = next((each for each in (*asked, *by_rules) if not found.lacks(each)), None)
    if left is not None:
        at = f"of line {left.span.start_line} "
        return Judged(patched, f"the finding {at}is still there: {left.message} [{left.rule}]")
    return Judged(patched)


def _texts(where: Where, state: _State) -> dict[str, str | None]:
    from rubber_duck.code.edits.planning import read_text  # noqa: PLC0415  # grammars

    return {where.path: read_text(where.path, state.content)}


def _view(finding: Finding, state: _State) -> FixedFinding:
    by, why = state.fates.get(id(finding), ("", "no rule knows a fix for it"))
    return FixedFinding(
        line=finding.span.start_line, rule=finding.rule, message=finding.message, by=by, why="" if by else why
    )
