"""What a running engine may touch: the parts it declared, the settings, and who asks."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from rubber_duck.call import Call, Delta, Parts
from rubber_duck.engines.engine import PARTS
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings


@pytest.mark.parametrize("name", PARTS)
def test_an_open_part_is_reached_by_its_name(name: str) -> None:
    part = object()

    assert getattr(Parts(Settings(), {name: part}), name) is part


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_was_not_declared_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        getattr(Parts(Settings()), name)

    assert caught.value.message == (f"the part {name!r} is not open for this engine: list it in the engine's `needs`")


def test_a_call_knows_the_settings_of_its_parts() -> None:
    settings = Settings(profile="prod")

    assert Call(Scope.local(), Parts(settings)).settings is settings


def test_a_call_without_a_listener_may_still_speak() -> None:
    assert Call(Scope.local(), Parts(Settings())).emit(Delta("x")) is None  # type: ignore[func-returns-value]  # that it returns


def test_a_call_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Call(Scope.local(), Parts(Settings())).scope = Scope.local()  # type: ignore[misc]  # what is tried
