"""What a language says in every project: the outermost scope, which speaks where a project's own code is silent yet.

It is a page of code of ours for each family of languages. It is asked only where it knows a longer context than the
project, and the project knows next to nothing; its names are offered nowhere else.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def primer(family: str) -> str:
    """The page of a family of languages; "" for one that has none."""
    page = files("rubber_duck.ngram") / "primers" / f"{family}.txt"
    return page.read_text(encoding="utf-8") if page.is_file() else ""
