"""The topics of a real server that tell what happens: of a project, of a person, of the server."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.house import House
from tests.integration.serving import Client, Served, project_at, ran, serving, two_nodes
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
        (team.folder / "nest.py").write_text(f"eggs = {time.monotonic_ns()}\n")
        bob.ask(team.topic, "start", {"workflow": "index-project"})
        assert heard(viewer, "indexed") == {"added": 1, "changed": 0, "removed": 0}
        (team.folder / "nest.py").unlink()
        run = analysed(bob, team.topic)
        assert heard(viewer, "analyzed")["files"] == 1
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
            ({"workflow": "batch", "request": {"engine": "outline", "requests": [{"path": "/etc"}]}}, "invalid_path"),
            ({"workflow": "batch", "request": {"engine": "jobs", "requests": [{}]}}, "denied"),
            ({"workflow": "batch", "request": {"engine": "projects", "requests": [{"type": "list"}]}}, "denied"),
            ({"workflow": "deliver-notice", "request": {"key": "x", "by": "mail"}}, "denied"),
            ({"workflow": "nothing"}, "unknown_name"),
            ({"workflow": "analyze-project", "request": {"format": "xls"}}, "invalid_input"),
        ):
            refused = bob.ask(team.topic, "start", payload)
            assert (refused["status"], refused["response"]["code"]) == ("error", code), payload
        other = "project:00000000-0000-7000-8000-000000000000"
        assert bob.ask(other, "phx_join")["response"]["code"] == "not_found"


def test_engines_of_what_is_ones_own_act_in_ones_own_name_and_never_in_that_of_the_installation(team: Team) -> None:
    queued = ("workflow", "start", "index-project", f"path={team.folder}", "--detach", "--json")
    local = json.loads(ran(*queued, home=team.server.home))["id"]
    start = {"type": "start", "workflow": "analyze-project", "request": {"path": "/etc"}, "wait": False}
    topic = f"code:{team.project}"
    with Client.at(team.server.socket, team.eve) as eve:
        eve.ask(topic, "phx_join")
        eve.ask(team.topic, "phx_join")
        run = analysed(eve, team.topic)["id"]
        listed = eve.ask(topic, "run", {"engine": "workflow", "request": {"type": "list"}})["response"]["runs"]
        assert run in {each["id"] for each in listed}
        assert local not in {each["id"] for each in listed}
        shown = eve.ask(topic, "run", {"engine": "workflow", "request": {"type": "show", "run": local}})
        assert shown["response"]["code"] == "not_found"
        told = eve.ask(topic, "run", {"engine": "notices", "request": {"type": "list", "all": True}})["response"]
        assert {each["run"] for each in told.get("notices", ())} <= {each["id"] for each in listed}
        refused = eve.ask(topic, "run", {"engine": "workflow", "request": start})
        assert (refused["status"], refused["response"]["code"]) == ("error", "invalid_input")
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


def ended(house: House, who: str, run: str) -> Any:  # Any: JSON
    """A run over HTTP, once it has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        shown = house.ask("GET", f"/projects/{house.project}/runs/{run}", who).json
        if shown["state"] not in ("waiting", "working"):
            return shown
        time.sleep(0.2)
    raise TimeoutError(run)


@pytest.fixture
def house(team: Team) -> House:
    """The same server over HTTP, with a member that no other test knows."""
    name = f"olga{time.monotonic_ns()}"
    keys = {"ann": team.administrator, "vera": team.viewer, "olga": team.server.key_for(name, project=team.project)}
    return House(team.server, team.project, keys | {"eve": team.eve})


