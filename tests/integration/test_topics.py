"""The topics of a real server that tell what happens: of a project, of a person, of the server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import Client, Served, project_at, serving, two_nodes
from tests.servers import PostgresServer, RedisServer

WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Team:
    """A server with a project, two members of it, a viewer and an administrator."""

    server: Served
    folder: Path
    project: str
    bob: str
    eve: str
    viewer: str
    administrator: str

    @property
    def topic(self) -> str:
        """The project's topic."""
        return f"project:{self.project}"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One server for this module."""
    folder = tmp_path_factory.mktemp("topics")
    project = project_at(folder / "hello", folder / "home")
    with serving(folder / "home") as server:
        bob, eve = (server.key_for(name, project=project) for name in ("bob", "eve"))
        viewer = server.key_for("vic", project=project, project_role="viewer")
        yield Team(server, folder / "hello", project, bob, eve, viewer, server.key_for("ann", role="administrator"))


def heard(client: Client, event: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:  # Any: JSON
    """The payload of the next event of that name that fits."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        received = json.loads(client.wire.recv(timeout=WAIT_S))
        if received[3] == event and fits(received[4]):
            return received[4]
    raise TimeoutError(event)


def analysed(client: Client, topic: str) -> dict[str, Any]:
    """A run that was started and has ended, as its starter sees it."""
    started = client.ask(topic, "start", {"workflow": "analyze-project", "request": {"format": "json"}})
    assert started["status"] == "ok", started
    run: dict[str, Any] = started["response"]
    heard(client, "job", lambda job: job["run"] == run["id"] and job["state"] == "done")
    return run


def test_a_member_starts_work_on_the_project_and_everybody_there_hears_how_it_goes(team: Team) -> None:
    with (
        Client.at(team.server.socket, team.bob) as bob,
        Client.at(team.server.socket, team.viewer) as viewer,
        Client.at(team.server.socket, team.administrator) as operator,
    ):
        for client in (bob, viewer):
            assert client.ask(team.topic, "phx_join")["response"]["name"] == "hello"
        operator.ask("status:server", "phx_join")
        run = analysed(bob, team.topic)
        for client in (viewer, operator):
            job = heard(client, "job", lambda job: job["run"] == run["id"] and job["state"] == "done")
            assert (job["workflow"], job["error"]) == ("analyze-project", "")
        shown = wait_until_done(bob, team.topic, run["id"])
        assert (shown["answer"]["files"], shown["answer"]["project"]) == (1, "hello")
        assert next(step["name"] for step in shown["steps"]) == "validate"
        assert run["id"] in {each["id"] for each in bob.ask(team.topic, "jobs")["response"]["runs"]}
        queues = operator.ask("status:server", "jobs")["response"]["queues"]
        assert {each["queue"]: each["by_state"] for each in queues}["analysis"]["done"] >= 1


