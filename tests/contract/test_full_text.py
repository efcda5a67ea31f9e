"""Sets of chunks and words, and vectors, are the same in both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from rubber_duck.scope import Scope
from rubber_duck.search import store
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.fulltext import FullText, Posting, Word, full_text
from rubber_duck.storage.vectors import Model, Near, Vectors, vectors
from rubber_duck.storage.vectors_blobs import BlobVectors
from tests.factories import MOMENT, make_project

EVERYWHERE = (0, 1 << 60)
WORDS = [
    Word("duck", "", 1),
    Word("duck", "ducks", 2),
    Word("get_duck_%", "", 3),
    Word("größe", "", 4),
    Word("用户权限", "", 5),
    Word("ab", "", 6),
]


@pytest.fixture
async def index(database: Database) -> int:
    """The number of an empty index with some words."""
    local = Scope.local()
    project = await make_project(database, local)
    scope = local.within(project.id)
    state = await database.run(partial(store.open_index, scope=scope, format_=1, at=MOMENT))
    await database.run(lambda connection: full_text(connection, state.number).add_words(WORDS))
    return state.number


async def on(database: Database, index: int, *steps: Callable[[FullText], object]) -> list[object]:
    """Each step in a transaction of its own."""
    return [await database.run(partial(_step, index=index, step=step)) for step in steps]


def _step(connection: Connection, index: int, step: Callable[[FullText], object]) -> object:
    return step(full_text(connection, index))


async def test_words_are_found_by_stem_beginning_and_substring(database: Database, index: int) -> None:
    assert await on(
        database,
        index,
        lambda text: text.words(["duck", "größe", "none"]),
        lambda text: [
            list(text.fitting(glob, "")) for glob in ("get_*", "*ck*", "duck?", "*_%", "*u*t?", "?限", "[ab]*")
        ],
        lambda text: [list(text.fitting("*c*", beginning)) for beginning in ("d", "duck", "get_", "ducks")],
        lambda text: list(text.containing("duck", 10)),
        lambda text: list(text.containing("uck_%", 10)),
        lambda text: list(text.containing("用户权", 10)),
        lambda text: list(text.containing("duck", 1)),
        lambda text: text.all_words() == sorted(WORDS),
    ) == [
        [WORDS[0], WORDS[1], WORDS[3]],
        [[3], [1, 2, 3], [2], [3], [], [], []],
        [[1, 2], [1, 2], [3], []],
        [1, 2, 3],
        [3],
        [5],
        [1],
        True,
    ]


async def test_chunks_hold_and_declare_words_until_they_are_withdrawn(database: Database, index: int) -> None:
    first, second = Posting(7, [1, 2], [2]), Posting(1 << 40, [1, 4096])
    assert await on(
        database,
        index,
        lambda text: text.post([first, second]),
        lambda text: [list(text.holding(number, *EVERYWHERE)) for number in (1, 2, 3, 4096, 10)],
        lambda text: [list(text.declaring(number, *EVERYWHERE)) for number in (1, 2)],
        lambda text: [list(text.holding_any(numbers, *EVERYWHERE)) for numbers in ([2, 4096], range(1, 5000), [])],
        lambda text: [list(text.declaring_any(numbers, 0, 8)) for numbers in ([2, 1], range(5000), [3])],
        lambda text: (text.count(1, *EVERYWHERE), text.count(1, 0, 8), list(text.holding(1, 8, 1 << 60))),
        lambda text: text.withdraw([first]),
        lambda text: [list(text.holding(number, *EVERYWHERE)) for number in (1, 2)],
        lambda text: ended(text) > 1,
        lambda text: (text.count(1, *EVERYWHERE), text.words(["duck"])),
    ) == [
        None,
        [[7, 1 << 40], [7], [], [1 << 40], []],
        [[], [7]],
        [[7, 1 << 40], [7, 1 << 40], []],
        [[7], [7], []],
        (2, 1, [1 << 40]),
        None,
        [[1 << 40], []],
        True,
        (1, WORDS[:2]),
    ]


def all_words(text: FullText) -> list[Word]:
    """The whole vocabulary."""
    return text.all_words()


def ended(text: FullText) -> int:
    """End a build; in how many parts."""
    return 1 + next(part for part in itertools.count() if not text.end_build(part))


async def test_the_end_of_a_build_keeps_every_word(database: Database, index: int) -> None:
    many = [Word(f"word{number % 7}", f"word{number}", number) for number in range(10, 50_000)]
    _, before, _, after = await on(database, index, lambda text: text.add_words(many), all_words, ended, all_words)
    assert before == after == sorted([*WORDS, *many])


def vector(*numbers: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    found = np.array(numbers, np.float32)
    return found / np.linalg.norm(found)


def use(kept: Vectors) -> list[object]:
    """Put, ask, replace and forget vectors; everything that was answered."""
    said: list[object] = [kept.model()]
    kept.create(Model("small", 3))
    kept.put({5: vector(1, 0, 0), 1 << 40: vector(1, 1, 0), 6: vector(0, 0, 1), 7: vector(1, 1, 0)})
    said += [kept.model(), kept.count(), kept.nearest(vector(1, 0.9, 0), 3, *EVERYWHERE)]
    said += [kept.nearest(vector(1, 0, 0), 9, 6, 8)]
    kept.forget([5, 999])
    said += [kept.chunks()]
    kept.create(Model("large", 2))
    said += [kept.model(), kept.chunks()]
    kept.drop()
    return [*said, kept.model()]


@pytest.mark.parametrize("choose", [vectors, BlobVectors], ids=["the usual", "as bytes"])
async def test_the_nearest_vectors_are_found(database: Database, choose: Callable[[Connection, int], Vectors]) -> None:
    said = await database.run(lambda connection: use(choose(connection, 3)))
    assert said == [
        None,
        Model("small", 3),
        4,
        [Near(7, 0.99862), Near(1 << 40, 0.99862), Near(5, 0.74329)],
        [Near(7, 0.70711), Near(6, 0.0)],
        [6, 7, 1 << 40],
        Model("large", 2),
        [],
        None,
    ]
