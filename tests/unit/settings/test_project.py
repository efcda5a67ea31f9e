"""A project's own duck.toml comes from strangers: it may set little, and nothing of it may hurt."""

from __future__ import annotations

import pytest

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import AnalysisSettings, IndexSettings, PathRules, Settings, with_project


def _refusal(content: bytes) -> str:
    with pytest.raises(InvalidSettings) as caught:
        with_project(Settings(), content, "p/duck.toml")
    return caught.value.message


def test_a_project_may_say_what_is_analysed_and_how() -> None:
    content = b"""
        [index]
        ignore = ["vendor/"]
        [analysis]
        ruff = false
        [[analysis.per_path]]
        path = "tests/"
        ignore = ["ruff/S*"]
        [context]
    """

    assert with_project(Settings(), content, "p") == Settings(
        index=IndexSettings(ignore=("vendor/",)),
        analysis=AnalysisSettings(ruff=False, per_path=(PathRules(path="tests/", ignore=("ruff/S*",)),)),
    )


def test_an_empty_file_changes_nothing() -> None:
    assert with_project(Settings(profile="prod"), b"", "p") == Settings(profile="prod")


@pytest.mark.parametrize(
    "content",
    [
        "profile = 'prod'",
        "home = '/'",
        "pinned = []",
        "[database]\nurl = 'postgresql://elsewhere/x'",
        "[log]\nlevel = 'debug'",
        "[telemetry]\ntraces = 'file'",
        "[workers]\ncount = 256",
        "[engines.analyze]\nx = 1",
        "[profiles.dev.analysis]\nruff = false",
    ],
)
def test_a_project_may_set_nothing_else(content: str) -> None:
    assert _refusal(content.encode()).startswith(
        "p/duck.toml: a project's own duck.toml may set only [analysis], [index], [context], not "
    )


def test_a_nearly_right_table_is_named() -> None:
    assert _refusal(b"[analyses]\nruff = false") == (
        "p/duck.toml: a project's own duck.toml may set only [analysis], [index], [context], not 'analyses'; "
        "did you mean 'analysis'?"
    )


def test_an_unknown_key_of_a_project_is_named_with_the_nearest() -> None:
    assert _refusal(b"[index]\nignroe = []") == (
        "p/duck.toml: there is no setting 'index.ignroe'; did you mean 'index.ignore'?"
    )


def test_a_wrong_value_is_refused_even_where_a_variable_wins() -> None:
    settings = Settings(pinned=("index.ignore",))

    with pytest.raises(InvalidSettings, match=r"^p: `index\.ignore` is a whole number; write a list$"):
        with_project(settings, b"[index]\nignore = 1", "p")


def test_a_wrong_choice_is_told_the_right_ones_in_their_order() -> None:
    assert _refusal(b"[analysis]\nmin_severity = 'hihg'") == (
        "p/duck.toml: `analysis.min_severity` is 'hihg'; write one of info, low, medium, high, critical"
    )


def test_a_limit_of_a_setting_holds_for_a_project() -> None:
    assert _refusal(b"[index]\nmax_file_size_bytes = 20_000_001") == (
        "p/duck.toml: `index.max_file_size_bytes` is out of bounds; write a whole number of at most 20,000,000"
    )


def test_a_project_cannot_give_more_than_a_thousand_tables_of_paths() -> None:
    assert _refusal(b"[[analysis.per_path]]\npath = 'a'\nignore = []\n" * 1001) == (
        "p/duck.toml: `analysis.per_path` has a wrong length; write at most 1,000 entries"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#" * 64_001, "p/duck.toml: larger than 64,000 bytes; leave out what is not needed"),
        (b"[analysis.rules.x]\ny = " + b"[" * 50_000, "p/duck.toml: nested too deeply"),
        (b"[analysis.rules.x]\ny = " + b"{a=" * 20_000, "p/duck.toml: nested too deeply"),
        (
            b"analysis.rules" + b".a" * 31_000 + b" = 1",
            "p/duck.toml: a key has more than 16 dots; no setting is that deep",
        ),
        (b"\x00", "p/duck.toml: not valid TOML: Invalid statement (at line 1, column 1)"),
    ],
    ids=["large", "deep list", "deep table", "deep key", "binary"],
)
def test_a_hostile_file_is_refused_at_once(content: bytes, message: str) -> None:
    assert _refusal(content) == message
