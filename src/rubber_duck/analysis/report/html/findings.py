"""The findings on the page: the most urgent with their code, all others by file, the overflow by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from rubber_duck.analysis.finding import Finding, Severity
from rubber_duck.analysis.report.excerpt import CodeLine, excerpt
from rubber_duck.analysis.report.html.markup import Html, element, join
from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.overview import WORST_FIRST, Overview, RuleGroup, group_by_rule
from rubber_duck.analysis.report.words import counted
from rubber_duck.analysis.visible import shortened, visible_name

DETAILED_FINDINGS: Final = 3_000
"""So many findings, the most urgent ones, are listed with their code; the others are counted by rule."""

DETAILED_BYTES: Final = 2_000_000
"""Their markup ends here even if they are fewer, so that a page stays below 3 MB."""

_URGENT: Final = 10
_URGENT_PER_RULE: Final = 2
_OVERFLOW_RULES: Final = 200
_CODE_CELLS: Final = 110
_MESSAGE_CHARACTERS: Final = 600
_PATH_CHARACTERS: Final = 300
_FILE_BYTES: Final = 400  # the markup around a file's path and counts
_OPEN_UP_TO: Final = 40  # with so few findings nobody wants to unfold files


@dataclass(frozen=True, slots=True)
class Detailed:
    """What is listed, by path: the markup, the counts, the id of its place on the page; and the groups of the rest."""

    items: Mapping[str, Sequence[Html]]
    counts: Mapping[str, Mapping[Severity, int]]
    anchors: Mapping[str, str]
    shown: int
    overflow: tuple[RuleGroup, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """Makes the markup of findings; knows their code, and the summaries of the rules documented on the page."""

    excerpts: Mapping[str, Mapping[int, str]]
    summaries: Mapping[str, str]

    @classmethod
    def of(cls, report: Report) -> Items:
        """For the files and rules of `report`."""
        return cls(
            {file.path: file.excerpt for file in report.files}, {rule.name: rule.summary for rule in report.rules}
        )

    def finding(self, finding: Finding, *, where: str) -> Html:
        """One finding; `where` is the place as text, with its path where the heading does not say it."""
        label = finding.severity.label
        return element(
            "li",
            element(
                "p",
                element("span", label, class_=f"severity {label}"),
                self.rule(finding.rule),
                element("span", where, class_="where"),
                element("span", about(finding), class_="about"),
                class_="head",
            ),
            element("p", said(finding.message), class_="message"),
            self._code(finding),
            self._fix(finding),
            class_="finding",
            data_s=label,
            data_k=finding.kind.value,
            data_r=visible_name(finding.rule),
        )

    def rule(self, name: str) -> Html:
        """A rule's name, linked to its documentation if the page has it."""
        shown = visible_name(name)
        if name in self.summaries:
            return element("a", shown, class_="rule", href=f"#{rule_anchor(name)}")
        return element("span", shown, class_="rule")

    def named(self, name: str) -> Html:
        """A rule's name and, beside it, what it is about."""
        summary = self.summaries.get(name, "")
        return element("span", self.rule(name), element("span", said(summary)) if summary else None, class_="named")

    def _code(self, finding: Finding) -> Html | None:
        code = excerpt(self.excerpts.get(finding.path, {}), finding.span, _CODE_CELLS)
        if code is None:
            return None
        lines: list[Html] = []
        indent = min(len(line.before) - len(line.before.lstrip(" ")) for line in code.lines)
        for line in code.lines:
            if lines and code.skipped:
                more = counted(code.skipped, "more line")
                lines.append(element("span", element("i", "⋮"), element("em", more), class_="gap"))
            lines.append(_line(line, indent))
        return element("pre", *lines, class_="code")

    def _fix(self, finding: Finding) -> Html | None:
        if finding.fix is None:
            return None
        claim = "safe" if finding.fix.safe else "check the result: it may change the meaning"
        return element(
            "p",
            element("b", "Fix"),
            " ",
            said(finding.fix.message),
            element("span", f" ({claim})"),
            class_="fix",
        )


def rule_anchor(name: str) -> str:
    """The id of a rule's documentation; percent-encoded, because an id has no spaces and a browser decodes links."""
    return "rule-" + quote(visible_name(name), safe="/").replace("%", ".")


def about(finding: Finding) -> str:
    """Kind, weakness and confidence in a few words."""
    cwe = f" · CWE-{finding.cwe}" if finding.cwe is not None else ""
    return f"{finding.kind.value}{cwe} · {finding.confidence.label} confidence"


def urgent(seen: Overview, items: Items) -> Html | None:
    """The findings to read first, not more than two of a rule; None when there is nothing to choose from."""
    if not seen.findings:
        return None
    chosen = seen.worst(_URGENT, per_rule=_URGENT_PER_RULE)
    totals = {group.rule: group.findings for group in seen.rules}
    listed = [
        items.finding(
            finding,
            where=join((shown_path(finding.path), f":{finding.span.start_line}:{finding.span.start_column}")),
        )
        for finding in chosen
    ]
    rules = {finding.rule for finding in chosen}
    more = sum(totals[rule] for rule in rules) - len(chosen)
    note = f"Severity × confidence, security first; at most {_URGENT_PER_RULE} of a rule."
    if more:
        note += f" {more:,} more of these rules are below."
    return element(
        "section",
        element("h2", "Worth your time first"),
        element("p", note, class_="note"),
        element("ol", *listed, class_="findings urgent"),
        id="first",
    )