def test_a_run_is_started_once_shown_with_its_steps_and_listed_by_page(house: House) -> None:
    runs = f"/projects/{house.project}/runs"
    body = {"workflow": "analyze-project", "request": {"format": "json"}}
    first = house.ask("POST", runs, "olga", body, Idempotency_Key="r1")
    assert first.status == 201, first.content
    again = house.ask("POST", runs, "olga", body, Idempotency_Key="r1")
    assert (again.status, again.content) == (201, first.content)
    with closing(sqlite3.connect(house.server.home / "duck.db")) as connection, connection:
        connection.execute("DELETE FROM requests")  # as when the database was away once the run was there
    lost = house.ask("POST", runs, "olga", body, Idempotency_Key="r1")
    assert (lost.status, lost.json["id"]) == (201, first.json["id"])
    run = first.json["id"]
    shown = ended(house, "olga", run[-12:])
    assert (shown["id"], shown["state"], shown["answer"]["project"]) == (run, "done", "hello")
    assert shown["steps"][0]["name"] == "validate"
    ids = [run, *(house.ask("POST", runs, "olga", body).json["id"] for _ in range(2))]
    seen, cursor = [], ""
    while True:
        page = house.ask("GET", f"{runs}?limit=2&cursor={cursor}", "olga").json
        assert len(page["runs"]) <= 2
        seen += [each["id"] for each in page["runs"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == ids[::-1]
    assert house.ask("GET", f"{runs}?workflow=batch", "olga").json == {"runs": [], "next": ""}
    assert house.ask("GET", f"{runs}?state=idle", "olga").json["code"] == "unknown_name"
    counted = house.ask("GET", f"/projects/{house.project}/jobs", "olga").json["queues"]
    assert sum(counted[0]["by_state"].values()) == 3
    assert house.ask("GET", "/jobs", "ann").json["queues"][0]["queue"] == "analysis"
    assert house.ask("GET", "/jobs", "olga").json["code"] == "denied"


def test_a_run_is_paused_goes_on_and_is_stopped(house: House) -> None:
    runs = f"/projects/{house.project}/runs"
    body = {"workflow": "analyze-project", "delay_s": 3600}
    run = house.ask("POST", runs, "olga", body).json
    assert run["state"] == "delayed"
    acts = (("pause", "paused"), ("resume", None), ("cancel", "cancelled"), ("retry", "conflict"))
    for act, state in acts:
        acted = house.ask("POST", f"{runs}/{run['id']}/{act}", "olga").json
        if act == "resume":
            ended(house, "olga", run["id"])
            run = house.ask("POST", runs, "olga", body).json
        else:
            assert acted.get("state", acted.get("code")) == state, acted
    signal = f"{runs}/{run['id']}/signals/go"
    sent = [house.ask("POST", signal, "olga", {"value": 1}, Idempotency_Key="one") for _ in range(2)]
    assert [(each.status, each.json["id"]) for each in sent] == [(200, run["id"])] * 2, sent[0].content
    assert "has not heard the 'go' yet" in house.ask("POST", signal, "olga", {"value": 1}).json["detail"]


def test_runs_are_their_starters_own_and_on_this_project_alone(house: House) -> None:
    runs = f"/projects/{house.project}/runs"
    run = house.ask("POST", runs, "olga", {"workflow": "report-project"}).json["id"]
    assert house.ask("GET", f"{runs}/{run}", "eve").json["code"] == "not_found"
    assert house.ask("POST", f"{runs}/{run}/cancel", "eve").json["code"] == "not_found"
    assert run not in {each["id"] for each in house.ask("GET", runs, "eve").json["runs"]}
    for body, code in (
        ({"workflow": "analyze-project", "request": {"path": "/etc"}}, "invalid_input"),
        ({"workflow": "analyze-project", "request": {"path": "."}, "priority": 0}, "invalid_input"),
        ({"workflow": "deliver-notice", "request": {"key": "x", "by": "mail"}}, "denied"),
        ({"workflow": "batch", "request": {"engine": "outline", "requests": [{"path": "../x"}]}}, "invalid_path"),
        ({"workflow": "batch", "request": {"engine": "nothing", "requests": [{}]}}, "unknown_name"),
        ({"workflow": "nothing"}, "unknown_name"),
    ):
        assert house.ask("POST", runs, "eve", body).json["code"] == code, body
    names = house.ask("GET", f"/projects/{house.project}/workflows", "vera").json["workflows"]
    assert {"analyze-project", "batch", "index-project", "report-project"} <= set(names)
    assert not {"deliver-notice", "consolidate-memory"} & set(names)


def test_what_changes_something_costs_the_same_as_over_http(team: Team) -> None:
    with Client.at(team.server.socket, team.server.key_for("max", project=team.project)) as client:
        client.ask(team.topic, "phx_join")
        codes = [_code(client, team.topic, "start", {"workflow": "nothing"}) for _ in range(40)]
        assert (codes[0], "rate_limited" in codes) == ("unknown_name", True)
        client.ask("user:me", "phx_join")
        codes = [_code(client, "user:me", "set", {"name": "theme", "value": str(number)}) for number in range(60)]
        assert (codes[0], "rate_limited" in codes) == ("", True)


def _code(client: Client, topic: str, event: str, payload: dict[str, Any]) -> str:
    answer = client.ask(topic, event, payload)
    return "" if answer["status"] == "ok" else str(answer["response"]["code"])
