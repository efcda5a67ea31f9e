"""What a path here is called on the server, and which project is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rubber_duck.cli.elsewhere import CONTENT_BYTES, There, check_size, project_meant, says_where, translated
from rubber_duck.errors import DuckError, InvalidInput, InvalidPath, LimitExceeded, UnknownName

SHOP = {"id": "1", "name": "shop"}
SITE = {"id": "2", "name": "site"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The project's folder here."""
    (tmp_path / "shop/src").mkdir(parents=True)
    (tmp_path / "shop/src/a.py").write_text("x = 1\n")
    return tmp_path / "shop"


def test_the_project_is_the_one_that_is_called_like_a_folder_above(shop: Path) -> None:
    there = There("1", "shop", str(shop))
    assert project_meant({"directory": str(shop / "src")}, [SHOP, SITE], "", "/") == there
    assert project_meant({"path": "src/a.py", "directory": str(shop)}, [SHOP, SITE], "", "/") == there
    assert project_meant({"paths": [str(shop / "src")]}, [SHOP, SITE], "", "/") == there
    assert project_meant({"project": "shop"}, [SHOP, SITE], "", str(shop.parent)) == There("1", "shop", "")


def test_no_folder_above_a_repository_or_of_a_home_is_taken_for_a_project(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(shop / "src"))
    for folder in (shop / "src", shop):
        with pytest.raises(InvalidInput, match="say which project"):
            project_meant({"directory": str(folder)}, [SHOP, SITE], "", "/")
    monkeypatch.setenv("HOME", "/home/ann")
    (shop / "src/other/.git").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="say which project"):
        project_meant({"directory": str(shop / "src/other")}, [SHOP, SITE], "", "/")
    assert project_meant({"directory": str(shop / "src/other")}, [SHOP, SITE], "shop", "/").base == str(shop)


def test_what_was_generated_before_is_asked_for_without_a_place(shop: Path) -> None:
    request = {"again": "last", "task": "", "at": "", "directory": str(shop)}
    there = project_meant(request, [SHOP, SITE], "", "/")
    assert there == There("1", "shop", str(shop))
    assert translated("generate", request, there, "/") == {"again": "last", "task": "", "at": ""}


def test_a_name_an_id_or_the_default_says_it_too(shop: Path) -> None:
    for request, default in (({"project": "site"}, ""), ({"project": "2"}, "shop"), ({}, "site")):
        assert project_meant(request, [SHOP, SITE], default, str(shop)) == There("2", "site", "")
    assert project_meant({}, [SITE], "", str(shop)) == There("2", "site", "")


@pytest.mark.parametrize(
    ("request_", "projects", "error", "said"),
    [
        (
            {},
            [SHOP, SITE],
            InvalidInput,
            "say which project with DUCK_PROJECT, or with --project where the command has it: shop, site",
        ),
        ({}, [], InvalidInput, "no role in any project"),
        ({"project": "shpo"}, [SHOP, SITE], UnknownName, "did you mean 'shop'"),
    ],
)
def test_what_cannot_be_told_is_asked_for(
    request_: dict[str, Any], projects: list[dict[str, str]], error: type[DuckError], said: str
) -> None:
    with pytest.raises(error, match=said):
        project_meant(request_, projects, "", "/nowhere")


def test_paths_are_sent_from_the_projects_folder_and_folders_not_at_all(shop: Path) -> None:
    there = There("1", "shop", str(shop))
    request = {"paths": ["a.py", str(shop), "../README"], "directory": str(shop / "src"), "refresh": True, "limit": 3}
    assert translated("analyze", request, there, "/") == {"paths": ["src/a.py", ".", "README"], "limit": 3}
    assert translated("search", {"query": "x", "project": "shop", "directory": "/"}, there, "/") == {"query": "x"}
    assert translated("context", {"place": "a.py:3", "directory": str(shop / "src")}, there, "/") == {
        "place": "src/a.py:3"
    }


def test_without_a_folder_here_paths_are_the_servers(shop: Path) -> None:
    there = There("1", "shop", "")
    assert translated("imports", {"path": "src//a.py", "directory": "/x"}, there, "/") == {"path": "src/a.py"}
    with pytest.raises(InvalidPath, match="does not lie in the project 'shop'"):
        translated("imports", {"path": "/etc/passwd", "directory": "/x"}, there, "/")


def test_a_path_outside_of_the_project_is_refused(shop: Path) -> None:
    for path in ("../secret", "/etc/passwd"):
        with pytest.raises(InvalidPath, match="does not lie in the project"):
            translated("imports", {"path": path, "directory": str(shop)}, There("1", "shop", str(shop)), "/")


def test_an_outline_is_of_the_text_that_is_here(shop: Path) -> None:
    there = There("1", "shop", str(shop))
    sent = translated("outline", {"path": "src/a.py", "directory": str(shop)}, there, "/")
    assert sent == {"path": "src/a.py", "content": "x = 1\n"}
    (shop / "src/a.py").write_bytes(b"x" * (CONTENT_BYTES + 1))
    with pytest.raises(LimitExceeded, match="more than 5,000,000 bytes"):
        translated("outline", {"path": "src/a.py", "directory": str(shop)}, there, "/")


def test_a_request_says_where_or_not() -> None:
    assert says_where("outline", {"path": ""})
    assert says_where("search", {"directory": "/"})
    assert not says_where("rules", {"name": "x"})


def test_a_request_that_no_server_reads_is_refused_with_a_sentence() -> None:
    check_size({"requests": [{"text": "x" * 5_000_000}]})
    with pytest.raises(LimitExceeded, match="is sent at most 5,900,000 at once: ask for less"):
        check_size({"requests": [{"text": "x" * 5_900_000}]})


def test_runs_belong_to_a_project_though_nothing_in_the_request_says_where() -> None:
    assert says_where("jobs", {})
    assert says_where("workflow", {"type": "list"})


def test_the_paths_of_a_run_and_of_each_request_of_a_batch_are_those_of_the_project(shop: Path) -> None:
    there = There("1", "shop", str(shop))
    start = {"type": "start", "workflow": "analyze-project", "directory": str(shop), "wait": True}
    sent = translated("workflow", {**start, "request": {"path": ".", "format": "json"}}, there, "/")
    assert sent == {
        "type": "start",
        "workflow": "analyze-project",
        "wait": True,
        "request": {"path": ".", "format": "json"},
    }
    asked = {"engine": "imports", "requests": [{"path": "a.py"}, {"path": str(shop), "directory": "/x"}, 3]}
    sent = translated("workflow", {**start, "directory": str(shop / "src"), "request": asked}, there, "/")
    assert sent["request"] == {"engine": "imports", "requests": [{"path": "src/a.py"}, {"path": "."}, 3]}
    with pytest.raises(InvalidPath, match="does not lie in the project"):
        translated("workflow", {**start, "request": {"path": "/etc"}}, there, "/")
