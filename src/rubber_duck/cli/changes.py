"""Shows changes to files as unified diffs, and lets them be written: what commands that end in a patch share."""

from __future__ import annotations

from typing import Any, Final

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask

_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def ask_or_write(engine: str, request: dict[str, Any], *, writes: bool) -> dict[str, Any]:  # Any: JSON
    """The engine's answer; with `writes` it is asked again, to write exactly what it showed."""
    answer: dict[str, Any] = ask(engine, request)  # Any: as above
    if writes and answer["files"]:
        answer = ask(engine, {**request, "approve": answer["digest"]})
    return answer


def show_files(files: list[dict[str, Any]]) -> None:  # Any: as above
    """The files with their hunks."""
    for file in files:
        show_file(file)
        for hunk in file["hunks"]:
            for line in hunk["text"].split("\n")[:-1]:
                drawing.show(drawing.text(f"  {line}", _STYLES.get(line[:1], "")))


def show_file(file: dict[str, Any]) -> None:  # Any: as above
    """The head of a file: its name, what becomes of it, and how many lines."""
    how = "" if file["change"] == "changed" else f"  {file['change']}"
    counts = f"  +{file['added']} -{file['taken']}"
    drawing.show(drawing.line(drawing.text(f"{file['path']}{how}", "bold"), drawing.text(counts, "dim")))


def say_written(answer: dict[str, Any]) -> None:  # Any: as above
    """Whether anything was written, and what to do next."""
    files = terminal.counted(len(answer["files"]), "file")
    if answer["written"]:
        terminal.note(f"{files} written; `duck undo` takes it back")
    elif answer["files"]:
        terminal.note(f"nothing was written yet: --write writes {files}")
