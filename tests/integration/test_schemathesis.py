"""Whatever Schemathesis makes of our own OpenAPI: never a 5xx, always a problem of ours when it is refused.

The long form, with 100,000 cases and what is left behind, is `python -m benchmarks.contracts`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from schemathesis import GenerationMode

from benchmarks.contracts import Asking, Found, Known, frames, raised
from rubber_duck.server.api.table import ROUTES


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """A server whose limits are raised."""
    with raised(tmp_path_factory.mktemp("schema")) as house:
        yield Known.at(house)


def test_no_request_and_no_frame_whatever_is_answered_with_a_fault(known: Known) -> None:
    dice, found = random.Random(7), Found()
    asking = Asking(known, dice, found, (GenerationMode.POSITIVE,))
    for route in ROUTES:
        asking.ask(route, 4)
    frames(known, 200, dice, found)
    assert found.wrong == []
    assert found.requests > len(ROUTES)
    assert found.replies > 50
