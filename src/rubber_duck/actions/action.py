"""What an action is: something that touches a project or runs its code, under a right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from rubber_duck.call import Call
from rubber_duck.scope import Right

P = TypeVar("P")
S = TypeVar("S")


class Action(ABC, Generic[P, S]):
    """Does one thing to a project, and says what it saw. `right` is what the scope must hold."""

    name: ClassVar[str]
    right: ClassVar[Right]

    async def run(self, arguments: P, call: Call) -> S:
        """Do it; raises Denied without the right, and what the action itself says."""
        call.scope.require(self.right)
        return await self.act(arguments, call)

    @abstractmethod
    async def act(self, arguments: P, call: Call) -> S:
        """What `run` does once the right was looked at."""
