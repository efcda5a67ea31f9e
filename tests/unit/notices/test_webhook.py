"""A webhook is sent the bytes that were signed, and nothing secret."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from rubber_duck.errors import Denied, ProviderUnavailable, Unavailable
from rubber_duck.notices.webhook import post, signature
from rubber_duck.redaction import JsonValue
from rubber_duck.settings.telling import WebhookSettings
from tests.fake_provider import fake_provider, saying

SECRET = "a-secret-of-the-webhook"


async def test_the_signature_is_of_the_moment_and_the_very_bytes_that_arrive() -> None:
    async with fake_provider(saying({})) as server:
        hook = WebhookSettings(url=f"{server.url}/hook", secret=SECRET)
        body: JsonValue = {"title": "ended ü", "text": f"it said {SECRET}"}
        await post(hook, body, delivery="d1", now_s=lambda: 1234.9)
    (asked,) = server.asked
    assert asked.json == {"title": "ended ü", "text": "it said [REDACTED:known]"}
    assert (asked.path, asked.headers["x-duck-delivery"]) == ("/v1/hook", "d1")
    # what a receiver does, from the documentation alone
    moment, given = (part.partition("=")[2] for part in asked.headers["x-duck-signature"].split(","))
    assert moment == "1234"
    assert given == hmac.new(SECRET.encode(), f"{moment}.".encode() + asked.body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("status", "raised"), [(500, Unavailable), (429, Unavailable), (404, Denied), (301, Denied)])
async def test_the_status_decides_whether_it_is_tried_again(status: int, raised: type[Exception]) -> None:
    async with fake_provider(saying({}, status)) as server:
        with pytest.raises(raised, match=str(status)):
            await post(WebhookSettings(url=server.url, secret=SECRET), {}, delivery="d", now_s=lambda: 0.0)


async def test_a_webhook_that_is_not_there_may_be_tried_again() -> None:
    async with fake_provider(saying({})) as server:
        hook = WebhookSettings(url=server.url, secret=SECRET)
    with pytest.raises(ProviderUnavailable) as raised:
        await post(hook, {}, delivery="d", now_s=lambda: 0.0)
    assert raised.value.retryable


def test_a_signature_of_other_bytes_or_another_moment_is_another() -> None:
    assert len({signature(SECRET, 1, b"a"), signature(SECRET, 2, b"a"), signature(SECRET, 1, b"b")}) == 3
