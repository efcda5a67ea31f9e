"""Edits as models and tools really write them, read."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubber_duck.code.edits.edit import Delete, Hint, Misread, Reading, Replace, Whole
from rubber_duck.code.edits.reading import MOST_CHARACTERS, Form, read_edits
from rubber_duck.errors import LimitExceeded

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


def replaces(text: str) -> list[tuple[str, str, str]]:
    reading = read_edits(text)
    assert reading.misread == ()
    return [(edit.path, edit.search, edit.replace) for edit in reading.edits if isinstance(edit, Replace)]


@pytest.mark.parametrize(
    "text",
    [
        f"src/a.py\n```python\n{BLOCK}```\n",
        f"Do this:\n\n**src/a.py**\n\n```python\n{BLOCK}```\nand it works",
        f"```python\nsrc/a.py\n{BLOCK}```",
        f"```python src/a.py\n{BLOCK}```",
        f"```python:src/a.py\n{BLOCK}```",
        f'```python title="src/a.py"\n{BLOCK}```',
        f"### `src/a.py`:\n~~~\n{BLOCK}~~~",
        f"1. File: src/a.py\n\n{BLOCK}",
        f"In `src/a.py` this has to change:\n```\n{BLOCK}```",
        f"src/a.py\n```python\n{BLOCK}",
        f"src/a.py\n{BLOCK}".replace("\n", "\r\n"),
        BLOCK.replace("SEARCH", "SEARCH src/a.py"),
        f"src/a.py\n```\n```\n{BLOCK}",
        f"src/a.py\n{BLOCK}".replace("=======", "====="),
        f"src/a.py\n{BLOCK}".replace("REPLACE\n", "REPLACE```"),
    ],
)
def test_a_block_is_read_however_its_file_is_named_and_fenced(text: str) -> None:
    assert replaces(text) == [("src/a.py", "old\n", "new\n")]


def test_further_blocks_for_the_same_file_need_not_repeat_its_name() -> None:
    assert replaces(f"a.py\n```\n{BLOCK}\n{BLOCK}```\nb.py\n{BLOCK}") == [
        ("a.py", "old\n", "new\n"),
        ("a.py", "old\n", "new\n"),
        ("b.py", "old\n", "new\n"),
    ]


@pytest.mark.parametrize(
    ("above", "path"),
    [
        ("In `b.py` as in `c.py`:", None),
        ("Move it from b.py to c.py:", None),
        ("### b.py\n\nUse the class of `c.py`:", None),
        ("### b.py\n\nUse the class of `c.py` in `src/b.py`:", "b.py"),
        ("Use `c.py` in it:\n\nb.py", "b.py"),
        ("Then update b.py, too:", "b.py"),
        ("The call of `os.path` in `b.py` goes:", "b.py"),
        ("With Node.js this goes on:", "a.py"),
        ("It calls `self.items` and `self.names`:", "a.py"),
        ("And then:", "a.py"),
    ],
)
def test_a_block_goes_to_the_file_before_only_if_no_other_is_named(above: str, path: str | None) -> None:
    reading = read_edits(f"a.py\n```\n{BLOCK}```\n\n{above}\n```\n{BLOCK}```\n")
    assert [edit.path for edit in reading.edits] == ["a.py", *([path] if path else [])]
    assert [each.why for each in reading.misread] == (
        [] if path else ["several files are named above it; name the one that is meant alone on the line before"]
    )


def test_a_block_in_a_list_loses_the_indentation_of_the_list() -> None:
    text = "- a.py\n" + "".join(f"  {line}\n" for line in BLOCK.splitlines()).replace("  new", "    new")
    assert replaces(text) == [("a.py", "old\n", "  new\n")]


def test_a_line_of_equals_signs_of_another_length_is_content() -> None:
    text = "a.rst\n<<<<<<< SEARCH\nTitle\n=====\n=======\nTitles\n======\n>>>>>>> REPLACE\n"
    assert replaces(text) == [("a.rst", "Title\n=====\n", "Titles\n======\n")]


def test_a_block_that_ends_with_equals_signs_is_read_where_nothing_can_follow() -> None:
    assert replaces("a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n=======\n```\n") == [("a.py", "old\n", "new\n")]
    assert replaces("a.py\n<<<<<<< SEARCH\nold\n=======\n=======\n>>>>>>> REPLACE\n") == [("a.py", "old\n", "")]


def test_a_line_of_equals_signs_that_may_underline_a_title_is_not_taken_for_a_marker() -> None:
    text = "a.rst\n<<<<<<< SEARCH\nold\n=======\nHeading\n=======\n>>>>>>> REPLACE\n"
    assert [each.line for each in read_edits(text).misread] == [2]


@pytest.mark.parametrize(
    ("text", "misread"),
    [
        (BLOCK, Misread(1, "no file is named above it")),
        ("a.py\n<<<<<<< SEARCH\nold\n=======\nne", Misread(2, "the block does not end with >>>>>>> REPLACE")),
        (
            "a.py\n<<<<<<< SEARCH\nold\n>>>>>>> REPLACE",
            Misread(2, "the block has no line of ======= between old and new"),
        ),
        (
            "a.py\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE",
            Misread(2, "it has several lines of ======= of which each could be the one between old and new"),
        ),
        ("--- a/x\n+++ b/x\n", Misread(1, "the diff names a file and has no hunk")),
        (
            "diff --git a/x b/y\nrename from x\nrename to y\n",
            Misread(2, "renaming a file is not supported; say it as a new file and a removed one"),
        ),
        ("a.py\n```\nx = 1\n", Misread(2, "the code block is not closed: the text may have been broken off")),
    ],
)
def test_what_is_doubtful_is_misread_with_the_reason(text: str, misread: Misread) -> None:
    assert read_edits(text) == Reading((), (misread,))


def test_a_diff_is_read_though_its_numbers_are_wrong_and_blank_lines_lost_their_space() -> None:
    text = "```diff\n--- a/x.py\n+++ b/x.py\n@@ -1,99 +7 @@ def f\n a\n\n-b\n+c\n\n```\nDone.\n"
    assert replaces(text) == [("x.py", "a\n\nb\n", "a\n\nc\n")]


def test_a_hunk_may_have_no_numbers() -> None:
    assert replaces("--- x.py\n+++ x.py\n@@ ... @@\n-b\n+c\n") == [("x.py", "b\n", "c\n")]


def test_a_diff_of_git_makes_changes_and_removes_files() -> None:
    text = (
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..abcdef0\n--- /dev/null\n+++ b/n\n"
        "@@ -0,0 +1,2 @@\n+--- a\n+b\n\\ No newline at end of file\n"
        "diff --git a/x b/x\nindex 1234567..abcdef0 100644\n--- a/x\n+++ b/x\n@@ -4,2 +4,2 @@\n-++ x\n+++ y\n z\n"
        'diff --git "a/\\303\\251" "b/\\303\\251"\ndeleted file mode 100644\nindex 1234567..0000000\n'
        '--- "a/\\303\\251"\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n'
    )
    assert read_edits(text).edits == (
        Whole("n", "--- a\nb", 4, is_new=True),
        Replace("x", "++ x\nz\n", "++ y\nz\n", 14, Hint(4, "1234567")),
        Delete("é", "gone\n", 21),
    )


HUNK = "--- a/x.md\n+++ b/x.md\n@@ -1,7 +1,7 @@\n-a\n+b\n \n ```sh\n-c\n+d\n ```\n \n-e\n+f\n"


@pytest.mark.parametrize("text", [
    HUNK, f"```diff\n{HUNK}```\n", HUNK.replace("```", "~~~"), HUNK.replace("@@ -1,7 +1,7 @@", "@@"),
    f"{HUNK}-- \n2.43.0\n\n", f"{HUNK}--\n2.43.0", f"{HUNK}- this says why\n- and this\n", f"{HUNK}\n- a list\n",
])  # fmt: skip
def test_fences_in_a_hunk_and_what_follows_it_are_told_apart(text: str) -> None:
    mark = "~~~" if "~~~" in text else "```"
    assert replaces(text) == [("x.md", f"a\n\n{mark}sh\nc\n{mark}\n\ne\n", f"b\n\n{mark}sh\nd\n{mark}\n\nf\n")]


@pytest.mark.parametrize("text", [
    HUNK.removesuffix("+f\n"),
    HUNK.removesuffix("-e\n+f\n"),
    HUNK.replace(" ```", "```"),
    f"```diff\n{HUNK.replace(' ```', '```')}```\n",
    f"```diff\n{HUNK.replace(' ```sh', 'a line that lost its blank')}```\n",
    f"{HUNK}diff --git a/y b/y\nindex 1234567..1234568 100644\n",
])  # fmt: skip
def test_a_diff_that_broke_off_or_lost_a_line_is_misread(text: str) -> None:
    assert read_edits(text).misread


def test_a_diff_of_git_makes_and_removes_empty_files() -> None:
    text = (
        "diff --git a/p/__init__.py b/p/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n"
        'diff --git "a/\\303\\251" "b/\\303\\251"\ndeleted file mode 100644\nindex e69de29..0000000\n'
    )
    assert read_edits(text).edits == (Whole("p/__init__.py", "", 1, is_new=True), Delete("é", "", 4))


def test_blocks_diffs_and_new_files_stand_side_by_side() -> None:
    text = (
        f"a.py\n```\n{BLOCK}```\nb.py\n```python\nx = 1\n```\n```diff\n--- c.py\n+++ c.py\n@@ -1 +1 @@\n-b\n+c\n```\n"
    )
    assert [(edit.path, type(edit)) for edit in read_edits(text).edits] == [
        ("a.py", Replace),
        ("b.py", Whole),
        ("c.py", Replace),
    ]


@pytest.mark.parametrize(
    "text", [f"a.py\n```\n```\n{BLOCK}```\n", f"a.py\n```python\n{BLOCK}", f"> a.py\n> ```\n> x\n\na.py\n{BLOCK}"]
)
def test_a_fence_around_a_block_makes_no_file(text: str) -> None:
    assert [type(edit) for edit in read_edits(text).edits] == [Replace]


def test_a_file_that_is_itself_a_diff_is_edited_by_a_block() -> None:
    text = (
        "a.patch\n<<<<<<< SEARCH\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-p\n+q\n=======\n--- a/x\n+++ b/x\n>>>>>>> REPLACE\n"
    )
    assert [edit.path for edit in read_edits(text).edits] == ["a.patch"]


@pytest.mark.parametrize(
    "text",
    [
        "**src/a.py**\n```python\nx = 1\n```\n",
        "src/a.py:\n\n```python\nx = 1\n```\n",
        "```python:src/a.py\nx = 1\n```\n",
    ],
)
def test_a_whole_file_is_a_code_block_under_its_name(text: str) -> None:
    assert [(edit.path, edit.content) for edit in read_edits(text).edits if isinstance(edit, Whole)] == [
        ("src/a.py", "x = 1\n")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "As `src/a.py` shows:\n```python\nx = 1\n```\n",
        "Run it:\n```console\n$ python a.py\n```\n",
        "It prints src/a.py\n```\nx\n```\n",
        "Nothing to do here.",
        "a < b, ======= and >>>>>>> REPLACE are only words",
    ],
)
def test_a_snippet_in_prose_is_no_file(text: str) -> None:
    assert read_edits(text) == Reading(())


def test_a_markdown_file_holds_code_blocks_of_its_own() -> None:
    text = "README.md\n```markdown\n# A\n```python\nx\n```\nend\n```\n"
    assert [edit.content for edit in read_edits(text).edits if isinstance(edit, Whole)] == [
        "# A\n```python\nx\n```\nend\n"
    ]


@pytest.mark.parametrize(
    ("content", "behind"),
    [
        ("# A\n\n```\nnpm i\n```\n\n## B\n\ntext\n", ""),
        ("# A\n\n```sh\nnpm i\n```\nthen\n", "\nRun it:\n\n```\nmake\n```\n"),
        ("a: 1\n", "\nRun it:\n```\nmake\n```\n"),
        ("a: 1\n", "so it goes\n```sh\nmake\n```\n"),
    ],
)
def test_the_fence_that_closes_a_file_is_the_one_that_leaves_whole_code_blocks(content: str, behind: str) -> None:
    reading = read_edits(f"README.md\n```markdown\n{content}```\n{behind}")
    assert reading == Reading((Whole("README.md", content, 2),))


def test_a_file_of_which_the_end_is_not_clear_is_misread() -> None:
    text = "README.md\n```\nRun\n```\nnpm i\n```\nand so on\n```\n"
    why = "several lines may close the code block; put a longer fence around a file that holds fences"
    assert read_edits(text) == Reading((), (Misread(2, why),))
    longer = text.replace("md\n```", "md\n````").removesuffix("```\n") + "````\n"
    assert read_edits(longer).edits == (Whole("README.md", "Run\n```\nnpm i\n```\nand so on\n", 2),)


def test_more_text_than_the_limit_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        read_edits("x" * (MOST_CHARACTERS + 1))


PIECES = st.sampled_from(
    [
        "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "```python", "~~~", "a.py", "--- a/x", "+++ b/x",
        "--- /dev/null", "+++ /dev/null", "@@ -1,2 +1,3 @@", "@@", "@@ -99999999999,1 +0 @@", "diff --git a/x b/x",
        "index 1234567..1234567", "rename from x", "\\ No newline at end of file", "+a", "-b", " c", "", "\t", "\r",
        "old", "`a.py`", "**", '--- "\\303', "# src/a.py", "\x0c", "\x85", "\u2028", "\ud800",
    ]
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.text(max_size=20), max_size=40), st.sampled_from(Form))
def test_no_text_breaks_the_reading_and_every_edit_says_a_file(lines: list[str], form: Form) -> None:
    reading = read_edits("\n".join(lines), form)
    for edit in reading.edits:
        assert edit.path
        assert 1 <= edit.said_at <= len(lines) + sum(line.count("\n") for line in lines)
