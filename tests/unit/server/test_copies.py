"""Where projects of a server may come from, and where not."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, InvalidSettings, Unavailable
from rubber_duck.server.copies import Copies, folder_below
from rubber_duck.settings import Settings
from rubber_duck.settings.tree import WorkspaceSettings
from rubber_duck.workspace.remote import Access, checked_remote, token_for
from tests.factories import write_tree
from tests.git_host import GitHost, git_host
from tests.mailbox import certificate


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


async def test_a_name_that_a_url_would_read_otherwise_leads_nowhere_else(roots: list[str], tmp_path: Path) -> None:
    committed(tmp_path / "secret", "secret = True\n")
    sly = tmp_path / "code/%2e%2e/secret"
    sly.mkdir(parents=True)
    copies = copies_in(tmp_path / "home", roots)
    with pytest.raises(DuckError):
        await copies.clone(str(sly), "one")
    committed(sly, "fine = True\n")
    copy = Path(await copies.clone(str(sly), "two"))
    assert (copy / "a.py").read_text() == "fine = True\n"


def test_a_folder_of_copies_is_no_project_of_its_own(roots: list[str], tmp_path: Path) -> None:
    shared = tmp_path / "code/copies"
    (shared / "one/src").mkdir(parents=True)
    copies = copies_in(tmp_path / "home", [str(tmp_path)], str(shared))
    for folder in (shared, shared / "one", shared / "one/src", tmp_path / "code"):
        with pytest.raises(Denied, match="the copies that the server made"):
            copies.own_folder(str(folder))
    assert copies.own_folder(f"{tmp_path}/code/shop") == f"{tmp_path}/code/shop"


async def test_what_a_killed_git_left_half_done_is_finished_and_what_people_changed_is_not_lost(
    roots: list[str], tmp_path: Path
) -> None:
    remote, copies = tmp_path / "code/shop", copies_in(tmp_path / "home", roots)
    committed(remote, "one = 1\n")
    copy = Path(await copies.clone(str(remote), "one"))
    write_tree(remote, {"b.py": "new = True\n"})
    committed(remote, "two = 2\n")
    write_tree(copy, {"b.py": "new = True\n", "mine.py": "mine = True\n"})  # as killed after one of two files
    (copy / ".git/duck-begun").write_text(head_of(remote))
    with pytest.raises(Conflict, match=r"1 paths, such as 'mine\.py'"):
        await copies.fetch(str(copy), Said().begin)
    (copy / "mine.py").unlink()
    await copies.fetch(str(copy), Said().begin)
    assert [(copy / name).read_text() for name in ("a.py", "b.py")] == ["two = 2\n", "new = True\n"]
    write_tree(copy, {"b.py": "mine = True\n"})
    with pytest.raises(Conflict, match=r"1 paths, such as 'b\.py'"):
        await copies.fetch(str(copy), Said().begin)


async def test_a_shared_disk_that_is_not_mounted_is_told_from_an_empty_folder(roots: list[str], tmp_path: Path) -> None:
    committed(tmp_path / "code/shop", "one = 1\n")
    shared = tmp_path / "disk"
    shared.mkdir()
    home = tmp_path / "home"
    copies = copies_in(home, roots, str(shared))
    await copies.clone(str(tmp_path / "code/shop"), "one")
    copies_in(tmp_path / "other", roots, str(shared))  # which sees it as well
    shared.rename(tmp_path / "unmounted")
    shared.mkdir()
    with pytest.raises(Unavailable, match="is its disk mounted"):
        await copies.clone(str(tmp_path / "code/shop"), "two")
    for node in (home, tmp_path / "other"):
        with pytest.raises(InvalidSettings, match="is its disk mounted"):
            copies_in(node, roots, str(shared))
    assert list(shared.iterdir()) == []


async def test_a_lock_that_a_killed_git_left_is_broken_once_nobody_can_hold_it(
    roots: list[str], tmp_path: Path
) -> None:
    remote, copies = tmp_path / "code/shop", copies_in(tmp_path / "home", roots)
    committed(remote, "one = 1\n")
    copy = Path(await copies.clone(str(remote), "one"))
    committed(remote, "two = 2\n")
    lock = copy / ".git/index.lock"
    lock.touch()
    with pytest.raises(DuckError):
        await copies.fetch(str(copy), Said().begin)  # somebody may be at it
    os.utime(lock, (0, 0))
    await copies.fetch(str(copy), Said().begin)
    assert (copy / "a.py").read_text() == "two = 2\n"


def copies_in(home: Path, roots: Sequence[str] = (), shared: str = "", **workspace: Any) -> Copies:  # Any: settings
    """The copies of a node whose home folder is that one."""
    section = WorkspaceSettings(roots=tuple(roots), copies=shared, **workspace)
    return Copies(replace(Settings(), home=str(home), workspace=section))


async def test_what_could_not_be_copied_leaves_nothing_behind(roots: list[str], tmp_path: Path) -> None:
    copies = copies_in(tmp_path / "home", roots)
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


def head_of(remote: Path) -> str:
    """The commit that a repository is at."""
    git = ("git", "rev-parse", "HEAD")
    return subprocess.run(git, cwd=remote, check=True, capture_output=True, text=True).stdout.strip()


async def test_what_was_changed_in_a_copy_is_not_lost_unless_somebody_says_so(roots: list[str], tmp_path: Path) -> None:
    remote, copies = tmp_path / "code/shop", copies_in(tmp_path / "home", roots)
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
    environment = Access(token_for(remote, tokens)).environment(remote)

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
    assert Access().environment(remote) == {}
    assert "s3cret" not in repr(Access("s3cret"))


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


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    """One with the repository `shop.git`, for who has a token."""
    folder = tmp_path / "host"
    committed(tmp_path / "work", "one = 1\n")
    subprocess.run(["git", "clone", "-q", "--bare", tmp_path / "work", folder / "shop.git"], check=True)
    with git_host(folder, token="x-access-token:s3cret") as there:
        yield there


def pushed(work: Path, remote: Path, content: str) -> None:
    """The remote has a file with that content, from somebody's folder of work."""
    committed(work, content)
    subprocess.run(["git", "push", "-q", remote, "HEAD"], cwd=work, check=True)


