"""Reports for these tests: a small ordinary one, a hostile one, a large one, and any that hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from rubber_duck.analysis.finding import Confidence, Edit, Finding, Fix, Kind, Severity, Span
from rubber_duck.analysis.report.model import (
    FileReport,
    LanguageCount,
    Narrowing,
    PathNarrowing,
    Problem,
    Report,
    RuleDescription,
)

HOSTILE = (
    "\x1b[31mred\x1b[0m \u202edesrever\u2066 \udcff\ud800 \x00 </script><script>alert(1)</script> \"'&` "
    "\u200b\ufeff\n\tnext"
)
"""ANSI, bidirectional controls, lone surrogates, NUL, markup, quotes, zero-width characters, a line break, a tab."""

QUERY = "    cursor.execute(\"SELECT * FROM ducks WHERE name = '%s'\" % name)"
IMPORT = "import os"
CLASS = ["class Duck(", "    Bird,", "    Swimmer,", "):"]

INJECTION = Finding(
    "pond/store.py",
    Span(12, 20, 12, len(QUERY)),
    "sql-injection",
    Kind.SECURITY,
    Severity.CRITICAL,
    Confidence.MEDIUM,
    "The query is put together with `%`: pass the values as parameters",
    cwe=89,
)
UNUSED = Finding(
    "pond/store.py",
    Span(1, 8, 1, 10),
    "ruff/F401",
    Kind.SEMANTIC,
    Severity.LOW,
    Confidence.HIGH,
    "`os` imported but unused",
    fix=Fix("Remove the import of `os`", (Edit(0, 10, ""),), safe=True),
)
LONG = Finding(
    "pond/duck.py",
    Span(3, 1, 6, 3),
    "long-class",
    Kind.STYLE,
    Severity.INFO,
    Confidence.LOW,
    "This class has 2,000 lines",
)
SUPPRESSED = replace(INJECTION, span=Span(30, 1, 30, 5), suppressed="the name comes from an enum")

RULES = (
    RuleDescription(
        "long-class",
        Kind.STYLE,
        Severity.INFO,
        Confidence.LOW,
        "A class that nobody can read",
        "A class that nobody can read.\n\nSplit it.",
    ),
    RuleDescription(
        "sql-injection",
        Kind.SECURITY,
        Severity.CRITICAL,
        Confidence.HIGH,
        "SQL put together from text",
        "SQL put together from text.\n\n## Why\n\nWhoever chooses the text chooses the query.\n\n"
        "```python\nexecute(q % x)\n```",
        cwe=89,
        url="https://example.org/rules/sql injection",
    ),
)

REPORT = Report(
    root="pond",
    files=(
        FileReport("pond/duck.py", "python", 40, (LONG,), {3: CLASS[0], 6: CLASS[3]}),
        FileReport("pond/quack.ex", "elixir", 7, (), {}),
        FileReport("pond/store.py", "python", 31, (UNUSED, INJECTION, SUPPRESSED), {1: IMPORT, 12: QUERY, 30: "pass"}),
    ),
    problems=(
        Problem("pond/a.bin", "binary", ""),
        Problem("pond/b.bin", "binary", ""),
        Problem("pond/c.bin", "binary", ""),
        Problem("pond/d.bin", "binary", ""),
        Problem("pond/lake.py", "too_large", "2.0 MB, the limit is 1.0 MB"),
        Problem("pond/deep.py", "too_deep", "nested 1,204 levels"),
    ),
    languages={"python": LanguageCount(2, 71), "elixir": LanguageCount(1, 7)},
    rules=RULES,
    version="1.2.3",
)
EMPTY = Report("pond", (), (), {"python": LanguageCount(2, 71)}, RULES, "1.2.3")
NARROWING = Narrowing(
    off=("sql-injection", "unsafe-eval", "deep-nesting", "ruff/B006", "ruff/F401"),
    paths=(PathNarrowing("tests/", ("unsafe-*", "ruff/S*")), PathNarrowing("/gen/*.py", ("*",))),
    min_severity=Severity.MEDIUM,
    options=("complex-function",),
    withheld=1_200,
)
SILENCED = replace(EMPTY, narrowing=Narrowing(("sql-injection", "ruff/*"), is_total=True, withheld=1))
"""Nothing was found, because the project's own duck.toml switched off all rules."""


