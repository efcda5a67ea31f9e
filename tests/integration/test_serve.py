"""A real server: who gets in, what they may do, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.integration.duck import duck
from tests.integration.serving import Client, Served, project_at, serving, two_nodes
from tests.servers import PostgresServer, RedisServer, absent, running_postgres, wheel_binaries

PHOENIX = Path(__file__).parents[1] / "phoenix"
RECITING = (sys.executable, "-P", "-m", "benchmarks.reciting")
"""`duck` with one more engine, which streams 2,000 pieces."""


@dataclass(frozen=True, slots=True)
class Team:
    """A server with a project, a member of it and an administrator."""

    server: Served
    project: str
    member: str
    administrator: str
    folder: Path

    @property
    def topic(self) -> str:
        """The project's topic."""
        return f"code:{self.project}"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One server for this module."""
    folder = tmp_path_factory.mktemp("team")
    project = project_at(folder / "hello", folder / "home")
    with serving(folder / "home", program=RECITING, PYTHONPATH=os.fspath(Path(__file__).parents[2])) as server:
        member = server.key_for("bob", project=project)
        yield Team(server, project, member, server.key_for("ann", role="administrator"), folder / "hello")


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, object]]:
    """Status and JSON of a request without a body."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers, method=method), timeout=30
        ) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_only_this_machines_own_addresses_are_served(tmp_path: Path) -> None:
    refused = duck("serve", "--host", "0.0.0.0", home=tmp_path)
    assert refused.returncode == 2
    assert "what is said could be read on the way" in refused.stderr


def test_a_port_that_is_taken_is_said(team: Team) -> None:
    refused = duck("serve", "--port", str(team.server.port), home=team.server.home)
    assert refused.returncode == 2
    assert f"the port {team.server.port} of 127.0.0.1 is taken" in refused.stderr


def test_health_is_for_everybody_as_far_as_it_says_nothing(team: Team) -> None:
    assert answer(f"{team.server.http}/health/live") == (200, {"ok": True})
    assert answer(f"{team.server.http}/health/ready") == (200, {"ok": True})
    assert answer(f"{team.server.http}/health")[0] == 401
    assert answer(f"{team.server.http}/health", Authorization=f"Bearer {team.member}")[0] == 403
    status, health = answer(f"{team.server.http}/health", Authorization=f"Bearer {team.administrator}")
    assert (status, health["ok"]) == (200, True)
    parts = health["parts"]
    assert isinstance(parts, dict)
    assert {"cluster", "database", "disk", "engines"} < set(parts)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"Authorization": "Bearer duck_x"}, "", 401),
        ({"Host": "evil.example"}, "", 403),
        ({"Origin": "https://evil.example"}, "", 403),
        ({}, "&token=x", 400),
        ({}, "&vsn=1.0.0", 400),
    ],
)
def test_who_is_not_let_in_learns_why(team: Team, headers: dict[str, str], query: str, status: int) -> None:
    given = {"Authorization": f"Bearer {team.member}"} | headers if headers or query else {}
    if "Host" in given:
        assert answer(f"{team.server.http}/health/live", Host="evil.example")[0] == status
        return
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"{team.server.socket}?x=1".replace("x=1", f"vsn=2.0.0{query}"), additional_headers=given, open_timeout=30
        ),
    ):
        pass
    assert refused.value.response.status_code == status
    assert refused.value.response.body


