"""An engine has its command by being registered."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

import click
from click.testing import CliRunner
from msgspec import Meta, Struct

from rubber_duck.call import Call
from rubber_duck.cli.connection import Delta
from rubber_duck.cli.generated import command_for
from rubber_duck.cli.invocation import Invocation
from rubber_duck.engines.engine import Engine
from rubber_duck.scope import Right
from tests.unit.cli.calling import Outcome, Script


class EchoRequest(Struct, forbid_unknown_fields=True):
    """What to say."""

    text: Annotated[str, Meta(description="What to say.", extra={"argument": True})]
    times: Annotated[int, Meta(ge=1, description="How often.")] = 1
    format: str = ""


class EchoAnswer(Struct):
    """What was said."""

    text: str
    times: int


class Echo(Engine[EchoRequest, EchoAnswer]):
    """Say something back.

    As often as you like.
    """

    name: ClassVar[str] = "echo"
    request = EchoRequest
    answer = EchoAnswer
    right = Right.CATALOG_READ

    async def run(self, request: EchoRequest, call: Call) -> EchoAnswer:
        """Never called here."""
        raise NotImplementedError


class Put(Struct, tag="put"):
    """Put a word in."""

    word: Annotated[str, Meta(extra={"argument": True})]


class TakeOut(Struct, tag="take_out"):
    """Take a word out."""


class Box(Engine[Any, EchoAnswer]):
    """Keep words."""

    name: ClassVar[str] = "box"
    request = Put | TakeOut
    answer = EchoAnswer
    right = Right.CATALOG_READ

    async def run(self, request: Put | TakeOut, call: Call) -> EchoAnswer:
        """Never called here."""
        raise NotImplementedError


def _call(engine: type[Engine[Any, Any]], *arguments: str, script: Script | None = None) -> Outcome:
    command: click.Command = command_for(engine)
    script = script or Script({"text": "hi", "times": 2})
    result = CliRunner().invoke(command, list(arguments), obj=Invocation(runner=script.run))
    return Outcome(result.exit_code, result.stdout, result.stderr)


def test_the_request_is_made_from_the_arguments() -> None:
    script = Script({"text": "hi", "times": 2})
    _call(Echo, "hi", "--times", "2", script=script)
    assert script.asked == [("echo", {"text": "hi", "times": 2})]


def test_the_answer_is_plain_text_or_json() -> None:
    assert _call(Echo, "hi").out == "text   hi\ntimes  2\n"
    assert json.loads(_call(Echo, "hi", "--answer-format", "json").out) == {"text": "hi", "times": 2}


def test_a_field_called_format_keeps_its_name() -> None:
    script = Script({"text": "hi", "times": 1})
    assert _call(Echo, "hi", "--format", "f", script=script).code == 0
    assert script.asked == [("echo", {"text": "hi", "format": "f"})]


def test_streamed_text_is_shown_as_it_comes_and_not_again() -> None:
    script = Script({"text": "ab", "times": 1}, pieces=(Delta("a\x1b"), Delta("b")))
    assert _call(Echo, "x", script=script).out == "a\\x1bb\n"
    assert json.loads(_call(Echo, "x", "--answer-format", "json", script=script).out) == {"text": "ab", "times": 1}


def test_the_docstring_and_the_descriptions_are_the_help() -> None:
    help_text = _call(Echo, "--help").out
    assert "Say something back.\n\n  As often as you like." in help_text
    assert "TEXT  What to say." in help_text
    assert "How often.  [default: 1]" in help_text


def test_a_union_of_requests_is_a_group_with_a_command_for_each_tag() -> None:
    script = Script({"text": "hi", "times": 1})
    _call(Box, "put", "quack", script=script)
    _call(Box, "take-out", script=script)
    assert script.asked == [("box", {"type": "put", "word": "quack"}), ("box", {"type": "take_out"})]
    assert "Put a word in" in _call(Box, "--help").out
