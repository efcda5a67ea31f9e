"""The tree of errors is complete as drawn, and whatever is raised becomes one of it without losing its origin."""

from __future__ import annotations

import asyncio
import re
import traceback

import pytest

from rubber_duck import errors
from rubber_duck.errors import (
    Conflict,
    Denied,
    DuckError,
    InvalidInput,
    InvalidPath,
    LimitExceeded,
    NotFound,
    Refused,
    StaleVersion,
    TimedOut,
    Unavailable,
    UnknownName,
    did_you_mean,
    normalize,
    tree,
)

OURS = [error for error in tree() if error.__module__.startswith("rubber_duck.")]
_DRAWN = re.compile(
    r"^ {4}(?P<branches>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\w+) +(?P<status>\d{3}) ?(?P<again>\*?)", re.M
)


def _drawn() -> dict[str, tuple[str, str, int, bool]]:
    """Each drawn class: its parent, code, status, whether to try again."""
    found: dict[str, tuple[str, str, int, bool]] = {}
    above: list[str] = ["DuckError"]
    for line in _DRAWN.finditer(errors.__doc__ or ""):
        depth = len(line["branches"]) // 4
        above[depth:] = [line["name"]]
        found[line["name"]] = (above[max(depth - 1, 0)], line["code"], int(line["status"]), bool(line["again"]))
    return found


def test_the_drawing_at_the_head_of_the_module_is_the_tree() -> None:
    assert _drawn() == {
        error.__name__: (
            error.__base__.__name__ if error.__base__ not in (None, Exception) else "DuckError",
            error.code,
            error.status,
            error.retryable,
        )
        for error in OURS
    }


def test_every_error_lives_in_one_module() -> None:
    assert {error.__module__ for error in OURS} == {"rubber_duck.errors"}


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in OURS]

    assert sorted(codes) == sorted(set(codes))


def test_every_error_says_its_code_itself() -> None:
    assert [error.__name__ for error in OURS if "code" not in vars(error)] == []


def test_every_error_has_a_docstring() -> None:
    assert [error.__name__ for error in OURS if not error.__doc__] == []


def test_parents_come_before_children() -> None:
    assert list(tree(Conflict)) == [Conflict, StaleVersion, Refused]


def test_an_error_of_ours_is_left_as_it_is() -> None:
    error = Denied("no")

    assert normalize(error) is error


@pytest.mark.parametrize(
    ("foreign", "kind", "message"),
    [
        (FileNotFoundError(2, "No such file", "a.py"), NotFound, "there is no file 'a.py'"),
        (FileNotFoundError(), NotFound, "there is no such file"),
        (
            PermissionError(13, "Permission denied", "a.py"),
            Denied,
            "the operating system does not allow access to the file 'a.py'",
        ),
        (
            IsADirectoryError(21, "Is a directory", "a"),
            InvalidPath,
            "the file 'a' is not of the kind that was expected",
        ),
        (NotADirectoryError(20, "", "a"), InvalidPath, "the file 'a' is not of the kind that was expected"),
        (TimeoutError(), TimedOut, "the operation took longer than its time-out"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            InvalidInput,
            "text is not valid utf-8: invalid start byte at byte 0",
        ),
        (MemoryError(), LimitExceeded, "there is not enough memory for this operation"),
        (RecursionError(), LimitExceeded, "the input is nested too deeply"),
        (OSError(28, "No space left on device"), Unavailable, "the operating system refused: No space left on device"),
        (ConnectionResetError("gone"), Unavailable, "the operating system refused: gone"),
        (ValueError("bad"), DuckError, "ValueError: bad"),
        (AssertionError(), DuckError, "AssertionError"),
        (asyncio.CancelledError(), DuckError, "CancelledError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_foreign_exception_becomes_the_fitting_error(
    foreign: BaseException, kind: type[DuckError], message: str
) -> None:
    known = normalize(foreign)

    assert (type(known), known.message) == (kind, message)


def test_the_foreign_exception_stays_as_the_cause() -> None:
    foreign = ValueError("bad")

    assert normalize(foreign).__cause__ is foreign


def test_the_traceback_of_the_foreign_exception_is_kept() -> None:
    def deep_inside() -> None:
        raise ValueError("bad")

    try:
        deep_inside()
    except ValueError as error:
        known = normalize(error)

    assert "in deep_inside" in "".join(traceback.format_exception(known))


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("analyse", ["analyze", "outline"], "; did you mean 'analyze'?"),
        ("zzz", ["analyze", "outline"], ""),
        ("analyze", [], ""),
    ],
)
def test_the_nearest_known_name_is_suggested(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_an_unknown_name_says_what_was_looked_for() -> None:
    error = UnknownName.among("rule", "nam", ["name"], where=" (in duck.toml)", hint="`duck rules` lists them")

    assert error.message == "there is no rule 'nam' (in duck.toml); did you mean 'name'?"


@pytest.mark.parametrize(
    ("known", "hint", "said"),
    [
        (["name", "fame"], "`duck rules` lists them", "there is no rule 'x'; `duck rules` lists them"),
        (["name", "fame"], "", "there is no rule 'x'; there are fame, name"),
        (["name"], "", "there is no rule 'x'; there is name"),
        ([], "", "there is no rule 'x'"),
        ([f"a{number}" for number in range(9)], "", "there is no rule 'x'"),
    ],
)
def test_an_unknown_name_that_is_near_to_none_is_told_where_to_look(known: list[str], hint: str, said: str) -> None:
    assert UnknownName.among("rule", "x", known, hint=hint).message == said


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("sql", ["sql-injection", "unsafe-eval"], "; did you mean 'sql-injection'?"),
        ("s608", ["ruff/S608-of-another-name", "unsafe-eval"], "; did you mean 'ruff/S608-of-another-name'?"),
        (
            "xyz",
            [f"{'long' * each}-xyz" for each in range(3, 8)][1:3],
            f"; did you mean {'long' * 4 + '-xyz'!r} or {'long' * 5 + '-xyz'!r}?",
        ),
        ("ev", ["unsafe-eval"], "; `duck rules` lists them"),
    ],
)
def test_a_name_that_is_near_to_none_is_told_the_names_that_contain_it(name: str, known: list[str], said: str) -> None:
    assert UnknownName.among("rule", name, known, hint="`duck rules` lists them").message == (
        f"there is no rule {name!r}{said}"
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f"there is no rule {'x' * 60_000!r}; see `duck rules`", f"there is no rule '{'x' * 100}…'; see `duck rules`"),
        (f"no {'it' + chr(39) + 's' * 200!r}, or 'b'", f"no \"it's{'s' * 96}…\", or 'b'"),
        (f"no '/{'p/' * 300}', sorry", f"no '/{'p/' * 300}', sorry"),
        (f"no '/{'p' * 9000}', sorry", f"no '/{'p' * 999}…', sorry"),
        (f"a project's own {'w ' * 60}is not mine, 'a'", f"a project's own {'w ' * 60}is not mine, 'a'"),
        (f"'a' and {'then ' * 30}'b'", f"'a' and {'then ' * 30}'b'"),
        ("x " * 9000, f"{'x ' * 2000}…"),
    ],
)
def test_what_a_message_quotes_is_cut_to_a_bearable_length(message: str, said: str) -> None:
    error = InvalidInput(message)
    assert (error.message, str(error)) == (said, said)
