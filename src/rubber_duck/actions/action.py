"""What an action is: something that touches a project, under a right, for arguments that were approved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rubber_duck.call import Call
from rubber_duck.scope import Right

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Observation:
    """What an action did, in a sentence; `undo` is the number of the change in the journal, 0 when there is none."""

    text: str
    undo: int = 0


class Action(ABC, Generic[P]):
    """Does one thing to a project. `right` is what the scope must hold."""

    name: ClassVar[str]
    right: ClassVar[Right]

    async def run(self, arguments: P, call: Call) -> Observation:
        """Do it; raises Denied without the right, and what the action itself says."""
        call.scope.require(self.right)
        return await self.act(arguments, call)

    @abstractmethod
    async def act(self, arguments: P, call: Call) -> Observation:
        """What `run` does once the right was looked at."""
