"""Our reading of .gitignore is git's own, and no pattern is slow."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.errors import LimitExceeded
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.globs import expression, parse
from rubber_duck.workspace.ignore import MAX_FILE_BYTES, MAX_WILDCARDS
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.patterns import Patterns
from rubber_duck.workspace.scan import LeftOut, LeftOutReason, scan
from tests.factories import write_tree

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}
PATHS = (
    "a", "b.py", "ab", "a.b", "foo", "foo.py", "-x", "a b", "a ", "#a", "!a", "a\\b", "[a]", "A", "a-b", "*", "a]b",
    "d/a", "d/b.py", "d/foo", "d/d/a", "d/d/foo.py", "d/e/a", "d/e/f/a", "foox/bar", "foo2/x/bar", "foobar/a",
    "e/a", "e/foo/bar", "e/d/a", "e/d/e/d/a", "f/.x", ".x", ".d/a", "x/y/z/a", "x/y/z/foo", "x/y/b.py", "x/a/y/a",
)  # fmt: skip


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True).stdout


def not_ignored_by_git(folder: Path) -> set[str]:
    listed = git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return {os.fsdecode(name) for name in listed.split(b"\0") if name}


def scanned(folder: Path, **index: object) -> set[str]:
    return {file.path for file in scan(Root(folder), IndexSettings(**index), lambda path, head: None).files}  # type: ignore[arg-type]  # a test's options


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    write_tree(folder, dict.fromkeys(PATHS, "x"))
    return folder


PIECES = st.sampled_from(
    ["*", "**", "?", "/", "/", "/", "a", "b", "d", "e", "x", "foo", "bar", ".", ".py", "\\", " ", "-", "[a-e]", "[!a]",
     "[^a-c]", "[]a]", "[a", "]", "[[:alpha:]]", "[[:nope:]]", "[\\]]", "[a-]", "[b-a]", "!", "#", "**/", "/**", "/**/",
     "*/", "\\*", "y", "z", "[/]", "[--a]", "\\/"]
)  # fmt: skip
LINES = st.builds(
    lambda negated, anchored, pieces, folder: f"{negated}{anchored}{''.join(pieces)}{folder}",
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(PIECES, min_size=1, max_size=5),
    st.sampled_from(["", "", "/", " ", "\\ ", "\r"]),
)
IGNORE_FILES = st.lists(LINES, max_size=5).map("\n".join)


@given(top=IGNORE_FILES, nested=IGNORE_FILES, deep=IGNORE_FILES, exclude=IGNORE_FILES)
@settings(max_examples=150, deadline=None)
def test_what_git_ignores_is_what_the_scan_leaves_out(
    repository: Path, top: str, nested: str, deep: str, exclude: str
) -> None:
    files = {".gitignore": top, "d/.gitignore": nested, "x/y/.gitignore": deep, ".git/info/exclude": exclude}
    write_tree(repository, files)
    assert scanned(repository) == not_ignored_by_git(repository)


@given(lines=st.lists(LINES, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_patterns_say_of_one_path_what_git_says(repository: Path, lines: list[str]) -> None:
    write_tree(repository, {".gitignore": "\n".join(lines), "d/.gitignore": "", "x/y/.gitignore": ""})
    write_tree(repository, {".git/info/exclude": ""})
    patterns = Patterns(lines, "here")
    listed = not_ignored_by_git(repository)
    assert {path for path in PATHS if not patterns.cover(path)} == listed & set(PATHS)


def test_patterns_above_the_root_hold_in_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write_tree(tmp_path, {".gitignore": "*.log\n/src/app/made/\n", "src/.gitignore": "!keep.log\nb.py"})
    write_tree(tmp_path, {"src/app/a.py": "", "src/app/b.py": "", "src/app/x.log": "", "src/app/keep.log": ""})
    write_tree(tmp_path, {"src/app/made/c.py": "", ".git/info/exclude": "/src/app/d.py", "src/app/d.py": ""})
    assert scanned(tmp_path / "src" / "app") == {"a.py", "keep.log"}


def test_a_root_that_is_ignored_itself_is_scanned_all_the_same(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write_tree(tmp_path, {".gitignore": "*\n", "project/a.py": ""})
    assert scanned(tmp_path / "project") == {"a.py"}


def test_duckignore_wins_over_gitignore_and_the_settings_over_both(tmp_path: Path) -> None:
    write_tree(tmp_path, dict.fromkeys(("a.py", "b.py", "c.py", "d/e.py", "d/f.py"), ""))
    write_tree(tmp_path, {".gitignore": "a.py\nb.py\ne.py\n", ".duckignore": "!b.py\n!e.py\nc.py\n"})
    write_tree(tmp_path, {"d/.gitignore": "e.py\nf.py"})
    own = {".gitignore", ".duckignore", "d/.gitignore"}
    assert scanned(tmp_path) - own == {"b.py", "d/e.py"}
    assert scanned(tmp_path, ignore=("!c.py", "d/")) - own == {"b.py", "c.py"}


def test_folders_that_nobody_writes_are_left_out_once_each(tmp_path: Path) -> None:
    write_tree(tmp_path, {"node_modules/a/b.js": "", "src/__pycache__/a.pyc": "", "env/pyvenv.cfg": "", "env/a.py": ""})
    write_tree(tmp_path, {"cache/CACHEDIR.TAG": "", "cache/a.py": "", "mix.exs": "", "_build/a.ex": "", ".git/a": ""})
    write_tree(tmp_path, dict.fromkeys(("build/a.py", "dist/a.js", "vendor/a.py", "docs/_build/a.py"), ""))
    found = scan(Root(tmp_path), IndexSettings(), lambda path, head: None)
    assert [file.path for file in found.files] == [
        "build/a.py", "dist/a.js", "docs/_build/a.py", "mix.exs", "vendor/a.py"
    ]  # fmt: skip
    assert found.left_out == tuple(
        LeftOut(path, LeftOutReason.BUILT_IN, detail)
        for path, detail in [
            (".git", "version control"),
            ("_build", "built by a tool, beside mix.exs"),
            ("cache", "marked as a cache by its CACHEDIR.TAG"),
            ("env", "a virtual environment"),
            ("node_modules", "installed packages"),
            ("src/__pycache__", "a tool's cache"),
        ]
    )


def test_a_pattern_brings_back_a_built_in_folder_but_never_version_control(tmp_path: Path) -> None:
    write_tree(tmp_path, {"node_modules/a.js": "", ".git/a.py": "", "x.min.js": "", ".duckignore": "!*\n"})
    assert scanned(tmp_path) == {".duckignore", "node_modules/a.js", "x.min.js"}


def test_a_huge_ignore_file_is_refused_and_said(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "", ".gitignore": "a.py\n" * (MAX_FILE_BYTES // 5 + 1)})
    found = scan(Root(tmp_path), IndexSettings(), lambda path, head: None)
    assert [file.path for file in found.files] == [".gitignore", "a.py"]
    assert [(one.path, one.reason) for one in found.left_out] == [(".gitignore", LeftOutReason.IGNORE_FILE)]


def test_too_many_wildcards_are_refused_and_lookups_are_not(tmp_path: Path) -> None:
    lines = [f"?{number}" for number in range(MAX_WILDCARDS)]
    write_tree(tmp_path, {".gitignore": "\n".join(lines), "a1": "", "d/.gitignore": "?x\n", "d/ax": ""})
    write_tree(
        tmp_path, {"e/.gitignore": "\n".join(f"n{number}\n*.e{number}" for number in range(9000)), "e/n8999": ""}
    )
    found = scan(Root(tmp_path), IndexSettings(), lambda path, head: None)
    assert [file.path for file in found.files] == [".gitignore", "d/.gitignore", "d/ax", "e/.gitignore"]
    assert [one.path for one in found.left_out if one.reason is LeftOutReason.IGNORE_FILE] == ["d/.gitignore"]


def test_patterns_of_the_settings_have_the_same_limit(tmp_path: Path) -> None:
    patterns = tuple(f"?{number}" for number in range(MAX_WILDCARDS + 1))
    with pytest.raises(LimitExceeded, match=r"index\.ignore"):
        scan(Root(tmp_path), IndexSettings(ignore=patterns), lambda path, head: None)


def test_an_ignore_file_that_is_a_link_or_a_fifo_is_refused_and_said(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "", "list": "a.py"})
    (tmp_path / ".gitignore").symlink_to("list")
    os.mkfifo(tmp_path / ".duckignore")
    found = scan(Root(tmp_path), IndexSettings(), lambda path, head: None)
    assert [file.path for file in found.files] == ["a.py", "list"]
    refused = [one.path for one in found.left_out if one.reason is LeftOutReason.IGNORE_FILE]
    assert refused == [".duckignore", ".gitignore"]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 60 + "b", "a" * 255),
        ("**/" + "*a*a*a*a*a*a*a*a*" + "/**/b", "/".join(["a" * 200] * 20)),
        ("**/a/" * 60 + "b", "a/" * 2000 + "c"),
        ("[a-z]*" * 100, "a" * 254 + "1"),
        ("?*" * 100 + "b", "a" * 255),
    ],
)
def test_a_pattern_made_to_be_slow_is_decided_at_once(pattern: str, name: str) -> None:
    glob = parse(pattern)
    assert glob is not None
    compiled = re.compile(expression(glob), re.DOTALL)
    started = time.process_time()
    assert compiled.match(name) is None or pattern.startswith("[")
    assert time.process_time() - started < 1  # backtracking would need longer than anybody lives
