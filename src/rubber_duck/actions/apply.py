"""Writes planned edits to a project, if they are the very ones that a person approved."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rubber_duck.actions.action import Action
from rubber_duck.call import Call
from rubber_duck.code.code import detect
from rubber_duck.code.edits.planning import Plan, Read, plan
from rubber_duck.code.edits.reading import Form, read_edits
from rubber_duck.errors import Denied, NotFound, StaleVersion
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from rubber_duck.workspace.journal import FileWrite
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.protected import refuse_protected
from rubber_duck.workspace.scan import scan


def planned(root: Root, settings: Settings, text: str, form: str = "auto") -> Plan:
    """What the edits in `text` do to the project at `root`; `form` is how they are written. Raises LimitExceeded."""
    reading = read_edits(text, Form(form))
    known = {file.path for file in scan(root, settings.index, detect).files}

    return plan(reading, writable(root, settings), known, may_replace=form == Form.WHOLE)


def writable(root: Root, settings: Settings) -> Read:
    """Reads files that may be written; None for one that is not there, Denied for those that are never written."""

    def read(path: str) -> bytes | None:
        refuse_protected(root, path, home=Path(settings.home), ignore=settings.index.ignore)
        try:
            return root.open_bytes(path, settings.index.max_file_size_bytes, links=False)
        except NotFound:
            if not path.isprintable():
                raise Denied(f"'{display(path)}' is not made: its name holds characters that cannot be seen") from None
            return None

    return read


@dataclass(frozen=True, slots=True)
class ApplyArguments:
    """`approved` is the digest of the plan that was shown: of the bytes before, and of those after.

    `about` says in a few words what it is, for `duck undo --list`; empty: which files are edited.
    """

    root: Root
    plan: Plan
    approved: str
    about: str = ""


class Apply(Action[ApplyArguments, int]):
    """Writes all files of a plan, or none; `duck undo` takes it back."""

    name: ClassVar[str] = "apply"
    right = Right.FILE_WRITE

    async def act(self, arguments: ApplyArguments, call: Call) -> int:
        """The change's number in the journal.

        Raises StaleVersion when the plan is not the approved one, and what `Journal.write` raises."""
        made = arguments.plan
        if not hmac.compare_digest(made.digest, arguments.approved):
            raise StaleVersion("the files or the edits are not those that were shown; look at the preview again")
        files = [FileWrite(change.path, change.before, change.after) for change in made.changes]
        names = ", ".join(file.path for file in files[:3]) + (" …" if len(files) > 3 else "")
        about = arguments.about or f"edit {names}"
        entry = await call.parts.journal.write(call.scope, arguments.root, files, about)
        return entry.number
