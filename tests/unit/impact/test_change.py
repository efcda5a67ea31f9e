"""A change is read from places that a person names, or from a unified diff."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidInput
from rubber_duck.impact.change import ChangedFile, Lines, joined, parse_diff, place

DIFF = """diff --git a/pond/duck.py b/pond/duck.py
index 1..2 100644
--- a/pond/duck.py
+++ b/pond/duck.py
@@ -3 +3,2 @@ def quack():
-    return 1
+    loud = 2
+    return loud
@@ -10,2 +11,0 @@
-gone
--- a line that was removed and looks like a head
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
diff --git "a/caf\\303\\251.py" "b/caf\\303\\251.py"
--- "a/caf\\303\\251.py"
+++ "b/caf\\303\\251.py"
@@ -0,0 +1 @@
+y = 1
\\ No newline at end of file
"""


def test_a_diff_gives_the_lines_as_they_are_now_and_around_what_was_removed() -> None:
    assert parse_diff(DIFF) == (
        ChangedFile("café.py", (Lines(1, 1),), 1),
        ChangedFile("old.py", (), 1, "x = 1\n"),
        ChangedFile("pond/duck.py", (Lines(2, 4), Lines(11, 12)), 5),
    )


def test_a_renamed_file_counts_by_both_names_and_as_a_whole() -> None:
    head = "diff --git a/a.py b/b.py\nsimilarity index 90%\nrename from a.py\nrename to b.py\n"
    hunk = "--- a/a.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\n+y\n"
    assert parse_diff(head + hunk) == (ChangedFile("a.py"), ChangedFile("b.py", (), 2))
    assert parse_diff(head) == (ChangedFile("a.py"), ChangedFile("b.py", (), 0))


def test_a_copied_file_counts_and_its_name_may_be_quoted() -> None:
    diff = 'diff --git a/a.py b/b.py\nsimilarity index 100%\ncopy from a.py\ncopy to "caf\\303\\251 to go.py"\n'
    assert parse_diff(diff) == (ChangedFile("café to go.py", (), 0),)


def test_a_plain_diff_without_prefixes_is_read_too() -> None:
    diff = "--- duck.py\t2025-01-01\n+++ duck.py\t2025-01-02\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    assert parse_diff(diff) == (ChangedFile("duck.py", (Lines(1, 2),), 2),)


def test_nothing_is_changed_by_an_empty_diff_and_other_texts_are_refused() -> None:
    assert parse_diff("") == ()
    with pytest.raises(InvalidInput, match="no unified diff"):
        parse_diff("quack")


@given(st.text(alphabet='+-@ ,0123456789ab/\n\\"', max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        found = parse_diff("--- a/x\n+++ b/x\n" + text)
    except InvalidInput:
        return
    assert all(1 <= each.first <= each.last for change in found for each in change.lines)


def test_a_place_names_a_line_some_lines_or_the_whole_file() -> None:
    assert [place(each) for each in ("duck.py", "duck.py:3", "duck.py:3-5")] == [
        ("duck.py", None),
        ("duck.py", Lines(3, 3)),
        ("duck.py", Lines(3, 5)),
    ]


@pytest.mark.parametrize("written", ["duck.py:0", "duck.py:5-3"])
def test_lines_that_are_none_are_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="names no lines"):
        place(written)


def test_naming_a_whole_file_beats_naming_lines_of_it() -> None:
    changes = [ChangedFile("b", (Lines(1, 1),)), ChangedFile("a", (Lines(2, 2),), 3), ChangedFile("a", (), 4)]
    assert joined(changes) == (ChangedFile("a", (), 7), ChangedFile("b", (Lines(1, 1),)))
