"""Analyses one file: every rule and the extraction of symbols in one walk over its tree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.analysis.comments import COMMENT_KINDS
from rubber_duck.analysis.directives import INVALID_SUPPRESSION, is_marked, read_suppressions
from rubber_duck.analysis.file_analysis import CUT_SHORT, FileAnalysis, FileProblem
from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span
from rubber_duck.analysis.foreign import speaks_to_ruff
from rubber_duck.analysis.lines import Lines
from rubber_duck.analysis.reading.allowance import was_refused
from rubber_duck.analysis.reading.generated import is_generated
from rubber_duck.analysis.rule import CALLS, Hit, Rule
from rubber_duck.analysis.rule_set import RuleSet
from rubber_duck.analysis.suppression import Suppression
from rubber_duck.code.code import open_source
from rubber_duck.code.codec import encode
from rubber_duck.code.extract import extractor
from rubber_duck.code.grammar import Grammar
from rubber_duck.code.language import family
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.walk import Table, Visit, merge, table, walk
from rubber_duck.errors import LimitExceeded

SYNTAX_ERROR: Final = "syntax-error"
"""The rule name of a finding about text that the grammar does not understand."""

INVALID_ENCODING: Final = "invalid-encoding"
"""The rule name of a finding about bytes that are not text in the file's encoding."""

SYNTAX_ERRORS_SHOWN: Final = 3
"""Syntax errors reported per file: one mistake causes many."""


UNCLOSED_ALLOWED: Final = 10_000
"""Open brackets in a broken file beyond which it is left out: nobody wrote that."""

_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"()[]{}")


@dataclass(frozen=True, slots=True)
class Analyzed:
    """A file's analysis and its symbols, references and imports as bytes (see `code.codec`); empty when it has none."""

    analysis: FileAnalysis
    facts: bytes


class Analyzer:
    """Analyses files with one set of rules. Not for use by several threads at once."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set
        self._desks: dict[str, _Desk] = {}

    def analyze(self, path: str, content: bytes, language: str) -> Analyzed:
        """Everything about one file; never raises for its content, which at worst is left out with a problem."""
        content_hash = hash_content(content)
        size_bytes = len(content)
        try:
            file = open_source(path, content, language)
            _check_brackets(file)
            desk = self._desk(file.grammar)
            lowered = file.content.lower()
            facts = desk.walk(file, with_comments=is_marked(lowered, file.family))
        except LimitExceeded as error:
            problem = FileProblem("limit_exceeded", error.message)
            return Analyzed(
                FileAnalysis(content_hash, size_bytes, language, content.count(b"\n"), problems=(problem,)), b""
            )
        suppressions, invalid = desk.suppressions()
        findings = sorted([*_syntax_errors(file), *desk.findings(), *invalid], key=lambda finding: finding.order)
        analysis = FileAnalysis(
            content_hash,
            size_bytes,
            language,
            file.lines,
            tuple(findings),
            suppressions,
            Lines.with_hidden(file.content, desk.hidden()).excerpt(findings),
            tuple(desk.problems()),
            language == "python" and speaks_to_ruff(lowered),
        )
        return Analyzed(analysis, facts)

    def _desk(self, grammar: Grammar) -> _Desk:
        desk = self._desks.get(grammar.dialect)
        if desk is None:
            desk = self._desks[grammar.dialect] = _Desk(self._rule_set, grammar)
        return desk


def hash_content(content: bytes) -> str:
    """The hexadecimal BLAKE2b-128 by which a file's content is known everywhere."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def unclosed_brackets(content: bytes) -> int:
    """The deepest nesting of brackets of all kinds, those in strings included."""
    depth = deepest = 0
    for byte in content.translate(None, _NO_BRACKETS):
        depth += 1 if byte in b"([{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_brackets(file: SourceFile) -> None:
    """Raise LimitExceeded for a broken file with more open brackets than anybody writes."""
    if file.problems and unclosed_brackets(file.content) > UNCLOSED_ALLOWED:
        raise LimitExceeded(f"more than {UNCLOSED_ALLOWED:,} brackets are opened and not closed")


