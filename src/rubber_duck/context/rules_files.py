"""What a project tells assistants in files of their own: AGENTS.md and its kin, folder by folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import DuckError, NotFound
from rubber_duck.workspace.paths import Root, display

NAMES: Final = ("AGENTS.md", "CLAUDE.md", ".cursorrules", ".duck/rules")
"""Their names, in the order in which those of one folder are told."""

LIMIT_BYTES: Final = 64_000


@dataclass(frozen=True, slots=True)
class RulesFile:
    """One such file; `problem` says why `text` is empty, if it could not be read."""

    path: str
    text: str
    problem: str = ""


def rules_files(root: Root, path: str) -> list[RulesFile]:
    """The rules that hold for the file at `path`: those of the root first, those of its own folder last.

    A text is told once, also when two names lead to it. Nothing outside the root is read.
    """
    parts = path.split("/")[:-1]
    found: list[RulesFile] = []
    seen: set[str] = set()
    for depth in range(len(parts) + 1):
        folder = "".join(f"{part}/" for part in parts[:depth])
        for name in NAMES:
            try:
                text = root.open_bytes(folder + name, LIMIT_BYTES).decode("utf-8", "replace").strip()
            except NotFound:
                continue
            except DuckError as error:
                found.append(RulesFile(folder + name, "", f"'{display(folder + name)}': {error.message}"))
                continue
            if text and text not in seen:
                seen.add(text)
                found.append(RulesFile(folder + name, text))
    return found
