"""What the symbols of a file say, read from its syntax tree; nothing where that cannot be had."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.errors import LimitExceeded
from rubber_duck.ngram.relations import Relations, relations
from rubber_duck.ngram.training import Relate


def relate_with(language: str) -> Relate:
    """The relations of files in `language`; a file that takes too long or is nested too deeply has none."""

    def relate(path: str, content: bytes, number: Callable[[str], int | None]) -> Relations:
        try:
            return relations(extract(open_source(path, content, language)), path, number)
        except LimitExceeded:
            return array("i")

    return relate
