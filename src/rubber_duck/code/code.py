"""The front of `code`: what other slices ask of source text."""

from __future__ import annotations

from collections.abc import Sequence

from rubber_duck.code.decoding import decode
from rubber_duck.code.grammar import grammar
from rubber_duck.code.language import detect, family, language
from rubber_duck.code.parse import MAX_PROBLEMS, TIMEOUT_S, TextEdit, parse
from rubber_duck.code.parse import reparse as _reparse
from rubber_duck.code.source import SourceFile, SyntaxProblem

__all__ = ["TextEdit", "detect", "family", "language", "open_source", "reparse"]


def open_source(path: str, content: bytes, language_name: str, *, timeout_s: float = TIMEOUT_S) -> SourceFile:
    """Decode and parse one file. `path` chooses the dialect; nothing is read from disk.

    Broken text is read as far as possible and `problems` says where it breaks. LimitExceeded when parsing takes
    longer than `timeout_s`; UnknownName for an unknown language.
    """
    found = language(language_name)
    decoded = decode(content, found.family)
    dialect = found.dialect(path)
    parsed = parse(decoded.content, language_name, dialect, timeout_s=timeout_s)
    file = SourceFile(path, decoded.content, grammar(language_name, dialect), parsed.tree, encoding=decoded.encoding)
    file.problems = _problems(file, parsed.problems)
    if decoded.problem:
        file.problems = (SyntaxProblem(0, 0, decoded.problem, is_encoding=True), *file.problems)
    return file


def reparse(file: SourceFile, edits: Sequence[TextEdit], *, timeout_s: float = TIMEOUT_S) -> SourceFile:
    """The file after `edits`, which apply one after the other; unchanged parts of the tree are reused."""
    parsed, content = _reparse(file.tree, file.content, edits, file.grammar, timeout_s=timeout_s)
    changed = SourceFile(file.path, content, file.grammar, parsed.tree, encoding=file.encoding)
    changed.problems = _problems(changed, parsed.problems)
    return changed


def _problems(file: SourceFile, found: Sequence[SyntaxProblem]) -> tuple[SyntaxProblem, ...]:
    """Those that are the text's fault, not that of a grammar older than the text, and what the grammar passes over."""
    newer = file.syntax.is_newer_than_grammar
    known = [each for each in found if not newer(file.path, file.content, each.start_byte, each.end_byte)]
    for node, message in file.syntax.misread(file.tree.root_node, file.content)[: MAX_PROBLEMS - len(known)]:
        known.append(SyntaxProblem(node.start_byte, node.end_byte, message))
    return tuple(sorted(known, key=lambda each: each.start_byte))
