"""Damaged copies of real files, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "data" / "sources"
SUFFIXES = {".py", ".js", ".ts", ".tsx", ".ex"}

Mutate = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def originals() -> dict[str, bytes]:
    """The real files by name."""
    files = {path.name: path.read_bytes() for path in sorted(SOURCES.rglob("*")) if path.suffix in SUFFIXES}
    assert {Path(name).suffix for name in files} == SUFFIXES
    return files


def mutated(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files as (name, content), every original in turn, one to four wounds each."""
    dice = random.Random(seed)
    files = originals()
    names = sorted(files)
    everything = list(files.values())
    for number in range(count):
        name = names[number % len(names)]
        content = files[name]
        for _ in range(dice.randint(1, 4)):
            content = dice.choice(MUTATIONS)(dice, content, everything)
        stem, _, suffix = name.rpartition(".")
        yield f"m{number:05}_{stem}.{suffix}", content


def _range(dice: random.Random, content: bytes, most: int = 2000) -> tuple[int, int]:
    start = dice.randrange(len(content) + 1)
    return start, min(len(content), start + dice.randrange(most))


def _delete(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _range(dice, content)
    return content[:start] + content[end:]


def _repeat(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _range(dice, content)
    return content[:end] + content[start:end] * dice.randint(1, 5) + content[end:]


def _truncate(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _flip(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.randint(1, 40)):
        if damaged:
            damaged[dice.randrange(len(damaged))] = dice.randint(1, 255)
    return bytes(damaged)


def _splice(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other = dice.choice(others)
    start, end = _range(dice, other)
    at = dice.randrange(len(content) + 1)
    return content[:at] + other[start:end] + content[at:]


def _nest(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(content) + 1)
    opening = dice.choice([b"(", b"[", b"{", b"if x:\n ", b"do ", b"<a>", b"`${", b'f"{', b"!", b"not ", b"-", b"a."])
    return content[:at] + opening * dice.choice([2, 30, 300, 3000]) + content[at:]


def _insert(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(content) + 1)
    odd = [b"\xff\xfe", b"\r", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\x0c", b'"""', b"'", b"#{", b"/*", b"\\", b"\t" * 99]
    return content[:at] + dice.choice(odd) + content[at:]


def _indent(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    lines = content.split(b"\n")
    for _ in range(dice.randint(1, 30)):
        at = dice.randrange(len(lines))
        lines[at] = b" " * dice.randrange(12) + lines[at].lstrip()
    return b"\n".join(lines)


def _shuffle(dice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    lines = content.split(b"\n")
    start = dice.randrange(len(lines))
    part = lines[start : start + 40]
    dice.shuffle(part)
    return b"\n".join(lines[:start] + part + lines[start + 40 :])


MUTATIONS: list[Mutate] = [_delete, _repeat, _truncate, _flip, _splice, _nest, _insert, _indent, _shuffle]
