"""Whatever Schemathesis makes of our own OpenAPI: never a 5xx, always a problem of ours when it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck

from rubber_duck.server.api.openapi import described
from rubber_duck.server.api.table import ROUTES
from tests.integration.serving import Served, serving

AnyCase = schemathesis.Case[Any]  # Any: of whichever specification
SCHEMA = schemathesis.openapi.from_dict(msgspec.json.decode(described(ROUTES)))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A server, and its administrator's key."""
    with serving(tmp_path_factory.mktemp("schema") / "home") as server:
        yield server, server.key_for("ann", role="administrator")


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
)
def test_no_request_whatever_is_answered_with_a_fault(case: AnyCase, served: tuple[Served, str]) -> None:
    server, key = served
    answer = case.call(base_url=server.http, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert "application/problem+json" in answer.headers["content-type"]
        assert {"code", "detail", "retryable"} <= answer.json().keys()
