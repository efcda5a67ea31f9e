"""Whether rules are what they claim: their examples hold, their fixes fix, each stands in a file of its own name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rubber_duck.analysis.analyzer import SYNTAX_ERROR, Analyzer
from rubber_duck.analysis.file_analysis import FileAnalysis
from rubber_duck.analysis.finding import Finding, Fix
from rubber_duck.analysis.rule import Example, Rule
from rubber_duck.analysis.rule_set import RuleSet
from rubber_duck.code.language import languages
from tests.architecture.checks.tree import Breach


def examples(rules: Iterable[type[Rule]]) -> list[Breach]:
    """Good examples that are reported, bad ones that are not reported exactly once or whose fix does not mend them."""
    return [f"{rule.name}: {what}" for rule in rules for what in _examples(rule)]


def places(plugins: Iterable[type], folder: str) -> list[Breach]:
    """Plug-ins of our own that stand elsewhere than in the file below `folder` that has their name."""
    found: list[Breach] = []
    for plugin in plugins:
        name = str(plugin.name)  # type: ignore[attr-defined]  # Named, which `type` does not say
        kind = f"{plugin.kind.value}." if hasattr(plugin, "kind") else ""
        expected = f"{folder}.{kind}{name.replace('-', '_')}"
        if plugin.__module__.startswith("rubber_duck.") and plugin.__module__ != expected:
            found.append(f"{name}: stands in {plugin.__module__}, not in {expected}")
    return found


def _examples(rule: type[Rule]) -> Iterator[str]:
    for example in rule.good:
        found = _findings(rule, example, example.code.encode())
        if isinstance(found, str):
            yield found
        elif found:
            yield f"reports the good example {example.code!r}: {found[0].message}"
    for example in rule.bad:
        found = _findings(rule, example, example.code.encode())
        if isinstance(found, str):
            yield found
        elif len(found) != 1:
            yield f"reports the bad example {example.code!r} {len(found)} times"
        elif found[0].fix is not None:
            fixed = _applied(example.code.encode(), found[0].fix)
            if _findings(rule, example, fixed):
                yield f"the fix leaves {fixed.decode()!r} of {example.code!r}"


def _findings(rule: type[Rule], example: Example, content: bytes) -> list[Finding] | str:
    """The rule's findings, or why the example could not be tried."""
    rule_set = RuleSet({})
    rule_set.rules = (rule(example.options),)
    path = "example" + languages.discover()[example.language].suffixes[0]
    analysis: FileAnalysis = Analyzer(rule_set).analyze(path, content, example.language).analysis
    if analysis.problems:
        return f"fails on {content.decode()!r}: {analysis.problems[0].detail}"
    if any(finding.rule == SYNTAX_ERROR for finding in analysis.findings):
        return f"the example {content.decode()!r} is not valid {example.language}"
    return list(analysis.findings)


def _applied(content: bytes, fix: Fix) -> bytes:
    for edit in sorted(fix.edits, key=lambda edit: -edit.start_byte):
        content = content[: edit.start_byte] + edit.text.encode() + content[edit.end_byte :]
    return content
