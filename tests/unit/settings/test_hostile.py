"""Whatever a file or a variable holds, the answer is Settings or InvalidSettings, soon."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import Settings, environment_name, load, public, with_project
from tests.unit.settings.written import load_written

SECTIONS = {
    field.name: [inner.name for inner in msgspec.structs.fields(getattr(Settings(), field.name))]
    for field in msgspec.structs.fields(Settings)
    if isinstance(getattr(Settings(), field.name), msgspec.Struct)
}
KEYS = sorted({key for section, keys in SECTIONS.items() for key in (section, *keys)} | {"profile", "profiles", "dev"})
VARIABLES = [environment_name(section, key) for section, keys in SECTIONS.items() for key in keys]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
name = st.sampled_from(KEYS) | text
scalar = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | text
    | st.sampled_from(["dev", "info", "low", "1979-05-27"])
    | st.datetimes()
)
value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(name, inner, max_size=3), max_leaves=8
)


def toml(written: object) -> str:
    """A value in TOML, tables inline."""
    match written:
        case bool():
            return str(written).lower()
        case str():
            return json.dumps(written).replace("\x7f", "\\u007f") if written.isascii() else json.dumps("é")
        case list():
            return f"[{', '.join(map(toml, written))}]"
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(each)}" for key, each in written.items()) + "}"
        case _:
            return str(written)


sections = (st.sampled_from(["analysis", "index"]) | st.sampled_from(sorted(SECTIONS))).flatmap(
    lambda section: st.tuples(
        st.just(section), st.dictionaries(st.sampled_from(SECTIONS[section] or ["x"]), value, max_size=2)
    )
)
documents = st.one_of(
    st.dictionaries(name, value, max_size=4),
    st.lists(sections, max_size=3).map(dict),
).map(lambda table: "\n".join(f"{toml(key)} = {toml(each)}" for key, each in table.items()).encode())
fuzz = examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(
    content=st.binary(max_size=200) | st.text(max_size=100).map(lambda each: each.encode(errors="ignore")) | documents
)
def test_any_file_of_the_user_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    try:
        settings = load_written(tmp_path, content)
    except InvalidSettings:
        return
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings


@fuzz
@given(content=st.binary(max_size=200) | documents)
def test_any_file_of_a_project_is_read_or_refused_and_changes_only_its_own_tables(content: bytes) -> None:
    try:
        settings = with_project(Settings(), content, "p")
    except InvalidSettings:
        return
    assert msgspec.structs.replace(settings, analysis=Settings().analysis, index=Settings().index) == Settings()


@fuzz
@given(
    variables=st.dictionaries(
        st.sampled_from(VARIABLES) | st.text(max_size=8).map(lambda end: f"DUCK_{end}"),
        st.text(
            st.characters(exclude_characters="\0"), max_size=12
        )  # lone surrogates are what the system makes of bytes
        | st.integers().map(str)
        | st.sampled_from(["nan", "inf", "1e999", "true", ",", "low,", "1" * 5000]),
        max_size=3,
    )
)
def test_any_environment_is_read_or_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    safe = {key: text for key, text in variables.items() if key not in ("DUCK_HOME", "DUCK_CONFIG")}
    try:
        settings = load({"DUCK_HOME": str(tmp_path), **safe})
    except InvalidSettings:
        return
    assert public(settings)["home"] == str(tmp_path)


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_every_setting_is_documented(section: str) -> None:
    fields = msgspec.structs.fields(getattr(Settings(), section))
    undocumented = [
        field.name
        for field in fields
        if not any(isinstance(note, msgspec.Meta) and note.description for note in field.type.__metadata__)
    ]
    assert undocumented == []
