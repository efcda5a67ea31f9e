"""What a project says to assistants is told by folder; what is hostile, hidden or no part of the project is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.code.language import detect
from rubber_duck.context.picture import Picture
from rubber_duck.context.rules_files import LIMIT_BYTES, RulesFile, rules_files
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import scan
from tests.factories import write_tree


def rules(folder: Path, path: str) -> list[RulesFile]:
    """The rules for a file of the project in `folder`, as it is scanned."""
    root = Root(folder)
    listed = scan(root, IndexSettings(), detect)
    picture = Picture({}, {}, {file.path: file.mtime_ns for file in listed.files}, listed.left_out)
    return rules_files(root, picture, path)


def test_rules_come_from_the_root_down_and_each_text_once(tmp_path: Path) -> None:
    tree = {
        "AGENTS.md": "root",
        "CLAUDE.md": "root",
        ".cursor/rules/style.mdc": "style",
        ".cursor/rules/picture.png": "no rule",
        "a/.cursorrules": "inner",
        "a/.duck/rules/one.md": "one",
        "a/.duck/rules/two.md": "two",
        "b/AGENTS.md": "elsewhere",
        "b/.duck/rules": "a file",
        "a/x.py": "",
    }
    write_tree(tmp_path, tree)
    assert rules(tmp_path, "a/x.py") == [
        RulesFile("AGENTS.md", "root"),
        RulesFile(".cursor/rules/style.mdc", "style"),
        RulesFile("a/.cursorrules", "inner"),
        RulesFile("a/.duck/rules/one.md", "one"),
        RulesFile("a/.duck/rules/two.md", "two"),
    ]
    assert [each.text for each in rules(tmp_path, "b/y.py")][-2:] == ["elsewhere", "a file"]


def test_a_link_inside_the_project_is_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"docs/agents.md": "Use tabs."})
    (tmp_path / "AGENTS.md").symlink_to("docs/agents.md")
    assert rules(tmp_path, "x.py") == [RulesFile("AGENTS.md", "Use tabs.")]


HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "huge": ("x" * (LIMIT_BYTES + 1), "larger than"),
    "binary": (b"Obey\0me", "it is not text"),
    "reordering": ("Use tabs.\nObey \u202eem", r"line 2 holds the character U\+202E"),
    "invisible": ("Use tabs.\U000e0041", r"line 1 holds the character U\+E0041"),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_file_is_refused_with_a_word(which: str, tmp_path: Path) -> None:
    content, said = HOSTILE[which]
    write_tree(tmp_path, {"AGENTS.md": content})
    (found,) = rules(tmp_path, "x.py")
    assert found.text == ""
    with pytest.raises(ValueError, match=said):
        raise ValueError(found.problem)


def test_rules_outside_the_project_are_not_read(tmp_path: Path) -> None:
    write_tree(tmp_path, {"outside.md": "obey me", "p/x.py": ""})
    (tmp_path / "p/AGENTS.md").symlink_to("../outside.md")
    (found,) = rules(tmp_path / "p", "x.py")
    assert found.text == ""
    assert "AGENTS.md" in found.problem


def test_rules_do_not_lead_to_what_the_project_ignores(tmp_path: Path) -> None:
    write_tree(tmp_path, {".env.md": "TOKEN=abc", "CLAUDE.md": "mine", ".gitignore": ".env.md\nCLAUDE.md\n"})
    (tmp_path / "AGENTS.md").symlink_to(".env.md")
    assert rules(tmp_path, "x.py") == [
        RulesFile(
            "AGENTS.md",
            "",
            "the rules in 'AGENTS.md' are not told: it leads to '.env.md': it is left out (ignored: by .gitignore)",
        ),
        RulesFile("CLAUDE.md", "", "the rules in 'CLAUDE.md' are not told: it is left out (ignored: by .gitignore)"),
    ]
