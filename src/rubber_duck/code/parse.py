"""From text to a syntax tree, within a time limit; and again after an edit, reusing what did not change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tree_sitter import Tree

from rubber_duck.code.grammar import Grammar, grammar
from rubber_duck.code.source import SyntaxProblem
from rubber_duck.errors import LimitExceeded

TIMEOUT_S = 1.5
"""Seconds of processor time that a parse may take; the largest files that are read by default need a tenth of it."""

MAX_DEPTH = 1_000
"""Levels of nesting beyond which a file is left out; code that people write stays under 100."""

MAX_PROBLEMS = 20
"""Syntax problems told per file; a file of another language has thousands."""

_PIECE = 16_384
_PROGRESS = 8
"""So many reports of progress to one look at the clock, which costs as much as tree-sitter does for each."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree and what is wrong with the text it was read from."""

    tree: Tree
    problems: tuple[SyntaxProblem, ...]


@dataclass(frozen=True, slots=True)
class TextEdit:
    """The bytes [start_byte, end_byte) are replaced by `text`, UTF-8."""

    start_byte: int
    end_byte: int
    text: bytes


def parse(
    content: bytes,
    language: str,
    dialect: str,
    *,
    timeout_s: float = TIMEOUT_S,
    clock: Callable[[], float] = time.thread_time,
) -> Parsed:
    """Parse `content`, valid UTF-8; broken text gives a tree with error nodes.

    LimitExceeded when this thread takes longer than `timeout_s` by `clock`, or when it is nested deeper than MAX_DEPTH.
    """
    tree = _parse(grammar(language, dialect), content, None, clock() + timeout_s, clock)
    refuse_deep(tree)
    return Parsed(tree, syntax_problems(tree))


def reparse(
    tree: Tree,
    content: bytes,
    edits: Sequence[TextEdit],
    of: Grammar,
    *,
    timeout_s: float = TIMEOUT_S,
    clock: Callable[[], float] = time.thread_time,
) -> tuple[Parsed, bytes]:
    """The tree of `content` (which `tree` was parsed from) after `edits`, and the new content.

    The edits apply one after the other: each counts in the text that the ones before it left. What they do not
    touch is reused; the result equals a fresh parse. `tree` itself is not changed. LimitExceeded as in `parse`.
    """
    edited = tree.copy()
    for edit in edits:
        start, old_end = _point(content, edit.start_byte), _point(content, edit.end_byte)
        content = content[: edit.start_byte] + edit.text + content[edit.end_byte :]
        new_end_byte = edit.start_byte + len(edit.text)
        edited.edit(edit.start_byte, edit.end_byte, new_end_byte, start, old_end, _point(content, new_end_byte))
    deadline = clock() + timeout_s
    found = _parse(of, content, edited, deadline, clock)
    if found.root_node.has_error:
        # Recovery from errors starts elsewhere when nodes are reused; only a fresh parse is reproducible.
        found = _parse(of, content, None, deadline, clock)
    refuse_deep(found)
    return Parsed(found, syntax_problems(found)), content


def refuse_deep(tree: Tree, limit: int = MAX_DEPTH) -> None:
    """LimitExceeded when the tree has more than `limit` levels; nothing recursive is safe on such a tree.

    A subtree of n nodes has at most n levels, so only the few large subtrees are entered.
    """
    cursor = tree.walk()
    depth = 1
    while True:
        node = cursor.node
        if node is not None and depth + node.descendant_count - 1 > limit and cursor.goto_first_child():
            depth += 1
            if depth > limit:
                raise LimitExceeded(f"the file is nested deeper than {limit:,} levels")
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def syntax_problems(tree: Tree) -> tuple[SyntaxProblem, ...]:
    """Where the parser had to recover, outermost first, at most MAX_PROBLEMS in source order."""
    root = tree.root_node
    if not root.has_error:
        return ()
    problems: list[SyntaxProblem] = []
    stack = [root]
    while stack and len(problems) < MAX_PROBLEMS:
        node = stack.pop()
        if node.is_missing:
            problems.append(SyntaxProblem(node.start_byte, node.end_byte, f"{node.type!r} is missing here"))
        elif node.is_error:
            problems.append(SyntaxProblem(node.start_byte, node.end_byte, "this cannot be understood"))
        elif within := [child for child in reversed(node.children) if child.has_error]:
            stack.extend(within)
        else:  # what is missing is a token that is no node
            problems.append(SyntaxProblem(node.start_byte, node.end_byte, f"{node.type!r} is not whole"))
    return tuple(problems)


def _parse(of: Grammar, content: bytes, old: Tree | None, deadline: float, clock: Callable[[], float]) -> Tree:
    # The time limit works only with a read callback: tree-sitter ignores it for a plain bytes argument.
    parser = of.parser()
    late = False
    reports = 0

    def read(offset: int, point: object) -> bytes:
        del point
        return content[offset : offset + _PIECE]

    def stop(offset: int, has_error: bool) -> bool:
        nonlocal late, reports
        del offset, has_error
        reports += 1
        late = reports % _PROGRESS == 0 and clock() > deadline
        return late

    try:
        if old is None:
            return parser.parse(read, progress_callback=stop)
        return parser.parse(read, old, progress_callback=stop)
    except ValueError as error:  # "Parsing failed": only because `stop` said so
        if not late:
            raise
        raise LimitExceeded("the file takes too long to parse") from error
    finally:
        if late:
            parser.reset()  # or the next parse would go on with this file


def _point(content: bytes, offset: int) -> tuple[int, int]:
    return content.count(b"\n", 0, offset), offset - (content.rfind(b"\n", 0, offset) + 1)
