"""HTTP against a real server: every route with its right, signing in, projects from three sources, limits, problems."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from rubber_duck.accounts.roles import RIGHTS, Role
from rubber_duck.channels.channel import Channel
from rubber_duck.scope import Right
from rubber_duck.server.api.route import Route
from rubber_duck.server.api.table import ROUTES
from rubber_duck.server.doors import CHANNELS
from tests.integration.house import NOWHERE, PASSWORD, House, house_in
from tests.integration.serving import Client


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for this module."""
    with house_in(tmp_path_factory.mktemp("http")) as there:
        yield there


PAYLOADS = {
    "project.jobs": {"limit": 1},
    "project.start": {"workflow": "analyze-project"},
    "project.job": {"run": "0" * 12},
    "cli.invite": {"name": "x"},
    "cli.reset": {"name": "x"},
    "cli.role_set": {"project": "x", "name": "x", "role": "viewer"},
    "status.health": {},
    "status.jobs": {},
    "code.run": {"engine": "outline", "request": {"path": "hello.py"}},
    "code.resume": {"stream": "a.b", "offset": 0},
    "code.cursor": {"path": "hello.py", "line": 1, "column": 1},
    "code.members": {},
    "project.file": {"path": "hello.py"},
    "project.files": {},
    "project.workflows": {},
    "cli.projects": {},
    "cli.run": {"engine": "rules"},
    "cli.resume": {"stream": "a.b", "offset": 0},
    "cli.keys": {},
    "cli.key_add": {},
    "cli.key_rotate": {"id": "0" * 16},
    "cli.key_revoke": {"id": "0" * 16},
    "cli.sign_out": {},
    "chat.history": {},
    "chat.say": {"message": "x"},
    "chat.resume": {"stream": "a.b", "offset": 0},
    "chat.typing": {"typing": True},
    "chat.share": {"name": "vera"},
    "user.settings": {},
    "user.set": {"name": "x", "value": 1},
    "user.seen": {"number": 0},
    "user.ways": {},
    "user.way": {"by": "mail", "to": "x@example.org", "kinds": []},
    "user.drop": {"by": "mail"},
}
"""A payload of every event that it takes, so that nothing but the right is missing."""


