"""Reads edits out of any text: a model's answer, a patch, a chat. Nothing is guessed: what is doubtful is misread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from rubber_duck.code.edits.blocks import read_blocks
from rubber_duck.code.edits.edit import Edit, Misread, Reading, Replace
from rubber_duck.code.edits.patches import read_patches
from rubber_duck.code.edits.wholes import read_wholes
from rubber_duck.errors import LimitExceeded

MOST_CHARACTERS: Final = 20_000_000
"""The most text that is read for edits."""

_BLOCK: Final = re.compile(r"^[^\S\n]*<{5,9}\s*(?:SEARCH|ORIGINAL)\b", re.MULTILINE)
_PATCH: Final = re.compile(r"^--- \S.*\r?\n\+\+\+ \S|^diff --git ", re.MULTILINE)
_MARK: Final = re.compile(r"\s*(?:<{5,9}|>{5,9}|={7})|@@ |diff --git ")


class Form(StrEnum):
    """How edits are written; `auto` takes blocks, diffs and whole files, also side by side."""

    AUTO = "auto"
    BLOCKS = "blocks"
    DIFF = "diff"
    WHOLE = "whole"


def read_edits(text: str, form: Form = Form.AUTO) -> Reading:
    """The edits in `text`, in their order.

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
    left = _without(lines, blocks)
    patches = read_patches(left) if has_patches else Reading(())
    wholes = read_wholes(left, _taken(left, blocks, patches)) if form is Form.AUTO else Reading(())
    every = (blocks, patches, wholes)
    found: list[Edit] = sorted((edit for each in every for edit in each.edits), key=lambda edit: edit.said_at)
    misread: list[Misread] = sorted((one for each in every for one in each.misread), key=lambda each: each.line)
    return Reading(tuple(found), tuple(misread))


def _taken(lines: Sequence[str], *readings: Reading) -> frozenset[int]:
    """The lines, from 0, where edits begin or go on, or what is no edit though it looks like one."""
    edits = {edit.said_at - 1 for each in readings for edit in each.edits}
    misread = {each.line - 1 for reading in readings for each in reading.misread}
    marks = {number for number, line in enumerate(lines) if _MARK.match(line)}
    return frozenset(edits | misread | marks)


def _without(lines: list[str], blocks: Reading) -> list[str]:
    """The lines with those of the blocks made empty: a file that is edited may itself be a diff."""
    left = list(lines)
    for edit in blocks.edits:
        if isinstance(edit, Replace):
            length = edit.search.count("\n") + edit.replace.count("\n") + 3
            first = edit.said_at - 1
            left[first : first + length] = [""] * len(left[first : first + length])
    return left
