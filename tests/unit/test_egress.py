"""The only way out: what it lets through, and what it never does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from rubber_duck.egress import Door, Egress
from rubber_duck.errors import Denied, DuckError, InvalidSettings, LimitExceeded, ProviderUnavailable, TimedOut
from rubber_duck.redaction import JsonValue, Redactor
from tests.fake_provider import FakeProvider, fake_provider, head, saying, sending

KEY = "sk-" + "Zq3" * 12


async def asked(
    url: str,
    body: JsonValue = None,
    *,
    addresses: Sequence[str] = (),
    is_private: bool = False,
    silence_s: float = 30.0,
) -> bytes:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    door = Door(url, {"Authorization": f"Bearer {KEY}"}, is_private, silence_s=silence_s)
    egress = Egress(door, Redactor([KEY]), resolve)
    try:
        deadline = asyncio.get_running_loop().time() + 60.0
        async with egress.request("POST", "/chat", body or {}, deadline=deadline) as reply:
            return await reply.read(1_000_000)
    finally:
        await egress.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "https://",
        "https://user:word@api.example.com/",
        "https://api.example.com/?key=1",
        "http://api.example.com/v1",
        "http://8.8.8.8/v1",
    ],
)
def test_an_address_that_would_give_a_secret_away_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings):
        Door(url)


@pytest.mark.parametrize("headers", [{"Host": "other"}, {"X": "a\r\nY: b"}, {"X": "ä"}])
def test_headers_cannot_change_where_a_request_goes(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="header"):
        Door("https://api.example.com/", headers)


def test_headers_and_the_key_are_not_shown() -> None:
    assert KEY not in repr(Door("https://api.example.com/", {"Authorization": KEY}))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "fe80::1",
     "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1", "nonsense"],
)  # fmt: skip
async def test_a_public_name_cannot_lead_to_a_private_address(address: str) -> None:
    with pytest.raises(Denied):
        await asked("https://api.example.com/v1", addresses=[address])


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0"])
async def test_even_a_private_name_cannot_lead_to_where_clouds_keep_their_keys(address: str) -> None:
    with pytest.raises(Denied):
        await asked("https://models.internal/v1", addresses=[address], is_private=True)


async def test_one_private_address_among_public_ones_is_one_too_many() -> None:
    with pytest.raises(Denied):
        await asked("https://api.example.com/v1", addresses=["8.8.8.8", "10.0.0.1"])


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    async with fake_provider(saying({})) as fake:
        await asked(f"http://models.internal:{fake.port}/v1", addresses=["127.0.0.1"], is_private=True)
    assert fake.asked[0].headers["host"] == f"models.internal:{fake.port}"


async def test_each_address_of_a_name_is_tried_and_the_one_that_answered_is_asked_first() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "::1", "127.0.0.1"]

    async with fake_provider(saying({})) as fake:
        egress = Egress(Door(f"http://localhost:{fake.port}/v1"), Redactor(), resolve)

        async def ask() -> None:
            deadline = asyncio.get_running_loop().time() + 60.0
            async with egress.request("POST", "/chat", {"a": 1}, deadline=deadline) as reply:
                await reply.read(100)

        await ask()
        other = FakeProvider([saying({})])
        async with await asyncio.start_server(other.serve, "127.0.0.2", fake.port):
            await ask()
        await egress.close()
    assert [each.json for each in fake.asked] == [{"a": 1}, {"a": 1}]
    assert not other.asked


async def test_what_was_sent_is_not_sent_to_another_address_too() -> None:
    async with fake_provider(sending(b"")) as fake:
        other = FakeProvider([saying({})])
        async with await asyncio.start_server(other.serve, "127.0.0.2", fake.port):
            with pytest.raises(DuckError):
                await asked(f"http://localhost:{fake.port}/v1", {"a": 1}, addresses=["127.0.0.1", "127.0.0.2"])
    assert (len(fake.asked), other.asked) == (1, [])


async def test_a_name_without_an_address_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable, match="no address"):
        await asked("https://api.example.com/v1")


async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else() -> None:
    async with fake_provider(saying({})) as other, fake_provider(saying({}, 307, Location=other.url)) as fake:
        await asked(fake.url)
    assert not other.asked
    assert fake.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_provider(saying({})) as proxy, fake_provider(saying({})) as fake:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await asked(fake.url)
    assert len(fake.asked) == 1
    assert not proxy.asked


async def test_the_key_is_sent_in_its_header_and_never_in_a_body() -> None:
    async with fake_provider(saying({})) as fake:
        await asked(fake.url, {"messages": [{"content": f"my key is {KEY}, keep it"}]})
    assert fake.asked[0].json == {"messages": [{"content": "my key is [REDACTED:known], keep it"}]}


async def test_what_cannot_be_cleared_of_secrets_is_not_sent() -> None:
    deep: JsonValue = "end"
    for _ in range(80):
        deep = [deep]
    async with fake_provider(saying({})) as fake:
        with pytest.raises(Denied, match="cleared"):
            await asked(fake.url, {"deep": deep})
    assert not fake.asked


async def test_what_is_too_large_is_not_sent() -> None:
    async with fake_provider(saying({})) as fake:
        with pytest.raises(LimitExceeded):
            await asked(fake.url, {"text": "x" * 17_000_000})
    assert not fake.asked


async def test_an_answer_that_is_too_large_is_not_kept() -> None:
    async with fake_provider(sending(head(), *[b"x" * 500_000] * 4)) as fake:
        with pytest.raises(LimitExceeded):
            await asked(fake.url)


@pytest.mark.parametrize("parts", [(), (head(),), (head(), b"x")])
async def test_silence_ends_in_time(parts: tuple[bytes, ...]) -> None:
    never = asyncio.Event()

    async def answer(asked_: object, send: object) -> None:
        assert callable(send)
        for part in parts:
            await send(part)
        await never.wait()

    async with fake_provider(answer) as fake:
        with pytest.raises(TimedOut):
            await asked(fake.url, silence_s=0.1)


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"])
async def test_what_is_no_http_is_a_typed_error(raw: bytes) -> None:
    async with fake_provider(sending(raw)) as fake:
        with pytest.raises(DuckError) as raised:
            await asked(fake.url)
    assert raised.value.code in {"bad_answer", "provider_unavailable"}


@pytest.mark.parametrize("size", [100, 100_000])
async def test_a_large_request_is_cleared_beside_the_event_loop(size: int) -> None:
    class Seen(Redactor):
        """Tells in which thread it was asked."""

        def body(self, value: JsonValue) -> JsonValue:
            threads.append(threading.current_thread() is threading.main_thread())
            return super().body(value)

    threads: list[bool] = []
    async with fake_provider(saying({})) as fake:
        egress = Egress(Door(fake.url), Seen())
        body: JsonValue = {"text": f"{'word ' * (size // 5)} ghp_{'a1B2' * 9}"}
        async with egress.request("POST", "/x", body, deadline=1e12) as reply:
            await reply.read(1000)
        await egress.close()
    assert threads == [size == 100]
    assert b"REDACTED:github-token" in fake.raw
