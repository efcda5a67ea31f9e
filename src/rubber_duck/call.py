"""What a running engine may touch: who asks, the parts it declared, and a way to say something before the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from rubber_duck.errors import InvalidDeclaration
from rubber_duck.scope import Scope

if TYPE_CHECKING:
    from rubber_duck.analysis.analysis import Analysis
    from rubber_duck.analysis.project_analysis import ProjectAnalysis
    from rubber_duck.context.contexts import Contexts
    from rubber_duck.conversations.conversations import Conversations
    from rubber_duck.llm.llm import LLM
    from rubber_duck.memory.memory import Memories
    from rubber_duck.ngram.ngram import Ngram
    from rubber_duck.notices.notices import Notices
    from rubber_duck.search.search import Search
    from rubber_duck.settings import Settings
    from rubber_duck.workflows.durable import Durable
    from rubber_duck.workspace.journal import Journal
    from rubber_duck.workspace.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is: `done` of `total` (0 when the total is not known yet), and what is being done."""

    done: int
    total: int
    note: str


Emit = Callable[[Delta | Progress], None]


def emit_nothing(piece: Delta | Progress) -> None:
    """For callers who only want the answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The open parts by name; an engine sees those it listed in `needs`."""

    settings: Settings
    opened: Mapping[str, object] = field(default_factory=dict)

    @property
    def analysis(self) -> Analysis:
        """Rules over files."""
        return self._get("analysis")

    @property
    def workspace(self) -> Workspace:
        """Projects and their files."""
        return self._get("workspace")

    @property
    def project_analysis(self) -> ProjectAnalysis:
        """Analyses of opened projects, kept in the database."""
        return self._get("project_analysis")

    @property
    def llm(self) -> LLM:
        """Models by role."""
        return self._get("llm")

    @property
    def search(self) -> Search:
        """Indexes of opened projects, and what is found in them."""
        return self._get("search")

    @property
    def memory(self) -> Memories:
        """What is remembered of people and projects."""
        return self._get("memory")

    @property
    def ngram(self) -> Ngram:
        """Completion models of the projects' own code."""
        return self._get("ngram")

    @property
    def contexts(self) -> Contexts:
        """What models are told, and what they were told before."""
        return self._get("contexts")

    @property
    def journal(self) -> Journal:
        """What was written to projects, and can be undone."""
        return self._get("journal")

    @property
    def conversations(self) -> Conversations:
        """What people and models said to each other."""
        return self._get("conversations")

    @property
    def workflows(self) -> Durable:
        """Durable work."""
        return self._get("workflows")

    @property
    def notices(self) -> Notices:
        """What people are told."""
        return self._get("notices")

    def _get(self, name: str) -> T:  # type: ignore[type-var]  # each property says which type its name has
        try:
            return self.opened[name]  # type: ignore[return-value]  # app.PARTS pairs the name with the type
        except KeyError:
            raise InvalidDeclaration(
                f"the part {name!r} is not open for this engine: list it in the engine's `needs`"
            ) from None


@dataclass(frozen=True, slots=True)
class Call:
    """One request being worked on. `emit` may be called from the event loop only."""

    scope: Scope
    parts: Parts
    emit: Emit = emit_nothing

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.parts.settings
