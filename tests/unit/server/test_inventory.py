"""Every route and every event declares a right; there is none beside the lists."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from msgspec.structs import replace

from rubber_duck.app import App
from rubber_duck.call import Parts
from rubber_duck.engines.engine import engines
from rubber_duck.engines.roster import Roster
from rubber_duck.errors import Denied, InvalidInput, InvalidSettings, Unauthenticated, Unavailable
from rubber_duck.scope import Right
from rubber_duck.server import guard
from rubber_duck.server.api.table import ROUTES
from rubber_duck.server.asgi import Server
from rubber_duck.server.channels.code import Code
from rubber_duck.server.doors import CHANNELS
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.port import bound, refused
from rubber_duck.server.running import Place
from rubber_duck.server.secret import checked, server_secret
from rubber_duck.settings import Settings
from rubber_duck.settings.tree import ServerSettings
from rubber_duck.supervision import Supervisor
from tests.servers import Authority

HOSTS = guard.Names.of(frozenset({"127.0.0.1:4010", "localhost:4010"}), is_secure=False)


def test_every_route_is_in_the_table_and_has_a_right_or_says_that_it_has_none() -> None:
    settings = Settings()
    server = Server(App(settings, Parts(settings), Roster(engines, settings), Supervisor()), HOSTS)
    routes = {
        f"{method} {each.path}"
        for each in server.asgi.routes
        if isinstance(each, APIRoute)
        for method in each.methods or ()
    }
    assert routes == {route.name for route in ROUTES}
    assert len(server.asgi.routes) == len(ROUTES)  # the socket stands before them, and there is no other
    assert {route.name for route in ROUTES if route.right is None} == {
        *("GET /health/live", "GET /health/ready", "GET /api/v1/openapi.json"),
        *("POST /api/v1/session", "POST /api/v1/invitations/accept", "POST /api/v1/hooks/{project}"),
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
        "cli.keys": Right.ACCOUNT_OWN,
        "cli.key_add": Right.ACCOUNT_OWN,
        "cli.key_rotate": Right.ACCOUNT_OWN,
        "cli.key_revoke": Right.ACCOUNT_OWN,
        "cli.sign_out": Right.ACCOUNT_OWN,
        "cli.invite": Right.ADMINISTER,
        "cli.reset": Right.ADMINISTER,
        "cli.role_set": Right.ADMINISTER,
        "project.file": Right.FILE_READ,
        "project.files": Right.FILE_READ,
        "project.jobs": Right.WORKFLOW_RUN,
        "project.start": Right.WORKFLOW_RUN,
        "project.job": Right.WORKFLOW_RUN,
        "project.workflows": Right.PROJECT_READ,
        "chat.history": Right.CONVERSATION_READ,
        "chat.resume": Right.CONVERSATION_READ,
        "chat.say": Right.CONVERSATION_WRITE,
        "chat.share": Right.CONVERSATION_WRITE,
        "chat.typing": Right.CONVERSATION_WRITE,
        "user.set": Right.ACCOUNT_OWN,
        "user.settings": Right.ACCOUNT_OWN,
        "status.health": Right.ADMINISTER,
        "status.jobs": Right.ADMINISTER,
        "user.seen": Right.CATALOG_READ,
        "user.ways": Right.CATALOG_READ,
        "user.way": Right.CATALOG_READ,
        "user.drop": Right.CATALOG_READ,
    }
    assert {channel.name: channel.right for channel in CHANNELS} == {
        "code": Right.PROJECT_READ,
        "chat": Right.CONVERSATION_READ,
        "cli": Right.CATALOG_READ,
        "project": Right.PROJECT_READ,
        "status": Right.ADMINISTER,
        "user": Right.CATALOG_READ,
    }
    assert Code.events["run"].method == "run"


def test_every_event_costs_what_a_request_that_does_the_same_would() -> None:
    costs = {f"{channel.name}.{name}": cost for channel in CHANNELS for name, cost in channel.costs.items()}
    assert {name: cost for name, cost in costs.items() if cost is not RouteClass.READ} == {
        **dict.fromkeys(("code.run", "cli.run", "chat.say", "project.start"), RouteClass.RUN),
        **dict.fromkeys(("code.cursor", "chat.typing"), RouteClass.SIGNAL),
        **dict.fromkeys(
            (
                *("cli.key_add", "cli.key_rotate", "cli.key_revoke", "cli.sign_out", "cli.invite", "cli.reset"),
                *("cli.role_set", "chat.share", "user.set", "user.way", "user.drop"),
            ),
            RouteClass.WRITE,
        ),
    }
    assert costs.keys() == {f"{channel.name}.{name}" for channel in CHANNELS for name in channel.events}


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
        {"host": "127.0.0.1:4010", "origin": "https://127.0.0.1:4010"},
        {"host": "127.0.0.1:4010", "origin": "127.0.0.1:4010"},
    ],
)
def test_a_host_or_an_origin_that_is_not_ours_is_denied(headers: dict[str, str]) -> None:
    with pytest.raises(Denied):
        guard.check_host(headers, HOSTS)


def test_our_own_hosts_and_origins_pass() -> None:
    guard.check_host({"host": "localhost:4010", "origin": "http://localhost:4010"}, HOSTS)
    guard.check_host({"host": "localhost:4010"}, HOSTS)


def test_a_server_with_tls_hears_no_page_that_came_without() -> None:
    names = guard.Names.of(frozenset({"duck.example"}), is_secure=True)
    guard.check_host({"host": "duck.example", "origin": "https://duck.example"}, names)
    with pytest.raises(Denied, match="origin"):
        guard.check_host({"host": "duck.example", "origin": "http://duck.example"}, names)


@pytest.mark.parametrize(
    ("host", "settings", "url"),
    [
        ("127.0.0.1", ServerSettings(), "http://127.0.0.1:4010"),
        ("::1", ServerSettings(names=("duck.example",)), "http://[::1]:4010"),
        ("0.0.0.0", ServerSettings(certificate="c", private_key="k", names=("duck.example",)), "https://duck.example:4010"),
        ("0.0.0.0", ServerSettings(certificate="c", names=("duck.example:443", "d")), "https://duck.example:443"),
        ("0.0.0.0", ServerSettings(proxies=("10.0.0.1",), names=("duck.example",)), "https://duck.example"),
        ("127.0.0.1", ServerSettings(proxies=("127.0.0.1",), names=("duck.example:8443",)), "https://duck.example:8443"),
    ],
)  # fmt: skip
def test_people_are_told_the_address_by_which_they_reach_it(host: str, settings: ServerSettings, url: str) -> None:
    assert Place(host, 4010, settings).url == url


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
def test_another_address_needs_tls_or_a_declared_proxy(host: str, tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    pem = str(tmp_path / "pem")
    for settings, said in (
        (ServerSettings(), "could be read on the way"),
        (ServerSettings(names=("duck.example",)), "could be read on the way"),
        (ServerSettings(certificate=pem), "belong together"),
        (ServerSettings(certificate=pem, private_key="/gone"), "there is no file '/gone'"),
        (ServerSettings(proxies=("10.0.0.1",)), "by which name it is called"),
    ):
        with pytest.raises(InvalidInput, match=said):
            Place(host, 4010, settings).check()
    Place(host, 4010, ServerSettings(proxies=("10.0.0.1",), names=("duck.example",))).check()
    Place("127.0.0.1", 4010).check()


def test_a_certificate_needs_its_own_private_key(tmp_path: Path) -> None:
    authority = Authority("RubberDuck tests")
    for name, content in zip(("own.pem", "own.key"), authority.issue("duck.example"), strict=True):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "other.key").write_bytes(authority.issue("duck.example")[1])
    (tmp_path / "text").write_text("no key")
    for key in ("other.key", "text"):
        own = ServerSettings(
            certificate=f"{tmp_path}/own.pem", private_key=f"{tmp_path}/{key}", names=("duck.example",)
        )
        with pytest.raises(InvalidInput, match="are no certificate with its private key"):
            Place("0.0.0.0", 4010, own).check()
    own = ServerSettings(certificate=f"{tmp_path}/own.pem", private_key=f"{tmp_path}/own.key", names=("duck.example",))
    Place("0.0.0.0", 4010, own).check()


def test_a_host_that_is_not_this_machine_is_said_to_be_none() -> None:
    for error in (OSError(errno.EADDRNOTAVAIL, "elsewhere"), socket.gaierror(socket.EAI_NONAME, "nowhere")):
        assert "no address of this machine" in refused("192.0.2.1", 4010, error).message


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with bound("127.0.0.1", 0, shared=False) as held:
        held.listen()
        with pytest.raises(Unavailable, match="is taken"):
            bound("127.0.0.1", held.getsockname()[1], shared=False)


def test_it_answers_to_its_own_names_alone() -> None:
    place = Place("::1", 4010, ServerSettings(names=("duck.example",)))
    assert place.url == "http://[::1]:4010"
    assert place.hosts() == {
        *("[::1]:4010", "localhost:4010", "127.0.0.1:4010"),
        *("duck.example", "duck.example:4010"),
    }


@pytest.mark.parametrize("secret", ["short", "a" * 40, "change-me-" * 5, "my-Password-0123456789abcdefghijk"])
def test_a_weak_or_a_sample_secret_is_refused(secret: str) -> None:
    with pytest.raises(InvalidSettings):
        checked(secret, "server.secret")
    assert checked("0f1e2d3c4b5a6978" * 4, "it")


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = replace(Settings(), home=str(tmp_path / "home"))
    made = server_secret(settings)
    assert len(made) == 64
    assert server_secret(settings) == made
    path = tmp_path / "home/server.secret"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(Denied, match="others may read"):
        server_secret(settings)
    assert "own-secret" not in repr(ServerSettings(secret="own-secret"))
