"""What is sealed is believed from who has the key, for a while, about its own topic, and once."""

from __future__ import annotations

from rubber_duck.cluster.seal import BELIEVED_S, Seal


class Clock:
    """Seconds since 1970 that are moved by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def test_a_message_is_heard_once_and_only_under_its_topic() -> None:
    here, there = Seal(b"k" * 32, b"originAA"), Seal(b"k" * 32, b"originBB")
    sealed = here.closed("a", b"hello")
    assert there.heard("b", sealed) is None
    assert there.heard("a", sealed) == b"hello"
    assert there.heard("a", sealed) is None
    assert there.heard("a", here.closed("a", b"hello")) == b"hello"


def test_whoever_does_not_have_the_key_is_not_believed() -> None:
    there = Seal(b"k" * 32, b"originBB")
    genuine = Seal(b"k" * 32, b"originAA").closed("a", b"hello")
    assert there.opened("a", Seal(b"x" * 32, b"originAA").closed("a", b"hello")) is None
    for place in range(len(genuine)):
        changed = bytearray(genuine)
        changed[place] ^= 1
        assert there.opened("a", bytes(changed)) is None, place
    for length in range(len(genuine)):
        assert there.opened("a", genuine[:length]) is None, length
    assert there.opened("a", genuine) == b"hello"


def test_an_old_message_is_not_believed() -> None:
    clock = Clock()
    here, there = (Seal(b"k" * 32, name, now_s=clock) for name in (b"originAA", b"originBB"))
    sealed, kept = here.closed("a", b"x"), here.closed("a", b"y", for_s=3600)
    clock.now += BELIEVED_S + 1
    assert there.heard("a", sealed) is None
    assert there.opened("a", kept) == b"y"


def test_what_was_heard_is_forgotten_when_it_would_not_be_believed_any_more() -> None:
    clock = Clock()
    here, there = (Seal(b"k" * 32, name, now_s=clock) for name in (b"originAA", b"originBB"))
    for _ in range(3):
        for _ in range(50):
            there.heard("a", here.closed("a", b"x"))
        clock.now += BELIEVED_S + 1
    there.heard("a", here.closed("a", b"x"))
    assert there.remembered == 1
