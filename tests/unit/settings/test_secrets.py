"""A password in the settings is used, and never shown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import DatabaseSettings, Settings, load, public, without_password

URL = "postgresql://duck:hunter2@db.example:5432/duck?sslmode=verify-full"


def test_public_settings_are_the_settings_without_the_password() -> None:
    settings = Settings(database=DatabaseSettings(url=URL, pool_max=3), pinned=("log.level",))
    expected = msgspec.to_builtins(settings)
    expected["database"]["url"] = "postgresql://duck:***@db.example:5432/duck?sslmode=verify-full"
    del expected["pinned"], expected["file"]

    assert public(settings) == expected


def test_settings_print_without_the_password() -> None:
    assert repr(DatabaseSettings(url=URL)) == (
        "DatabaseSettings(url='postgresql://duck:***@db.example:5432/duck?sslmode=verify-full', pool_min=1, "
        "pool_max=10, readers=3, busy_timeout_s=10.0, connect_timeout_s=10.0)"
    )


def test_the_whole_tree_prints_without_the_password() -> None:
    assert "hunter2" not in f"{Settings(database=DatabaseSettings(url=URL))}"


def test_the_password_itself_stays_in_the_setting(tmp_path: Path) -> None:
    settings = load({"DUCK_HOME": str(tmp_path), "DUCK_DATABASE_URL": URL})

    assert settings.database.url == URL


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////home/me/duck.db", "sqlite:////home/me/duck.db"),
        ("postgresql://db:5432/duck", "postgresql://db:5432/duck"),
        ("postgresql://[::1]:5432/duck", "postgresql://[::1]:5432/duck"),
        ("postgresql://duck@db/duck", "postgresql://duck@db/duck"),
        ("postgresql://duck:p@ss@db/duck", "postgresql://duck:***@db/duck"),
        ("postgresql://duck:p ss/?#@db/duck", "postgresql://duck:***@db/duck"),
        ("postgresql://:pw@db/duck", "postgresql://:***@db/duck"),
        (
            "postgresql://db/duck?user=me&password=pw&sslmode=require",
            "postgresql://db/duck?user=me&password=***&sslmode=require",
        ),
        ("postgresql://db/duck?sslpassword=pw", "postgresql://db/duck?sslpassword=***"),
        ("postgresql://duck:?pw@db:5432/duck", "postgresql://duck:***@db:5432/duck"),
        ("postgresql://duck:/pw@db/duck", "postgresql://duck:***@db/duck"),
        ("postgresql://a,[::1]:5432,b/duck?options=-c%20x=pw", "postgresql://a,[::1]:5432,b/duck?options=***"),
        ("postgresql://db/duck?pass%77ord=pw", "postgresql://db/duck?=***"),
        (
            "postgresql://db/duck?scram_client_key=pw&oauth_client_secret=pw",
            "postgresql://db/duck?scram_client_key=***&oauth_client_secret=***",
        ),
        ("postgresql://db/duck?user=a;password=pw", "postgresql://db/duck?user=***"),
        ("postgresql://db/duck#password=pw", "***"),
        ("host=db password=pw", "***"),
        ("duck:pw@db/duck", "***"),
        ("postgresql:/duck:pw@db/duck", "***"),
        ("sqlite://duck:pw@db/duck", "sqlite://duck:***@db/duck"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@given(password=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_password_survives_whatever_it_is_made_of(password: str) -> None:
    assert without_password(f"postgresql://duck:{password}@db/duck") == "postgresql://duck:***@db/duck"


@pytest.mark.parametrize(
    "wrong",
    [
        {"DUCK_DATABASE_POOL_MAX": "x"},
        {"DUCK_DATABASE_URLL": URL},
        {"DUCK_PROFILE": "x"},
        {"DUCK_LOG_LEVEL": "\udcff"},
        {"DUCK_CONFIG": "/nowhere/duck.toml"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_no_message_shows_the_password(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load({"DUCK_HOME": str(tmp_path), "DUCK_DATABASE_URL": URL, **wrong})

    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_no_message_about_a_broken_file_shows_its_password(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text(f"[database]\nurl = '{URL}'\npool_max = []\n")

    with pytest.raises(InvalidSettings) as caught:
        load({"DUCK_HOME": str(tmp_path)})

    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