def test_who_can_set_no_header_comes_in_by_the_ticket_in_a_join(team: Team) -> None:
    asked = urllib.request.Request(
        f"{team.server.http}/api/v1/tickets", None, {"Authorization": f"Bearer {team.member}"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=60) as reply:
        ticket = json.loads(reply.read())["ticket"]
    address = f"{team.server.socket}?vsn=2.0.0"
    with connect(address, open_timeout=30) as wire:
        browser = Client(wire)
        assert browser.ask("cli:me", "phx_join", {"ticket": ticket})["response"]["person"] == "bob"
        assert browser.ask(f"code:{team.project}", "phx_join", {"ticket": ticket})["status"] == "ok"
    with connect(address, open_timeout=30) as wire:
        again = Client(wire)
        assert again.ask("cli:me", "phx_join", {"ticket": ticket})["response"]["code"] == "unauthenticated"
        with pytest.raises(ConnectionClosed) as closed:
            again.wait_for_the_end()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_a_member_searches_in_their_project_and_nowhere_else(team: Team) -> None:
    (team.folder / "since.py").write_text("def hatched():\n    return 1\n")
    (team.folder / ".gitignore").write_text("secret.py\n")
    (team.folder / "secret.py").write_text("def password():\n    return 'x'\n")
    with Client.at(team.server.socket, team.member) as client:
        joined = client.ask(team.topic, "phx_join")
        assert (joined["status"], joined["response"]["name"]) == ("ok", "hello")
        found = client.ask(team.topic, "run", {"engine": "search", "request": {"query": "greet"}})
        assert [hit["path"] for hit in found["response"]["hits"]] == ["hello.py"]
        newer = client.ask(team.topic, "run", {"engine": "search", "request": {"query": "hatched"}})
        assert [hit["path"] for hit in newer["response"]["hits"]] == ["since.py"]
        for engine, request, code in (
            ("search", {"query": "x", "project": "/etc"}, "invalid_input"),
            ("outline", {"path": "/etc/passwd"}, "invalid_path"),
            ("outline", {"path": "secret.py"}, "not_found"),
            ("explain", {"at": "secret.py:1"}, "not_found"),
            ("projects", {"type": "list"}, "denied"),
            ("nothing", {}, "unknown_name"),
        ):
            refused = client.ask(team.topic, "run", {"engine": engine, "request": request})
            assert (refused["status"], refused["response"]["code"]) == ("error", code), engine
        other = client.ask("code:00000000-0000-7000-8000-000000000000", "phx_join")
        assert other["response"]["code"] == "not_found"
        assert client.ask("status:server", "phx_join")["response"]["code"] == "denied"


def test_an_administrator_sees_health_and_no_project(team: Team) -> None:
    with Client.at(team.server.socket, team.administrator) as client:
        assert client.ask("status:server", "phx_join")["status"] == "ok"
        assert client.ask("status:server", "health")["response"]["sockets"] >= 1
        assert client.ask(team.topic, "phx_join")["response"]["code"] == "not_found"


def test_a_role_that_is_taken_ends_the_topic_and_a_revoked_key_the_connection(team: Team) -> None:
    key = team.server.key_for("cem", project=team.project, project_role="viewer")
    with Client.at(team.server.socket, key) as client:
        assert client.ask(team.topic, "phx_join")["response"]["rights"] == ["catalog.read", "file.read", "project.read"]
        team.server.admin("role", "set", team.project, "cem", "none")
        while json.loads(client.wire.recv(timeout=30))[3] != "phx_error":
            continue
        assert client.ask(team.topic, "phx_join")["response"]["code"] == "not_found"
        team.server.admin("key", "revoke", key.split("_")[1])
        with pytest.raises(ConnectionClosed) as closed:
            client.wire.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    with pytest.raises(InvalidStatus), Client.at(team.server.socket, key):
        pass


def test_work_goes_on_without_its_socket_and_not_without_its_key(team: Team) -> None:
    key = team.server.key_for("lou", project=team.project)
    other = team.server.admin("key", "add", "lou").strip()
    with Client.at(team.server.socket, key) as client:
        client.ask("cli:me", "phx_join")
        client.wire.send(json.dumps(["1", "9", "cli:me", "run", {"engine": "linger"}]))
        while (received := json.loads(client.wire.recv(timeout=30)))[3] != "started":
            continue
    go_on = {"stream": received[4]["stream"], "offset": 0}
    with Client.at(team.server.socket, other) as again:
        again.ask("cli:me", "phx_join")
        again.wire.send(json.dumps(["1", "9", "cli:me", "resume", go_on]))
        assert json.loads(again.wire.recv(timeout=30))[4]["offset"] == 0
        team.server.admin("key", "revoke", key.split("_")[1])
        while (received := json.loads(again.wire.recv(timeout=30)))[3] != "phx_reply":
            continue
        assert (received[4]["status"], received[4]["response"]["code"]) == ("error", "denied")


def test_what_is_refused_does_not_name_the_servers_folder(team: Team) -> None:
    with Client.at(team.server.socket, team.member) as client:
        client.ask(team.topic, "phx_join")
        for engine, request in (
            ("outline", {"path": "gone.py"}),
            ("analyze", {"paths": ["gone.py"]}),
            ("explain", {"at": "gone.py:1"}),
            ("check", {"paths": ["gone.py"]}),
            ("imports", {"path": "gone.py"}),
            ("edit", {"text": "gone.py", "apply": True}),
        ):
            refused = client.ask(team.topic, "run", {"engine": engine, "request": request})
            assert str(team.folder.parent) not in json.dumps(refused), engine
        (team.folder / "duck.toml").write_text("[server]\nsecret = 'x'\n")
        refused = client.ask(team.topic, "run", {"engine": "outline", "request": {"path": "hello.py"}})
        (team.folder / "duck.toml").unlink()
        assert refused["status"] == "error"
        assert str(team.folder.parent) not in json.dumps(refused)


def test_when_nobody_can_say_who_may_what_every_connection_ends(tmp_path: Path) -> None:
    with running_postgres(wheel_binaries(), authority=None) as database:
        database.sql('CREATE DATABASE "team"')
        shared = {"DUCK_DATABASE_URL": database.url("team")}
        with serving(tmp_path / "home", **shared) as server:
            key = server.key_for("bob")
            with Client.at(server.socket, key) as client:
                assert client.ask("phoenix", "heartbeat")["status"] == "ok"
                database.stop()
                with pytest.raises(ConnectionClosed) as closed:
                    client.wait_for_the_end()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1013
            with pytest.raises(InvalidStatus) as refused, Client.at(server.socket, key):
                pass
            assert refused.value.response.status_code == 503
            database.start()
            with Client.at(server.socket, key) as client:
                assert client.ask("phoenix", "heartbeat")["status"] == "ok"


@pytest.mark.parametrize("frame", ["nonsense", "[1,2,3]", b"\x09", "[" * 100_000])
def test_what_is_no_frame_ends_the_connection_and_nothing_else(team: Team, frame: str | bytes) -> None:
    with Client.at(team.server.socket, team.member) as client:
        client.wire.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            client.wire.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert answer(f"{team.server.http}/health/live")[0] == 200


def test_the_official_phoenix_client_speaks_to_it(team: Team) -> None:
    if not (PHOENIX / "node_modules" / "phoenix").is_dir():
        absent("The official Phoenix client (tests/servers.sh fetches it)")
    keys = [team.server.key_for(name, project=team.project) for name in ("tabs", "third")]
    (team.folder / "bytes.py").write_bytes("quack = '\N{DUCK}'\r\n".encode())
    assert (
        answer(f"{team.server.http}/api/v1/projects/{team.project}/analyze", "POST", Authorization=f"Bearer {keys[0]}")[
            0
        ]
        == 200
    )
    url = team.server.socket.removesuffix("/websocket")
    done = subprocess.run(
        ["node", PHOENIX / "conversation.mjs", url, team.project, *keys],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        ["joined", "hello"],
        ["refused", ["error", "not_found"]],
        ["not an operator", ["error", "denied"]],
        ["searched", ["ok", ["hello.py"]]],
        ["any folder", ["error", "invalid_path"]],
        ["no such event", ["error", "unknown_name"]],
        ["streamed", {"started": True, "pieces": 2000, "in order": True, "whole": True}],
        ["cancelled", ["error", "conflict"]],
        ["bytes are no JSON", ["error", "invalid_input"]],
        ["a file in bytes", ["ok", "quack = '\N{DUCK}'\r\n"]],
        ["two tabs", {"tabs": 2}],
        ["a third", {"tabs": 2, "third": 1}],
        ["cursor", {"path": "a.py", "line": 1, "column": 2}],
        ["one tab", {"tabs": 1, "third": 1}],
        ["two people again", {"tabs": 1}],
        ["joined again after a cut", True],
        ["still answers", "ok"],
        ["a heartbeat is answered", "ok"],
        ["a heartbeat that is not answered ends the connection", "heartbeat timeout"],
        ["and it comes back", "ok"],
    ], done.stderr


def test_it_ends_with_open_sockets_which_are_told(tmp_path: Path) -> None:
    project = project_at(tmp_path / "hello", tmp_path / "home")
    with serving(tmp_path / "home") as server, Client.at(server.socket, server.key_for("bob", project=project)) as one:
        assert one.ask(f"code:{project}", "phx_join")["status"] == "ok"
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            one.wait_for_the_end()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (1001, 1012)
        assert server.process.wait(30) == 0


def _wait_for(name: str, client: Client) -> None:
    """Until the client is told that somebody of that name is there."""
    while True:
        received = json.loads(client.wire.recv(timeout=30))
        if received[3] in ("presence_state", "presence_diff") and f'"{name}"' in json.dumps(received[4]):
            return


def test_two_processes_are_one_server(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    with two_nodes(tmp_path, postgres_server, redis_server) as (here, there, project):
        topic = f"code:{project}"
        ann, bob = (here.key_for(name, project=project) for name in ("ann", "bob"))
        with Client.at(here.socket, ann) as first, Client.at(there.socket, bob) as second:
            first.ask(topic, "phx_join")
            second.ask(topic, "phx_join")
            _wait_for("ann", second)  # who was there before is told by the other process
            members = second.ask(topic, "members")["response"].values()
            assert {person["metas"][0]["name"] for person in members} == {"ann", "bob"}
            second.ask(topic, "cursor", {"path": "hello.py", "line": 1, "column": 1})
            while (received := json.loads(first.wire.recv(timeout=30)))[3] != "cursor":
                continue  # who is there was told before
            assert received[4]["cursor"]["path"] == "hello.py"
            here.admin("key", "revoke", bob.split("_")[1])
            with pytest.raises(ConnectionClosed):
                second.wait_for_the_end()
