"""Every failure becomes one sentence and an exit code."""

from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest

from rubber_duck.errors import Denied, NotFound
from tests.unit.cli.calling import Script, call


def test_an_error_of_ours_is_one_sentence(tmp_path: Path) -> None:
    outcome = call("engines", script=Script(error=NotFound("there is no project 'x'")), DUCK_HOME=str(tmp_path))
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "duck: error: there is no project 'x'\n")


@pytest.mark.parametrize("arguments", [("--debug", "engines"), ("engines", "--debug")])
def test_debug_adds_the_code_and_the_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    outcome = call(*arguments, script=Script(error=Denied("you may not")), DUCK_HOME=str(tmp_path))
    assert outcome.err.startswith("duck: error: you may not [denied]\nTraceback")


def test_what_nobody_foresaw_is_written_to_a_private_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    outcome = call("engines", script=Script(error=RuntimeError("oh\nno")), DUCK_HOME=str(home))
    [crash] = home.iterdir()
    assert outcome.code == 2
    assert outcome.err == (
        f"duck: error: RubberDuck itself failed: RuntimeError: oh; please report this with {crash}\n"
    )
    assert crash.read_text().startswith("Traceback (most recent call last):")
    assert crash.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_the_traceback_goes_to_the_screen_when_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = call("engines", script=Script(error=RuntimeError("oh")), DUCK_HOME=str(tmp_path / "file"))
    assert outcome.code == 2
    assert outcome.err.startswith("Traceback (most recent call last):")
    assert outcome.err.endswith("please report this with the traceback above\n")


def test_a_group_without_a_command_is_its_help() -> None:
    outcome = call("projects")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == call("projects", "--help").out


def test_a_missing_choice_is_one_sentence() -> None:
    first = call("completion").err.split("\n")[0]
    assert first == "duck: error: missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"


@pytest.mark.parametrize("arguments", [("{}",), ("rules", "{}", "--x={}"), ("analyze", ".", "--format", "{}")])
def test_a_mistake_is_not_repeated_at_full_length(arguments: tuple[str, ...]) -> None:
    outcome = call(*(each.format("y" * 60_000) for each in arguments))
    assert outcome.code == 2
    assert len(outcome.err) < 400


def test_an_interrupt_is_130_without_a_traceback(tmp_path: Path) -> None:
    outcome = call("engines", script=Script(error=KeyboardInterrupt()), DUCK_HOME=str(tmp_path))
    assert (outcome.code, outcome.err) == (130, "duck: interrupted\n")


def test_a_reader_that_went_away_is_not_worth_a_word(tmp_path: Path) -> None:
    outcome = call("engines", script=Script(error=BrokenPipeError()), DUCK_HOME=str(tmp_path))
    assert (outcome.code, outcome.err) == (141, "")


def test_a_full_disk_under_the_output_is_said(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    outcome = call("engines", script=Script(error=full), DUCK_HOME=str(tmp_path))
    assert (outcome.code, outcome.err) == (2, "duck: error: the output cannot be written: No space left on device\n")


def test_control_characters_in_a_message_are_shown_not_obeyed(tmp_path: Path) -> None:
    outcome = call("engines", script=Script(error=NotFound("no \x1b[31m\udcff")), DUCK_HOME=str(tmp_path))
    assert outcome.err == "duck: error: no \\x1b[31m\\udcff\n"


def test_a_usage_error_shows_the_usage() -> None:
    outcome = call("engines", "--nope")
    assert outcome.code == 2
    assert outcome.err == (
        "duck: error: no such option '--nope'\n\nUsage: duck engines [OPTIONS] [NAME]\nTry `duck engines --help`.\n"
    )


@pytest.mark.parametrize(("typed", "meant"), [("analyse", "analyze"), ("rule", "rules"), ("dcotor", "doctor")])
def test_a_misspelt_command_is_told_the_nearest(typed: str, meant: str) -> None:
    outcome = call(typed)
    assert outcome.code == 2
    assert outcome.err.startswith(f"duck: error: there is no command {typed!r}; did you mean {meant!r}?\n")


def test_colour_is_asked_for_in_front_and_behind() -> None:
    script = Script(error=NotFound("gone"))
    for arguments in (("--color", "always", "engines"), ("engines", "--color", "always")):
        assert call(*arguments, script=script).err == "\x1b[1mduck:\x1b[0m \x1b[1;31merror\x1b[0m: gone\n"


def test_no_command_shows_the_help() -> None:
    outcome = call()
    assert outcome.code == 0
    assert outcome.out == call("--help").out


def test_the_version_is_one_line() -> None:
    assert call("--version").out == call("version").out == call("-V").out
    assert call("--version").out.startswith("duck ")


def test_every_command_explains_itself() -> None:
    from rubber_duck.cli.main import duck  # noqa: PLC0415  # the names are what is under test

    context = click.Context(duck)
    for name in duck.list_commands(context):
        outcome = call(name, "--help")
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith(f"Usage: duck {name}")
