"""A language is called as people write it."""

from __future__ import annotations

import pytest

from rubber_duck.code.language import title


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("python", "Python"),
        ("javascript", "JavaScript"),
        ("typescript", "TypeScript"),
        ("elixir", "Elixir"),
        ("cobol", "cobol"),
        ("", ""),
    ],
)
def test_a_language_is_called_as_people_write_it(name: str, written: str) -> None:
    assert title(name) == written
