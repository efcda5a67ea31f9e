"""A server that is missing is never passed over in silence."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.servers import absent


def test_an_absent_server_is_named_and_fails_where_ci_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Failed, match="a server is absent"):
        absent("a server")
    monkeypatch.delenv("CI")
    with pytest.raises(Skipped, match="a server is absent"):
        absent("a server")
