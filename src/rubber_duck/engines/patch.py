"""What several engines end in: changes to files that are shown first, and written when a person approves them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.errors import Conflict

if TYPE_CHECKING:
    from rubber_duck.code.edits.planning import FileChange, Plan
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root

Approve = Annotated[
    str, Meta(max_length=64, description="The digest of the preview that was approved: write exactly that.")
]
"""A request's field of that name; without it nothing is written."""

Hunks = (
    Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...],
        Meta(max_length=100_000, description="Only these hunks, as the preview numbers them; unset: all."),
    ]
    | None
)
"""A request's field `hunks`."""


class EditHunk(msgspec.Struct, frozen=True):
    """A piece of a change, by its number among all of them, as a unified diff shows it."""

    number: int
    text: str


class EditedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that changes, comes (`made`) or goes (`removed`). `broken` says what no longer parses in it."""

    path: str
    change: Literal["changed", "made", "removed"]
    added: int
    taken: int
    hunks: tuple[EditHunk, ...]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer says of its changes: the files, their digest, and the number in the journal, 0: not written."""

    files: tuple[EditedFile, ...]
    digest: str
    written: int


async def show_or_write(
    call: Call, place: tuple[Root, Settings], texts: Mapping[str, str | None], approve: str, about: str
) -> Shown:
    """The changes that make files what `texts` says; written with `approve`, the digest of exactly these.

    Raises Conflict when a file would no longer parse, StaleVersion for another digest, Denied.
    """
    from rubber_duck.actions.apply import Apply, ApplyArguments, writable  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.planning import rewritten  # noqa: PLC0415  # as above

    root, settings = place
    made = await asyncio.to_thread(rewritten, texts, writable(root, settings))
    broken = next((change for change in made.changes if change.broken), None)
    if broken is not None:
        raise Conflict(f"'{broken.path}' would no longer parse, so nothing is changed: {broken.broken}")
    written = 0
    if approve and made.changes:
        written = await Apply().run(ApplyArguments(root, made, approve, about), call)
    return Shown(files_of(made), made.digest, written)


def texts_after(made: Plan, hunks: tuple[int, ...] | None) -> dict[str, str | None]:
    """What files say after a plan, or after some of its hunks; raises InvalidInput for a hunk that is not there."""
    from rubber_duck.code.edits.planning import chosen  # noqa: PLC0415  # grammars

    picked = made if hunks is None else chosen(made, hunks)
    return {change.path: None if change.after is None else change.new for change in picked.changes}


def files_of(made: Plan) -> tuple[EditedFile, ...]:
    """How the changes of a plan are shown, their hunks numbered through."""
    numbers = iter(range(1, 1 << 62))
    return tuple(changed_file(change, numbers.__next__) for change in made.changes)


def changed_file(change: FileChange, number: Callable[[], int]) -> EditedFile:
    """How a change is shown; `number` gives each hunk its number."""
    from rubber_duck.code.edits.hunks import shown  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.planning import hunk_count, line_counts  # noqa: PLC0415  # as above

    taken, added = line_counts(change)
    if hunk_count(change) == len(change.hunks):
        texts = [shown(change.old, change.new, hunk) for hunk in change.hunks]
    else:
        texts = ["".join(shown(change.old, change.new, hunk) for hunk in change.hunks)]
    return EditedFile(
        path=change.path,
        change="made" if change.before is None else "removed" if change.after is None else "changed",
        added=added,
        taken=taken,
        hunks=tuple(EditHunk(number(), _sendable(text)) for text in texts),
        broken=change.broken,
    )


def _sendable(text: str) -> str:
    """Bytes that are not UTF-8 as the sign for what cannot be shown."""
    return text.encode("utf-8", "replace").decode()