def hostile_report() -> Report:
    """Every text of the report is `HOSTILE`."""
    path = f"{HOSTILE}/a:b?c#d%.py"
    finding = Finding(
        path,
        Span(1, 1, 2, 4),
        HOSTILE,
        Kind.SECURITY,
        Severity.HIGH,
        Confidence.LOW,
        HOSTILE,
        cwe=7,
        fix=Fix(HOSTILE, (Edit(0, 1, HOSTILE),), safe=False),
    )
    suppressed = replace(finding, span=Span(2, 1, 2, 1), suppressed=HOSTILE)
    rule = RuleDescription(
        HOSTILE, Kind.SECURITY, Severity.HIGH, Confidence.LOW, HOSTILE, f"# {HOSTILE}\n\n<img src=x onerror=alert(1)>"
        "\n\n![x](https://example.org/x.png) [y](javascript:alert(1))", 7, "javascript:alert(1)",
    )  # fmt: skip
    return Report(
        root=HOSTILE,
        files=(FileReport(path, "python", 2, (finding, suppressed), {1: HOSTILE, 2: HOSTILE}),),
        problems=(Problem(HOSTILE, HOSTILE, HOSTILE),),
        languages={HOSTILE: LanguageCount(1, 2)},
        rules=(rule,),
        version="1.2.3",
        name=HOSTILE,
        narrowing=Narrowing(paths=(PathNarrowing(HOSTILE, ("ruff/S*", f"ruff/{HOSTILE}")),)),
    )


def large_report(files: int, findings_per_file: int, *, path: str = "pond/{}.py", message: str = "Quack") -> Report:
    """Many files with as many findings each, of 40 rules in turn."""
    line = "    value = duck(quack, quack, quack)  # a line of ordinary length"
    made = tuple(
        replace(
            INJECTION,
            path="",
            span=Span(number + 1, 5, number + 1, 20),
            rule=f"rule-{number % 40}",
            severity=Severity(number % 5),
            message=message,
        )
        for number in range(findings_per_file)
    )
    excerpt = dict.fromkeys(range(1, findings_per_file + 1), line)
    reports = []
    for number in range(files):
        name = path.format(number)
        found = tuple(replace(finding, path=name) for finding in made)
        reports.append(FileReport(name, "python", findings_per_file, found, excerpt))
    counted = {"python": LanguageCount(files, files * findings_per_file)}
    return Report("pond", tuple(sorted(reports, key=lambda file: file.path)), (), counted, (), "1.2.3")


_text = st.text(st.characters(exclude_categories=()), max_size=30)
_names = st.text(st.characters(exclude_categories=()), min_size=1, max_size=20)


@st.composite
def _findings(draw: st.DrawFn, path: str) -> Finding:
    line, column = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    span = Span(line, column, line + draw(st.integers(0, 3)), column + draw(st.integers(0, 9)))
    edit = st.builds(
        lambda start, size, text: Edit(start, start + size, text), st.integers(0, 99), st.integers(0, 9), _text
    )
    fix = st.builds(Fix, _text, st.lists(edit, max_size=2).map(tuple), st.booleans())
    return Finding(
        path,
        span,
        draw(_names),
        draw(st.sampled_from(Kind)),
        draw(st.sampled_from(Severity)),
        draw(st.sampled_from(Confidence)),
        draw(_text),
        draw(st.none() | st.integers(1, 9999)),
        draw(st.none() | fix),
        draw(st.none() | _text),
    )


@st.composite
def _files(draw: st.DrawFn) -> FileReport:
    path = draw(_names)
    found = draw(st.lists(_findings(path), max_size=4))
    lines = draw(st.dictionaries(st.integers(1, 8), _text, max_size=8))
    ordered = tuple(sorted(found, key=lambda finding: finding.order))
    return FileReport(path, draw(st.none() | st.just("python")), 8, ordered, lines)


_rules = st.builds(
    RuleDescription,
    _names,
    st.sampled_from(Kind),
    st.sampled_from(Severity),
    st.sampled_from(Confidence),
    _text,
    _text,
    st.none() | st.integers(1, 9999),
    st.sampled_from(["", "https://example.org/a b", "javascript:x"]),
)

_narrowings = st.builds(
    Narrowing,
    st.lists(_names, max_size=5).map(tuple),
    st.booleans(),
    st.lists(st.builds(PathNarrowing, _names, st.lists(_names, max_size=4).map(tuple)), max_size=5).map(tuple),
    st.none() | st.sampled_from(Severity),
    st.lists(_names, max_size=5).map(tuple),
    st.integers(0, 9),
)

reports = st.builds(
    Report,
    _text,
    st.lists(_files(), max_size=3, unique_by=lambda file: file.path).map(
        lambda files: tuple(sorted(files, key=lambda file: file.path))
    ),
    st.lists(st.builds(Problem, _names, _names, _text), max_size=3).map(tuple),
    st.dictionaries(_text, st.builds(LanguageCount, st.integers(0, 9), st.integers(0, 99)), max_size=3),
    st.lists(_rules, max_size=3, unique_by=lambda rule: rule.name).map(tuple),
    st.just("1.2.3"),
    _text,
    st.none() | _narrowings,
)
"""Any report at all, with every kind of character in every text."""
