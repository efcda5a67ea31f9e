"""Which lexicon a family of languages has."""

from __future__ import annotations

from typing import Final

from rubber_duck.ngram.lexicon import Lexicon
from rubber_duck.ngram.lexicons import ecmascript, elixir, python

_LEXICONS: Final = {"python": python.LEXICON, "ecmascript": ecmascript.LEXICON, "elixir": elixir.LEXICON}


def lexicon(family: str) -> Lexicon | None:
    """The lexicon of a family of languages, or None for one that cannot be completed."""
    return _LEXICONS.get(family)
