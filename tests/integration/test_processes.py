"""`duck serve --processes`: several processes on one port are one server, and end together."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.integration.duck import duck
from tests.integration.serving import Client, project_at, serving
from tests.servers import PostgresServer, RedisServer


def test_several_processes_need_what_they_can_share(tmp_path: Path) -> None:
    refused = duck("serve", "--processes", "2", home=tmp_path)
    assert refused.returncode == 2
    assert "set database.url = 'postgresql://…' and cluster.url = 'redis://…'" in refused.stderr


def test_several_processes_are_one_server(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    with postgres_server.database() as name:
        shared = {
            "DUCK_DATABASE_URL": postgres_server.url(name),
            "DUCK_CLUSTER_URL": redis_server.url,
            "DUCK_CLUSTER_PREFIX": name,
        }
        project = project_at(tmp_path / "hello", tmp_path / "home", **shared)
        with serving(tmp_path / "home", "--processes", "2", **shared) as server:
            taken = duck("serve", "--port", str(server.port), home=tmp_path / "home", **shared)
            assert "is taken" in taken.stderr
            roles = {"ann": "administrator", "bob": "person"}
            keys = [server.key_for(name, role=role, project=project) for name, role in roles.items()]
            topic = f"code:{project}"
            children = wait_for(2, server.process.pid)
            asked = urllib.request.Request(f"{server.http}/metrics", headers={"Authorization": f"Bearer {keys[0]}"})
            with urllib.request.urlopen(asked, timeout=30) as answer:
                told = answer.read().decode()
            for line in ('duck_memory_bytes{process="1"}', 'duck_memory_bytes{process="2"}', "duck_processes_told 2.0"):
                assert line in told
            with Client.at(server.socket, keys[0]) as ann, ExitStack() as apart:
                ann.ask(topic, "phx_join")
                others = [apart.enter_context(Client.at(server.socket, keys[1])) for _ in range(8)]
                for other in others:
                    other.ask(topic, "phx_join")
                others[0].ask(topic, "cursor", {"path": "hello.py", "line": 1, "column": 1})
                while json.loads(ann.wire.recv(timeout=30))[3] != "cursor":
                    continue
                members = others[-1].ask(topic, "members")["response"]
                assert {each["metas"][0]["name"]: len(each["metas"]) for each in members.values()} == {
                    "ann": 1,
                    "bob": 8,
                }
            os.kill(children[0], signal.SIGKILL)
            assert children[0] not in wait_for(2, server.process.pid, besides=children[0])
            with Client.at(server.socket, keys[0]) as ann:
                ann.ask(topic, "phx_join")
                server.process.send_signal(signal.SIGTERM)
                server.process.wait(60)
            assert not [pid for pid in children[1:] if psutil.pid_exists(pid)]


def wait_for(count: int, parent: int, *, besides: int = 0) -> list[int]:
    """The numbers of so many processes below another, that listen."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        below = [each for each in psutil.Process(parent).children() if each.pid != besides and listens(each)]
        if len(below) == count:
            return [each.pid for each in below]
    raise TimeoutError(f"{count} processes below {parent}")


def listens(process: psutil.Process) -> bool:
    """Whether it takes connections."""
    try:
        return any(each.status == psutil.CONN_LISTEN for each in process.net_connections("tcp"))
    except psutil.NoSuchProcess:
        return False
