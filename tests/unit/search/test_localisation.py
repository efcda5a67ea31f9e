"""What an issue's text says about where to look, and how the clues add up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rubber_duck.errors import InvalidInput
from rubber_duck.search.hits import Hit, Reason, ReasonKind
from rubber_duck.search.localisation.frames import Frame, innermost_last
from rubber_duck.search.localisation.history import changed_with
from rubber_duck.search.localisation.issue import Manner, Name, read_issue
from rubber_duck.search.localisation.localisation import Ground, locate
from rubber_duck.search.localisation.ranking import Clue, Evidence, Place, neighbours, rank, shared_by_best
from rubber_duck.workspace.git import Commit

ISSUE = """\
Pager breaks with `echo_via_pager`

<!-- Thank you for reporting! -->
### Steps to reproduce
Colours are lost in shop/term.py when `click.utils.LazyFile` is closed.

> somebody else wrote this

- [x] I have searched
2025-01-02 10:11:12 INFO started wonderfully

```
pager(zebra)
```

### Environment
Python version: 3.12
a machine with giraffes
### Anything else
It began last week.
"""


def test_boilerplate_quotes_and_logs_say_nothing() -> None:
    issue = read_issue(ISSUE)
    assert issue.title == ("Pager", "breaks", "echo_via_pager")
    assert " ".join(issue.body) == "Colours lost shop term py click utils LazyFile closed Anything began last week"
    assert issue.code == ("pager", "zebra")


def test_names_are_kept_once_and_at_their_best() -> None:
    assert read_issue(ISSUE).names == (
        Name("echo_via_pager", "", Manner.MARKED, in_title=True),
        Name("LazyFile", "utils", Manner.MARKED, in_title=False),
        Name("pager", "", Manner.CODE, in_title=False),
        Name("zebra", "", Manner.CODE, in_title=False),
    )


def test_files_and_modules_are_named() -> None:
    issue = read_issue(ISSUE)
    assert (issue.paths, issue.modules) == (("shop/term.py",), ("click.utils.LazyFile",))


@pytest.mark.parametrize(
    ("lines", "frames"),
    [
        (
            [
                '  File "/srv/shop/term.py", line 3, in sell',
                "    price()",
                '  File "C:\\shop\\price.py", line 12, in <module>',
            ],
            (Frame("/srv/shop/term.py", 3, "sell"), Frame("C:/shop/price.py", 12, "")),
        ),
        (
            ["TypeError: x", "    at Cart.add (/srv/src/cart.ts:5:9)", "    at file:///srv/src/main.js:40:1"],
            (Frame("/srv/src/main.js", 40, ""), Frame("/srv/src/cart.ts", 5, "add")),
        ),
        (
            ["    (shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.add/2", "    (elixir 1.14.0) lib/enum.ex:3: Enum.map/2"],
            (Frame("lib/enum.ex", 3, "map"), Frame("lib/shop/cart.ex", 12, "add")),
        ),
        (["shop/term.py:31: in sell"], (Frame("shop/term.py", 31, "sell"),)),
        (["see http://example.org/a:80", "at noon"], ()),
    ],
)
def test_frames_stand_in_the_order_of_calls(lines: list[str], frames: tuple[Frame, ...]) -> None:
    assert innermost_last(lines) == frames


def test_what_speaks_for_a_file_adds_up_and_a_test_counts_less() -> None:
    place = Place("sell", "function", 3, 9)
    found = rank(
        [
            Evidence("shop.py", Clue.TITLE, 0.5, "has the title's words"),
            Evidence("shop.py", Clue.DEFINES, 1.0, "defines sell", place, 1.0),
            Evidence("tests/test_shop.py", Clue.FRAME, 1.0, "the traceback passes"),
        ],
        limit=5,
    )
    assert [(each.path, each.score, each.places, each.reasons) for each in found] == [
        ("shop.py", 3.5, (place,), ("defines sell", "has the title's words")),
        ("tests/test_shop.py", 2.4, (), ("the traceback passes",)),
    ]


def test_the_chunks_of_a_file_count_less_and_less() -> None:
    assert shared_by_best({"a": [4.0, 8.0], "b": [5.0]}) == {"a": 1.0, "b": 0.5}


def test_neighbours_speak_for_each_other() -> None:
    first = rank([Evidence("a", Clue.TITLE, 1.0, ""), Evidence("b", Clue.TITLE, 0.5, "")], limit=2)
    assert neighbours(first, [("a", "b"), ("b", "elsewhere")]) == [
        Evidence("a", Clue.NEIGHBOUR, 0.5, "it imports b"),
        Evidence("b", Clue.NEIGHBOUR, 1.0, "a imports it"),
    ]


def test_commits_that_share_rare_words_speak_for_what_they_changed() -> None:
    commits = (
        Commit("1", ("pager.py",), "Keep-colours-in-the-pager"),
        Commit("2", ("pager.py", "term.py"), "Show-the-pager-on-Windows"),
        Commit("3", ("term.py",), "Fix-colours"),
        Commit("4", tuple(f"{number}.py" for number in range(21)), "Sell-windows-and-lose-them"),
    )
    found = changed_with(["Pagers", "lose", "windows"], commits)
    assert found == {"pager.py": (1.0, commits[1]), "term.py": (1.0, commits[1])}
    assert str(found["term.py"]) == "commit 2 changed it: Show the pager on Windows"
    assert changed_with(["colour"], commits) == {}


PATHS = ("shop/term.py", "shop/price.py", "shop/__init__.py", "other/price.py")


async def _find(query: str, limit: int) -> Sequence[Hit]:
    """An index in which `shop/price.py` declares `price_of` and nothing else is said."""
    if query != "price_of":
        return []
    reasons = (Reason(ReasonKind.DECLARES, ("price_of",)),)
    return [Hit("shop/price.py", "python", "function", "price_of", 1, 4, 0, 60, 5.0, False, reasons, ())]


async def _located(text: str) -> list[tuple[str, float, tuple[str, ...]]]:
    found = await locate(text, Ground(PATHS, _find, lambda paths: []), 10)
    return [(each.path, each.score, each.reasons) for each in found]


async def test_the_innermost_frame_inside_the_project_weighs_most() -> None:
    text = """\
It fails
  File "/home/me/app/shop/term.py", line 7, in show
  File "/home/me/app/shop/price.py", line 3, in price_of
  File "/usr/lib/python3/json/decoder.py", line 3, in decode
"""
    assert await _located(text) == [
        ("shop/price.py", 8.0, ("the traceback passes line 3 in price_of",)),
        ("shop/term.py", 4.0, ("the traceback passes line 7 in show",)),
    ]


async def test_a_file_name_is_shared_by_those_that_may_be_meant() -> None:
    assert await _located("price.py is slow") == [
        ("other/price.py", 3.0, ("price.py is named",)),
        ("shop/price.py", 3.0, ("price.py is named",)),
    ]
    assert (await _located("shop/price.py is slow"))[0] == ("shop/price.py", 6.0, ("shop/price.py is named",))


async def test_what_defines_a_named_function_is_found() -> None:
    assert await _located("Wrong sum in `price_of`") == [("shop/price.py", 3.0, ("defines price_of",))]


async def test_a_text_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="describe what is wrong"):
        await _located("### Steps to reproduce\n\n- [x] searched\n")
