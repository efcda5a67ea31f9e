"""Index a project for searching, show what is indexed, watch for changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder

_UPDATE: Final = "update"
_FAILED_SHOWN: Final = 20
_TENTH_MB: Final = 100_000


class _Index(Group):
    """`duck index FOLDER` is short for `duck index update FOLDER`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; what is no sub-command is the folder to index."""
        if args and self.get_command(ctx, args[0]) is None:
            args = [_UPDATE, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; without a word, or with options alone, this folder is indexed."""
        if not args or (args[0].startswith("-") and not set(args) & {"-h", "--help"}):
            args = [_UPDATE, *args]
        return super().parse_args(ctx, args)


_folder = click.argument("project", type=click.Path(), default=".", help="The project's folder.")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(cls=_Index, name="index")
def command() -> None:
    """Index a project for searching: `duck index FOLDER`.

    Only what has changed is read again, and nothing is written into the project. A search does the same by itself.
    """


@command.command(_UPDATE)
@_folder
@_json
def update(project: str, as_json: bool) -> None:
    """Bring the index of a project up to date."""
    answer = ask("index", {"type": "update", "path": project, "directory": current_folder()})
    if as_json:
        drawing.machine(answer)
    elif not current().quiet:
        drawing.show(drawing.text(_summary(answer)))
        _show_failed(answer)


@command.command("status")
@_folder
@click.option("--left-out", is_flag=True, help="List each file and folder that is left out now, and why.")
@_json
def status(project: str, left_out: bool, as_json: bool) -> None:
    """Show what is indexed of a project, what failed and why, its size and its age."""
    request = {"type": "status", "path": project, "directory": current_folder()}
    answer = ask("index", request | ({"left_out": True} if left_out else {}))
    if as_json:
        drawing.machine(answer)
        return
    updated = answer["updated_at"]
    shown: dict[str, object] = {
        "folder": answer["root"],
        "indexed": f"{terminal.counted(answer['files'], 'file')}, {_size(answer['size_bytes'])} of source",
        "pieces": f"{answer['chunks']:,}, with {answer['words']:,} distinct words",
        "languages": ", ".join(f"{count:,} {language}" for language, count in answer["languages"].items()),
        "vectors": _vectors(answer),
        "left out": ", ".join(f"{count:,} {_reason(reason)}" for reason, count in answer["left_out"].items()),
        "up to date": _ago(updated) if updated else "no: the first build was interrupted; run duck index",
    }
    drawing.show(drawing.text(answer["project"], "bold"), drawing.facts({k: v for k, v in shown.items() if v}))
    if answer["failed"]:
        heading = drawing.text(f"{terminal.counted(len(answer['failed']), 'file')} failed", "bold")
        drawing.show("", heading, *(drawing.text(f"  {line}") for line in _failed(answer)))
    if answer.get("left_out_paths"):
        table = drawing.table("left out", "because", "of")
        for each in answer["left_out_paths"]:
            table.add_row(*(drawing.text(part) for part in (each["path"], _reason(each["reason"]), each["detail"])))
        drawing.show("", table)


@command.command("watch")
@_folder
def watch(project: str) -> None:
    """Bring the index up to date, and again whenever files change, until interrupted."""
    say: Callable[[str], None] = terminal.write_piece if not current().quiet else lambda text: None
    ask("index", {"type": "watch", "path": project, "directory": current_folder()}, on_text=say)


def _summary(answer: dict[str, Any]) -> str:
    done = answer["changes"]
    moved = [f"{done[word]:,} {word}" for word in ("added", "changed", "removed") if done[word]]
    said = ", ".join(moved) or "nothing has changed"
    files = terminal.counted(answer["files"], "file")
    return f"{answer['project']}: {said}; {files} in {answer['chunks']:,} pieces, {done['duration_ms'] / 1000:.1f} s"


def _show_failed(answer: dict[str, Any]) -> None:
    for line in _failed(answer):
        terminal.note(terminal.printable(line))
    vectors = answer.get("vectors") or {}
    if vectors.get("problem"):
        terminal.note(terminal.printable(f"{vectors['model'] or 'the embeddings model'}: {vectors['problem']}"))


def _failed(answer: dict[str, Any]) -> Iterator[str]:
    """A line for each file that failed, up to a number of them, and how many more there are."""
    failed = answer["failed"]
    for each in failed[:_FAILED_SHOWN]:
        yield f"{each['path']}: {each['reason']}"
    if len(failed) > _FAILED_SHOWN:
        yield f"and {len(failed) - _FAILED_SHOWN:,} more; all of them: duck index status --json"


def _vectors(answer: dict[str, Any]) -> str:
    """Of how many pieces it is known what they mean; nothing without an embeddings model."""
    vectors = answer.get("vectors")
    if not vectors:
        return ""
    stopped = f"; it stopped: {vectors['problem']}" if vectors["problem"] else ""
    return f"{vectors['chunks']:,} of {answer['chunks']:,} pieces, by {vectors['model'] or 'no model'}{stopped}"


def _reason(reason: str) -> str:
    return reason.replace("_", " ")


def _size(size_bytes: int) -> str:
    """In MB; less than a tenth of one in kB."""
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= _TENTH_MB else f"{size_bytes / 1e3:,.1f} kB"


def _ago(moment: str) -> str:
    """The moment, and how long ago it was."""
    seconds = max(0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{terminal.counted(int(seconds // length), unit)} ago ({moment[:19].replace('T', ' ')} UTC)"
    return f"just now ({moment[:19].replace('T', ' ')} UTC)"