class _Desk:
    """The tables for one dialect, and the file that lies on it during a walk."""

    def __init__(self, rule_set: RuleSet, grammar: Grammar) -> None:
        self._hits: list[tuple[Rule, Hit]] = []
        self._failures: dict[str, str] = {}
        self._cut_short: dict[str, Rule] = {}
        self._comments: list[tuple[int, int]] = []
        self._known = frozenset(
            {SYNTAX_ERROR, INVALID_ENCODING, INVALID_SUPPRESSION, *(rule.name for rule in rule_set.rules)}
        )
        self._file: SourceFile
        self._extractor = extractor(grammar.language, grammar.dialect)
        visits = table(grammar, self._visits(rule_set, grammar))
        self._enter: Table = merge(self._extractor.enter, visits)
        noting = table(grammar, ((kind, self._note) for kind in COMMENT_KINDS))
        self._enter_noting: Table = merge(self._enter, noting)
        self._leave: Table = self._extractor.leave

    def walk(self, file: SourceFile, *, with_comments: bool) -> bytes:
        """Run the rules and the extraction over the file, perhaps note its comments; the extracted facts as bytes."""
        self._hits.clear()
        self._failures.clear()
        self._cut_short.clear()
        self._comments.clear()
        self._file = file
        self._extractor.begin(file)
        walk(file, self._enter_noting if with_comments else self._enter, self._leave)
        return encode(self._extractor.finish())

    def findings(self) -> Iterator[Finding]:
        """What the rules saw in the walk before; in a file that a program wrote only what endangers."""
        only_dangers = bool(self._hits) and is_generated(self._file)
        for rule, hit in self._hits:
            if rule.kind is Kind.SECURITY or not only_dangers:
                yield _finding(self._file, rule, hit)

    def suppressions(self) -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
        """What the comments of the walk before silence, and a finding for each that is invalid."""
        return read_suppressions(self._file, self._comments, self._known) if self._comments else ((), ())

    def problems(self) -> Iterator[FileProblem]:
        """The rules that failed in the walk before, and those that did not read all of the file that counts."""
        for name, message in sorted(self._failures.items()):
            yield FileProblem("rule_failed", f"the rule {name!r} failed here: {message}")
        only_dangers = bool(self._cut_short) and is_generated(self._file)
        short = [name for name, rule in self._cut_short.items() if rule.kind is Kind.SECURITY or not only_dangers]
        if short:
            names = " and ".join(repr(name) for name in sorted(short))
            what = "the rule" if len(short) == 1 else "the rules"
            yield FileProblem(CUT_SHORT, f"it is too long for {what} {names} to read to its end: split it up")

    def hidden(self) -> Iterator[tuple[int, int]]:
        """The places, as bytes, that no report may show."""
        for rule, hit in self._hits:
            if rule.hides_span:
                yield hit.node.start_byte, hit.node.end_byte

    def _visits(self, rule_set: RuleSet, grammar: Grammar) -> Iterator[tuple[str, Visit]]:
        by_call: dict[str, dict[str, list[Rule]]] = {}
        for rule, kinds in rule_set.of(grammar.language, family(grammar.language)):
            for kind in kinds:
                if not rule.names or kind not in CALLS:
                    yield kind, self._visit(rule)
                    continue
                for name in rule.names:
                    by_call.setdefault(kind, {}).setdefault(name, []).append(rule)
        for kind, by_name in by_call.items():
            yield kind, self._visit_call({name: tuple(rules) for name, rules in by_name.items()})

    def _note(self, node: Node) -> None:
        self._comments.append((node.start_byte, node.end_byte))

    def _visit(self, rule: Rule) -> Visit:
        def visit(node: Node) -> None:
            self._check(rule, node)

        return visit

    def _visit_call(self, by_name: dict[str, tuple[Rule, ...]]) -> Visit:
        encoded = {name.encode(): rules for name, rules in by_name.items()}

        def visit(node: Node) -> None:
            file = self._file
            for rule in encoded.get(file.syntax.name_of_call(node, file.content), ()):
                self._check(rule, node)

        return visit

    def _check(self, rule: Rule, node: Node) -> None:
        try:
            for hit in rule.check(node, self._file):
                self._hits.append((rule, _checked(hit)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # one rule's mistake must not cost the file's other findings
            self._failures.setdefault(rule.name, f"{type(error).__name__}: {error}")
        if was_refused(self._file):
            self._cut_short[rule.name] = rule


def _checked(hit: object) -> Hit:
    """What a rule yielded; TypeError where that is not what a rule may yield."""
    if not isinstance(hit, Hit):
        raise TypeError(f"it yields {hit!r}, which is no Hit")
    if not isinstance(hit.message, str):
        raise TypeError(f"it says {hit.message!r}, which is no text")
    return hit


def _finding(file: SourceFile, rule: Rule, hit: Hit) -> Finding:
    return Finding(
        path="",
        span=Span(*file.span(hit.node.start_byte, hit.node.end_byte)),
        rule=rule.name,
        kind=rule.kind,
        severity=rule.severity if hit.severity is None else hit.severity,
        confidence=rule.confidence if hit.confidence is None else hit.confidence,
        message=hit.message,
        cwe=rule.cwe,
        fix=hit.fix if file.encoding == "utf-8" else None,  # offsets of other encodings are not the file's own
    )


def _syntax_errors(file: SourceFile) -> Iterator[Finding]:
    for problem in file.problems[:SYNTAX_ERRORS_SHOWN]:
        is_encoding = problem.is_encoding
        yield Finding(
            path="",
            span=Span(*file.span(problem.start_byte, problem.end_byte)),
            rule=INVALID_ENCODING if is_encoding else SYNTAX_ERROR,
            kind=Kind.SYNTAX,
            severity=Severity.MEDIUM,
            confidence=Confidence.HIGH if is_encoding else Confidence.MEDIUM,
            message=problem.message if is_encoding else f"Syntax: {problem.message}",
        )
