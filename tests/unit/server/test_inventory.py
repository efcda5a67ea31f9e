"""Every route and every event declares a right; there is none beside the lists."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute

from rubber_duck.app import App
from rubber_duck.call import Parts
from rubber_duck.engines.engine import engines
from rubber_duck.engines.roster import Roster
from rubber_duck.errors import Denied, InvalidInput, Unauthenticated
from rubber_duck.scope import Right
from rubber_duck.server import guard
from rubber_duck.server.asgi import ROUTES, Server
from rubber_duck.server.channels.code import Code
from rubber_duck.server.doors import CHANNELS
from rubber_duck.server.running import check_address
from rubber_duck.settings import Settings
from rubber_duck.supervision import Supervisor

HOSTS = frozenset({"127.0.0.1:4010", "localhost:4010"})


def test_every_route_is_in_the_list_of_rights() -> None:
    settings = Settings()
    server = Server(App(settings, Parts(settings), Roster(engines, settings), Supervisor()), HOSTS)
    routes = {each.path for each in server.asgi.routes if isinstance(each, (APIRoute, WebSocketRoute))}
    assert routes == set(ROUTES)
    assert len(server.asgi.routes) == len(ROUTES)
    assert {path for path, right in ROUTES.items() if right is None} == {
        *("/health/live", "/health/ready", "/socket/websocket"),
    }


def test_every_event_of_every_topic_takes_a_right() -> None:
    rights = {f"{channel.name}.{name}": event.right for channel in CHANNELS for name, event in channel.events.items()}
    assert rights == {
        "code.run": Right.PROJECT_READ,
        "code.resume": Right.PROJECT_READ,
        "code.cursor": Right.FILE_READ,
        "code.members": Right.PROJECT_READ,
        "cli.projects": Right.CATALOG_READ,
        "cli.run": Right.CATALOG_READ,
        "cli.resume": Right.CATALOG_READ,
        "status.health": Right.ADMINISTER,
    }
    assert [channel.right for channel in CHANNELS] == [Right.PROJECT_READ, Right.CATALOG_READ, Right.ADMINISTER]
    assert Code.events["run"].method == "run"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "evil.example"},
        {"host": "127.0.0.1:4011"},
        {"host": "127.0.0.1:4010", "origin": "https://evil.example"},
        {"host": "127.0.0.1:4010", "origin": "null"},
        {"host": "127.0.0.1:4010", "origin": "http://127.0.0.1:4010.evil.example"},
    ],
)
def test_a_host_or_an_origin_that_is_not_ours_is_denied(headers: dict[str, str]) -> None:
    with pytest.raises(Denied):
        guard.check_host(headers, HOSTS)


def test_our_own_hosts_and_origins_pass() -> None:
    guard.check_host({"host": "localhost:4010", "origin": "http://localhost:4010"}, HOSTS)
    guard.check_host({"host": "localhost:4010"}, HOSTS)


def test_no_credential_may_stand_in_a_url() -> None:
    guard.check_parameters({"vsn": "2.0.0"})
    with pytest.raises(InvalidInput, match="never in a URL"):
        guard.check_parameters({"vsn": "2.0.0", "api_key": "x"})


def test_a_key_comes_in_a_header_or_as_the_phoenix_clients_sub_protocol() -> None:
    assert guard.key_in({"authorization": "Bearer duck_1"}) == "duck_1"
    assert guard.key_in({"sec-websocket-protocol": "phoenix, base64url.bearer.phx.ZHVja18x"}) == "duck_1"
    for headers in ({}, {"authorization": "Basic x"}, {"sec-websocket-protocol": "phoenix, base64url.bearer.phx.A"}):
        with pytest.raises(Unauthenticated):
            guard.key_in(headers)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
def test_no_address_but_this_machines_own_is_served(host: str) -> None:
    with pytest.raises(InvalidInput, match="no TLS"):
        check_address(host)