def wait_until_done(client: Client, topic: str, run: str) -> dict[str, Any]:
    """A run with its steps, once it is kept as done."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        shown: dict[str, Any] = client.ask(topic, "job", {"run": run, "act": "show"})["response"]
        if shown["state"] == "done":
            return shown
    raise TimeoutError(run)


def test_runs_are_their_starters_own_and_a_viewer_starts_none(team: Team) -> None:
    with Client.at(team.server.socket, team.bob) as bob, Client.at(team.server.socket, team.eve) as eve:
        bob.ask(team.topic, "phx_join")
        eve.ask(team.topic, "phx_join")
        run = analysed(bob, team.topic)
        for act in ("show", "cancel", "pause", "resume", "retry"):
            refused = eve.ask(team.topic, "job", {"run": run["id"], "act": act})
            assert (refused["status"], refused["response"]["code"]) == ("error", "not_found")
        assert run["id"] not in {each["id"] for each in eve.ask(team.topic, "jobs")["response"]["runs"]}
    with Client.at(team.server.socket, team.viewer) as viewer:
        viewer.ask(team.topic, "phx_join")
        for event, payload in (("start", {"workflow": "analyze-project"}), ("jobs", {}), ("job", {"run": run["id"]})):
            assert viewer.ask(team.topic, event, payload)["response"]["code"] == "denied"


def test_only_work_on_this_very_project_is_started(team: Team) -> None:
    with Client.at(team.server.socket, team.bob) as bob:
        bob.ask(team.topic, "phx_join")
        assert "analyze-project" in bob.ask(team.topic, "workflows")["response"]["workflows"]
        for payload, code in (
            ({"workflow": "analyze-project", "request": {"path": "/etc"}}, "invalid_input"),
            ({"workflow": "batch", "request": {"engine": "outline", "requests": [{"path": "/etc"}]}}, "denied"),
            ({"workflow": "deliver-notice", "request": {"key": "x", "by": "mail"}}, "denied"),
            ({"workflow": "nothing"}, "unknown_name"),
            ({"workflow": "analyze-project", "request": {"format": "xls"}}, "invalid_input"),
        ):
            refused = bob.ask(team.topic, "start", payload)
            assert (refused["status"], refused["response"]["code"]) == ("error", code), payload
        other = "project:00000000-0000-7000-8000-000000000000"
        assert bob.ask(other, "phx_join")["response"]["code"] == "not_found"


def test_nobody_acts_in_the_name_of_the_installation_through_an_engine(team: Team) -> None:
    start = {"type": "start", "workflow": "analyze-project", "request": {"path": "/etc"}, "wait": False}
    way = {"type": "way", "by": "mail", "to": "eve@example.org"}
    with Client.at(team.server.socket, team.eve) as eve:
        eve.ask(f"code:{team.project}", "phx_join")
        for engine, request in (
            ("workflow", start),
            ("workflow", {"type": "list"}),
            ("jobs", {}),
            ("notices", {"type": "list", "all": True}),
            ("notices", way),
        ):
            refused = eve.ask(f"code:{team.project}", "run", {"engine": engine, "request": request})
            assert (refused["status"], refused["response"]["code"]) == ("error", "denied"), (engine, request)
        eve.ask("cli:me", "phx_join")
        for engine, request in (("workflow", start), ("workflow", {"type": "list"}), ("jobs", {})):
            refused = eve.ask("cli:me", "run", {"engine": engine, "request": request})
            assert (refused["status"], refused["response"]["code"]) == ("error", "denied"), (engine, request)
        assert eve.ask("cli:me", "run", {"engine": "notices", "request": {"type": "ways"}})["status"] == "ok"


def test_members_hear_which_files_changed_and_not_of_ignored_ones(team: Team) -> None:
    with Client.at(team.server.socket, team.bob) as bob:
        bob.ask(team.topic, "phx_join")
        analysed(bob, team.topic)
    (team.folder / ".gitignore").write_text("secret*\n")
    with Client.at(team.server.socket, team.viewer) as viewer:
        viewer.ask(team.topic, "phx_join")
        until = time.monotonic() + WAIT_S
        number = 0
        while time.monotonic() < until:  # a watch begins some time after the join
            number += 1
            (team.folder / f"secret{number}.py").write_text("key = 1\n")
            (team.folder / "pond.py").write_text(f"depth = {number}\n")
            try:
                received = json.loads(viewer.wire.recv(timeout=2))
            except TimeoutError:
                continue
            if received[3] == "files":
                assert "pond.py" in received[4]["paths"]
                assert not [path for path in received[4]["paths"] if "secret" in path]
                break
        else:
            raise TimeoutError
        page = viewer.ask(team.topic, "files", {"limit": 1})["response"]
        assert [each["path"] for each in page["files"]] == ["hello.py"]


def test_what_came_while_one_was_away_waits_until_it_was_seen_on_any_device(team: Team) -> None:
    with Client.at(team.server.socket, team.eve) as eve:
        eve.ask(team.topic, "phx_join")
        run = analysed(eve, team.topic)
    with Client.at(team.server.socket, team.eve) as phone, Client.at(team.server.socket, team.eve) as desk:
        joined = phone.ask("user:me", "phx_join")["response"]
        assert joined["name"] == "eve"
        desk.ask(f"user:{joined['user']}", "phx_join")
        for device in (phone, desk):
            notice = heard(device, "notice", lambda told: told["run"] == run["id"])
            assert (notice["kind"], notice["title"]) == ("finished", "analyze-project has finished")
            assert notice["text"].startswith("hello: ")
        assert phone.ask("user:me", "seen", {"number": notice["number"]})["response"] == {"number": notice["number"]}
        assert heard(desk, "seen") == {"number": notice["number"]}
        desk.ask(team.topic, "phx_join")
        again = analysed(desk, team.topic)
        assert heard(phone, "notice")["run"] == again["id"]
    with Client.at(team.server.socket, team.eve) as later:
        assert later.ask("user:me", "phx_join")["response"]["waiting"] == 1
        assert heard(later, "notice")["run"] == again["id"]


def test_nobody_joins_the_topic_of_somebody_else(team: Team) -> None:
    with Client.at(team.server.socket, team.eve) as eve, Client.at(team.server.socket, team.bob) as bob:
        hers = eve.ask("user:me", "phx_join")["response"]["user"]
        for subject in (hers, "eve", "", "local"):
            refused = bob.ask(f"user:{subject}", "phx_join")
            assert (refused["status"], refused["response"]["code"]) == ("error", "not_found")
        for payload, code in (
            ({"by": "mail", "to": "bob@example.org", "kinds": []}, "not_configured"),
            ({"by": "webhook", "to": "team", "kinds": []}, "unknown_name"),
            ({"by": "pigeon", "to": "x", "kinds": []}, "invalid_input"),
        ):
            bob.ask("user:me", "phx_join")
            assert bob.ask("user:me", "way", payload)["response"]["code"] == code


def test_the_work_of_somebody_who_lost_their_role_stops_and_they_are_told_nothing(team: Team) -> None:
    key = team.server.key_for("cem", project=team.project)
    with Client.at(team.server.socket, key) as client:
        client.ask(team.topic, "phx_join")
        analysed(client, team.topic)
        team.server.admin("role", "set", team.project, "cem", "none")
        heard(client, "phx_error")
        assert client.ask(team.topic, "start", {"workflow": "analyze-project"})["response"]["code"] == "not_found"


def test_two_nodes_tell_of_the_same_work(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    with two_nodes(tmp_path, postgres_server, redis_server) as (here, there, project):
        topic = f"project:{project}"
        ann, bob = (here.key_for(name, project=project) for name in ("ann", "bob"))
        with Client.at(here.socket, ann) as first, Client.at(there.socket, bob) as second:
            first.ask(topic, "phx_join")
            second.ask(topic, "phx_join")
            run = analysed(first, topic)
            heard(second, "job", lambda job: job["run"] == run["id"] and job["state"] == "done")
        with Client.at(there.socket, ann) as elsewhere:
            elsewhere.ask("user:me", "phx_join")
            assert heard(elsewhere, "notice")["run"] == run["id"]
