"""The front of analysis: what it finds, what it remembers, and what it survives."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.analysis.linting import CULPRITS
from rubber_duck.analysis.rule import stand_ins
from rubber_duck.analysis.target import target
from rubber_duck.errors import InvalidSettings, NotFound, ProgramUnavailable, UnknownName
from tests.factories import write_tree
from tests.unit.analysis.projects import HUNGRY, analysis_in, found, outcome_of

EVAL = "import os\n\n\ndef run(text):\n    return eval(text)\n"


async def test_findings_of_rules_and_of_ruff_stand_in_one_order(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"b.py": EVAL, "a.py": "import os\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert found(outcome) == [
        ("a.py", 1, "ruff/F401"),
        ("b.py", 1, "ruff/F401"),
        ("b.py", 5, "unsafe-eval"),
    ]


async def test_ruff_speaks_of_what_our_rules_say_nothing_of_and_does_not_say_the_same_again(tmp_path: Path) -> None:
    handlers = "try:\n    print(1)\nexcept:\n    pass\ntry:\n    print(1)\nexcept:\n    x = 1\n"
    loops = (
        "def f(m, h):\n    for i in m:\n        for i in i:\n            print(i)\n    for h in h:\n        print(h)\n"
    )
    project = write_tree(tmp_path / "p", {"handlers.py": handlers, "loops.py": loops})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert found(outcome) == [
        ("handlers.py", 3, "swallowed-exception"),
        ("handlers.py", 7, "ruff/E722"),
        ("loops.py", 3, "shadowed-loop-variable"),
        ("loops.py", 5, "ruff/B020"),
    ]


async def test_an_unchanged_file_comes_from_the_cache_with_the_same_findings(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        first = await outcome_of(analysis, settings, project)
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        second = await outcome_of(analysis, settings, project)
    assert (first.cached, second.cached, found(second)) == (0, 1, found(first))


async def test_a_changed_file_is_analysed_again_and_the_others_are_not(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL, "b.py": EVAL})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        await outcome_of(analysis, settings, project)
        (project / "b.py").write_text("x = 1\n")
        second = await outcome_of(analysis, settings, project)
    assert (second.cached, [path for path, _, _ in found(second)]) == (1, ["a.py", "a.py"])


async def test_a_file_analysed_by_name_is_known_to_the_whole_project_and_the_other_way(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {".git/HEAD": "ref: x\n", "a.py": EVAL, "b.py": EVAL})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        await outcome_of(analysis, settings, project)
        (project / "b.py").write_text(f"import sys\n{EVAL}")
        named = [await outcome_of(analysis, settings, project / name) for name in ("a.py", "b.py", "b.py")]
        whole = await outcome_of(analysis, settings, project)
    assert [each.cached for each in (*named, whole)] == [1, 0, 1, 2]
    assert found(whole) == [*found(named[0]), *found(named[1])]


async def test_a_changed_rule_option_makes_results_anew(tmp_path: Path) -> None:
    branches = "".join(f"    if x == {number}:\n        x += 1\n" for number in range(4))
    project = write_tree(tmp_path / "p", {"a.py": f"def f(x):\n{branches}    return x\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        before = await outcome_of(analysis, settings, project)
        write_tree(project, {"duck.toml": "[analysis.rules.complex-function]\nmax_complexity = 2\n"})
        after = await outcome_of(analysis, settings, project)
    assert ([rule for _, _, rule in found(before)], [rule for _, _, rule in found(after)]) == ([], ["complex-function"])


async def test_a_file_named_by_a_person_is_analysed_though_it_is_ignored(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {".gitignore": "a.py\n", "a.py": EVAL, ".git/HEAD": "ref: x\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        whole = await outcome_of(analysis, settings, project)
        named = await outcome_of(analysis, settings, project / "a.py")
    assert (len(whole.files), [file.path for file in named.files]) == (0, ["a.py"])


async def test_only_what_lies_below_the_named_paths_is_analysed(tmp_path: Path) -> None:
    files = {"duck.toml": "", "a/x.py": EVAL, "b/y.py": EVAL, "c.py": EVAL}
    project = write_tree(tmp_path / "p", files)
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project / "a", project / "c.py")
    assert [file.path for file in outcome.files] == ["a/x.py", "c.py"]


async def test_a_binary_with_a_python_name_is_left_out_with_its_reason(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": b"\0\1\2" * 100, "b.py": "x = 1\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert [(each.path, each.reason) for each in outcome.problems] == [("a.py", "binary")]


async def test_brackets_nested_a_hundred_thousand_deep_cost_only_their_own_file(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"deep.py": "[" * 100_000 + "]" * 100_000, "good.py": EVAL})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert [rule for path, _, rule in found(outcome) if path == "good.py"] == ["ruff/F401", "unsafe-eval"]
    assert {each.path for each in outcome.problems} == {"deep.py"}


async def test_a_file_that_cannot_be_parsed_is_reported_once_and_the_rest_of_it_is_analysed(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.ex": "defmodule A do\n  def f(x), do: Code.eval_string(x)\n  def g( do\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert "unsafe-eval" in [rule for _, _, rule in found(outcome)]
    assert "syntax-error" in [rule for _, _, rule in found(outcome)]


async def test_newer_syntax_than_this_interpreter_knows_is_no_error(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": 'type A[T] = list[T]\nx = f"{"nested"}"\n'})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert found(outcome) == []


async def test_many_files_go_to_worker_processes_and_come_back_the_same(tmp_path: Path) -> None:
    filler = "".join(f"value_{number} = {number}\n" for number in range(2000))
    files = {f"pkg/m{number}.py": EVAL + filler for number in range(12)}
    project = write_tree(tmp_path / "p", files)
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    expected = [(path, line, rule) for path in sorted(files) for line, rule in ((1, "ruff/F401"), (5, "unsafe-eval"))]
    assert found(outcome) == expected


async def test_names_that_are_not_utf_8_are_analysed_too_by_ruff_as_well(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"good.py": "x = 1\n"})
    script, module = os.fsdecode(b"caf\xe9.js"), os.fsdecode(b"caf\xe9.py")
    (project / script).write_text("eval(x)\n")
    (project / module).write_text("import os\n")
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project / script, project / module)
    assert found(outcome) == [(script, 1, "unsafe-eval"), (module, 1, "ruff/F401")]
    assert outcome.refused([script, module]) == ()


async def test_a_suppressed_finding_is_kept_with_its_reason(tmp_path: Path) -> None:
    line = "value = eval(source)  # duck: ignore[unsafe-eval] -- source is ours\n"
    project = write_tree(tmp_path / "p", {"a.py": f"source = input()\n{line}"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert [each.suppressed for file in outcome.files for each in file.findings] == ["source is ours"]


async def test_an_unwritable_home_costs_only_the_cache(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    blocked = tmp_path / "home"
    blocked.write_text("a file where a folder should be")
    async with analysis_in(blocked) as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert [rule for _, _, rule in found(outcome)] == ["ruff/F401", "unsafe-eval"]


async def test_without_ruff_our_own_rules_still_run(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    async with analysis_in(tmp_path / "home", DUCK_ANALYSIS_RUFF="false") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert [rule for _, _, rule in found(outcome)] == ["unsafe-eval"]


async def test_the_end_of_an_analysis_is_an_event_with_its_numbers(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    heard: dict[str, tuple[object, object]] = {}
    with telemetry.listening(lambda name, fields: heard.update({name: (fields.get("files"), fields.get("findings"))})):
        async with analysis_in(tmp_path / "home") as (analysis, settings):
            await outcome_of(analysis, settings, project)
    assert heard["analysis.finished"] == (1, 2)


async def test_a_missing_path_is_named(tmp_path: Path) -> None:
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        with pytest.raises(NotFound, match=r"there is no file or folder '.*nowhere'"):
            await outcome_of(analysis, settings, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        (
            "[analysis.rules.complex-functon]\n",
            UnknownName,
            "there is no rule 'complex-functon' (in [analysis.rules] of PROJECT/duck.toml); "
            "did you mean 'complex-function'?",
        ),
        (
            "[analysis.rules.complex-function]\nmax = 1\n",
            InvalidSettings,
            "PROJECT/duck.toml: [analysis.rules.complex-function] has no option 'max'; there is max_complexity",
        ),
        (
            "[analysis.rules.complex-function]\nmax_complexity = 'x'\n",
            InvalidSettings,
            'PROJECT/duck.toml: max_complexity of [analysis.rules.complex-function] is "x"; '
            "write a whole number such as 20",
        ),
        (
            "[analysis.rules.self-comparison]\nx = 1\n",
            InvalidSettings,
            "PROJECT/duck.toml: [analysis.rules.self-comparison] has no option 'x'; the rule has none, take it out",
        ),
    ],
)
async def test_a_wrong_rule_option_is_an_error_that_says_which(
    tmp_path: Path, text: str, error: type[Exception], sentence: str
) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL, "duck.toml": text})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        with pytest.raises(error) as caught:
            await outcome_of(analysis, settings, project)
    assert str(caught.value) == sentence.replace("PROJECT", str(project.resolve()))


async def test_a_wrong_option_of_ones_own_is_not_blamed_on_the_project(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL, "duck.toml": "[analysis.rules.deep-nesting]\nmax_depth = 9\n"})
    write_tree(tmp_path / "home", {"duck.toml": "[analysis.rules.complex-function]\nmax_complexity = true\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        with pytest.raises(InvalidSettings, match=r"home/duck.toml: max_complexity of .* is true; write a whole"):
            await outcome_of(analysis, settings, project)


async def test_ruffs_rules_are_described_in_ruffs_own_words(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    described = outcome.ruff_rules["ruff/F401"]
    assert (described.summary.split(":")[0], described.url) == (
        "unused-import",
        "https://docs.astral.sh/ruff/rules/unused-import",
    )


async def test_a_file_that_something_failed_on_is_said_though_nobody_named_it(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    hasty = {"DUCK_WORKERS_FILE_TIMEOUT_S": "0.000001"}
    async with analysis_in(tmp_path / "home", **hasty) as (analysis, settings):
        first = await outcome_of(analysis, settings, project)
        again = await outcome_of(analysis, settings, project)
    said = "'a.py' could not be analysed: it took longer than 1e-06 s"
    assert [each.refused(()) for each in (first, again)] == [(said,), (said,)]


async def test_what_a_rule_of_our_own_replaces_is_not_asked_of_ruff(tmp_path: Path) -> None:
    handler = "try:\n    f()\nexcept:\n    pass\n"
    text = f"def f(): ...\n{handler}while f():\n    try:\n        f()\n    finally:\n        continue\n"
    project = write_tree(tmp_path / "p", {"a.py": text})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert found(outcome) == [("a.py", 4, "swallowed-exception"), ("a.py", 10, "return-in-finally")]
    assert not set(stand_ins()) & set(outcome.ruff_rules)


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("import os  # noqa\nimport re\n", [1]),
        ("import os  # noqa: F401\nimport re  # noqa: E501\n", [1]),
        ("# ruff: noqa\nimport os\nimport re\n", [2, 3]),
        ("# flake8: noqa: F401\nimport os\nimport re\nundefined()\n", [2, 3]),
        ("from os import (  # noqa: F401\n    path,\n    sep,\n)\nimport re\n", [2, 3]),
        ("x = undefined + '''\n'''  # noqa\nimport re\n", [1]),
        ("import os  # ruff: ignore[F401]\nimport re\n", [1]),
        ("import os\nimport re\nx = 'ruff'\n", []),
    ],
)
async def test_what_a_comment_keeps_ruff_from_saying_is_a_suppressed_finding(
    tmp_path: Path, text: str, silenced: list[int]
) -> None:
    project = write_tree(tmp_path / "p", {"a.py": text, "b.py": "import os\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        first = await outcome_of(analysis, settings, project)
        again = await outcome_of(analysis, settings, project)
    findings = [finding for file in first.files for finding in file.findings]
    assert [each.span.start_line for each in findings if each.suppressed == "a comment for ruff"] == silenced
    assert "b.py" in {each.path for each in findings if each.suppressed is None}
    assert again.files == first.files


async def test_a_bare_noqa_silences_no_rule_of_our_own(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": "def f(text):\n    return eval(text)  # noqa\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    [file] = outcome.files
    assert [(each.rule, each.suppressed) for each in file.findings] == [("unsafe-eval", None)]


async def test_where_ruff_is_off_it_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    project = write_tree(tmp_path / "p", {"a.py": EVAL})
    async with analysis_in(tmp_path / "home", DUCK_ANALYSIS_RUFF="false") as (analysis, settings):
        assert found(await outcome_of(analysis, settings, project)) == [("a.py", 5, "unsafe-eval")]
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        with pytest.raises(ProgramUnavailable, match=r"or set `analysis\.ruff = false`"):
            await outcome_of(analysis, settings, project)


async def test_ruff_sees_what_was_analysed_though_a_link_was_put_in_its_place(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": "import os\n"})
    write_tree(tmp_path, {"secret.py": "import secret\nprint(password)\n"})

    def swap(done: int, total: int, note: str) -> None:
        if done:
            (project / "a.py").unlink()
            (project / "a.py").symlink_to(tmp_path / "secret.py")

    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await analysis.run(target([str(project)], "", settings), swap)
    assert (found(outcome), outcome.problems) == ([("a.py", 1, "ruff/F401")], ())


async def test_a_file_that_ruff_failed_on_is_analysed_again_and_the_others_are_not(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": EVAL, "hungry.py": HUNGRY})
    runs = []
    for memory_bytes in (1 << 27, 1 << 31, 1 << 31):
        async with analysis_in(tmp_path / "home", DUCK_WORKERS_MEMORY_BYTES=str(memory_bytes)) as (analysis, settings):
            runs.append(await outcome_of(analysis, settings, project))
    assert [(each.cached, len(each.files[1].findings)) for each in runs] == [(0, 0), (1, 20_002), (2, 20_002)]
    said = "'hungry.py' could not be analysed: ruff could not look at it: it needs more memory than it may have"
    assert [each.refused(()) for each in runs] == [(said,), (), ()]


async def test_a_file_that_a_worker_gave_up_on_is_not_shown_to_ruff(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"deep.py": f"import os\nx = {'a = ' * 60_000}1\n"})
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
    assert ([each.reason for each in outcome.problems], found(outcome)) == (["limit_exceeded"], [])


async def test_ruff_given_up_is_one_problem_and_the_files_are_not_taken_for_analysed(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {f"{number:02}.py": HUNGRY for number in range(CULPRITS + 12)})
    async with analysis_in(tmp_path / "home", DUCK_WORKERS_MEMORY_BYTES=str(1 << 27)) as (analysis, settings):
        outcome = await outcome_of(analysis, settings, project)
        again = await outcome_of(analysis, settings, project)
    reasons = Counter(each.reason for each in outcome.problems)
    sentence = next(each.detail for each in outcome.problems if each.reason == "ruff_given_up")
    unseen = CULPRITS + 12 - reasons["ruff_failed"]
    assert (reasons["ruff_given_up"], unseen in {11, 12}, again.cached) == (1, True, 0)  # it looks at two at a time
    assert outcome.refused(())[0] == sentence
    assert sentence == (
        f"ruff was given up, because it failed on too many files or took too long; {unseen} Python files it did not "
        "look at: leave out what it failed on, or set `analysis.ruff = false`"
    )
