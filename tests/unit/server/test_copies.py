"""Where projects of a server may come from, and where not."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, InvalidSettings
from rubber_duck.server.copies import Copies, folder_below
from rubber_duck.workspace.remote import checked_remote, token_environment, token_for
from tests.factories import write_tree


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
    said = Said()
    with pytest.raises(InvalidInput, match="was not copied from a Git remote"):
        await copies.fetch(f"{tmp_path}/code/shop", said.begin)


class Said:
    """Counts how often somebody said that files are about to change."""

    def __init__(self) -> None:
        self.times = 0

    async def begin(self) -> None:
        """Say it."""
        self.times += 1


def committed(remote: Path, content: str) -> None:
    """The remote has a file with that content."""
    write_tree(remote, {"a.py": content, ".gitignore": "*.log\n"})
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "more")):
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", *words)
        subprocess.run(git, cwd=remote, check=True, capture_output=True)


async def test_what_was_changed_in_a_copy_is_not_lost_unless_somebody_says_so(roots: list[str], tmp_path: Path) -> None:
    remote, copies = tmp_path / "code/shop", Copies(tmp_path / "home", roots)
    said = Said()
    committed(remote, "one = 1\n")
    copy = Path(await copies.clone(str(remote), "one"))
    await copies.fetch(str(copy), said.begin)
    assert said.times == 0  # there was nothing new
    committed(remote, "two = 2\n")
    write_tree(copy, {"built.log": "ignored\n"})
    await copies.fetch(str(copy), said.begin)
    assert [(copy / name).read_text() for name in ("a.py", "built.log")] == ["two = 2\n", "ignored\n"]
    assert said.times == 1
    committed(remote, "three = 3\n")
    for name in ("a.py", "new.py"):
        before = (copy / name).read_bytes() if (copy / name).exists() else None
        write_tree(copy, {name: "mine = True\n"})
        with pytest.raises(Conflict, match=f"would be lost: 1 paths, such as '{name}'"):
            await copies.fetch(str(copy), said.begin)
        assert (copy / name).read_text() == "mine = True\n"
        (copy / name).unlink() if before is None else (copy / name).write_bytes(before)
    write_tree(copy, {"a.py": "mine = True\n", "new.py": "mine = True\n"})
    await copies.fetch(str(copy), said.begin, discard=True)
    assert [(copy / name).exists() for name in ("a.py", "new.py", "built.log")] == [True, False, False]
    assert (copy / "a.py").read_text() == "three = 3\n"
    assert said.times == 2


def test_git_is_told_a_token_for_its_host_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    tokens = (f"git.example:8443={file}",)
    remote = "https://git.example:8443/team/shop.git"
    environment = token_environment(remote, token_for(remote, tokens))

    def header(url: str) -> str:
        asked = ["git", "config", "--get-urlmatch", "http.extraHeader", url]
        done = subprocess.run(asked, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    assert header(remote) == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0"  # x-access-token:s3cret
    for other in (
        "https://git.example/team/shop.git",
        "https://evil.example/git.example:8443/",
        "http://git.example:8443/",
    ):
        assert header(other) == ""
        assert token_for(other, tokens) == ""
    assert token_environment(remote, "") == {}


def test_a_token_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    file, remote = tmp_path / "token", "https://git.example/shop"
    open_to_all, empty = ("s3cret", 0o644, Denied), ("", 0o600, InvalidSettings)
    for content, mode, error in (open_to_all, empty, ("a\nb", 0o600, InvalidSettings)):
        file.write_text(content)
        file.chmod(mode)
        with pytest.raises(error):
            token_for(remote, [f"git.example={file}"])
    for wrong in (f"git.example={tmp_path}/gone", "git.example", "=/etc/token", "git.example=token"):
        with pytest.raises(InvalidSettings):
            token_for(remote, [wrong])
