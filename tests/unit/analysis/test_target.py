"""What is analysed is found from where a person stands, and is named from there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rubber_duck.analysis.target import refuse_leading_out, seen_from, shown_together, target
from rubber_duck.errors import InvalidPath, InvalidSettings
from rubber_duck.settings import Settings
from tests.factories import write_tree


@pytest.mark.parametrize(
    ("directory", "root", "seen"),
    [
        ("pond", "pond", "duck/a.py"),
        (".", "pond", "pond/duck/a.py"),
        ("pond/duck", "pond", "a.py"),
        ("pond/lake", "pond", "../duck/a.py"),
        ("pond", "well", "../well/duck/a.py"),
    ],
)
def test_files_are_named_from_where_a_person_stands(tmp_path: Path, directory: str, root: str, seen: str) -> None:
    for folder in ("pond/duck", "pond/lake", "well"):
        (tmp_path / folder).mkdir(parents=True)
    assert seen_from(str(tmp_path / directory), tmp_path.resolve() / root)("duck/a.py") == seen


def test_a_folder_called_as_the_settings_is_named_in_full_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").mkdir()
    with pytest.raises(InvalidSettings) as caught:
        target(["."], str(tmp_path), Settings())
    assert caught.value.message == (
        f"{tmp_path.resolve() / 'duck.toml'} is not a regular file in the project, so its settings cannot be read: "
        "rename it, or take it away"
    )


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ((), ""),
        (("a",), ""),
        (("a", "b"), "./a and ./b"),
        (("a", "b", "c"), "./a, ./b and ./c"),
        (("a", "b", "c", "d"), "./a, ./b and 2 more"),
    ],
)
def test_several_named_places_have_a_name_together(only: tuple[str, ...], said: str) -> None:
    assert shown_together(only, lambda path: f"./{path}") == said


def test_a_project_far_away_is_named_in_full(tmp_path: Path) -> None:
    far = tmp_path.joinpath(*"abcdefghijklmnopqrst")
    far.mkdir(parents=True)
    assert seen_from(str(far), Path("/pond"))("a.py") == "/pond/a.py"


def test_a_person_who_came_over_a_link_is_where_the_link_leads(tmp_path: Path) -> None:
    (tmp_path / "pond").mkdir()
    os.symlink(tmp_path / "pond", tmp_path / "link")
    assert seen_from(str(tmp_path / "link"), tmp_path.resolve() / "pond")("a.py") == "a.py"


def test_a_file_in_no_project_belongs_to_where_one_stands_and_a_folder_to_itself(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pond/a/b/c.py": "", "nest/d.py": ""})
    found = [
        target([path], str(tmp_path / "pond"), Settings()) for path in ("a/b/c.py", "a/b", f"{tmp_path}/nest/d.py")
    ]
    assert [(each.root.path.relative_to(tmp_path.resolve()).as_posix(), each.only) for each in found] == [
        ("pond", ("a/b/c.py",)),
        ("pond/a/b", ()),
        ("nest", ("d.py",)),
    ]


def test_a_link_in_a_project_does_not_lead_out_of_it(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pond/duck.toml": "", "pond/a.py": "", "nest/b.py": ""})
    os.symlink(tmp_path / "nest", tmp_path / "pond" / "out")
    os.symlink("a.py", tmp_path / "pond" / "inside.py")
    os.symlink(tmp_path / "pond", tmp_path / "link")
    for name in ("a.py", "inside.py", f"{tmp_path}/link/a.py", f"{tmp_path}/nest/b.py", "missing.py"):
        refuse_leading_out(name, str(tmp_path / "pond"))
    with pytest.raises(InvalidPath, match=r"leads over the link '.*/pond/out' out of its project"):
        refuse_leading_out("out/b.py", str(tmp_path / "pond"))
