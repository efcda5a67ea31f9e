"""What is taken from somebody holds within the promise, on two nodes, also with Redis gone or frozen."""

from __future__ import annotations

from benchmarks.revocation import measured


async def test_a_revoked_key_is_worth_nothing_within_the_promise() -> None:
    found = await measured(5)
    assert set(found) == {"Redis up", "Redis frozen", "Redis killed"}
    for title, longest in found.items():
        assert len(longest.sockets) == len(longest.requests) == 5
        # 5 s and 1 s are promised, which the benchmark measures; a loaded machine answers late.
        assert max(*longest.sockets, *longest.requests) < 20, (title, longest)