def path_of(route: Route, project: str) -> str:
    """A path of the route."""
    return (
        route.path.replace("{project}", project)
        .replace("{path:path}", "hello.py")
        .replace("{user}", "vera")
        .replace("{run}", "0" * 12)
        .replace("{signal}", "go")
        .replace("{key}", "0" * 16)
        .replace("{provider}", "mine")
        .replace("{role}", "chat")
        .replace("{memory}", NOWHERE)
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_refused_without_its_right(house: House, route: Route) -> None:
    method, path = route.method.value, path_of(route, house.project)
    if route.right is None:
        assert house.ask(method, path).status != 401 or path.startswith(("/session", "/invitations", "/hooks"))
        return
    nobody = house.ask(method, path)
    assert (nobody.status, nobody.json["code"]) == (401, "unauthenticated")
    assert nobody.headers["content-type"] == "application/problem+json"
    assert house.ask(method, path, "duck_" + "0" * 16 + "_" + "0" * 64 + "_00000000").status == 401
    if route.full_path.startswith("/api/v1/projects/{project}"):
        for wrong in (NOWHERE, "x", house.project[:-1] + ("0" if house.project[-1] != "0" else "1")):
            other = house.ask(method, path_of(route, wrong), "vera")
            assert (other.status, other.json["code"]) == (404, "not_found"), wrong
        assert house.ask(method, path, "nina").status == 404
        if route.right not in {Right.PROJECT_READ, Right.FILE_READ, Right.CATALOG_READ}:
            assert house.ask(method, path, "vera").json["code"] == "denied"
    elif route.right is Right.ADMINISTER:
        refused = house.ask(method, path, "vera")
        assert (refused.status, refused.json["code"]) == (403, "denied")


def test_a_revoked_key_is_refused_on_every_route(house: House) -> None:
    key = house.server.key_for("rita", project=house.project)
    assert house.ask("GET", "/me", key).json["name"] == "rita"
    house.server.admin("key", "revoke", key.split("_")[1])
    for route in ROUTES:
        if route.right is not None:
            assert house.ask(route.method.value, path_of(route, house.project), key).status == 401, route.name


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_every_event_of_a_topic_is_refused_without_its_right(house: House, channel: type[Channel]) -> None:
    subjects = {"code": house.project, "project": house.project, "status": "server", "chat": NOWHERE}
    topic = f"{channel.name}:{subjects.get(channel.name, 'me')}"
    with (
        Client.at(house.server.socket, house.keys["vera"]) as vera,
        Client.at(house.server.socket, house.keys["nina"]) as nina,
    ):
        for name in channel.events:
            assert vera.ask(topic, name)["response"]["code"] == "not_found", "it is not joined yet"
        joined = vera.ask(topic, "phx_join")
        if channel.right is Right.ADMINISTER:
            assert joined["response"]["code"] == "denied"
            return
        if channel.right is Right.CONVERSATION_READ:  # who is shown one, and what they may do: test_chat_topic
            assert joined["response"]["code"] == "not_found"
            return
        held = {Right.CATALOG_READ, Right.ACCOUNT_OWN} if subjects.get(channel.name) is None else RIGHTS[Role.VIEWER]
        for event in channel.events.values():
            if event.right not in held:
                refused = vera.ask(topic, event.name, PAYLOADS[f"{channel.name}.{event.name}"])
                assert refused["response"]["code"] == "denied", event
        if subjects.get(channel.name) == house.project:
            for other in (topic, f"{channel.name}:{NOWHERE}", f"{channel.name}:x"):
                assert nina.ask(other, "phx_join")["response"]["code"] == "not_found"


def test_a_key_that_may_nothing_is_refused_on_every_route(house: House) -> None:
    routes = [route for route in ROUTES if route.right is not None]
    for start in range(0, len(routes), 20):  # one person may not ask for so much at once
        owner = house.server.key_for(f"nell{start}", role="administrator", project=house.project, project_role="owner")
        key = house.ask("POST", "/keys", owner, {"rights": []}).json["key"]
        for route in routes[start : start + 20]:
            refused = house.ask(route.method.value, path_of(route, house.project), key)
            assert (refused.status, refused.json["code"]) == (403, "denied"), route.name


@pytest.mark.parametrize("name", ["code", "project", "cli", "user"])
def test_a_key_that_may_join_a_topic_and_nothing_else_sends_no_event_that_takes_more(house: House, name: str) -> None:
    channel = next(each for each in CHANNELS if each.name == name)
    owner = house.server.key_for(f"{name}-owner", project=house.project, project_role="owner")
    key = house.ask("POST", "/keys", owner, {"rights": [channel.right.value]}).json["key"]
    topic = f"{name}:{house.project if name in ('code', 'project') else 'me'}"
    with Client.at(house.server.socket, key) as client:
        assert client.ask(topic, "phx_join")["status"] == "ok"
        others = [event for event in channel.events.values() if event.right is not channel.right]
        for event in others:
            refused = client.ask(topic, event.name, PAYLOADS[f"{name}.{event.name}"])
            assert refused["response"]["code"] == "denied", event
        assert others


def test_openapi_has_every_route_and_the_table_names_each_once(house: House) -> None:
    document = house.ask("GET", "/openapi.json").json
    named = {f"{method.upper()} {path}" for path, each in document["paths"].items() for method in each}
    assert named == {route.name.replace(":path", "") for route in ROUTES}
    assert len(named) == len(ROUTES)
    assert document["openapi"] == "3.1.0"


def test_somebody_is_invited_signs_in_and_out(house: House) -> None:
    wish = {"name": "ivan", "project": house.project, "project_role": "member"}
    made = house.ask("POST", "/invitations", "ann", wish)
    assert made.status == 201
    code = made.json["invitation"]
    weak = house.ask("POST", "/invitations/accept", body={"invitation": code, "name": "ivan", "password": "short"})
    assert (weak.status, weak.json["code"]) == (400, "invalid_input")
    body = {"invitation": code, "name": "ivan", "password": PASSWORD}
    session = house.ask("POST", "/invitations/accept", body=body).json["session"]
    assert house.ask("POST", "/invitations/accept", body=body).status == 401
    assert house.ask("GET", "/me", session).json["came_with"] == "session"
    assert [each["role"] for each in house.ask("GET", "/projects", session).json["projects"]] == ["member"]
    second = house.ask("POST", "/session", body={"name": "ivan", "password": PASSWORD}).json["session"]
    ticket = house.ask("POST", "/tickets", second).json["ticket"]
    token = house.ask("POST", "/tokens", second).json["token"]
    for credential in (ticket, token):
        with Client.at(house.server.socket, credential) as client:
            assert client.ask(f"code:{house.project}", "phx_join")["status"] == "ok"
    with pytest.raises(InvalidStatus), Client.at(house.server.socket, ticket):
        pass
    with Client.at(house.server.socket, token) as client:
        assert house.ask("DELETE", "/session", session).json == {"sessions": 1, "keys": 0}
        assert house.ask("GET", "/me", session).status == 401
        assert client.ask("phoenix", "heartbeat")["status"] == "ok"
        assert house.ask("DELETE", "/session?everywhere=true&keys=true", second).json == {"sessions": 1, "keys": 0}
        with pytest.raises(Exception, match="4401"):
            client.wait_for_the_end()
    assert house.ask("POST", "/session", body={"name": "ivan", "password": "wrong"}).status == 401


def test_keys_are_made_listed_replaced_and_ended(house: House) -> None:
    made = house.ask("POST", "/keys", "nina", {"label": "ci", "rights": ["catalog.read"], "days": 3}).json
    assert house.ask("GET", "/me", made["key"]).json["rights"] == ["catalog.read"]
    assert house.ask("GET", "/keys", made["key"]).status == 403
    listed = house.ask("GET", "/keys", "nina")
    assert made["key"] not in listed.content.decode()
    assert [each["label"] for each in listed.json["keys"]] == ["", "ci"]
    new = house.ask("POST", f"/keys/{made['id']}/rotate", "nina").json
    assert house.ask("GET", "/me", new["key"]).json["rights"] == ["catalog.read"]
    assert house.ask("DELETE", f"/keys/{new['id']}", "nina").status == 200
    assert house.ask("GET", "/me", new["key"]).status == 401
    assert house.ask("DELETE", f"/keys/{new['id']}", "vera").status == 404
    assert house.ask("POST", "/keys", "nina", {"rights": ["nothing"]}).json["code"] == "unknown_name"


def test_a_request_with_an_idempotency_key_is_carried_out_once(house: House) -> None:
    folder = house.server.home.parent / "code/twice"
    folder.mkdir()
    body = {"folder": str(folder), "name": "twice"}
    first = house.ask("POST", "/projects", "ann", body, Idempotency_Key="k1")
    again = house.ask("POST", "/projects", "ann", body, Idempotency_Key="k1")
    assert (first.status, again.status, again.content) == (201, 201, first.content)
    other = house.ask("POST", "/projects", "ann", {**body, "name": "thrice"}, Idempotency_Key="k1")
    assert (other.status, other.json["code"]) == (409, "conflict")
    assert house.ask("POST", "/projects", "ann", body).status == 409
    failed = house.ask("POST", "/projects", "ann", {"folder": "/gone"}, Idempotency_Key="k2")
    assert house.ask("POST", "/projects", "ann", {"folder": "/gone"}, Idempotency_Key="k2").status == failed.status
    upload = house.ask("POST", "/projects/upload?name=a", "ann", b"", Idempotency_Key="k3")
    assert (upload.status, "takes no Idempotency-Key" in upload.json["detail"]) == (400, True)
    assert house.ask("POST", "/keys", "nina", {}, Idempotency_Key="k1").status == 201
    shown = house.ask("POST", "/keys", "nina", {}, Idempotency_Key="k1")
    assert "not shown again" in shown.json["detail"]


def test_a_folder_below_the_roots_is_opened_analysed_and_read(house: House) -> None:
    refused = house.ask("POST", "/projects", "ann", {"folder": str(house.server.home), "name": "x"})
    assert (refused.status, refused.json["code"]) == (403, "denied")
    folder = house.server.home.parent / "code/shop"
    assert house.ask("POST", "/projects", "vera", {"folder": str(folder)}).status == 403
    opened = house.ask("POST", "/projects", "ann", {"folder": str(folder), "name": "shop"}).json
    project = opened["id"]
    assert house.ask("GET", f"/projects/{project}", "ann").json["rights"] == opened["rights"]
    told = [(each["action"], each["subject"]) for each in house.ask("GET", "/audit?limit=2", "ann").json["entries"]]
    assert told == [("role.set", f"{project} ann owner"), ("project.open", project)]
    assert house.ask("GET", f"/projects/{project}/files", "vera").status == 404
    analysed = house.ask("POST", f"/projects/{project}/analyze", "ann").json
    assert (analysed["files"], analysed["findings"] > 0) == (1, True)
    assert house.ask("GET", f"/projects/{project}/files", "ann").json["files"] == [
        {"path": "a.py", "language": "python", "size_bytes": 44}
    ]
    assert house.ask("GET", f"/projects/{project}/files/a.py", "ann").content == (folder / "a.py").read_bytes()
    for path in ("../hello/hello.py", "%2e%2e/hello/hello.py", "gone.py", "/etc/passwd"):
        assert house.ask("GET", f"/projects/{project}/files/{path}", "ann").status in (400, 404), path
    findings = house.ask("GET", f"/projects/{project}/findings?limit=1", "ann").json
    assert len(findings["findings"]) == 1
    seen = []
    cursor = ""
    while True:
        page = house.ask("GET", f"/projects/{project}/findings?limit=1&cursor={cursor}", "ann").json
        seen += [(each["rule"], each["start_line"]) for each in page["findings"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == analysed["findings"]
    assert b"a.py" in house.ask("GET", f"/projects/{project}/report?format=text", "ann").content
    sarif = house.ask("GET", f"/projects/{project}/report?format=sarif", "ann")
    assert sarif.json["version"] == "2.1.0"
    assert house.ask("PUT", f"/members/{project}/vera", "ann", {"role": "viewer"}).status == 200
    assert house.ask("GET", f"/projects/{project}", "vera").json["rights"] == [
        "catalog.read",
        "file.read",
        "project.read",
    ]
    assert house.ask("POST", f"/projects/{project}/analyze", "vera").status == 403


def test_a_member_searches_and_runs_engines_over_http(house: House) -> None:
    found = house.ask("GET", f"/projects/{house.project}/search?q=greet", "vera")
    assert [each["path"] for each in found.json["hits"]] == ["hello.py"]
    outline = {"engine": "outline", "request": {"path": "hello.py"}}
    ran = house.ask("POST", f"/projects/{house.project}/run", "vera", outline)
    assert ran.json["entries"][0]["name"] == "greet"
    for engine, request, status in (("outline", {"path": "../x"}, 400), ("projects", {"type": "list"}, 403)):
        body = {"engine": engine, "request": request}
        assert house.ask("POST", f"/projects/{house.project}/run", "vera", body).status == status


def archive(files: dict[str, str], *, zipped: bool = False) -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    if zipped:
        with zipfile.ZipFile(buffer, "w") as made:
            for name, text in files.items():
                made.writestr(name, text)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as made_tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                made_tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_an_archive_is_opened_as_a_project(house: House, zipped: bool) -> None:
    content = archive({"top/a.py": "x = 1\n", "top/b/c.py": "y = 2\n"}, zipped=zipped)
    made = house.ask("POST", f"/projects/upload?name=up{zipped}", "ann", content)
    assert made.status == 201, made.content
    assert house.ask("GET", f"/projects/{made.json['id']}/files/b/c.py", "ann").status == 404
    assert house.ask("POST", f"/projects/{made.json['id']}/analyze", "ann").json["files"] == 2
    read = house.ask("GET", f"/projects/{made.json['id']}/files/b/c.py", "ann")
    assert read.content == b"y = 2\n"
    evil = house.ask("POST", "/projects/upload?name=evil", "ann", archive({"../a.py": "x"}, zipped=zipped))
    assert (evil.status, evil.json["code"]) == (400, "invalid_input")
    assert house.ask("POST", "/projects/upload?name=evil", "ann", b"no archive").status == 400


def test_too_many_requests_are_refused_with_headers_that_say_so(house: House) -> None:
    first = house.ask("GET", "/me", "olga")
    assert first.headers["ratelimit-policy"].startswith('"person";q=100')
    statuses = [house.ask("POST", "/session", body={"name": "zoe", "password": "x" * 12}).status for _ in range(14)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    refused = house.ask("POST", "/session", body={"name": "zoe", "password": "x" * 12})
    assert (refused.json["code"], int(refused.headers["retry-after"]) >= 1) == ("rate_limited", True)
    assert house.ask("GET", "/me", "olga").status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_input"),
        (b'{"name": 1}', 400, "invalid_input"),
        (b'{"name": "a", "password": "b", "more": 1}', 400, "invalid_input"),
        (b'{"name": "\xff"}', 400, "invalid_input"),
        (b"[" * 100_000, 400, "invalid_input"),
        (b" " * 1_000_001, 413, "limit_exceeded"),
        (b" " * 30_000_000, 413, "limit_exceeded"),
    ],
)
def test_a_body_that_is_wrong_is_a_problem(house: House, body: bytes, status: int, code: str) -> None:
    refused = house.ask("PUT", f"/members/{house.project}/vera", "ann", body)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.json["instance"] == f"urn:request:{refused.headers['x-request-id']}"


def test_a_refusal_reaches_a_client_that_is_still_sending(house: House) -> None:
    refused = house.ask("PUT", f"/members/{house.project}/vera", "dk_nobody_s_key", b" " * 30_000_000)
    assert (refused.status, refused.json["code"]) == (401, "unauthenticated")


def test_what_is_not_there_or_not_ours_is_refused(house: House) -> None:
    assert house.ask("GET", "/nothing", "ann").json["code"] == "not_found"
    assert house.ask("DELETE", "/me", "ann").json["code"] == "not_found"
    assert house.ask("GET", "/me?key=x", "ann").json["detail"] == "there is no parameter 'key'"
    assert house.ask("GET", "/me", "ann", Host="evil.example").status == 403
    assert house.ask("GET", "/me", "ann", Origin="https://evil.example").status == 403
    assert house.ask("GET", "/users?limit=0", "ann").status == 400
    assert house.ask("GET", "/users?cursor=%ff", "ann").status == 400
    assert house.ask("GET", "/me", "ann", X_Request_Id="my-request-1").headers["x-request-id"] == "my-request-1"
