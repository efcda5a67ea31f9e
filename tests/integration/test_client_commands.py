"""Commands that a server answers: signing in, the same commands as in one's own process, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.duck import COMMAND, duck, environment
from tests.integration.serving import Served, free_port, project_at, serving


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on another machine: their own home folder, a copy of the project, the server."""

    server: Served
    home: Path
    folder: Path
    keys: dict[str, str]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command of theirs, in their copy of the project."""
        return duck(*arguments, home=self.home, cwd=self.folder, **variables)

    def asked(self, *arguments: str, **variables: str) -> str:
        """What a command prints that has to end well."""
        done = self.run(*arguments, **variables)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A member who signed in."""
    folder = tmp_path_factory.mktemp("guest")
    project = project_at(folder / "hello", folder / "home")
    (folder / "away").mkdir()
    with serving(folder / "home") as server:
        keys = {"bob": server.key_for("bob", project=project)}
        keys["vera"] = server.key_for("vera", project=project, project_role="viewer")
        keys["ann"] = server.key_for("ann", role="administrator")
        copy = folder / "away/hello"
        copy.mkdir()
        (copy / "hello.py").write_text("def greet(name):\n    return 'hello ' + name\n")
        found = Guest(server, folder / "away/home", copy, keys)
        signed = subprocess.run(
            [*COMMAND, "login", server.http],
            env=environment(found.home),
            input=keys["bob"] + "\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert signed.returncode == 0, signed.stderr
        assert signed.stdout == f"signed in to {server.http} as bob (person)\n  hello  member\n"
        assert keys["bob"] not in signed.stdout + signed.stderr
        yield found


def test_commands_are_answered_by_the_server_and_look_the_same(guest: Guest) -> None:
    here = {"DUCK_SERVER": "local"}
    for arguments in (
        ("outline", "hello.py"),
        ("search", "greet", "--json", "--no-refresh"),
        ("rules", "sql-injection"),
        ("engines", "--json"),
    ):
        if arguments[0] == "search":
            guest.run("index", "update", ".", **here)
        there, own = guest.asked(*arguments), guest.run(*arguments, **here).stdout
        if arguments[0] == "search":
            assert json.loads(there)["hits"] == json.loads(own)["hits"]
        else:
            assert there == own
    assert "No findings in 1 file" in guest.asked("analyze", "hello.py")
    assert "hello.py:2" in guest.asked("context", "hello.py:2")


def test_who_one_is_and_which_projects_there_are(guest: Guest) -> None:
    status = json.loads(guest.asked("auth", "status", "--json"))
    assert (status["person"], status["role"], status["url"]) == ("bob", "person", guest.server.http)
    assert [(each["name"], each["role"]) for each in status["projects"]] == [("hello", "member")]
    assert json.loads(guest.asked("projects", "list", "-f", "json"))["projects"][0]["name"] == "hello"
    assert json.loads(guest.asked("auth", "list", "--json"))[0]["used"] is True
    assert "well" in guest.asked("health")
    health = json.loads(guest.asked("health", "--json", DUCK_API_KEY=guest.keys["ann"]))
    assert health["parts"]["database"]["ok"] is True
    assert health["uptime_s"] > 0


def test_what_the_role_or_the_server_does_not_allow_is_a_sentence(guest: Guest) -> None:
    patch = guest.folder / "patch"
    patch.write_text("--- a/hello.py\n+++ b/hello.py\n@@ -2 +2 @@\n-    return 'hello ' + name\n+    return name\n")
    for arguments, key, said in (
        (("up", "."), "bob", "'project.create' is missing"),
        (("edit", "patch", "--apply"), "vera", "'file.write' is missing"),
        (("analyze", "hello.py"), "vera", "'analysis.run' is missing"),
        (("imports", "/etc"), "bob", "does not lie in the project 'hello'"),
        (("search", "greet", "--project", "nothing"), "bob", "no project 'nothing' on the server"),
        (("health",), "ann", ""),
    ):
        done = guest.run(*arguments, DUCK_API_KEY=guest.keys[key])
        assert done.returncode == (2 if said else 0), (arguments, done.stdout, done.stderr)
        assert said in done.stderr
    assert "return 'hello '" in (guest.server.home.parent / "hello/hello.py").read_text()


def test_runs_are_started_followed_listed_and_stopped_on_the_server(guest: Guest) -> None:
    run = json.loads(guest.asked("workflow", "start", "analyze-project", "path=.", "format=json", "--json", "-q"))
    assert (run["state"], run["answer"]["project"], run["answer"]["files"]) == ("done", "hello", 1)
    assert run["steps"][0]["name"] == "validate"
    late = json.loads(
        guest.asked("workflow", "start", "report-project", "path=.", "--delay", "3600", "--detach", "--json")
    )
    assert [each["id"] for each in json.loads(guest.asked("workflow", "list", "--json"))["runs"]] == [
        *(late["id"], run["id"]),
    ]
    assert json.loads(guest.asked("jobs", "--json"))["queues"][0]["by_state"] == {"delayed": 1, "done": 1}
    assert json.loads(guest.asked("jobs", "cancel", late["id"][-12:], "--json"))["state"] == "cancelled"
    assert json.loads(guest.asked("workflow", "show", late["id"], "--json"))["state"] == "cancelled"
    others = guest.run("workflow", "show", run["id"], DUCK_API_KEY=guest.keys["ann"])
    assert (others.returncode, "no role in any project" in others.stderr) == (2, True)
    assert "'workflow.run' is missing" in guest.run("jobs", DUCK_API_KEY=guest.keys["vera"]).stderr
    elsewhere = guest.run("workflow", "start", "analyze-project", "path=/etc")
    assert "does not lie in the project 'hello'" in elsewhere.stderr


def test_a_batch_is_answered_by_the_server_about_its_project(guest: Guest) -> None:
    requests = [{"query": "greet"}, {"query": "greet", "most": 3}, {"query": "nothing-like-this"}]
    (guest.folder / "requests.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in requests))
    done = guest.run("batch", "search", "requests.jsonl")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 2
    assert [each["path"] for each in first["answer"]["hits"]] == ["hello.py"]
    assert (second["number"], second["code"], third["answer"]["hits"]) == (2, "invalid_input", [])
    assert "2 of 3 requests answered" in done.stderr
    (guest.folder / "requests.jsonl").write_text('[{"path": "hello.py"}, {"path": 3}]')
    assert "request 2: '3' is no path in the project" in guest.run("batch", "imports", "requests.jsonl").stderr
    (guest.folder / "requests.jsonl").unlink()


def test_a_member_writes_to_the_servers_project(guest: Guest) -> None:
    old, new = "    return 'hello ' + name\n", "    return 'hi ' + name\n"
    patch = guest.folder / "patch"
    patch.write_text(f"hello.py\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n")
    assert guest.run("edit", "patch", "--apply").returncode == 0
    assert "return 'hi '" in (guest.server.home.parent / "hello/hello.py").read_text()
    assert guest.run("undo").returncode == 0
    assert "return 'hello '" in (guest.server.home.parent / "hello/hello.py").read_text()


def test_a_wrong_key_an_unknown_server_and_none_that_listens_are_said(guest: Guest) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for variables, said in (
        ({"DUCK_API_KEY": "duck_wrong"}, "no key of RubberDuck"),
        ({"DUCK_SERVER": "wrok"}, "there is no server 'wrok'"),
        ({"DUCK_SERVER": nobody, "DUCK_API_KEY": guest.keys["bob"]}, f"the server {nobody} cannot be reached"),
    ):
        done = guest.run("search", "greet", **variables)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_quiet_says_nothing_besides_and_verbose_who_answers(guest: Guest) -> None:
    assert guest.run("outline", "hello.py", "-v").stderr == f"outline is answered by {guest.server.http}\n"
    assert guest.run("outline", "hello.py", "-q").stderr == ""
    assert (
        guest.run("rules", "-v", "--server", "local", "sql-injection").stderr == "rules is answered by this process\n"
    )


def test_signing_out_lets_this_process_answer_again(guest: Guest) -> None:
    config = guest.home / "config.json"
    kept = config.read_text()
    assert guest.keys["bob"] in kept
    assert guest.asked("auth", "use", "local") == "this process answers from now on\n"
    assert "this process answers" in guest.asked("auth", "status")
    assert guest.asked("auth", "use", "here") == "here answers from now on\n"
    assert guest.asked("auth", "logout") == "the key of here is forgotten here\n"
    assert guest.keys["bob"] not in config.read_text()
    config.write_text(kept)
