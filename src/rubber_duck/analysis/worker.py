"""What a worker process does: reads one file through its root and analyses it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from rubber_duck import fault
from rubber_duck.analysis.analyzer import Analyzed, Analyzer, hash_content
from rubber_duck.analysis.copies import write_copy
from rubber_duck.analysis.file_analysis import RUFF_FAILED, FileAnalysis, FileProblem
from rubber_duck.analysis.rule_set import RuleSet
from rubber_duck.code.workers import Crashed
from rubber_duck.errors import DuckError
from rubber_duck.settings.tree import Option
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import looks_binary

TASK: Final = "rubber_duck.analysis.worker:open_task"
"""How `code.workers` finds this module's task."""


class WorkItem(msgspec.Struct, frozen=True, array_like=True):
    """One file to analyse. `root` and `path` are file system bytes, because names need not be UTF-8.

    `copy`, unless empty, is where to copy what was analysed, for ruff. `only_facts`: no rule runs.
    """

    root: bytes
    path: bytes
    language: str
    limit_bytes: int
    options: dict[str, dict[str, Option]]
    copy: bytes = b""
    only_facts: bool = False


class WorkResult(msgspec.Struct, frozen=True, array_like=True):
    """The file's analysis and its facts as `code.codec` writes them."""

    analysis: FileAnalysis
    facts: bytes


item_encoder: Final = msgspec.msgpack.Encoder()
_result_decoder: Final = msgspec.msgpack.Decoder(WorkResult)
_item_decoder: Final = msgspec.msgpack.Decoder(WorkItem)


def read_result(answer: bytes | Crashed) -> WorkResult | Crashed:
    """What a worker answered; Crashed also where a rule put something else into a finding than it may hold."""
    if isinstance(answer, Crashed):
        return answer
    try:
        return _result_decoder.decode(answer)
    except msgspec.MsgspecError as error:
        return Crashed(f"a rule put something else into a finding than it may hold: {error}")


def open_task(initial: bytes) -> Callable[[bytes], bytes]:
    """The function that a worker calls for each item."""
    del initial
    fault.arm_from_environment()

    def task(encoded: bytes) -> bytes:
        item = _item_decoder.decode(encoded)
        analyzed = analyze_item(item)
        return item_encoder.encode(WorkResult(analyzed.analysis, analyzed.facts))

    return task


def analyze_item(item: WorkItem) -> Analyzed:
    """Read and analyse one file; what keeps it from being read becomes a problem of the result."""
    fault.point("analysis.worker")
    path = os.fsdecode(item.path)
    try:
        content = _root(item.root).open_bytes(path, item.limit_bytes)
    except DuckError as error:
        return Analyzed(_unread(item.language, b"", error.code, error.message), b"")
    if looks_binary(content):
        return Analyzed(_unread(item.language, content, "binary", "holds NUL bytes"), b"")
    options = msgspec.json.encode(item.options, order="sorted")
    analyzed = _analyzer(options, item.only_facts).analyze(path, content, item.language)
    return _copied(analyzed, item.copy, content) if item.copy and not analyzed.analysis.is_left_out else analyzed


def _copied(analyzed: Analyzed, copy: bytes, content: bytes) -> Analyzed:
    try:
        write_copy(copy, content)
    except OSError as error:
        problem = FileProblem(RUFF_FAILED, f"ruff could not look at it: no copy can be made: {error.strerror or error}")
        problems = (*analyzed.analysis.problems, problem)
        return Analyzed(msgspec.structs.replace(analyzed.analysis, problems=problems), analyzed.facts)
    return analyzed


def _unread(language: str, content: bytes, reason: str, detail: str) -> FileAnalysis:
    content_hash = hash_content(content) if content else ""
    return FileAnalysis(content_hash, len(content), language, 0, problems=(FileProblem(reason, detail),))


@lru_cache(maxsize=8)
def _root(path: bytes) -> Root:
    return Root(os.fsdecode(path))


@lru_cache(maxsize=8)
def _analyzer(options: bytes, only_facts: bool) -> Analyzer:
    chosen = msgspec.json.decode(options, type=dict[str, dict[str, Option]])
    return Analyzer(RuleSet(chosen, without_rules=only_facts))
