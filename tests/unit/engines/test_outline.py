"""The outline engine reads one file or a given text, and says clearly what it cannot read."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from rubber_duck.call import Call, Parts
from rubber_duck.engines.outline import Outline, OutlineAnswer, OutlineEntry, OutlineProblem, OutlineRequest
from rubber_duck.errors import DuckError, InvalidInput, InvalidPath, LimitExceeded, NotFound, UnknownName
from rubber_duck.scope import Scope
from rubber_duck.settings import IndexSettings, Settings

SOURCE = (
    'class Duck:\n    """A duck. It swims."""\n\n    def quack(self, n: int) -> str: ...\n    def _hide(self): ...\n'
)


async def _run(request: OutlineRequest, settings: Settings | None = None) -> OutlineAnswer:
    return await Outline().run(request, Call(Scope.local(), Parts(settings or Settings())))


async def test_a_file_is_read_relative_to_the_directory(tmp_path: Path) -> None:
    (tmp_path / "duck.py").write_text(SOURCE)
    answer = await _run(OutlineRequest(path="duck.py", directory=str(tmp_path)))
    quack = OutlineEntry(kind="method", name="quack", head="def quack(self, n: int) -> str", start_line=4, end_line=4)
    hide = OutlineEntry(kind="method", name="_hide", head="def _hide(self)", start_line=5, end_line=5)
    duck = OutlineEntry(
        kind="class",
        name="Duck",
        head="class Duck",
        start_line=1,
        end_line=5,
        doc="A duck. It swims.",
        children=(quack, hide),
    )
    assert answer == OutlineAnswer(path="duck.py", language="python", lines=5, entries=(duck,), problems=())


async def test_decorators_and_specs_are_told() -> None:
    answer = await _run(OutlineRequest(path="a.py", content="@cache\ndef f(): ...\n"))
    assert answer.entries[0].decorators == ("cache",)
    content = "defmodule A do\n  @spec f(integer) :: term\n  def f(a), do: a\nend\n"
    answer = await _run(OutlineRequest(path="a.ex", content=content))
    assert answer.entries[0].children[0].spec == "f(integer) :: term"


async def test_what_is_private_can_be_left_out() -> None:
    answer = await _run(OutlineRequest(path="duck.py", content=SOURCE, private=False))
    assert [each.name for each in answer.entries[0].children] == ["quack"]


@pytest.mark.parametrize(
    ("path", "content", "names"),
    [
        ("a.ts", "export function f(): void {}\n", ["f"]),
        ("a.tsx", "export const F = () => <b/>\n", ["F"]),
        ("a.js", "class A {}\n", ["A"]),
        ("a.ex", "defmodule Pond do\nend\n", ["Pond"]),
        ("run", "#!/usr/bin/env python3\ndef f(): ...\n", ["f"]),
        ("empty.py", "", []),
    ],
)
async def test_a_text_needs_no_file(path: str, content: str, names: list[str]) -> None:
    answer = await _run(OutlineRequest(path=path, content=content))
    assert [each.name for each in answer.entries] == names


async def test_the_language_can_be_named() -> None:
    answer = await _run(OutlineRequest(path="x.txt", content="def f(): ...\n", language="python"))
    assert (answer.language, len(answer.entries)) == ("python", 1)


async def test_a_broken_file_is_understood_as_far_as_possible() -> None:
    answer = await _run(OutlineRequest(path="x.py", content="def f(): ...\n\ndef g(:\n"))
    assert [each.name for each in answer.entries][:1] == ["f"]
    assert [type(each) for each in answer.problems][:1] == [OutlineProblem]
    assert answer.problems[0].line == 3


async def test_bytes_that_are_no_text_are_refused_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"a = 'caf\xe9'\n\ndef f(): ...\n")
    answer = await _run(OutlineRequest(path="latin.py", directory=str(tmp_path)))
    assert [each.name for each in answer.entries] == ["a", "f"]
    assert (answer.problems, answer.refused) == (
        (),
        ("'latin.py' was not outlined as it is: invalid UTF-8 at byte 8, read as '?': save the file as UTF-8",),
    )


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("no.py", NotFound, "there is no"),
        ("folder", InvalidPath, "is a folder"),
        ("", InvalidPath, "is not a path"),
        ("a\0b", InvalidPath, "is not a path"),
        ("binary.py", InvalidInput, "is not text"),
        ("notes.txt", InvalidInput, "no language|in no language"),
        ("large.py", LimitExceeded, "larger than 1,000 bytes"),
        ("pipe.py", InvalidPath, "not a regular file"),
    ],
)
async def test_what_cannot_be_outlined_is_said(name: str, error: type[DuckError], said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.py").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "large.py").write_text("x = 1\n" * 1000)
    os.mkfifo(tmp_path / "pipe.py")
    settings = Settings(index=IndexSettings(max_file_size_bytes=1000))
    with pytest.raises(error, match=said):
        await _run(OutlineRequest(path=name, directory=str(tmp_path)), settings)


async def test_an_unknown_language_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'python'"):
        await _run(OutlineRequest(path="x", content="", language="pyton"))


async def test_the_answer_can_be_written_and_read_again() -> None:
    answer = await _run(OutlineRequest(path="duck.py", content=SOURCE))
    assert msgspec.json.decode(msgspec.json.encode(answer), type=OutlineAnswer) == answer
