"""Undo the last change that RubberDuck wrote to a project, to the byte."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display


class UndoRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which change of which project."""

    directory: Annotated[
        str,
        Meta(description="A folder of the project; empty: the process's own folder.", extra={"directory": True}),
    ] = ""
    number: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Which change, as they are listed; unset: the last.")
    ] = None
    list: Annotated[bool, Meta(description="Change nothing, and list what was written.")] = False


class UndoEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was written to the project at a moment, and whether it was undone since."""

    number: int
    at: str
    about: str
    paths: tuple[str, ...]
    undone: bool


class UndoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was undone now, 0 for nothing, and all that was written to the project, the latest first."""

    root: str
    undone: int
    entries: tuple[UndoEntry, ...]


@engines.add
class Undo(Engine[UndoRequest, UndoAnswer]):
    """Undo the last change that RubberDuck wrote to a project, to the byte.

    A file that was changed since is not touched, and then none is.
    """

    name: ClassVar[str] = "undo"
    request = UndoRequest
    answer = UndoAnswer
    right = Right.FILE_READ
    needs = ("journal",)
    timeout_s = 600.0

    async def run(self, request: UndoRequest, call: Call) -> UndoAnswer:
        """Raises NotFound when there is nothing to undo, Conflict when a file was changed since, Denied."""
        from rubber_duck.analysis.target import target  # noqa: PLC0415  # rules and grammars

        root = target(["."], request.directory, call.settings).root
        journal = call.parts.journal
        undone = 0 if request.list else (await journal.undo(call.scope, root, request.number)).number
        entries = await journal.entries(call.scope, root)
        return UndoAnswer(
            root=display(str(root.path)),
            undone=undone,
            entries=tuple(
                UndoEntry(
                    number=each.number,
                    at=each.at.isoformat(timespec="seconds"),
                    about=each.about,
                    paths=each.paths,
                    undone=each.is_undone,
                )
                for each in entries
            ),
        )
