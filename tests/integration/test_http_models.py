"""What a server answers about models and memory over HTTP, as those see it who may and who may not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.fake_provider import fake_provider, saying
from tests.integration.house import House, Reply, house_in


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for this module."""
    with house_in(tmp_path_factory.mktemp("models")) as there:
        yield there


async def test_an_administrator_connects_models_and_their_keys_are_never_answered(house: House) -> None:
    secret = "only-a-test-" + "k" * 20
    answered: list[bytes] = []

    async def ask(method: str, path: str, who: str = "ann", body: object = None) -> Reply:
        reply = await asyncio.to_thread(house.ask, method, path, who, body)
        answered.append(reply.content)
        return reply

    async with fake_provider(saying({"data": [{"id": "small"}, {"id": "large"}]})) as fake:
        connected = await ask("PUT", "/llm/providers/mine", body={"kind": "vllm", "url": fake.url, "key": secret})
        assert connected.json["providers"][0]["has_key"] is True
        assert (await ask("GET", "/llm/providers/mine/models")).json["models"] == ["large", "small"]
        roles = (await ask("PUT", "/llm/roles/chat", body={"models": ["mine/small"]})).json["roles"]
        assert roles == [{"role": "chat", "models": ["mine/small"]}]
        assert (await ask("GET", "/llm?probe=true")).json["providers"][0]["well"] is True
        assert [each["url"] for each in (await ask("GET", "/llm", "vera")).json["providers"]] == [""]
        assert (await ask("GET", "/llm?probe=true", "vera")).status == 403
        assert (await ask("DELETE", "/llm/providers/mine")).json["code"] == "conflict"
        for wanted in (False, True):
            switched = await ask("PUT", "/llm/providers/mine/enabled", body={"enabled": wanted})
            assert switched.json["providers"][0]["enabled"] is wanted
        estimate = (await ask("POST", "/llm/estimate", "vera", {"role": "chat", "text": "How?"})).json["estimate"]
        assert estimate["models"] == ["mine/small"]
        for path, part in (("/llm/usage?days=7&by=day", "usage"), ("/llm/calls", "calls")):
            assert (await ask("GET", path, "vera")).json[part] == []
        for path in ("/llm/usage?everybody=true", "/llm/calls?everybody=true"):
            assert [(await ask("GET", path, who)).status for who in ("ann", "vera")] == [200, 403]
        for path, body in (("/llm/roles/nothing", {}), ("/llm/providers/mine", {"kind": "nothing"})):
            assert (await ask("PUT", path, body=body)).status in (400, 404)
        assert [(await ask("GET", path)).status for path in ("/llm/usage?days=x", "/llm?probe=yes")] == [400, 400]
        assert (await ask("PUT", "/llm/roles/chat", body={})).json["roles"] == []
        assert (await ask("DELETE", "/llm/providers/mine")).json["providers"] == []
    assert {each.headers["authorization"] for each in fake.asked} == {f"Bearer {secret}"}
    assert not any(secret.encode() in content for content in answered)


def test_what_is_remembered_of_one_member_of_a_project_no_other_sees(house: House) -> None:
    there = f"/projects/{house.project}/memory"
    for who, bird in (("vera", "kestrel"), ("olga", "osprey")):
        for path, text in ((there, f"My favourite bird is the {bird}"), ("/memory", f"The {bird} is my password hint")):
            assert house.ask("POST", path, who, {"text": text}).status == 201
    assert house.ask("POST", there, "olga", {"text": "Releases are on Thursdays", "shared": True}).status == 201
    found = house.ask("GET", f"{there}/recall?q=favourite+bird", "vera").json["memories"]
    assert {each["text"] for each in found} == {"My favourite bird is the kestrel", "The kestrel is my password hint"}
    assert house.ask("GET", f"{there}/recall?q=releases", "vera").json["memories"][0]["shared"] is True
    turns = [{"session": "s", "asked": "The valve leaks badly.", "answered": "I see."}]
    assert house.ask("POST", f"{there}/turns", "vera", {"turns": turns}).json["changed"] == 1
    assert house.ask("POST", f"{there}/condense", "vera", {"everything": True}).json["changed"] == 1
    listed = house.ask("GET", f"{there}?limit=1", "vera").json
    rest = house.ask("GET", f"{there}?cursor={listed['next']}", "vera").json
    (mine,) = listed["memories"]
    texts = {each["text"] for each in (mine, *rest["memories"])}
    assert ("My favourite bird is the kestrel" in texts, "osprey" in str(texts)) == (True, False)
    assert [house.ask("DELETE", f"{there}/{mine['id']}", who).status for who in ("olga", "vera")] == [404, 200]
    assert house.ask("DELETE", "/memory?everywhere=true", "olga").json["changed"] == 3
    assert house.ask("GET", f"{there}/recall?q=kestrel", "vera").json["memories"] != []
