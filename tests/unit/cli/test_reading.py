"""What is typed into the prompt: whole commands, and how words may end."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from rubber_duck.cli.command import Command
from rubber_duck.cli.commands.repl import SLASHES
from rubber_duck.cli.main import duck
from rubber_duck.cli.reading import completer, is_whole, options_of, suggestions, typed, words_of


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("search x", True),
        ("", True),
        ("search 'a", False),
        ('search "a', False),
        ("search \\", False),
        ("a \\\n b", True),
    ],
)
def test_what_is_missing_is_waited_for(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


def test_a_line_that_goes_on_is_one_command() -> None:
    assert words_of("search \\\n  'two words' -n 3") == ["search", "two words", "-n", "3"]


def test_words_end_in_commands_slashes_options_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some folder").mkdir()
    (tmp_path / "some.py").touch()
    monkeypatch.chdir(tmp_path)
    assert ("search", 4) in suggestions("sear", SLASHES, options_of)
    assert suggestions("/res", SLASHES, options_of) == [("/resume", 4)]
    assert ("--limit", 5) in suggestions("search x --lim", SLASHES, options_of)
    assert ("status", 0) in suggestions("index ", SLASHES, options_of)
    assert suggestions("outline so", SLASHES, options_of) == [("'some folder'/", 2), ("some.py", 2)]
    assert suggestions("outline gone/x", SLASHES, options_of) == []
    assert options_of("nothing ") == []
    found = completer(SLASHES).get_completions(Document("/hel"), None)  # type: ignore[arg-type]  # it is not looked at
    assert [each.text for each in found] == ["/help"]


def test_somebody_types_over_several_lines_and_gives_a_line_up(tmp_path: Path) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("search 'two\rwords'\r" + "half\x03" + "version\r" + "\x04")
        assert list(typed(SLASHES, {"DUCK_HOME": str(tmp_path / "home")})) == ["search 'two\nwords'", "version"]
    history = tmp_path / "home/repl_history"
    assert "version" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600


def test_who_is_offered_options_can_ask_for_help_in_both_ways_afterwards() -> None:
    made = Command("made")
    made.get_params(click.Context(duck))
    assert made.main(["-h"], standalone_mode=False) == made.main(["--help"], standalone_mode=False) == 0