def reading(host: GitHost, folder: Path, token: str) -> Copies:
    """The copies of a node that has this token for the host, none without one, and trusts its authority."""
    tokens: tuple[str, ...] = ()
    if token:
        file = folder / f"token-{token}"
        file.write_text(token)
        file.chmod(0o600)
        tokens = (f"{host.name}={file}",)
    return copies_in(folder / "home", git_tokens=tokens, git_authority=str(host.authority))


async def test_a_private_remote_is_read_with_the_token_of_its_host_which_stays_out_of_the_copy(
    host: GitHost, tmp_path: Path
) -> None:
    copies, said = reading(host, tmp_path, "s3cret"), Said()
    copy = Path(await copies.clone(host.url("shop.git"), "one"))
    pushed(tmp_path / "work", host.folder / "shop.git", "two = 2\n")
    await copies.fetch(str(copy), said.begin)
    assert ((copy / "a.py").read_text(), said.times) == ("two = 2\n", 1)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    for secret in (b"s3cret", b"eC1hY2Nlc3MtdG9rZW46czNjcmV0", b"Authorization"):
        assert secret not in kept


@pytest.mark.parametrize(
    ("token", "why"),
    [("wrong", "does not accept the token that workspace.git_tokens names"), ("", "name a file with a")],
)
async def test_who_has_not_the_token_of_a_private_remote_is_told_so(
    host: GitHost, tmp_path: Path, token: str, why: str
) -> None:
    with pytest.raises(Denied, match=f"{host.name} .*{why}"):
        await reading(host, tmp_path, token).clone(host.url("shop.git"), "one")


async def test_a_host_that_nobody_vouches_for_is_told_no_token(host: GitHost, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificate(other)
    copies = reading(dataclasses.replace(host, authority=other / "authority.pem"), tmp_path, "s3cret")
    with pytest.raises(Unavailable, match=r"certificate.*workspace\.git_authority"):
        await copies.clone(host.url("shop.git"), "one")
    assert host.asked == []
    with pytest.raises(InvalidSettings, match="there is no file"):
        await copies_in(tmp_path / "home", git_authority="/gone").clone(host.url("shop.git"), "one")


async def test_a_host_that_sends_people_elsewhere_is_not_followed_there(host: GitHost, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with git_host(tmp_path / "other") as other:
        host.elsewhere = f"https://{other.name}"
        with pytest.raises(Unavailable, match="302"):
            await reading(host, tmp_path, "s3cret").clone(host.url("shop.git"), "one")
        assert (len(host.asked), other.asked) == (1, [])


async def test_nodes_with_one_shared_folder_have_one_copy_between_them(roots: list[str], tmp_path: Path) -> None:
    remote, shared, said = tmp_path / "code/shop", tmp_path / "shared", Said()
    committed(remote, "one = 1\n")
    with pytest.raises(InvalidSettings, match="is no folder here"):
        copies_in(tmp_path / "one", roots, str(shared))
    shared.mkdir(mode=0o700)
    one, two = (copies_in(tmp_path / name, roots, str(shared)) for name in ("one", "two"))
    copy = await one.clone(str(remote), "a")
    committed(remote, "two = 2\n")
    await two.fetch(copy, said.begin)
    assert (shared / "a/a.py").read_text() == "two = 2\n"
    alone = copies_in(tmp_path / "three", roots)
    with pytest.raises(InvalidInput, match="was not copied"):
        await alone.fetch(copy, said.begin)  # what lies among others' copies is none of its own
    await two.forget(copy)
    assert [each.name for each in shared.iterdir()] == [".duck-copies"]
    shutil.rmtree(shared)
    with pytest.raises(Unavailable, match="is its disk mounted"):
        await one.clone(str(remote), "b")
    with pytest.raises(Unavailable, match="this node has not the folder"):
        await two.fetch(copy, said.begin)
    assert not shared.exists()
