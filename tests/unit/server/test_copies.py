"""Where projects of a server may come from, and where not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rubber_duck.errors import Denied, DuckError, InvalidInput
from rubber_duck.server.copies import Copies, folder_below
from rubber_duck.workspace.remote import checked_remote


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    """A root with a folder, a file, and a link out of it."""
    (tmp_path / "code/shop").mkdir(parents=True)
    (tmp_path / "code/file").touch()
    (tmp_path / "codex").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "code/out").symlink_to(tmp_path / "secret")
    return [str(tmp_path / "code")]


def test_a_folder_below_a_root_is_taken_as_it_really_is(roots: list[str], tmp_path: Path) -> None:
    assert folder_below(f"{tmp_path}/code/../code/shop", roots) == f"{tmp_path}/code/shop"
    (tmp_path / "link").symlink_to(tmp_path / "code/shop")
    assert folder_below(f"{tmp_path}/link", roots) == f"{tmp_path}/code/shop"


@pytest.mark.parametrize(
    "folder", ["", "/etc", "code", "code/shop", "code/gone", "code/file", "code/out", "codex", "code/.."]
)
def test_another_folder_is_denied(roots: list[str], tmp_path: Path, folder: str) -> None:
    named = folder if folder in ("", "/etc", "code/shop") else f"{tmp_path}/{folder}"
    with pytest.raises(Denied):
        folder_below(named, roots)
    with pytest.raises(Denied):
        folder_below(f"{tmp_path}/code/shop", [])


@pytest.mark.parametrize(
    "remote",
    [
        *("https://a:b@host/x", "https://a@host/x", "ssh://host/x", "git@host:x", "file:///etc", "ext::sh -c id"),
        *(
            "--upload-pack=x",
            "https://host",
            "https://host/x y",
            "https://host/x?y=1",
            "http://host/x",
            "",
            "code/shop",
        ),
        "https://host/x\n",
    ],
)
def test_what_is_no_remote_or_has_a_password_is_refused(roots: list[str], remote: str) -> None:
    with pytest.raises(InvalidInput):
        checked_remote(remote, roots)


def test_a_remote_on_this_machine_lies_below_a_root(roots: list[str], tmp_path: Path) -> None:
    assert checked_remote("https://host.example:8443/team/shop.git", roots)
    assert checked_remote(f"{tmp_path}/code/shop", roots) == f"{tmp_path}/code/shop"
    for wrong in (f"{tmp_path}/secret", f"{tmp_path}/code/out", "/etc"):
        with pytest.raises(Denied):
            checked_remote(wrong, roots)


async def test_what_could_not_be_copied_leaves_nothing_behind(roots: list[str], tmp_path: Path) -> None:
    copies = Copies(tmp_path / "home", roots)
    with pytest.raises(DuckError):
        await copies.clone(f"{tmp_path}/code/shop", "one")

    async def noise() -> AsyncIterator[bytes]:
        yield b"no archive"

    with pytest.raises(InvalidInput):
        await copies.receive(noise(), "two")
    assert list((tmp_path / "home/projects").iterdir()) == []
    with pytest.raises(InvalidInput, match="was not copied from a Git remote"):
        await copies.fetch(f"{tmp_path}/code/shop")
