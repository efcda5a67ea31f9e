"""What a project's symbols let one expect: members after a dot, parameters in a call, names to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.ngram.vocabulary import FIRST_TEXT

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft

NONE, MEMBERS, IMPORTS, OVERRIDES = range(4)
"""Why `members` are expected."""

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Expectation:
    """Names that fit, as far as anything is known; empty where nothing is.

    - `members`: what the thing before the dot has, what the module offers, what a parent class lets one override;
      `reason` says which. `parameters`: those of the function that is being called whose names were not used yet.
    - `is_closed`: nothing but `members` can stand here, as far as is known.
    - `argument`: the parameter at this place of the call, 0 when not known. `is_argument`: an argument begins here.
    """

    reason: int = NONE
    members: frozenset[int] = frozenset()
    parameters: tuple[int, ...] = ()
    argument: int = 0
    is_argument: bool = False
    is_closed: bool = False


def expectation(draft: Draft) -> Expectation:
    """What can be expected at the end of `draft`."""
    structure = draft.structure
    marks = structure.marks
    tokens = draft.tokens
    latest = tokens[-1]
    line = structure.line
    if latest in marks.accessors:
        known = draft.types.get(tokens[-2])
        is_closed = known is not None and bool(known) and draft.model.table.is_closed(known[-1])
        return Expectation(MEMBERS, _members(draft), is_closed=is_closed)
    if line and line[0] == marks.importing_from and marks.importing in line:
        module = line[line.index(marks.importing) - 1]
        return Expectation(IMPORTS, draft.model.table.members(module) - frozenset(line))
    if latest in marks.functions:
        return Expectation(OVERRIDES, _overrides(draft))
    if structure.brackets:
        bracket = structure.brackets[-1]
        if bracket.before >= FIRST_TEXT:
            parameters = draft.model.table.parameters(bracket.before)
            if parameters:
                argument = parameters[bracket.commas] if bracket.commas < len(parameters) else 0
                left = tuple(each for each in parameters if each not in bracket.keywords)
                begins = latest in (bracket.opening, marks.comma)
                return Expectation(parameters=left, argument=argument, is_argument=begins)
    return Expectation()


def _members(draft: Draft) -> frozenset[int]:
    """What stands after `thing.`, by the type of the thing or, failing that, its name."""
    structure, table = draft.structure, draft.model.table
    thing = draft.tokens[-2]
    if thing in structure.marks.receivers:
        block = structure.owner()
        if block is None:
            return frozenset()
        found = frozenset(draft.own_members.get(block.owner, ())) | table.members(block.owner)
        for parent in block.parents:
            found |= table.members(parent)
        return found
    if thing in structure.marks.closings:
        called = structure.closed
        kind = table.result(called) or called
        return table.members(kind) if table.is_owner(kind) else frozenset()
    known = draft.types.get(thing)
    if known:
        return table.members(known[-1])
    if table.is_owner(thing):
        return table.members(thing)
    return table.members(draft.model.named_like(thing))


def _overrides(draft: Draft) -> frozenset[int]:
    """Members of the parents of the class one is in that it does not have yet."""
    block = draft.structure.owner()
    if block is None:
        return frozenset()
    found: frozenset[int] = frozenset()
    for parent in block.parents:
        found |= draft.model.table.members(parent)
    own = draft.own_members.get(block.owner, ())
    return frozenset(sorted(found - frozenset(own))[:_MOST])
