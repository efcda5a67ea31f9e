"""Commands are found in files and in installed plug-ins, without importing any."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from rubber_duck.cli import listing
from rubber_duck.cli.listing import Entry, Kind


def test_a_file_in_each_folder_is_a_command() -> None:
    found = listing.entries()
    assert found["up"] == Entry(
        "up",
        Kind.COMMAND,
        "rubber_duck.cli.commands.up",
        "Open a code base, analyse it, keep what was found, and show a report",
    )
    assert found["doctor"].module == "rubber_duck.cli.local.doctor"
    assert found["doctor"].kind is Kind.LOCAL


def test_the_machinery_beside_the_engines_is_no_command() -> None:
    assert {"engine", "roster"}.isdisjoint(listing.entries())


def test_the_list_is_sorted() -> None:
    assert list(listing.entries()) == sorted(listing.entries())


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_an_underscore_in_a_file_name_is_a_dash_in_the_command(tmp_path: Path) -> None:
    _write(tmp_path / "cli/local/make_tea.py", '"""Make tea."""\n')
    assert listing.find("make-tea", [str(tmp_path)]) == Entry(
        "make-tea", Kind.LOCAL, "rubber_duck.cli.local.make_tea", "Make tea"
    )
    for name in ("make_tea", "--init--", "local.make-tea", "../local/make-tea", ""):
        assert listing.find(name, [str(tmp_path)]) is None


def test_a_hand_written_command_wins_over_its_engine(tmp_path: Path) -> None:
    _write(tmp_path / "engines/x.py", '"""The engine."""\n\n@engines.add\nclass X: ...\n')
    places = [str(tmp_path)]
    assert listing.entries(places)["x"].module == "rubber_duck.engines.x"
    _write(tmp_path / "cli/commands/x.py", '"""The command."""\n')
    assert listing.entries(places)["x"].module == "rubber_duck.cli.commands.x"
    assert listing.find("x", places) == listing.entries(places)["x"]


def test_a_zip_is_listed_as_a_folder_is(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rubber_duck/cli/commands/fly.py", '"""Fly away. Then return."""\n')
    assert listing.entries([f"{archive}/rubber_duck"]) == {
        "fly": Entry("fly", Kind.COMMAND, "rubber_duck.cli.commands.fly", "Fly away")
    }


def test_an_entry_point_is_a_command_and_a_file_wins_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(
        tmp_path / "site/duck_more-1.2.dist-info/entry_points.txt",
        "[console_scripts]\nother = a:b\n\n[rubber_duck.engines]\nmore = duck_more:More\nfly = duck_more:Fly\n",
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    _write(tmp_path / "cli/commands/fly.py", '"""Fly away."""\n')
    found = listing.entries([str(tmp_path)])
    assert found["more"] == Entry("more", Kind.PLUGIN, "", "From duck_more 1.2")
    assert found["fly"].kind is Kind.COMMAND
    assert "other" not in found


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("Make tea.", "Make tea"),
        ("Make tea. Drink it.", "Make tea"),
        ("Make tea\n    and more.\n\nSecond paragraph.", "Make tea and more"),
        ("Read duck.toml and\n    go on", "Read duck.toml and go on"),
        ("", ""),
    ],
)
def test_the_first_sentence_ends_at_a_full_stop_before_a_space(docstring: str, sentence: str) -> None:
    assert listing.first_sentence(docstring) == sentence
