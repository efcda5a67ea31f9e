"""The network weighs the evidence; its arrays are small and of this version."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from rubber_duck.errors import Unavailable
from rubber_duck.ngram.evidence import gather
from rubber_duck.ngram.lexicon import KEYWORD, NAME, NUMBER, STRING, SYMBOL
from rubber_duck.ngram.mixer import FIRST_WORD, Mixer, expand, looks, mixer
from rubber_duck.ngram.scope import file_scope, project_scope
from tests.unit.ngram.models import SHOP, draft_of, model_of


def test_what_ships_is_small() -> None:
    assert files("rubber_duck.ngram").joinpath("mixer.npz").read_bytes().__len__() <= 500_000


def test_shares_sum_to_one_and_are_the_same_each_time() -> None:
    draft = draft_of(model_of(SHOP), "def f(order):\n    order.")
    evidence = gather(draft, project_scope(draft), file_scope(draft))
    codes = [draft.code(each) for each in evidence.candidates]
    around = [draft.code(each) for each in evidence.words]
    first, second = (mixer().shares(evidence, codes, around) for _ in range(2))
    assert abs(float(first.sum()) - 1) < 1e-5
    assert first.tolist() == second.tolist()


def test_words_of_a_language_have_vectors_of_their_own() -> None:
    assert mixer().code("self", NAME) >= FIRST_WORD
    assert mixer().code("return", KEYWORD) >= FIRST_WORD
    assert mixer().code("zebra_crossing", NAME) == looks("zebra_crossing", NAME)


def test_other_tokens_go_by_how_they_look() -> None:
    tokens = (("name", NAME), ("Name", NAME), ("NAME", NAME), ("_name", NAME), ("@Name", NAME), ("", NAME))
    assert [looks(*token) for token in tokens] == [1, 2, 3, 4, 2, 0]
    assert [looks("x", kind) for kind in (SYMBOL, KEYWORD, STRING, NUMBER)] == [5, 6, 7, 8]


def test_shares_are_taken_as_logarithms_and_beside_the_best() -> None:
    columns = [[1.0, np.e]] * 6 + [[0.0, 1.0]] * 5 + [[3.0, 4.0]]
    expected = [[0, 1]] * 6 + [[0, np.log(2)]] * 5 + [[3, 4]] + [[-1, 0]] * 5
    assert np.allclose(expand(columns), np.array(expected).T)


def test_arrays_of_another_version_are_refused() -> None:
    with pytest.raises(Unavailable, match="another version"):
        Mixer({"format": np.array(0)})
