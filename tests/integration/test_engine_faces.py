"""Engines that change or explain code, by each of their faces: the terminal, the socket, a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.engines.engine import engines
from tests.factories import write_tree
from tests.integration.duck import duck
from tests.integration.serving import Client, Served, project_at, serving

FILES = {
    "duck.py": "import os\n\n\ndef swim(far):\n    return os.sep * far\n",
    "odd.py": "def odd(text):\n    return eval(text)\n",
    "unused.py": "import sys\n",
    "nest.py": "from duck import swim\n\nprint(swim(1))\n",
}


@dataclass(frozen=True, slots=True)
class Face:
    """How an engine is asked: over the socket and in a batch by `request`, in the terminal by `arguments`.

    `said` stands in what the terminal shows, `found` in the answer's JSON; `code` is how the command ends.
    """

    engine: str
    request: dict[str, Any]  # Any: JSON
    arguments: tuple[str, ...]
    said: str
    found: str
    code: int = 0


FACES = [
    Face(
        "refactor",
        {"what": "rename", "at": "duck.py:4", "to": "drift"},
        ("rename", "duck.py:4:5", "drift"),
        "+def drift(far):",
        "+print(drift(1))",
    ),
    Face(
        "refactor",
        {"what": "rewrite", "at": "duck.py", "to": "drift instead"},
        ("rewrite", "duck.py", "drift instead", "--json"),
        "duck llm connect",
        "duck llm connect",
        1,
    ),
    Face("fix", {"at": "unused.py"}, ("unused.py",), "-import sys", "-import sys"),
    Face("explain", {"at": "duck.py:4"}, ("duck.py:4",), "def swim(far)", "duck llm connect"),
    Face("generate", {"task": "let it dive"}, ("let it dive", "--json"), "duck llm connect", "duck llm connect", 1),
    Face("chat", {"message": "why @duck.py:4-5?"}, ("--list", "--json"), "conversations", "duck llm connect"),
    Face("review", {"files": ["hello.py"]}, ("odd.py",), "unsafe-eval", "duck llm connect"),
]


EDIT = "duck.py\n<<<<<<< SEARCH\nimport os\n=======\nimport sys\n>>>>>>> REPLACE\n"
OTHERS: dict[str, dict[str, Any]] = {  # Any: JSON
    "analyze": {"paths": ["."]},
    "check": {"command": ["true"]},
    "complete": {"type": "suggest", "path": "duck.py", "line": 5, "column": 5},
    "context": {"place": "duck.py:5"},
    "edit": {"text": EDIT},
    "engines": {},
    "impact": {"paths": ["duck.py"]},
    "imports": {"path": "duck.py"},
    "index": {"type": "update", "path": "."},
    "jobs": {},
    "llm": {"type": "status"},
    "locate": {"text": "swim fails in duck.py"},
    "memory": {"type": "list"},
    "notices": {"type": "list"},
    "outline": {"path": "duck.py"},
    "projects": {"type": "list"},
    "rules": {},
    "search": {"query": "swim"},
    "tests": {"at": "duck.py:4"},
    "undo": {"list": True},
    "up": {"path": "."},
    "workflow": {"type": "list"},
    "workflows": {},
}
"""A request to every other engine, and so to each that will come: the test below names the one that is missing."""

REFUSED = {
    "index": "the right 'project.create' is missing",
    "projects": "works beyond a project",
    "up": "the right 'project.create' is missing",
}
"""What a member may not ask in a project of a server, and why."""


ONE_ASKS = 15
"""So many engines one member asks, well below the 20 at once that a server lets one ask."""


@dataclass(frozen=True, slots=True)
class Pond:
    """A server with one project, the project's folder, and the key of a member."""

    server: Served
    folder: Path
    project: str
    key: str


@pytest.fixture(scope="module")
def pond(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pond]:
    """One server for this module."""
    folder = tmp_path_factory.mktemp("faces")
    project = project_at(folder / "pond", folder / "home")
    write_tree(folder / "pond", FILES)
    with serving(folder / "home", DUCK_SERVER_RUNS_COMMANDS="true") as server:
        yield Pond(server, folder / "pond", project, server.key_for("bob", project=project))


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.engine)
def test_over_the_socket(pond: Pond, face: Face) -> None:
    with Client.at(pond.server.socket, pond.key) as client:
        topic = f"code:{pond.project}"
        client.ask(topic, "phx_join")
        reply = client.ask(topic, "run", {"engine": face.engine, "request": face.request})
    assert reply["status"] == "ok", reply
    assert face.found in json.dumps(reply["response"])


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.engine)
def test_in_the_terminal(pond: Pond, face: Face) -> None:
    done = duck(face.engine, *face.arguments, home=pond.server.home, cwd=pond.folder)
    assert done.returncode == face.code, done.stderr
    assert face.said in done.stdout


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.engine)
def test_in_a_batch(pond: Pond, face: Face, tmp_path: Path) -> None:
    request = {"directory": str(pond.folder), **face.request}
    (tmp_path / "requests.jsonl").write_text(f"{json.dumps(request)}\n{json.dumps({'no': 'such field'})}\n")
    done = duck("batch", face.engine, "requests.jsonl", home=pond.server.home, cwd=tmp_path)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert face.found in json.dumps(first["answer"])
    assert second["code"] == "invalid_input"


