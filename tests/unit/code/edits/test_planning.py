"""From edits to the bytes of files: encodings, line ends, hunks, names that say less than all, syntax."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubber_duck.code.edits.edit import Delete, Edit, Hint, Reading, Replace, Whole
from rubber_duck.code.edits.hunks import hunks, shown, taken
from rubber_duck.code.edits.placing import Fate, Terms, place
from rubber_duck.code.edits.planning import Plan, chosen, hunk_count, plan
from rubber_duck.code.edits.textfile import git_blob


def planned(files: dict[str, bytes], *edits: Edit, may_replace: bool = False) -> Plan:
    return plan(Reading(edits), files.get, files, may_replace=may_replace)


def after(files: dict[str, bytes], *edits: Edit, may_replace: bool = False) -> dict[str, bytes | None]:
    return {change.path: change.after for change in planned(files, *edits, may_replace=may_replace).changes}


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nC\r\nc\r\n"),
        (b"a\r\nb\r\nc", b"a\r\nB\r\nC\r\nc"),
        (b"\xef\xbb\xbfa\nb\nc\n", b"\xef\xbb\xbfa\nB\nC\nc\n"),
        ("a\nb\nc\n".encode("utf-16"), b"\xff\xfe" + "a\nB\nC\nc\n".encode("utf-16-le")),
        (b"a\nb\n\xff\xfe\x0c\n", b"a\nB\nC\n\xff\xfe\x0c\n"),
        (b"# coding: latin-1\n# \xe9\na\nb\nc\n", b"# coding: latin-1\n# \xe9\na\nB\nC\nc\n"),
        (b"x\r\ny\na\nb\r\nc\n", b"x\r\ny\na\nB\r\nC\r\nc\n"),
        (b"a\nb", b"a\nB\nC"),
    ],
)
def test_bytes_that_no_edit_means_stay_as_they_are(before: bytes, then: bytes) -> None:
    edit = Replace("f.py", "b\n", "B\nC\n")
    assert after({"f.py": before}, edit) == {"f.py": then}


def test_a_character_that_the_files_encoding_lacks_is_refused() -> None:
    made = planned({"f.py": b"# coding: latin-1\na = 1\n"}, Replace("f.py", "a = 1\n", "a = '\u2713'\n"))
    assert [(each.fate, each.why) for each in made.verdicts] == [
        (Fate.REFUSED, "it is iso8859-1, which has no '\u2713'")
    ]


def test_a_binary_file_is_not_edited() -> None:
    made = planned({"f": b"a\0b\n"}, Replace("f", "a\n", "b\n"))
    assert [each.fate for each in made.verdicts] == [Fate.REFUSED]


@pytest.mark.parametrize(
    ("text", "edit", "fate"),
    [
        ("x\ny\nx\n", Replace("f", "x\n", "z\n"), Fate.AMBIGUOUS),
        ("y\n", Replace("f", "x\n", "z\n"), Fate.MISSING),
        ("z\n", Replace("f", "x\n", "z\n"), Fate.DONE),
        ("x\nz\n", Replace("f", "x\n", "x\nz\n"), Fate.DONE),
        ("x\n", Replace("f", "x\n", "x\n"), Fate.REFUSED),
        ("x\n", Replace("f", "", "z\n"), Fate.REFUSED),
        ("x\n", Replace("f", "x\n", "# ... rest of the code ...\n"), Fate.REFUSED),
        ("x\n", Whole("f", "y\n"), Fate.REFUSED),
        ("x\n", Whole("f", "x\n"), Fate.DONE),
        ("x\n", Whole("f", "y\n", is_new=True), Fate.REFUSED),
        ("x\n", Delete("f", "y\n"), Fate.REFUSED),
        (None, Delete("f", "y\n"), Fate.DONE),
        (None, Replace("f", "x\n", "y\n"), Fate.MISSING),
    ],
)
def test_what_is_not_sure_changes_nothing_and_says_why(text: str | None, edit: Edit, fate: Fate) -> None:
    placed = place(text, [edit])
    assert (placed.text, placed.verdicts[0].fate) == (text, fate)
    assert placed.verdicts[0].why or fate is Fate.DONE


@pytest.mark.parametrize(
    ("text", "edit", "fate"),
    [
        # the line that was meant has a slip, and another function has the result
        (
            "def f(items):\n    return totals(items)\n\ndef g():\n    return None\n",
            ("    return total(items)\n", "    return None\n"),
            Fate.MISSING,
        ),
        # indented otherwise than the file, where the result stands first
        (
            "def f(b):\n    v = load(b)\n    return value\n\ndef g(a):\n    v = load(a)\n    return value\n",
            ("v = load(a)\nreturn value\n", "v = load(b)\nreturn value\n"),
            Fate.AMBIGUOUS,
        ),
        (
            "def f(b):\n    return load(b)\n\nclass A:\n    def g(self, a):\n        return load(a)\n",
            ("    return load(a)\n", "    return load(b)\n"),
            Fate.MISSING,
        ),
        # the line that it takes away is still there
        (
            "import os\nimport sys\n\nx = load_all(1)\nmore\n",
            ("import os\nimport sys\n\nx = load_all(0)\nmore\n", "import os\nimport sys\n\nx = load_all(1)\n"),
            Fate.AMBIGUOUS,
        ),
        # applied: a line alone that was changed a little; lines around it; all of the file
        ("import os\nDEBUG_LEVEL = 2\nrun(os)\n", ("DEBUG_LEVEL = 1\n", "DEBUG_LEVEL = 2\n"), Fate.DONE),
        (
            "import os\ndef add(a, b):\n    return a + b\n",
            ("def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"),
            Fate.DONE,
        ),
        ("    return None\n", ("    return total(items)\n", "    return None\n"), Fate.DONE),
    ],
)
def test_an_edit_is_done_only_where_something_says_that_its_place_has_it(
    text: str, edit: tuple[str, str], fate: Fate
) -> None:
    placed = place(text, [Replace("f", *edit)])
    assert (placed.text, placed.verdicts[0].fate) == (text, fate)


@pytest.mark.parametrize("line", [
    "  ...rest,", "  ...existing,", "  ...(other ?? [])", "# Existing file is kept if the user declines.",
    "# The rest of the file is parsed lazily.", "// other functions rely on this", "-- previous code path of clients",
    "# Other imports", "# truncated", "...",
])  # fmt: skip
def test_code_and_comments_that_only_sound_like_a_remark_are_taken(line: str) -> None:
    assert place("x\ny\n", [Replace("f", "x\n", f"{line}\nz\n")]).text == f"{line}\nz\ny\n"


@pytest.mark.parametrize("line", [
    "# ... rest of the code ...", "// ...", "...existing code", "... (rest unchanged)", "# rest of the function",
    "# (unchanged)", "// other methods stay the same", "<!-- remaining code here -->", "# Other methods", "…",
    "# previous code", "{/* existing imports */}",
])  # fmt: skip
def test_a_remark_in_the_place_of_code_is_refused(line: str) -> None:
    placed = place("a1\nb1\nc1\n", [Replace("f", "a1\nb1\nc1\n", f"a2\n{line}\n")])
    assert placed.verdicts[0].fate is Fate.REFUSED


@pytest.mark.parametrize(
    ("before", "search", "replace", "then", "fate"),
    [
        ("x\ny", "x\ny", "x\ny\n", "x\ny\n", Fate.PLACED),
        ("x\ny\n", "x\ny\n", "x\ny", "x\ny", Fate.PLACED),
        ("x\ny", "x\ny", "x\nz\n", "x\nz\n", Fate.PLACED),
        ("x\ny\n", "x\ny\n", "x\nz", "x\nz", Fate.PLACED),
        ("x\ny\n", "x\ny", "x\ny\n", "x\ny\n", Fate.DONE),
        ("x\ny\nmore\n", "x\ny", "x\ny\n", "x\ny\nmore\n", Fate.MISSING),
        ("a\r\ny", "y", "y\n", "a\r\ny\r\n", Fate.PLACED),
    ],
)
def test_a_patch_may_add_or_take_away_the_line_feed_at_the_end(
    before: str, search: str, replace: str, then: str, fate: Fate
) -> None:
    placed = place(before, [Replace("f", search, replace)])
    assert (placed.text, placed.verdicts[0].fate) == (then, fate)


def test_a_part_of_a_file_that_is_shown_beside_its_edit_is_no_edit() -> None:
    files = {"a.py": b"x = 1\ny = 2\nz = 3\n"}
    edits = (Whole("a.py", "y = 2\nz = 3\n"), Replace("a.py", "y = 2\n", "y = 4\n"))
    assert [each.fate for each in planned(files, *edits).verdicts] == [Fate.DONE, Fate.PLACED]


def test_an_empty_file_is_removed_only_if_it_is_empty() -> None:
    assert [each.fate for each in planned({"a": b"x\n"}, Delete("a", "")).verdicts] == [Fate.REFUSED]
    assert after({"a": b""}, Delete("a", "")) == {"a": None}


def test_an_ambiguous_edit_names_the_lines_that_it_may_mean() -> None:
    assert place("x\ny\nx\n", [Replace("f", "x\n", "z\n")]).verdicts[0].lines == (1, 3)


def test_a_patch_may_choose_by_line_only_in_the_very_file_that_it_was_made_for() -> None:
    content = "x\ny\nx\n"
    blob = git_blob(content.encode())
    edit = Replace("f", "x\n", "z\n", hint=Hint(3, blob[:7]))
    assert place(content, [edit], Terms(blob=blob)).text == "x\ny\nz\n"
    assert place(content, [edit], Terms(blob="0" * 40)).verdicts[0].fate is Fate.AMBIGUOUS


def test_tabs_in_the_file_are_kept_though_the_edit_has_spaces() -> None:
    placed = place(
        "def f():\n\tif a:\n\t\tb()\n", [Replace("f", "    if a:\n        b()\n", "    if a:\n        c()\n")]
    )
    assert placed.text == "def f():\n\tif a:\n\t\tc()\n"


def test_edits_of_one_file_build_on_each_other_and_those_of_several_stay_apart() -> None:
    files = {"src/a.py": b"a = 1\n", "b.py": b"b = 1\n"}
    edits = (Replace("a.py", "a = 1\n", "a = 2\n"), Replace("b.py", "b = 1\n", "b = 2\n"))
    assert after(files, *edits, Replace("./src\\a.py", "a = 2\n", "a = 3\n")) == {
        "b.py": b"b = 2\n",
        "src/a.py": b"a = 3\n",
    }


def test_a_name_that_several_files_have_is_refused() -> None:
    made = planned({"x/a.py": b"1\n", "y/a.py": b"1\n"}, Replace("a.py", "1\n", "2\n"))
    assert [(each.fate, each.why) for each in made.verdicts] == [
        (Fate.AMBIGUOUS, "its name may mean any of x/a.py, y/a.py")
    ]


def test_a_new_file_is_made_where_its_name_says() -> None:
    assert after({"x/a.py": b"1\n"}, Replace("a.py", "", "2\n")) == {"a.py": b"2\n"}


def test_a_file_that_no_longer_parses_is_told() -> None:
    made = planned({"a.py": b"def f():\n    return 1\n"}, Replace("a.py", "    return 1\n", "    return (\n"))
    assert not made.is_sound
    assert made.changes[0].broken.startswith("it no longer parses: line ")


def test_a_file_that_was_broken_before_may_stay_so() -> None:
    made = planned({"a.py": b"def f(:\n    return 1\n"}, Replace("a.py", "    return 1\n", "    return 2\n"))
    assert made.is_sound


def test_hunks_are_taken_and_left_one_by_one() -> None:
    files = {"a": b"1\n2\n3\n4\n5\n", "b": b"x\n"}
    edits = (Replace("a", "1\n", "one\n"), Replace("a", "5\n", "five\nsix\n"), Replace("new", "", "n\n"))
    made = planned(files, *edits)
    assert [hunk_count(change) for change in made.changes] == [2, 1]
    assert {each.path: each.after for each in chosen(made, {2, 3}).changes} == {
        "a": b"1\n2\n3\n4\nfive\nsix\n",
        "new": b"n\n",
    }
    assert chosen(made, set()).changes == ()
    assert chosen(made, {1, 2, 3}).digest == made.digest
    assert chosen(made, {1}).digest != made.digest


LINES = st.lists(st.sampled_from(["a", "b", "", "  c", "d\r", "\x0c"]), max_size=12)
TEXTS = st.tuples(LINES, st.sampled_from(["", "\n"])).map(
    lambda pair: "\n".join(pair[0]) + (pair[1] if pair[0] else "")
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, TEXTS)
def test_all_hunks_make_the_new_text_and_none_the_old_one(old: str, new: str) -> None:
    found = hunks(old, new)
    assert taken(old, new, range(len(found))) == new
    assert taken(old, new, ()) == old
    for hunk in found:
        head, *lines = shown(old, new, hunk).split("\n")[:-1]
        assert head.startswith("@@ -")
        assert all(line[:1] in " +-\\" for line in lines)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, TEXTS, TEXTS)
def test_an_edit_that_is_placed_leaves_every_line_outside_its_place(text: str, search: str, new: str) -> None:
    placed = place(text, [Replace("f", search, new)])
    if placed.verdicts[0].fate is not Fate.PLACED:
        assert placed.text == text
