"""HTTP for browsers, for hosts of Git remotes and for operators, against a real server."""

from __future__ import annotations

import hashlib
import hmac
import io
import subprocess
import tarfile
import time
from collections.abc import Iterator

import pytest

from tests.integration.house import PASSWORD, House, house_in
from tests.integration.serving import Client


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for this module."""
    with house_in(tmp_path_factory.mktemp("http")) as found:
        yield found


def test_a_browsers_cookie_changes_nothing_without_the_token_of_our_own_pages(house: House) -> None:
    code = house.ask("POST", "/invitations", "ann", {"name": "cora"}).json["invitation"]
    accepted = {"invitation": code, "name": "cora", "password": PASSWORD, "cookie": True}
    assert house.ask("POST", "/invitations/accept", body=accepted).json["session"] == ""
    signed = house.ask("POST", "/session", body={"name": "cora", "password": PASSWORD, "cookie": True})
    written = signed.headers["set-cookie"]
    assert written.startswith("duck-session=ducks_")
    assert written.endswith("; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax")
    cookie, csrf = written.partition(";")[0], signed.json["csrf"]
    assert signed.json["session"] == ""
    assert house.ask("GET", "/me", Cookie=cookie).json["name"] == "cora"
    assert house.ask("GET", "/session", Cookie=cookie).json["csrf"] == csrf
    for headers in ({}, {"X_CSRF_Token": "0" * 64}, {"X_CSRF_Token": csrf, "Origin": "https://evil.example"}):
        refused = house.ask("POST", "/tickets", Cookie=cookie, **headers)
        assert (refused.status, refused.json["code"]) == (403, "denied")
    ticket = house.ask("POST", "/tickets", Cookie=cookie, X_CSRF_Token=csrf).json["ticket"]
    with Client.at(house.server.socket, ticket) as client:
        assert client.ask("cli:me", "phx_join")["response"]["person"] == "cora"
    for other in (f"duck-session={house.keys['ann']}", "duck-session=x", "__Host-" + cookie, 'duck-session="'):
        assert house.ask("GET", "/me", Cookie=other).status == 401
    assert house.ask("GET", "/session", "ann").status == 404
    ended = house.ask("DELETE", "/session", Cookie=cookie, X_CSRF_Token=csrf)
    assert ended.headers["set-cookie"].startswith("duck-session=; Max-Age=0;")
    assert house.ask("GET", "/me", Cookie=cookie).status == 401


def test_a_git_remote_is_copied_and_fetched_with_its_hooks_off(house: House) -> None:
    remote = house.server.home.parent / "code/remote"
    remote.mkdir()

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *arguments], cwd=remote, check=True, capture_output=True)

    git("init", "-q")
    (remote / "a.py").write_text("one = 1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    hook = remote / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {house.server.home.parent}/ran\n")
    hook.chmod(0o755)
    made = house.ask("POST", "/projects", "ann", {"remote": str(remote), "name": "copied"})
    assert made.status == 201, made.content
    path = f"/projects/{made.json['id']}"
    assert house.ask("POST", f"{path}/analyze", "ann").json["files"] == 1
    assert house.ask("GET", f"{path}/files/a.py", "ann").content == b"one = 1\n"
    (remote / "a.py").write_text("two = 2\n")
    git("commit", "-qam", "two")
    assert house.ask("POST", f"{path}/fetch", "ann").status == 200
    assert house.ask("GET", f"{path}/files/a.py", "ann").content == b"two = 2\n"
    assert not (house.server.home.parent / "ran").exists()
    assert house.ask("POST", f"/projects/{house.project}/hook", "olga").json["code"] == "invalid_input"
    made = house.ask("POST", f"{path}/hook", "ann").json
    (remote / "a.py").write_text("three = 3\n")
    git("commit", "-qam", "three")
    body, told = b'{"ref": "refs/heads/main"}', made["path"].removeprefix("/api/v1")
    signed = hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest()
    assert house.ask("POST", told, body=body, X_Hub_Signature_256=f"sha256={'0' * 64}").status == 401
    assert house.ask("POST", told, body=body, X_Hub_Signature_256=f"sha256={signed}").json == {"fetches": True}
    assert house.ask("POST", told, body=body, X_Hub_Signature_256=f"sha256={signed}").status == 409
    until = time.monotonic() + 30
    while house.ask("GET", f"{path}/files/a.py", "ann").content != b"three = 3\n":
        assert time.monotonic() < until
    assert not (house.server.home.parent / "ran").exists()


def test_a_node_that_has_not_a_projects_folder_says_so_and_names_no_path(house: House) -> None:
    content, copies = io.BytesIO(), house.server.home / "projects"
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(house.server.home.parent / "code/shop/a.py", "shop/a.py")
    before = set(copies.iterdir()) if copies.exists() else set()
    made = house.ask("POST", "/projects/upload?name=away", "ann", content.getvalue()).json["id"]
    path, (folder,) = f"/projects/{made}", set(copies.iterdir()) - before
    assert house.ask("POST", f"{path}/analyze", "ann").status == 200
    folder.rename(house.server.home.parent / "away")  # as on another machine
    refused: list[object] = [
        house.ask(method, f"{path}/{what}", "ann", body).json
        for method, what, body in (
            ("GET", "files/a.py", None),
            ("POST", "analyze", None),
            ("GET", "search?q=f", None),
            ("POST", "run", {"engine": "outline", "request": {"path": "a.py"}}),
            ("POST", "runs", {"workflow": "analyze-project"}),
            ("POST", "fetch", None),
            ("POST", "hook", None),
        )
    ]
    with Client.at(house.server.socket, house.keys["ann"]) as client:
        for topic in (f"project:{made}", f"code:{made}"):
            assert client.ask(topic, "phx_join")["status"] == "ok"
        refused += [
            client.ask(f"project:{made}", "file", {"path": "a.py"})["response"],
            client.ask(f"project:{made}", "start", {"workflow": "analyze-project"})["response"],
            client.ask(f"code:{made}", "run", {"engine": "search", "request": {"query": "f"}})["response"],
        ]
    for each in refused:
        assert isinstance(each, dict)
        said = each.get("detail") or each["message"]
        assert (each["code"], each["retryable"]) == ("unavailable", True)
        assert said.startswith("this node has not the folder of the project: every node needs it at the same path")
        assert str(house.server.home.parent) not in said
    for what in ("", "/files", "/findings"):  # these are in the database, and so on every node
        assert house.ask("GET", f"{path}{what}", "ann").status == 200
    part = house.ask("GET", "/health", "ann").json["parts"]["projects"]
    assert (part["ok"], "1 copies have not" in part["detail"]) == (False, True)
    (house.server.home.parent / "away").rename(folder)
    assert house.ask("GET", f"{path}/files/a.py", "ann").status == 200
    assert house.ask("DELETE", path, "ann").status == 200


def test_an_administrator_lets_somebody_choose_another_password(house: House) -> None:
    assert house.ask("POST", "/users/nobody/reset", "ann").status == 404
    made = house.ask("POST", "/users/nina/reset", "ann")
    assert made.status == 201
    code = house.server.admin("user", "password", "nina").strip()
    for invitation, status in ((made.json["invitation"], 401), (code, 201)):
        body = {"invitation": invitation, "name": "nina", "password": PASSWORD}
        assert house.ask("POST", "/invitations/accept", body=body).status == status
    assert house.ask("POST", "/session", body={"name": "nina", "password": PASSWORD}).json["name"] == "nina"


def test_operators_see_health_metrics_users_and_the_audit(house: House) -> None:
    assert house.ask("GET", "/health/live").json == {"ok": True}
    with Client.at(house.server.socket, house.keys["ann"]) as client:
        client.ask("cli:me", "phx_join")
        client.ask("cli:me", "projects")
        client.ask("cli:me", "nothing")
        until = time.monotonic() + 60
        while not (health := house.ask("GET", "/health", "ann").json)["ok"] and time.monotonic() < until:
            continue  # a part may be late while the machine is busy
        metrics = house.ask("GET", "/metrics", "ann")
    assert (health["sockets"], health["sockets_by_kind"]) == (1, {"key": 1})
    assert set(health["parts"]) == {
        *("database", "cluster", "queue", "providers", "index", "projects", "memory", "disk", "engines", "background"),
    }
    assert {name: part for name, part in health["parts"].items() if not part["ok"]} == {}
    assert health["parts"]["providers"]["detail"] == "none is connected"
    assert health["parts"]["index"]["detail"].startswith("1 of ")
    numbers = dict(line.rsplit(" ", 1) for line in metrics.content.decode().splitlines() if line[0] != "#")
    for name, least in (
        ('duck_channel_members{topic="cli"}', 1),
        ('duck_channel_joined_total{topic="cli"}', 1),
        ('duck_channel_frames_total{topic="cli"}', 3),
        ('duck_channel_seconds_count{event="projects",status="ok",topic="cli"}', 1),
        ('duck_sockets{kind="key"}', 1),
        ("duck_socket_frames_sent_total", 3),
    ):
        assert float(numbers[name]) >= least, name
    assert float(numbers["duck_socket_waiting_bytes"]) == 0
    assert b'duck_http_requests_total{route="GET /health/live",status="200"}' in metrics.content
    assert b"duck_sockets" in metrics.content
    users = house.ask("GET", "/users?limit=2", "ann").json
    assert [each["name"] for each in users["users"]] == ["ann", "ivan"] or len(users["users"]) == 2
    more = house.ask("GET", f"/users?limit=2&cursor={users['next']}", "ann").json
    assert not {each["name"] for each in users["users"]} & {each["name"] for each in more["users"]}
    audit = house.ask("GET", "/audit", "ann").json
    assert (audit["wrong"], audit["entries"][0]["number"] > 1) == ("", True)
    key = house.server.key_for("dora")
    assert house.ask("PUT", "/users/dora/disabled", "ann", {"disabled": True}).status == 200
    assert house.ask("GET", "/me", key).status == 401
