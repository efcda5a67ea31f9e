"""Shows changes to files as unified diffs, and lets them be written: what commands that end in a patch share."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask

_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}
_MOST_HUNKS: Final = 20_000_000


def ask_or_write(engine: str, request: dict[str, Any], *, writes: bool) -> dict[str, Any]:  # Any: JSON
    """The engine's answer; with `writes` it is asked again, to write exactly what it showed."""
    answer: dict[str, Any] = ask(engine, request)  # Any: as above
    if writes and answer["files"]:
        answer = ask(engine, {**request, "approve": answer["digest"]})
    return answer


def write_edits(
    engine: str,
    request: dict[str, Any],  # Any: as above
    answer: dict[str, Any],  # Any: as above
    *,
    picks: bool,
    writes: bool,
) -> dict[str, Any]:  # Any: as above
    """The answer of an engine that asked a model, written if wanted: all of it, or the hunks that a person picks."""
    again = {**request, "edits": answer["edits"]}
    again |= {"again": answer["id"]} if answer.get("id") else {}
    if picks and answer["files"]:
        again["hunks"] = picked_hunks(answer["files"], None, None, asks=True)
        if not again["hunks"]:
            return {**answer, "files": []}
        shown = ask(engine, again)
        answer = {**answer, "files": shown["files"], "digest": shown["digest"]}
    if writes and answer["files"]:
        again |= {"tests": False} if "tests" in again else {}  # they ran on exactly this
        written = ask(engine, {**again, "approve": answer["digest"]})
        answer = {**answer, "files": written["files"], "written": written["written"]}
    return answer


def picked_hunks(
    files: list[dict[str, Any]],  # Any: as above
    only: str | None,
    without: str | None,
    *,
    asks: bool,
) -> list[int] | None:
    """The hunks that were chosen by number or, with `asks`, one by one at the terminal; None: all of them."""
    every = [hunk["number"] for file in files for hunk in file["hunks"]]
    if sum((only is not None, without is not None, asks)) > 1:
        raise click.UsageError("give one of --hunks, --not and --pick")
    if only is not None:
        return _numbers(only)
    if without is not None:
        unwanted = set(_numbers(without))
        return [number for number in every if number not in unwanted]
    if not asks:
        return None
    if not sys.stdin.isatty():
        raise click.UsageError("--pick asks at the terminal, and there is none")
    picked = []
    for file in files:
        show_file(file)
        for hunk in file["hunks"]:
            show_hunk(hunk)
            if click.confirm(f"take hunk {hunk['number']} of {len(every)}?", default=False, err=True):
                picked.append(hunk["number"])
    return picked


def _numbers(written: str) -> list[int]:
    numbers: set[int] = set()
    for part in filter(None, written.split(",")):
        first, _, last = part.partition("-")
        if not first.strip().isdecimal() or (last and not last.strip().isdecimal()):
            raise click.UsageError(f"{part!r} is no number of a hunk; write 1,3-5")
        end = int(last or first)
        if end - int(first) > _MOST_HUNKS:
            raise click.UsageError(f"{part!r} is more hunks than there can be")
        numbers.update(range(int(first), end + 1))
    return sorted(numbers)


def show_files(files: list[dict[str, Any]]) -> None:  # Any: as above
    """The files with their hunks."""
    for file in files:
        show_file(file)
        for hunk in file["hunks"]:
            _show_lines(hunk)


def show_file(file: dict[str, Any]) -> None:  # Any: as above
    """The head of a file: its name, what becomes of it, how many lines, and whether it is broken then."""
    how = "" if file["change"] == "changed" else f"  {file['change']}"
    counts = f"  +{file['added']} -{file['taken']}"
    drawing.show(drawing.line(drawing.text(f"{file['path']}{how}", "bold"), drawing.text(counts, "dim")))
    if file.get("broken"):
        drawing.show(drawing.text(f"  {file['broken']}", "bold red"))


def show_hunk(hunk: dict[str, Any]) -> None:  # Any: as above
    """A hunk under its number."""
    drawing.show(drawing.text(f"hunk {hunk['number']}", "dim"))
    _show_lines(hunk)


def _show_lines(hunk: dict[str, Any]) -> None:  # Any: as above
    for line in hunk["text"].split("\n")[:-1]:
        drawing.show(drawing.text(f"  {line}", _STYLES.get(line[:1], "")))


def say_written(answer: dict[str, Any]) -> None:  # Any: as above
    """Whether anything was written, and what to do next."""
    files = terminal.counted(len(answer["files"]), "file")
    if answer["written"]:
        terminal.note(f"{files} written; `duck undo` takes it back")
    elif answer["files"]:
        terminal.note(f"nothing was written yet: --write writes {files}")
