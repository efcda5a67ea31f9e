"""The page stands on its own, escapes everything, stays small, and can be read by everybody."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given, settings
from syrupy.assertion import SnapshotAssertion

from rubber_duck.analysis.report.html import DETAILED_FINDINGS, render_html
from rubber_duck.analysis.report.model import Problem, Report
from tests.unit.analysis.report.samples import (
    EMPTY,
    HOSTILE,
    NARROWING,
    REPORT,
    SILENCED,
    hostile_report,
    large_report,
    reports,
)

_VOID = {"meta", "input"}
_LOADING = {"img", "link", "iframe", "object", "embed", "audio", "video", "source", "base", "form", "image", "use"}
_STYLE = files("rubber_duck.analysis.report.html").joinpath("style.css").read_text(encoding="utf-8")


class _Page(HTMLParser):
    """What a page consists of; fails on a tag that does not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.contents: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.contents[self._open[-1]] = self.contents.get(self._open[-1], "") + data

    def ids(self) -> list[str]:
        return [id_ for _, attributes in self.tags if (id_ := attributes.get("id")) is not None]


def _body(page: str) -> str:
    """The page without its style and script, which have no place in a snapshot."""
    return re.sub(r"(?s)<(style|script)>.*?</\1>", r"<\1></\1>", re.sub(r"sha256-[\w+/=]+", "sha256-…", page))


def test_a_report_as_a_page(snapshot: SnapshotAssertion) -> None:
    assert re.sub(r"(<(?:section|details|li|p|div|h\d|pre|header)\b)", r"\n\1", _body(render_html(REPORT))) == snapshot


def test_two_runs_give_the_same_bytes_and_a_date_only_shows_when_given() -> None:
    assert render_html(REPORT) == render_html(REPORT)
    assert "RubberDuck 1.2.3 · 1 May 2031" in render_html(REPORT, generated="1 May 2031")


@pytest.mark.parametrize(
    ("root", "made"),
    [(".", "RubberDuck 1.2.3"), ("pond", "RubberDuck 1.2.3"), ("/a/pond", "/a/pond · RubberDuck 1.2.3")],
)
def test_the_place_of_the_project_is_named_where_it_says_something(root: str, made: str) -> None:
    assert f'<p class="made">{made}</p>' in render_html(replace(REPORT, root=root))


def test_a_report_without_findings_is_a_friendly_page() -> None:
    page = render_html(EMPTY)
    assert "Nothing found in 2 files and 71 lines: nothing to quack about." in page
    assert 'filter-text"' not in _body(page)


def test_the_policy_allows_only_the_style_and_script_of_the_page() -> None:
    page = _Page(render_html(REPORT))
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    digests = {tag: b64encode(sha256(page.contents[tag].encode()).digest()).decode() for tag in ("style", "script")}
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _check_that_nothing_is_loaded_or_run(page: _Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in _LOADING
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        assert (attributes.get("href") or "#").startswith(("#", "https://", "http://"))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "url(" not in page.contents["style"]
    assert "@import" not in page.contents["style"]


def test_hostile_text_is_escaped_and_shown() -> None:
    page = render_html(hostile_report())
    _check_that_nothing_is_loaded_or_run(_Page(page))
    body = _body(page)
    assert not {character for character in HOSTILE if not character.isprintable() and character != "\n"} & set(body)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "\\x1b[31mred" in body
    page.encode()


@given(reports)
@settings(max_examples=50, deadline=None)
def test_any_page_parses_loads_nothing_and_links_to_what_is_there(report: Report) -> None:
    page = _Page(render_html(report))
    _check_that_nothing_is_loaded_or_run(page)
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    links = [a["href"] or "" for tag, a in page.tags if tag == "a" and (a["href"] or "").startswith("#")]
    assert {link[1:] for link in links} <= set(ids)


@pytest.mark.parametrize(
    "report",
    [
        large_report(200, 100),
        large_report(20_000, 1, path="pond/" + '<"&>' * 1_000 + "{}.py"),
        large_report(200, 100, message='<"&>`' * 10_000),
        replace(REPORT, problems=tuple(Problem("&" * 4_000, f"reason_{n % 15}", "<" * 4_000) for n in range(20_000))),
    ],
    ids=["ordinary", "long paths", "long messages", "many problems"],
)  # fmt: skip
def test_a_page_stays_below_three_megabytes(report: Report) -> None:
    assert len(render_html(report).encode()) < 3_000_000


def test_what_is_not_listed_is_counted_by_rule() -> None:
    page = render_html(large_report(200, 100))
    listed = _body(page).partition('id="files-list"')[2].count('class="finding"')
    assert listed == DETAILED_FINDINGS
    assert f"The 3,000 most urgent, by file. The other {20_000 - DETAILED_FINDINGS:,} are counted by rule" in page


def _luminance(color: str) -> float:
    channels = [int(color[start:stop], 16) / 255 for start, stop in pairwise((1, 3, 5, 7))]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_that_wcag_aa_asks_for(theme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", _STYLE, flags=re.DOTALL)[theme]
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    on_paper = ["ink", "soft", "link", "critical", "high", "medium", "low", "info", "fix"]
    pairs = [(text, ground) for text in on_paper for ground in ("paper", "raised")]
    pairs += [("ink", "mark"), ("ink", "track"), ("paper", "critical")]
    assert {pair: _contrast(colors[pair[0]], colors[pair[1]]) for pair in pairs if
            _contrast(colors[pair[0]], colors[pair[1]]) < 4.5} == {}  # fmt: skip


def test_a_page_says_what_the_projects_own_settings_keep_back() -> None:
    page = render_html(replace(EMPTY, narrowing=NARROWING))
    assert "Nothing found in 2 files and 71 lines, rules narrowed by the project's duck.toml." in page
    assert "sql-injection, unsafe-eval, deep-nesting and 2 more." in page
    section = page.split('<section id="narrowed">')[1].split("</section>")[0]
    for each in (
        "ruff/B006",
        "ruff/F401",
        "tests/",
        "unsafe-*, ruff/S*",
        "/gen/*.py",
        "below medium",
        "complex-function",
    ):
        assert each in section
    assert '<a href="#narrowed">' in page


def test_a_project_that_silences_all_rules_gets_no_friendly_page() -> None:
    page = render_html(SILENCED)
    assert "nothing to quack about" not in page
    assert "Switched off by the project's duck.toml: all rules. Not shown for it: 1 finding." in page
