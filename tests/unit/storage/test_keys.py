"""Keys: UUIDs of version 7 that only ever grow."""

from __future__ import annotations

import threading
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.storage.keys import KeyMaker, new_key


def test_a_key_has_the_form_of_the_standard_and_holds_its_time() -> None:
    key = KeyMaker(lambda: 0x017F22E279B0, lambda bits: (1 << bits) - 1)()
    assert (key.version, key.variant) == (7, RFC_4122)
    assert key.int >> 80 == 0x017F22E279B0
    assert str(key) == "017f22e2-79b0-77ff-bfff-ffffffffffff"


@given(times=st.lists(st.integers(min_value=0, max_value=3), min_size=2, max_size=50))
def test_each_key_is_greater_whatever_the_clock_does(times: list[int]) -> None:
    clock = iter(times)
    make = KeyMaker(lambda: next(clock), lambda bits: (1 << bits) - 1)
    keys = [make() for _ in times]
    assert keys == sorted(set(keys))
    assert {key.version for key in keys} == {7}


def test_when_a_millisecond_is_full_the_next_one_is_used() -> None:
    make = KeyMaker(lambda: 5, lambda bits: (1 << bits) - 1)
    make._tail, make._last_ms = (1 << 74) - 1, 5
    assert make().int >> 80 == 6


def test_threads_get_different_keys() -> None:
    keys: list[UUID] = []

    def work() -> None:
        keys.extend([new_key() for _ in range(2000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 8000
