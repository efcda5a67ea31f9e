"""What is taken from somebody holds within the promise, on two nodes, also with Redis gone."""

from __future__ import annotations

from benchmarks.revocation import measured


async def test_a_revoked_key_is_worth_nothing_within_the_promise() -> None:
    for title, longest in (await measured(10)).items():
        assert len(longest.sockets) == len(longest.requests) == 10
        assert max(longest.sockets) < 5, (title, longest)
        assert max(longest.requests) < 2, (title, longest)  # 1 s is promised; a loaded machine answers late
