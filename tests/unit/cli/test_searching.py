"""`duck search` and `duck index` ask the right thing and show the answer well."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.unit.cli.calling import Script, call

HIT: dict[str, Any] = {
    "path": "lib/duck.py",
    "language": "python",
    "kind": "function",
    "name": "swim",
    "start_line": 9,
    "end_line": 12,
    "start_byte": 100,
    "end_byte": 200,
    "score": 1.5,
    "reasons": [
        {"kind": "name", "words": ["swim"]},
        {"kind": "documentation", "words": ["far", "duck"]},
        {"kind": "related", "words": ["dive (swim)"]},
    ],
    "lines": [{"number": 9, "text": "def swim(far):\x1b", "spans": [[4, 8]]}],
}
TEST_HIT = HIT | {"path": "tests/a.md", "kind": "text", "name": "", "test": True, "outdated": True, "lines": []}
FOUND: dict[str, Any] = {
    "project": "pond",
    "root": "/pond",
    "hits": [HIT, TEST_HIT],
    "unknown": [],
    "complete": True,
    "indexed": None,
}
INDEX: dict[str, Any] = {
    "project": "pond",
    "root": "/pond",
    "files": 1200,
    "chunks": 9000,
    "words": 4000,
    "size_bytes": 2_500_000,
    "languages": {"python": 1100, "markdown": 100},
    "failed": [{"path": "a.py", "reason": "it is not text: it holds NUL bytes"}],
    "left_out": {"ignored": 3, "of_no_known_kind": 7},
    "created_at": "2026-11-20T10:00:00+00:00",
    "updated_at": "2020-01-01T10:00:00+00:00",
    "changes": {"added": 1, "changed": 2, "removed": 0, "unchanged": 1197, "duration_ms": 1234},
}


def test_a_search_asks_for_all_its_words_and_shows_place_lines_and_reasons() -> None:
    script = Script(FOUND)
    done = call("search", "swim", "far", "--project", "pond", "-n", "3", "--no-tests", script=script)
    assert script.asked == [
        (
            "search",
            {
                "query": "swim far",
                "project": "pond",
                "directory": os.getcwd(),
                "limit": 3,
                "tests": False,
                "refresh": True,
            },
        )
    ]
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "lib/duck.py:9 function swim\n"
        "   9  def swim(far):\\x1b\n"
        "  named swim · documented far, duck · related dive (swim)\n"
        "\n"
        "tests/a.md:9\n"
        "  it has changed since it was indexed\n"
        "  named swim · documented far, duck · related dive (swim) (test or generated)\n"
    )


def test_a_search_that_finds_nothing_ends_with_1_and_says_why() -> None:
    nothing = FOUND | {"hits": [], "unknown": ["swom"]}
    done = call("search", "swom", script=Script(nothing))
    assert (done.code, done.out) == (1, "")
    assert done.err == "nowhere in pond: swom\nnothing was found in pond\n"


def test_a_search_that_was_ended_early_says_nothing_of_what_it_did_not_see() -> None:
    done = call("search", "/;;/", script=Script(FOUND | {"hits": [], "complete": False, "unknown": []}))
    assert (done.code, done.out) == (2, "")
    assert done.err == "the search took too long and was ended early: say a path: or a lang: to look in less\n"


def test_what_a_model_did_not_say_is_noted() -> None:
    done = call("search", "swim", script=Script(FOUND | {"notes": ["found by words alone: no\x1b answer"]}))
    assert (done.code, done.err) == (0, "found by words alone: no\\x1b answer\n")
    stopped = INDEX | {"vectors": {"model": "three", "chunks": 8_000, "problem": "the key is wrong"}, "failed": []}
    shown = call("index", "status", script=Script(stopped)).out
    assert "8,000 of 9,000 pieces, by three; it stopped: the key is wrong" in shown
    assert call("index", script=Script(stopped)).err == "three: the key is wrong\n"
    assert "vectors" not in call("index", "status", script=Script(INDEX)).out


def test_what_is_left_out_is_listed_with_its_reasons() -> None:
    listed = INDEX | {"left_out_paths": [{"path": "a.lock", "reason": "lock_files", "detail": ""}]}
    script = Script(listed)
    shown = call("index", "status", "pond", "--left-out", script=script).out
    assert ["a.lock", "lock", "files"] in [line.split() for line in shown.splitlines()]
    assert script.asked[0][1]["left_out"] is True


def test_the_answers_are_given_as_json_when_asked() -> None:
    assert json.loads(call("search", "swim", "--json", script=Script(FOUND)).out) == FOUND
    assert json.loads(call("index", "status", "--json", script=Script(INDEX)).out) == INDEX


def test_index_takes_a_folder_or_the_present_one() -> None:
    for arguments, path in (((), "."), (("pond",), "pond"), (("update", "pond"), "pond"), (("-q", "pond"), "pond")):
        script = Script(INDEX)
        done = call("index", *arguments, script=script)
        assert (done.code, script.asked) == (
            0,
            [("index", {"type": "update", "path": path, "directory": os.getcwd()})],
        )
    assert done.out == ""
    done = call("index", "pond", script=Script(INDEX))
    assert done.out == "pond: 1 added, 2 changed; 1,200 files in 9,000 pieces, 1.2 s\n"
    assert done.err == "a.py: it is not text: it holds NUL bytes\n"


def test_the_status_shows_everything_worth_knowing() -> None:
    done = call("index", "status", "pond", script=Script(INDEX))
    *lines, empty, heading, failed = done.out.splitlines()
    shown = [line.split("  ", 1) for line in lines]
    assert [(name, rest[0].strip() if rest else "") for name, *rest in shown][:-1] == [
        ("pond", ""),
        ("folder", "/pond"),
        ("indexed", "1,200 files, 2.5 MB of source"),
        ("pieces", "9,000, with 4,000 distinct words"),
        ("languages", "1,100 python, 100 markdown"),
        ("left out", "3 ignored, 7 of no known kind"),
    ]
    assert lines[-1].startswith("up to date")
    assert lines[-1].endswith("days ago (2020-01-01 10:00:00 UTC)")
    assert (empty, heading, failed) == ("", "1 file failed", "  a.py: it is not text: it holds NUL bytes")
    assert done.err == ""
    unfinished = call("index", "status", script=Script(INDEX | {"updated_at": None}))
    assert "the first build was interrupted; run duck index" in unfinished.out


def test_watching_prints_what_it_is_told() -> None:
    done = call("index", "watch", "pond", script=Script(INDEX))
    assert (done.code, done.out) == (0, "")


def test_little_source_is_told_in_kilobytes() -> None:
    for size_bytes, shown in ((0, "0.0 kB"), (4_210, "4.2 kB"), (99_999, "100.0 kB"), (100_000, "0.1 MB")):
        done = call("index", "status", script=Script(INDEX | {"size_bytes": size_bytes, "failed": []}))
        assert f"1,200 files, {shown} of source" in done.out
        assert "failed" not in done.out


def test_what_begins_with_a_dash_and_is_no_option_belongs_to_the_query() -> None:
    for arguments, query, more in (
        (("migrate", "-path:tests"), "migrate -path:tests", {}),
        (("-path:tests", "migrate"), "-path:tests migrate", {}),
        (("migrate", "-lang:css", "-n", "3", "-symbol:x.*"), "migrate -lang:css -symbol:x.*", {"limit": 3}),
        (("-n3", '-"old"', "migrate", "-/x+/"), '-"old" migrate -/x+/', {"limit": 3}),
        (("migrate", "-hidden", "-quiet", "-name", "-x"), "migrate -hidden -quiet -name -x", {}),
        (("-qn5", "migrate", "-old", "--no-tests"), "migrate -old", {"limit": 5, "tests": False}),
        (("migrate", "--project", "-pond", "-q"), "migrate", {"project": "-pond"}),
        (("migrate", "--", "-q"), "migrate -q", {}),
        (("--", "--dry-run"), "--dry-run", {}),
    ):
        script = Script(FOUND)
        done = call("search", *arguments, script=script)
        assert done.code == 0, done.err
        asked = script.asked[0][1]
        assert asked["query"] == query
        assert {name: asked[name] for name in more} == more
    assert call("search", "migrate", "-h").out.startswith("Usage: duck search")
    wrong = call("search", "migrate", "--pth")
    assert (wrong.code, "--pth" in wrong.err) == (2, True)
