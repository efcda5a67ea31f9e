"""Who asks: rights are explicit, a scope only ever narrows, a trace is a W3C trace-id."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import Denied
from rubber_duck.scope import Actor, Right, Scope, new_trace

PROJECT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def _scope(*rights: Right) -> Scope:
    return Scope(Actor("u1", "Ann"), None, frozenset(rights), "t" * 32)


def test_the_person_at_this_machine_has_every_right() -> None:
    scope = Scope.local(project=PROJECT)

    assert (scope.actor, scope.project, scope.rights) == (Actor("local", "local"), PROJECT, frozenset(Right))


@given(held=st.frozensets(st.sampled_from(Right)), asked=st.sampled_from(Right))
def test_exactly_the_rights_held_are_granted(held: frozenset[Right], asked: Right) -> None:
    try:
        _scope(*held).require(asked)
        granted = True
    except Denied:
        granted = False

    assert granted == (asked in held)


def test_a_refusal_names_who_and_which_right() -> None:
    with pytest.raises(Denied) as caught:
        _scope(Right.FILE_READ).require(Right.FILE_WRITE)

    assert caught.value.message == "'Ann' may not do this: the right 'file.write' is missing"


def test_a_scope_within_a_project_is_the_same_but_for_the_project() -> None:
    scope = _scope(Right.FILE_READ)

    assert scope.within(PROJECT) == Scope(scope.actor, PROJECT, scope.rights, scope.trace)


def test_projects_may_be_anothers_while_everything_else_is_ones_own() -> None:
    scope = _scope(Right.FILE_READ)
    lent = scope.on_installation()

    assert (scope.owner, lent.owner, lent.actor) == (scope.actor.id, Actor.local().id, scope.actor)
    assert lent.within(PROJECT).owner == Actor.local().id


@pytest.mark.parametrize("field", [field.name for field in fields(Scope)])
def test_a_scope_cannot_be_changed(field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(_scope(), field, None)


def test_a_trace_is_sixteen_bytes_in_hexadecimal() -> None:
    assert (len(new_trace()), len(bytes.fromhex(new_trace()))) == (32, 16)


def test_no_two_requests_have_the_same_trace() -> None:
    assert len({Scope.local().trace for _ in range(1000)}) == 1000
