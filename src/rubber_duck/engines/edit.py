"""Apply the edits in a model's answer or a patch, after showing what they do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.patch import EditedFile, Hunks, changed_file
from rubber_duck.errors import Conflict
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.analysis.target import Target
    from rubber_duck.code.edits.planning import Plan

Form = Literal["auto", "blocks", "diff", "whole"]


class EditRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text with edits. Without `approve` nothing is written: the answer says what would be."""

    text: Annotated[str, Meta(max_length=20_000_000, description="A model's answer, or a patch.")]
    directory: Annotated[
        str,
        Meta(
            description="A folder of the project; empty: the process's own. Names are relative to the project's root.",
            extra={"directory": True},
        ),
    ] = ""
    form: Annotated[
        Form,
        Meta(description="How edits are written. `whole` alone lets a file that is there be replaced as a whole."),
    ] = "auto"
    hunks: Hunks = None
    approve: Annotated[
        str, Meta(max_length=64, description="The digest of the preview that was approved: write exactly that.")
    ] = ""
    partial: Annotated[bool, Meta(description="Write what can be placed though other edits cannot.")] = False
    broken: Annotated[bool, Meta(description="Write though a file no longer parses.")] = False


class EditView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One edit of the text: its line there, its file, and what becomes of it.

    `fate` is placed, already applied, ambiguous, not found or refused; `lines` are those of its place, or of all the
    places it may mean.
    """

    said_at: int
    path: str
    fate: str
    how: str = ""
    lines: tuple[int, ...] = ()
    why: str = ""


class EditMisread(msgspec.Struct, frozen=True):
    """A line of the text that looks like an edit and cannot be read as one."""

    line: int
    why: str


class EditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the edits do. `ready`: all may be written; `digest` names exactly these changes, to approve them.

    `written` is the number of the change in the journal, 0 when nothing was written.
    """

    root: str
    edits: tuple[EditView, ...]
    files: tuple[EditedFile, ...]
    misread: tuple[EditMisread, ...]
    ready: bool
    digest: str
    written: int = 0
    notes: tuple[str, ...] = ()


@engines.add
class Edit(Engine[EditRequest, EditAnswer]):
    """Apply the edits in a model's answer or a patch, after showing what they do.

    Search/replace blocks, unified diffs and whole files are read. An edit that may mean several places, or none, is
    never written. All files are written or none; `duck undo` takes it back.
    """

    name: ClassVar[str] = "edit"
    request = EditRequest
    answer = EditAnswer
    right = Right.FILE_READ
    needs = ("journal",)
    timeout_s = 600.0

    async def run(self, request: EditRequest, call: Call) -> EditAnswer:
        """What the edits do, and, with `approve`, did.

        Raises InvalidInput, LimitExceeded, StaleVersion (not what was shown), Conflict (not ready), Denied, NotFound.
        """
        from rubber_duck.actions.apply import Apply, ApplyArguments, planned  # noqa: PLC0415  # grammars
        from rubber_duck.analysis.target import target  # noqa: PLC0415  # rules and grammars
        from rubber_duck.code.edits.planning import chosen  # noqa: PLC0415  # grammars

        asked = target(["."], request.directory, call.settings)
        stayed = await call.parts.journal.recover(call.scope, asked.root)
        call.emit(Progress(0, 0, "looking for the places"))
        made = await asyncio.to_thread(planned, asked.root, asked.settings, request.text, request.form)
        picked = made if request.hunks is None else await asyncio.to_thread(chosen, made, request.hunks)
        ready = _is_ready(picked, request)
        written = 0
        if request.approve:
            if not ready:
                raise Conflict("not every edit can be written; look at the preview, and say `partial` or `broken`")
            written = await Apply().run(ApplyArguments(asked.root, picked, request.approve), call)
        notes = tuple(
            f"'{display(path)}' was left by a killed process and changed since: look at it" for path in stayed
        )
        return _answer(picked, asked, ready, written, notes)


def _is_ready(plan: Plan, request: EditRequest) -> bool:
    from rubber_duck.code.edits.placing import Fate  # noqa: PLC0415  # grammars

    is_read = not plan.misread and all(each.fate in (Fate.PLACED, Fate.DONE) for each in plan.verdicts)
    is_whole = request.broken or not any(change.broken for change in plan.changes)
    return bool(plan.changes) and (is_read or request.partial) and is_whole


def _answer(plan: Plan, asked: Target, ready: bool, written: int, notes: tuple[str, ...]) -> EditAnswer:
    numbers = iter(range(1, 1 << 62))
    return EditAnswer(
        root=display(str(asked.root.path)),
        edits=tuple(
            EditView(
                said_at=each.edit.said_at,
                path=each.edit.path,
                fate=str(each.fate),
                how=each.how,
                lines=each.lines,
                why=each.why,
            )
            for each in plan.verdicts
        ),
        files=tuple(changed_file(change, numbers.__next__) for change in plan.changes),
        misread=tuple(EditMisread(each.line, each.why) for each in plan.misread),
        ready=ready,
        digest=plan.digest,
        written=written,
        notes=notes,
    )