def test_every_other_engine_answers_over_the_socket_or_says_why_not(pond: Pond) -> None:
    assert OTHERS.keys() | {face.engine for face in FACES} == set(engines.discover())
    said: dict[str, str] = {}
    topic = f"code:{pond.project}"
    for member in range(0, len(OTHERS), ONE_ASKS):
        key = pond.server.key_for(f"member{member}", project=pond.project)
        with Client.at(pond.server.socket, key) as client:
            client.ask(topic, "phx_join")
            for engine, request in tuple(OTHERS.items())[member : member + ONE_ASKS]:
                reply = client.ask(topic, "run", {"engine": engine, "request": request})
                if reply["status"] != "ok":
                    said[engine] = reply["response"]["message"]
                assert str(pond.folder) not in json.dumps(reply), engine
    assert {engine: REFUSED.get(engine, "") in why for engine, why in said.items()} == dict.fromkeys(REFUSED, True)


def test_a_command_reads_no_folder_of_the_server(pond: Pond) -> None:
    key = pond.server.key_for("ned", project=pond.project)
    with Client.at(pond.server.socket, key) as client:
        client.ask(topic := f"code:{pond.project}", "phx_join")
        for reads in ([str(pond.server.home)], ["duck.py"], [".."]):
            asked = {"engine": "check", "request": {"command": ["true"], "reads": reads}}
            reply = client.ask(topic, "run", asked)
            assert reply["status"] == "error", reply


def test_nobody_is_told_where_on_the_server_the_project_lies(pond: Pond) -> None:
    topic = f"code:{pond.project}"
    key = pond.server.key_for("mark", project=pond.project, project_role="maintainer")
    with Client.at(pond.server.socket, key) as client:
        client.ask(topic, "phx_join")
        for request in (
            {"type": "show", "project": "pond"},
            {"type": "rename", "project": "pond", "name": "lake"},
            {"type": "rename", "project": pond.project, "name": "pond"},
        ):
            reply = client.ask(topic, "run", {"engine": "projects", "request": request})
            if reply["status"] == "ok":
                assert [each["root"] for each in reply["response"]["projects"]] == ["."]
            assert str(pond.folder) not in json.dumps(reply)
        (pond.folder / "duck.toml").write_text("quack = [")
        for engine in ("search", "analyze", "outline"):
            reply = client.ask(topic, "run", {"engine": engine, "request": OTHERS[engine]})
            assert str(pond.folder) not in json.dumps(reply)
        (pond.folder / "duck.toml").unlink()
        assert reply["response"]["code"] == "invalid_settings", reply
        client.ask(f"project:{pond.project}", "phx_join")
        start = {"workflow": "analyze-project", "request": {"path": "nowhere"}}
        run = client.ask(f"project:{pond.project}", "start", start)
        assert str(pond.folder) not in json.dumps(run)


def test_tests_are_written_in_the_terminal_and_in_a_batch(pond: Pond, tmp_path: Path) -> None:
    done = duck("tests", "odd.py", home=pond.server.home, cwd=pond.folder)
    assert "def test_fuzz_odd(" in done.stdout, done.stderr
    (tmp_path / "requests.jsonl").write_text(json.dumps({"at": "odd.py", "directory": str(pond.folder)}))
    done = duck("batch", "tests", "requests.jsonl", home=pond.server.home, cwd=tmp_path)
    assert "def test_fuzz_odd(" in done.stdout, done.stderr


def test_a_place_outside_of_the_project_is_refused_over_the_socket(pond: Pond) -> None:
    with Client.at(pond.server.socket, pond.key) as client:
        topic = f"code:{pond.project}"
        client.ask(topic, "phx_join")
        for at in ("/etc/passwd", "../../etc/passwd", "link.py:1:1"):
            (pond.folder / "link.py").unlink(missing_ok=True)
            (pond.folder / "link.py").symlink_to("/etc/passwd")
            request = {"what": "rename", "at": at, "to": "x"}
            reply = client.ask(topic, "run", {"engine": "refactor", "request": request})
            assert reply["status"] == "error", reply
            assert "root:" not in json.dumps(reply)
    (pond.folder / "link.py").unlink()
