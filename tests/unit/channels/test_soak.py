"""The long runs over streams and frames, in short."""

from __future__ import annotations

import asyncio

from benchmarks.cuts import cut
from benchmarks.frames import fuzzed


def test_streams_that_are_cut_are_whole_when_no_node_is_killed() -> None:
    tally = asyncio.run(cut(300, 0, seed=11))
    assert tally.wrong == ()
    assert (tally.told, tally.whole > 20) == (0, True)


def test_streams_are_whole_or_told_of_when_nodes_are_killed() -> None:
    tally = asyncio.run(cut(300, 20, seed=12))
    assert tally.wrong == ()
    assert tally.told > 0
    assert tally.whole > 0


def test_damaged_frames_leave_nothing_behind() -> None:
    assert fuzzed(3_000, seed=13) == []
