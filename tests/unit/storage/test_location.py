"""A database's URL is understood, or refused with a sentence, and never shown with its password."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidSettings
from rubber_duck.storage.location import Location


@pytest.mark.parametrize("slashes", ["////", "/////"])
def test_whatever_follows_three_slashes_is_an_absolute_path_as_it_stands(slashes: str) -> None:
    location = Location.parse(f"sqlite:{slashes}some folder/größe%20?.db")
    assert (location.dialect, location.path, location.shown) == (
        "sqlite",
        Path("/some folder/größe%20?.db"),
        "sqlite:////some folder/größe%20?.db",
    )


@pytest.mark.parametrize("url", ["sqlite:///rel/duck.db", "sqlite://rel/duck.db"])
def test_a_relative_path_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Location.parse(url)
    assert caught.value.message == (
        f"database.url {url!r} names the relative path 'rel/duck.db', which is not allowed: "
        "write 'sqlite:////absolute/path.db', with four slashes; for '/rel/duck.db' that is 'sqlite:////rel/duck.db'"
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_server_is_shown_without_its_passwords(scheme: str) -> None:
    url = f"{scheme}://duck:s3cr%40t@db.example:5432/ducks?sslmode=verify-full&sslpassword=s3cr&password=s3cr"
    location = Location.parse(url)
    assert (location.dialect, location.url, location.path) == ("postgresql", url, None)
    assert location.shown == (
        f"{scheme}://duck:***@db.example:5432/ducks?sslmode=verify-full&sslpassword=***&password=***"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "neither"),
        ("duck.db", "neither"),
        ("mysql://duck:s3cret@host/db", "neither"),
        ("sqlite://", "names no file: write 'sqlite:////absolute/path.db'"),
        ("sqlite:///", "names no file: write 'sqlite:////absolute/path.db'"),
        ("sqlite:////", "names no file: write 'sqlite:////absolute/path.db'"),
        ("sqlite:////a\0b", "zero byte"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite://:memory:", "in memory"),
        ("sqlite://duck:s3cret@host/db", "names a host"),
        ("postgresql://duck:s3cret@host:port/db", "not a URL"),
        ("postgresql://duck:%zzs3cret@host/db", "write %25"),
        ("host=db password=s3cret", "neither"),
        ("duck:s3cret@host/db", "neither"),
        ("postgresql://duck:s3cret@[host/db", "not a URL"),
    ],
)
def test_another_url_is_refused_with_a_sentence_that_shows_no_password(url: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said) as caught:
        Location.parse(url)
    assert "s3cret" not in caught.value.message


@given(
    password=st.text(
        st.characters(codec="ascii", exclude_characters="@/?#[]:&%", categories=["L", "N", "P"]), min_size=5
    )
)
def test_no_password_is_ever_shown(password: str) -> None:
    location = Location.parse(f"postgresql://u:{password}@h/n?password={password}&x=1")
    assert location.shown == "postgresql://u:***@h/n?password=***&x=***"
