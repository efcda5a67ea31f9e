"""Which server answers, whose key is sent, and that nobody else can read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rubber_duck.cli.profiles import HERE, Profile, Profiles, chosen, read, write
from rubber_duck.errors import Denied, InvalidInput, UnknownName

WORK = Profile("work", "https://duck.example", "duck_1", "shop")


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A home folder where one signed in to a server."""
    found = {"DUCK_HOME": str(tmp_path / "home")}
    write(Profiles().with_profile(WORK), found)
    return found


def test_what_is_kept_is_read_again_and_is_its_owners_alone(variables: dict[str, str]) -> None:
    path = Path(variables["DUCK_HOME"]) / "config.json"
    assert read(variables) == Profiles("work", {"work": WORK})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["config.json"]
    assert "duck_1" not in repr(WORK)


def test_a_file_that_others_may_read_is_refused(variables: dict[str, str]) -> None:
    (Path(variables["DUCK_HOME"]) / "config.json").chmod(0o644)
    with pytest.raises(Denied, match="others may read it"):
        read(variables)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"servers": {"a": {}}}', '{"servers": []}'])
def test_a_file_that_is_broken_is_said(variables: dict[str, str], content: str) -> None:
    (Path(variables["DUCK_HOME"]) / "config.json").write_text(content)
    with pytest.raises(InvalidInput, match="cannot be understood"):
        read(variables)


def test_without_a_server_this_process_answers(tmp_path: Path, variables: dict[str, str]) -> None:
    assert chosen("", {"DUCK_HOME": str(tmp_path / "new")}) is None
    assert chosen(HERE, variables) is None
    assert chosen("", {**variables, "DUCK_SERVER": HERE}) is None


def test_what_is_said_comes_before_the_variable_and_that_before_the_file(variables: dict[str, str]) -> None:
    other = Profile("home", "http://127.0.0.1:4010", "duck_2")
    write(read(variables).with_profile(other).using("work"), variables)
    assert chosen("", variables) == WORK
    assert chosen("", {**variables, "DUCK_SERVER": "home"}) == other
    assert chosen("work", {**variables, "DUCK_SERVER": "home"}) == WORK
    assert chosen("http://127.0.0.1:4010/", variables) == other
    told = {**variables, "DUCK_API_KEY": "duck_3", "DUCK_PROJECT": "site"}
    assert chosen("", told) == Profile("work", WORK.url, "duck_3", "site")
    assert chosen("http://elsewhere:1", told) == Profile("http://elsewhere:1", "http://elsewhere:1", "duck_3", "site")


def test_a_server_that_is_not_known_or_has_no_key_is_said(variables: dict[str, str]) -> None:
    with pytest.raises(UnknownName, match="'wrok'; did you mean 'work'"):
        chosen("wrok", variables)
    with pytest.raises(InvalidInput, match="no key is known for http://elsewhere"):
        chosen("http://elsewhere", variables)


def test_a_server_is_forgotten_with_its_key(variables: dict[str, str]) -> None:
    write(read(variables).without("work"), variables)
    assert json.loads((Path(variables["DUCK_HOME"]) / "config.json").read_text()) == {
        "version": 1,
        "current": "",
        "servers": {},
    }
    with pytest.raises(UnknownName, match="signs in to a server"):
        read(variables).using("work")
