"""What a project tells assistants in files of their own: AGENTS.md and its kin, folder by folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.context.picture import Picture
from rubber_duck.errors import DuckError
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.scan import looks_binary

NAMES: Final = ("AGENTS.md", "CLAUDE.md", ".cursorrules", ".duck/rules")
FOLDERS: Final = (".cursor/rules", ".duck/rules")
"""The files, and the folders of files, in the order in which those of one folder are told."""

LIMIT_BYTES: Final = 64_000

_ENDINGS: Final = (".md", ".mdc", ".txt")
_UNSEEN: Final = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Characters that reorder or hide text: what a person reads is not what a model would be told."""


@dataclass(frozen=True, slots=True)
class RulesFile:
    """One such file; `problem` says why `text` is empty, if it is not told."""

    path: str
    text: str
    problem: str = ""


def rules_files(root: Root, picture: Picture, path: str) -> list[RulesFile]:
    """The rules that hold for the file at `path`: those of the root first, those of its own folder last.

    A text is told once, also when two names lead to it. A file that is no part of the project, lies outside of it, is
    too large, no text, or holds characters that hide others, is not told, and that is said.
    """
    return _read(root, _candidates(picture, path), picture.why_not)


def rules_beside(root: Root, path: str, why_not: Callable[[str], str]) -> list[RulesFile]:
    """As `rules_files`, of single files in the folders from the root to that of `path`; nothing else is looked at.

    `why_not` says why a path is no part of the project, "" for one that is.
    """
    parts = path.split("/")[:-1]
    folders = ["".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts) + 1)]
    names = [folder + name for folder in folders for name in NAMES]
    return _read(root, (name for name in names if os.path.isfile(root.path / name)), why_not)


def _read(root: Root, names: Iterable[str], why_not: Callable[[str], str]) -> list[RulesFile]:
    found: list[RulesFile] = []
    seen: set[str] = set()
    for name in names:
        try:
            text = _text(root, name, why_not)
        except DuckError as error:
            found.append(RulesFile(name, "", f"the rules in '{display(name)}' are not told: {error.message}"))
            continue
        if text and text not in seen:
            seen.add(text)
            found.append(RulesFile(name, text))
    return found


def _candidates(picture: Picture, path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    for depth in range(len(parts) + 1):
        folder = "".join(f"{part}/" for part in parts[:depth])
        yield from (folder + name for name in NAMES if picture.is_there(folder + name))
        for name in FOLDERS:
            inside = f"{folder}{name}/"
            yield from sorted(
                each for each in picture.changed_ns if each.startswith(inside) and each.endswith(_ENDINGS)
            )


def _text(root: Root, name: str, why_not: Callable[[str], str]) -> str:
    """Raises a DuckError that says why it is not told."""
    real = os.path.realpath(root.path / name)
    target = os.path.relpath(real, root.path)
    if target != name and not target.startswith("../"):
        _check(why_not(target), f"it leads to '{display(target)}': ")
    elif target == name:
        _check(why_not(name), "")
    content = root.open_bytes(name, LIMIT_BYTES)
    if looks_binary(content):
        raise DuckError("it is not text: it holds NUL bytes")
    text = content.decode("utf-8", "replace").strip()
    if (unseen := _UNSEEN.search(text)) is not None:
        line = text.count("\n", 0, unseen.start()) + 1
        raise DuckError(f"line {line} holds the character U+{ord(unseen[0]):04X}, which hides or reorders text")
    return text


def _check(why_not: str, lead: str) -> None:
    if why_not:
        raise DuckError(f"{lead}{why_not}")