def detailed(seen: Overview, items: Items) -> Detailed:
    """List the most urgent findings within `DETAILED_FINDINGS` and `DETAILED_BYTES`, and group the rest."""
    markup: dict[int, Html] = {}
    paths: set[str] = set()
    size = 0
    for finding in seen.worst(DETAILED_FINDINGS):
        item = items.finding(finding, where=f"{finding.span.start_line}:{finding.span.start_column}")
        size += len(item.encode()) + (
            0 if finding.path in paths else _FILE_BYTES + len(shown_path(finding.path).encode())
        )
        if size > DETAILED_BYTES:
            break
        paths.add(finding.path)
        markup[id(finding)] = item
    by_path: dict[str, list[Html]] = {}
    counts: dict[str, dict[Severity, int]] = {}
    rest = []
    for finding in seen.findings:
        if id(finding) in markup:
            by_path.setdefault(finding.path, []).append(markup[id(finding)])
            severities = counts.setdefault(finding.path, dict.fromkeys(WORST_FIRST, 0))
            severities[finding.severity] += 1
        else:
            rest.append(finding)
    anchors = {path: f"file-{number}" for number, path in enumerate(by_path, 1)}
    return Detailed(by_path, counts, anchors, len(markup), group_by_rule(rest))


def listing(seen: Overview, found: Detailed, items: Items) -> Html | None:
    """Every detailed finding by file, folded, under a filter; then the rest by rule."""
    if not seen.findings:
        return None
    open_ = "" if found.shown <= _OPEN_UP_TO else None
    files = [
        element(
            "details",
            element("summary", element("span", shown_path(path), class_="path"), _counts(found.counts[path])),
            element("ol", *listed, class_="findings"),
            class_="file",
            id=found.anchors[path],
            open=open_,
        )
        for path, listed in found.items.items()
    ]
    note = f"By file, {found.shown:,} in {counted(len(files), 'file')}."
    hidden = len(seen.findings) - found.shown
    if hidden:
        note = f"The {found.shown:,} most urgent, by file. The other {hidden:,} are counted by rule below the list."
    return element(
        "section",
        element("h2", "All findings"),
        element("p", note, class_="note"),
        _filter(seen, found),
        element("div", *files, class_="files", id="files-list"),
        element("p", "Nothing matches this filter.", class_="empty", id="no-match", hidden=""),
        _overflow(found.overflow, items),
        id="findings",
    )


def shown_path(path: str) -> Html:
    """A path with its last part set off, its beginning cut where it has more than 300 characters."""
    text = visible_name(path)
    folder, slash, name = ("…" + text[-_PATH_CHARACTERS:] if len(text) > _PATH_CHARACTERS else text).rpartition("/")
    return join((element("span", folder + slash, class_="folder") if slash else None, element("b", name)))


def _counts(counts: Mapping[Severity, int]) -> Html:
    return element(
        "span",
        *(
            element("span", element("b", f"{count:,}"), f" {severity.label}", class_=f"chip {severity.label}")
            for severity, count in counts.items()
            if count
        ),
        class_="chips",
    )


def _line(line: CodeLine, indent: int) -> Html:
    # With a line or two of code, the indentation they share says nothing and costs room.
    return element(
        "span",
        element("i", str(line.number)),
        element("code", line.before[indent:], element("mark", line.marked), line.after),
    )


def said(text: str) -> Html:
    """A sentence of a finding or rule, shortened to 600 characters, what stands between backticks set as code."""
    short = shortened(text, _MESSAGE_CHARACTERS)
    parts = short.split("`")
    if len(parts) % 2 == 0:  # one backtick has no partner
        return join((short,))
    return join(element("code", part) if index % 2 else part for index, part in enumerate(parts))


def _filter(seen: Overview, found: Detailed) -> Html:
    """Hidden until the script, without which it would do nothing, shows it."""
    severities = [
        element(
            "label",
            element("input", type="checkbox", name="severity", value=severity.label, checked=""),
            element("span", severity.label, class_=f"chip {severity.label}"),
        )
        for severity, count in seen.by_severity.items()
        if count
    ]
    kinds = [element("option", kind.value, value=kind.value) for kind, count in seen.by_kind.items() if count]
    names = sorted({visible_name(group.rule) for group in seen.rules})
    rules: Iterable[Html] = (element("option", name, value=name) for name in names)
    return element(
        "div",
        element(
            "input",
            type="search",
            id="filter-text",
            placeholder="Path, message, code",
            aria_label="Filter by text",
        ),
        element("select", element("option", "every kind", value="all"), *kinds, id="filter-kind", aria_label="Kind"),
        element("select", element("option", "every rule", value="all"), *rules, id="filter-rule", aria_label="Rule"),
        element("fieldset", element("legend", "Severity"), *severities),
        element("button", "Fold all" if found.shown <= _OPEN_UP_TO else "Unfold all", type="button", id="unfold"),
        element("output", counted(found.shown, "finding"), id="filter-count", aria_live="polite"),
        class_="filter",
        id="filter",
        role="search",
        hidden="",
    )


def _overflow(groups: Sequence[RuleGroup], items: Items) -> Html | None:
    if not groups:
        return None
    rows = [
        element(
            "tr",
            element("td", items.named(group.rule)),
            element("td", element("span", group.severity.label, class_=f"severity {group.severity.label}")),
            element("td", f"{group.findings:,}", class_="number"),
            element("td", f"{group.files:,}", class_="number"),
        )
        for group in groups[:_OVERFLOW_RULES]
    ]
    heads = [
        element("th", "Rule"),
        element("th", "Worst"),
        *(element("th", name, class_="number") for name in ("Findings", "Files")),
    ]
    left = groups[_OVERFLOW_RULES:]
    return join(
        (
            element("h3", "Not listed one by one"),
            element("table", element("thead", element("tr", *heads)), element("tbody", *rows)),
            element("p", f"and {sum(group.findings for group in left):,} of {len(left):,} further rules", class_="note")
            if left
            else None,
        )
    )
