"""Reads edits out of any text: a model's answer, a patch, a chat. Nothing is guessed: what is doubtful is misread."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import chain
from typing import Final

from rubber_duck.code.edits.blocks import read_blocks
from rubber_duck.code.edits.edit import Edit, Misread, Reading, Replace
from rubber_duck.code.edits.patches import read_patches
from rubber_duck.code.edits.wholes import read_wholes
from rubber_duck.errors import LimitExceeded

MOST_CHARACTERS: Final = 20_000_000
"""The most text that is read for edits."""

_BLOCK: Final = re.compile(r"^\s*<{5,9}\s*(?:SEARCH|ORIGINAL)\b", re.MULTILINE)
_PATCH: Final = re.compile(r"^--- \S.*\r?\n\+\+\+ \S|^diff --git ", re.MULTILINE)


class Form(StrEnum):
    """How edits are written; `auto` looks for blocks, then for diffs, then for whole files."""

    AUTO = "auto"
    BLOCKS = "blocks"
    DIFF = "diff"
    WHOLE = "whole"


def read_edits(text: str, form: Form = Form.AUTO) -> Reading:
    """The edits in `text`, in their order. With `auto`, blocks and diffs may stand side by side.

    Raises LimitExceeded beyond MOST_CHARACTERS.
    """
    if len(text) > MOST_CHARACTERS:
        raise LimitExceeded(f"the text has more than {MOST_CHARACTERS:,} characters; give the edits alone")
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    has_blocks = form is Form.BLOCKS or (form is Form.AUTO and _BLOCK.search(text) is not None)
    has_patches = form is Form.DIFF or (form is Form.AUTO and _PATCH.search(text) is not None)
    if form is Form.WHOLE or not (has_blocks or has_patches):
        return read_wholes(lines)
    blocks = read_blocks(lines) if has_blocks else Reading(())
    patches = read_patches(_without(lines, blocks)) if has_patches else Reading(())
    found: list[Edit] = sorted(chain(blocks.edits, patches.edits), key=lambda edit: edit.said_at)
    misread: list[Misread] = sorted(chain(blocks.misread, patches.misread), key=lambda each: each.line)
    return Reading(tuple(found), tuple(misread))


def _without(lines: list[str], blocks: Reading) -> list[str]:
    """The lines with those of the blocks made empty: a file that is edited may itself be a diff."""
    left = list(lines)
    for edit in blocks.edits:
        if isinstance(edit, Replace):
            length = edit.search.count("\n") + edit.replace.count("\n") + 3
            first = edit.said_at - 1
            left[first : first + length] = [""] * len(left[first : first + length])
    return left
