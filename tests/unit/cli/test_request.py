"""The fields of a request become arguments and options, and their values a request again."""

from __future__ import annotations

import os
from enum import Enum
from typing import Annotated, Any, Literal

import click
import msgspec
import pytest
from msgspec import Meta, Struct

from rubber_duck.cli.request import parameter_of, request_from
from rubber_duck.engines.choices import choices_of


class Colour(Enum):
    """Two of them."""

    RED = "red"
    BLUE = "blue"


class Inner(Struct):
    """Something that no option fits."""

    a: int


class Everything(Struct, kw_only=True):
    """One field of each kind."""

    where: Annotated[str, Meta(description="A file.", extra={"argument": True, "path": True})]
    more: Annotated[tuple[str, ...], Meta(extra={"argument": True})] = ()
    directory: Annotated[str, Meta(extra={"directory": True})] = ""
    loud: Annotated[bool, Meta(description="Say it loudly.")] = True
    times: Annotated[int, Meta(ge=1, lt=10)] = 3
    share: float = 0.5
    kind: Literal["y", "x", "w"] = "x"
    colour: Colour | None = None
    names: tuple[str, ...] = ()
    sizes: list[int] = msgspec.field(default_factory=list)
    inner: Inner | None = None
    quiet: str = ""
    renamed: str = msgspec.field(default="", name="other-name")


CHOICES = choices_of(Everything)


def _fields() -> tuple[msgspec.inspect.Field, ...]:
    declared = msgspec.inspect.type_info(Everything)
    assert isinstance(declared, msgspec.inspect.StructType)
    return declared.fields


def _parse(*arguments: str) -> dict[str, Any]:
    parameters = [parameter_of(field, {"--quiet"}, CHOICES) for field in _fields()]
    command = click.Command("x", params=parameters, callback=lambda **values: values)
    values = command.main([*arguments], standalone_mode=False)
    return request_from(_fields(), values)


def test_what_is_not_given_is_left_to_the_requests_own_defaults() -> None:
    assert _parse("f") == {"where": os.path.abspath("f"), "directory": os.getcwd()}


def test_every_kind_of_value_arrives_in_its_type() -> None:
    options = ["--no-loud", "--times", "9", "--share", "0.25", "--kind", "y", "--colour", "blue"]
    options += ["--names", "a", "--names", "b", "--sizes", "1", "--sizes", "2", "--inner", '{"a": 1}']
    request = _parse("/f", "m1", "m2", *options, "--request-quiet", "q", "--other-name", "n", "--directory", "/d")
    assert msgspec.convert(request, Everything) == Everything(
        where="/f",
        more=("m1", "m2"),
        directory="/d",
        loud=False,
        times=9,
        share=0.25,
        kind="y",
        colour=Colour.BLUE,
        names=("a", "b"),
        sizes=[1, 2],
        inner=Inner(1),
        quiet="q",
        renamed="n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("f", "--times", "10"),
        ("f", "--times", "0"),
        ("f", "--times", "many"),
        ("f", "--kind", "z"),
        ("f", "--colour", "green"),
        ("f", "--inner", "{"),
        ("f", "--share", "half"),
    ],
)
def test_what_cannot_be_is_refused_before_any_engine_is_asked(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        _parse(*arguments)


def test_choices_are_offered_as_they_were_declared() -> None:
    offered = {}
    for field in _fields():
        parameter = parameter_of(field, set(), CHOICES)
        if isinstance(parameter.type, click.Choice):
            offered[parameter.name] = list(parameter.type.choices)
    assert offered == {"kind": ["y", "x", "w"], "colour": ["red", "blue"]}


def test_descriptions_and_defaults_are_the_help() -> None:
    helps = {}
    for field in _fields():
        parameter = parameter_of(field, set(), CHOICES)
        assert isinstance(parameter, click.Argument | click.Option)
        helps[parameter.name] = parameter.help
    assert helps["where"] == "A file."
    assert helps["loud"] == "Say it loudly.  [default: yes]"
    assert helps["times"] == "[default: 3]"
    assert helps["names"] == ""
