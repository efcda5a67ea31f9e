"""What may be called a project, described and configured."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidInput
from rubber_duck.workspace.project import (
    MAX_NAME_LENGTH,
    checked_configuration,
    checked_description,
    checked_name,
    name_for,
)

ID = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(folder=st.text(max_size=200), taken=st.sets(st.sampled_from(["", "project", "project-2", "a"])))
def test_any_folder_gives_a_name_that_is_free_and_allowed(folder: str, taken: set[str]) -> None:
    name = name_for(folder, taken)
    assert name not in taken
    assert checked_name(name) == name
    assert len(name) <= MAX_NAME_LENGTH


@pytest.mark.parametrize("name", [str(ID), str(ID).upper(), f" {ID}", ID.hex])
def test_no_project_is_called_as_another_ones_id(name: str) -> None:
    with pytest.raises(InvalidInput, match="taken for the id"):
        checked_name(name)
    assert checked_name(name_for(name, set())).startswith("project-")


def test_a_taken_name_gets_the_first_free_number() -> None:
    assert name_for("pond", {"pond", "pond-2", "pond-4"}) == "pond-3"
    assert name_for("", set()) == "project"


@given(configuration=st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_a_configuration_is_copied_or_refused_but_never_altered(configuration: dict[str, object]) -> None:
    try:
        checked = checked_configuration(configuration)  # type: ignore[arg-type]  # made of JSON above
    except InvalidInput:
        assert any(ord(character) in {0, *range(0xD800, 0xE000)} for character in str_of(configuration))
    else:
        assert checked == configuration
        assert checked is not configuration


def str_of(configuration: object) -> str:
    """Every character of every text in it."""
    if isinstance(configuration, dict):
        return "".join(key + str_of(value) for key, value in configuration.items())
    if isinstance(configuration, list):
        return "".join(map(str_of, configuration))
    return configuration if isinstance(configuration, str) else ""


def test_a_backslash_before_u0000_is_not_a_nul() -> None:
    configuration = json.loads(r'{"a": "\\u0000", "b": "\\\\u0000"}')
    assert checked_configuration(configuration) == configuration


@pytest.mark.parametrize("description", ["x" * 10_001, "a\0", "\ud800"])
def test_a_description_that_no_database_keeps_is_refused(description: str) -> None:
    with pytest.raises(InvalidInput, match="description"):
        checked_description(description)
