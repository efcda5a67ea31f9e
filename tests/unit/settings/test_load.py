"""Settings come from five places, each laid over the one before; whatever is wrong is said with its place."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import (
    AnalysisSettings,
    DatabaseSettings,
    IndexSettings,
    LogSettings,
    PathRules,
    Settings,
    WorkerSettings,
    environment_name,
    home_folder,
    load,
    with_project,
)
from tests.unit.settings.written import load_written, refusal


def test_without_file_and_variables_the_defaults_hold_and_the_database_lies_in_the_home(tmp_path: Path) -> None:
    assert load({"DUCK_HOME": str(tmp_path)}) == Settings(
        home=str(tmp_path),
        file=f"{tmp_path}/duck.toml",
        pinned=("home",),
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db"),
    )


def test_the_home_is_a_hidden_folder_of_the_user_unless_a_variable_names_another() -> None:
    assert home_folder({}) == Path.home() / ".rubber_duck"


def test_a_relative_home_is_taken_from_the_current_folder() -> None:
    assert home_folder({"DUCK_HOME": "there"}) == Path.cwd() / "there"


def test_a_user_without_a_home_is_told_to_set_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)

    with pytest.raises(InvalidSettings, match=r"^this user has no home folder; set DUCK_HOME"):
        home_folder({})


@pytest.mark.parametrize(
    ("profile", "log", "workers"),
    [
        ("dev", LogSettings(), WorkerSettings()),
        ("test", LogSettings(level="error"), WorkerSettings(count=2)),
        ("prod", LogSettings(level="info", format="json"), WorkerSettings()),
    ],
)
def test_a_profile_has_defaults_of_its_own(
    tmp_path: Path, profile: str, log: LogSettings, workers: WorkerSettings
) -> None:
    settings = load_written(tmp_path, f"profile = '{profile}'")

    assert (settings.profile, settings.log, settings.workers) == (profile, log, workers)


def test_the_file_wins_over_the_defaults_of_the_profile(tmp_path: Path) -> None:
    settings = load_written(tmp_path, "profile = 'prod'\n[log]\nlevel = 'debug'")

    assert settings.log == LogSettings(level="debug", format="json")


def test_the_table_of_the_profile_wins_over_the_rest_of_the_file(tmp_path: Path) -> None:
    settings = load_written(tmp_path, "profile = 'prod'\n[log]\nlevel = 'debug'\n[profiles.prod.log]\nlevel = 'error'")

    assert settings.log == LogSettings(level="error", format="json")


def test_the_table_of_another_profile_does_not_count(tmp_path: Path) -> None:
    assert load_written(tmp_path, "[profiles.prod.log]\nlevel = 'error'").log == LogSettings()


def test_a_project_wins_over_the_table_of_the_profile(tmp_path: Path) -> None:
    settings = load_written(tmp_path, "[profiles.dev.analysis]\nmin_severity = 'low'")

    assert with_project(settings, b"[analysis]\nmin_severity = 'high'", "p").analysis == AnalysisSettings(
        min_severity="high"
    )


def test_a_variable_wins_over_a_project(tmp_path: Path) -> None:
    settings = load_written(tmp_path, variables={"DUCK_ANALYSIS_MIN_SEVERITY": "low", "DUCK_INDEX_IGNORE": "mine/"})

    laid = with_project(
        settings, b"[analysis]\nmin_severity = 'high'\nruff = false\n[index]\nignore = ['theirs/']", "p"
    )

    assert (laid.analysis, laid.index) == (
        AnalysisSettings(min_severity="low", ruff=False),
        IndexSettings(ignore=("mine/",)),
    )


def test_a_variable_wins_over_the_table_of_the_profile(tmp_path: Path) -> None:
    settings = load_written(tmp_path, "[profiles.dev.log]\nlevel = 'error'", {"DUCK_LOG_LEVEL": "debug"})

    assert settings.log.level == "debug"


def test_the_profile_of_the_variable_wins_over_that_of_the_file(tmp_path: Path) -> None:
    settings = load_written(tmp_path, "profile = 'prod'", {"DUCK_PROFILE": "test"})

    assert (settings.profile, settings.log.level) == ("test", "error")


def test_variables_are_text_that_becomes_what_the_setting_is(tmp_path: Path) -> None:
    settings = load_written(
        tmp_path,
        variables={
            "DUCK_DATABASE_POOL_MAX": "7",
            "DUCK_WORKERS_FILE_TIMEOUT_S": "2.5",
            "DUCK_ANALYSIS_RUFF": "false",
            "DUCK_INDEX_IGNORE": " a , b/*.py,",
        },
    )

    assert (
        settings.database.pool_max,
        settings.workers.file_timeout_s,
        settings.analysis.ruff,
        settings.index.ignore,
    ) == (7, 2.5, False, ("a", "b/*.py"))


def test_the_variable_of_a_key_is_written_in_capitals() -> None:
    assert environment_name("database", "pool_max") == "DUCK_DATABASE_POOL_MAX"


def test_without_an_environment_given_that_of_the_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("DUCK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUCK_HOME", str(tmp_path))
    monkeypatch.setenv("DUCK_WORKERS_COUNT", "3")

    assert load().workers == WorkerSettings(count=3)


def test_duck_config_names_another_file(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[log]\nlevel = 'info'")

    settings = load_written(
        tmp_path, "[log]\nlevel = 'error'", {"DUCK_CONFIG": str(tmp_path / "other.toml"), "DUCK_FAULT": ""}
    )

    assert settings.log == LogSettings(level="info")


def test_every_kind_of_value_is_read_from_the_file(tmp_path: Path) -> None:
    settings = load_written(
        tmp_path,
        """
        [analysis]
        ruff = false
        select = ["python/*"]
        [[analysis.per_path]]
        path = "tests/"
        ignore = ["ruff/S*"]
        [analysis.rules.complex-function]
        max_complexity = 20
        [engines.analyze]
        names = ["a", "b"]
        """,
    )

    assert (settings.analysis, settings.engines) == (
        AnalysisSettings(
            ruff=False,
            select=("python/*",),
            per_path=(PathRules(path="tests/", ignore=("ruff/S*",)),),
            rules={"complex-function": {"max_complexity": 20}},
        ),
        {"analyze": {"names": ("a", "b")}},
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hue = 1", "duck.toml: there is no setting 'hue'"),
        ("[lag]\nlevel = 'info'", "duck.toml: there is no setting 'lag'; did you mean 'log'?"),
        ("[log]\nlevle = 'info'", "duck.toml: there is no setting 'log.levle'; did you mean 'log.level'?"),
        (
            "[[analysis.per_path]]\npath = 'a'\nignore = []\n[[analysis.per_path]]\npaht = 'a'",
            "duck.toml: there is no setting 'analysis.per_path.paht'; did you mean 'analysis.per_path.path'?",
        ),
        (
            "[profiles.prod.log]\nlevle = 'info'",
            "duck.toml: there is no setting 'profiles.prod.log.levle'; did you mean 'profiles.prod.log.level'?",
        ),
        ("[profiles.staging]", "duck.toml: there is no profile 'staging'; the profiles are dev, test, prod"),
        ("profile = 'staging'", "there is no profile 'staging'; the profiles are dev, test, prod"),
        ("profile = ['dev']", "there is no profile ['dev']; the profiles are dev, test, prod"),
        ("pinned = ['log.level']", "duck.toml: there is no setting 'pinned'"),
        ("home = '/'", "duck.toml: 'home' is set by the environment variable DUCK_HOME alone, not in a file"),
        ("[profiles.dev]\nhome = '/'", "duck.toml: 'home' cannot be set by [profiles.dev]; take it out"),
        ("[profiles.prod]\nprofile = 'dev'", "duck.toml: 'profile' cannot be set by [profiles.prod]; take it out"),
        (f"{'k' * 500} = 1", f"duck.toml: there is no setting '{'k' * 100}…'"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(tmp_path, content) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[workers]\ncount = 'two'", "duck.toml: `workers.count` is text; write a whole number"),
        ("[workers]\ncount = -1", "duck.toml: `workers.count` is out of bounds; write a whole number of at least 0"),
        (
            "[workers]\nfile_timeout_s = nan",
            "duck.toml: `workers.file_timeout_s` is out of bounds; write a number above 0",
        ),
        ("[log]\nlevel = 'loud'", "duck.toml: `log.level` is 'loud'; write one of debug, info, warning, error"),
        ("[index]\nignore = 'a'", "duck.toml: `index.ignore` is text; write a list"),
        ("[index]\nignore = [1]", "duck.toml: `index.ignore[0]` is a whole number; write text"),
        ("log = 3", "duck.toml: `log` must be a table"),
        ("[[log]]", "duck.toml: `log` is a list; write a table"),
        ("[analysis]\nper_path = 3", "duck.toml: `analysis.per_path` must be a table"),
        (
            "[[analysis.per_path]]\npath = 'a'",
            "duck.toml: `analysis.per_path[0]` lacks `ignore`; add it",
        ),
        ("profiles = 3", "duck.toml: `profiles` must be tables such as [profiles.prod.log]"),
        ("[profiles]\nprod = 3", "duck.toml: `profiles.prod` must be a table"),
        (
            "[profiles.prod.log]\nlevel = 'loud'",
            "duck.toml: `log.level` is 'loud'; write one of debug, info, warning, error",
        ),
        (
            "[analysis.rules.x]\ny = 1979-05-27",
            "duck.toml: `analysis.rules.x.y` is a date; write true or false, a whole number, a number, text or a list",
        ),
        (
            "[analysis.rules.x]\ny = 0x8000000000000000",
            "duck.toml: `analysis.rules.x.y` is out of bounds; "
            "write a whole number of at most 9,223,372,036,854,775,807",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(tmp_path, content) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[log", "duck.toml: not valid TOML: Expected ']' at the end of a table declaration (at end of document)"),
        (b"a = '\xff'", "duck.toml: not valid UTF-8 at byte 5"),
        (b"a = " + b"[" * 100_000, "duck.toml: nested too deeply"),
        (b"a" + b".a" * 100_000 + b" = 1", "duck.toml: a key has more than 16 dots; no setting is that deep"),
        (b"['a'" + b' . "a"' * 100_000 + b"]", "duck.toml: a key has more than 16 dots; no setting is that deep"),
    ],
)
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(tmp_path, content) == message


@pytest.mark.parametrize(
    ("dots", "message"),
    [
        (16, "duck.toml: there is no setting 'a'"),
        (17, "duck.toml: a key has more than 16 dots; no setting is that deep"),
    ],
)
def test_a_key_has_at_most_sixteen_dots(tmp_path: Path, dots: int, message: str) -> None:
    assert refusal(tmp_path, f"a{'.a' * dots} = 1") == message


def test_a_number_of_many_thousand_digits_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"a = {'1' * 5000}").startswith("duck.toml: not valid TOML: Exceeds the limit")


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "DUCK_LOG_LEVLE",
            "info",
            "the environment variable DUCK_LOG_LEVLE is not a setting; did you mean 'DUCK_LOG_LEVEL'?",
        ),
        ("DUCK_PINNED", "", "the environment variable DUCK_PINNED is not a setting; did you mean 'DUCK_PROFILE'?"),
        ("DUCK_PROFILE", "staging", "there is no profile 'staging'; the profiles are dev, test, prod"),
        (
            "DUCK_WORKERS_COUNT",
            "two",
            "the DUCK_ environment variables: `DUCK_WORKERS_COUNT` is text; write a whole number",
        ),
        (
            "DUCK_ANALYSIS_RULES",
            "x",
            "the DUCK_ environment variables: `DUCK_ANALYSIS_RULES` is a list; write a table",
        ),
        ("DUCK_ENGINES", "x", "the DUCK_ environment variables: `DUCK_ENGINES` is text; write a table"),
        (
            "DUCK_LOG_LEVEL",
            "deb",
            "the DUCK_ environment variables: `DUCK_LOG_LEVEL` is 'deb'; write one of debug, info, warning, error",
        ),
        ("DUCK_LOG_LEVEL", "\udcff", "the DUCK_ environment variables: a value is not valid UTF-8"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str, message: str) -> None:
    assert refusal(tmp_path, variables={variable: text}) == message


def test_a_missing_file_named_by_duck_config_is_an_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")

    assert refusal(tmp_path, variables={"DUCK_CONFIG": missing}) == (
        f"there is no settings file {missing!r} (named by DUCK_CONFIG)"
    )


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    assert refusal(tmp_path, variables={"DUCK_CONFIG": str(tmp_path)}) == (
        f"the settings file {str(tmp_path)!r} cannot be read: Is a directory"
    )
