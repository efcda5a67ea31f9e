"""The only place where parts are joined: opens them in order, closes them in reverse, and runs engines."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from rubber_duck import fault, telemetry
from rubber_duck.call import Call, Emit, Parts, emit_nothing
from rubber_duck.engines.engine import EngineHealth, engines
from rubber_duck.engines.roster import Roster
from rubber_duck.errors import InvalidDeclaration, normalize
from rubber_duck.registry import Contribution, watching
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.supervision import Closing, PartHealth, Supervisor, closed_by
from rubber_duck.telemetry.libraries import libraries_heard

if TYPE_CHECKING:
    from rubber_duck.analysis.analysis import Analysis
    from rubber_duck.analysis.project_analysis import ProjectAnalysis
    from rubber_duck.cluster.cluster import Cluster
    from rubber_duck.context.contexts import Contexts
    from rubber_duck.conversations.conversations import Conversations
    from rubber_duck.llm.llm import LLM
    from rubber_duck.memory.memory import Memories
    from rubber_duck.ngram.ngram import Ngram
    from rubber_duck.notices.notices import Notices
    from rubber_duck.search.meaning import Embedder
    from rubber_duck.search.search import Search
    from rubber_duck.storage.database import Database
    from rubber_duck.workflows.durable import Durable, Resolve
    from rubber_duck.workspace.journal import Journal
    from rubber_duck.workspace.workspace import Workspace

Opened = Mapping[str, Any]  # Any: each part is of its own type; `call.Parts` gives it back


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is opened and closed. `open` gets the settings and the parts opened before it."""

    name: str
    needs: tuple[str, ...]
    open: Callable[[Settings, Opened], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class AppHealth:
    """How the application does: the engines, and the background parts."""

    engines: dict[str, EngineHealth]
    background: dict[str, PartHealth]


class App:
    """The application: open parts, a roster of engines, and a supervisor for what runs in the background."""

    def __init__(self, settings: Settings, parts: Parts, roster: Roster, supervisor: Supervisor) -> None:
        self.settings = settings
        self.parts = parts
        self.roster = roster
        self.supervisor = supervisor

    async def run(self, name: str, request: object, scope: Scope, emit: Emit = emit_nothing) -> Any:
        """Let the engine that answers to `name` answer; the type of the answer is the engine's own.

        `request` is the engine's request or builtins that convert to it. Raises a DuckError: UnknownName,
        InvalidInput, Denied, TimedOut, EngineFailed, or what the engine itself said.
        """
        with telemetry.correlated(scope.trace):
            engine, parsed = await self.roster.pick(scope, name, request)
            seen = Parts(
                self.settings, {part: self.parts.opened[part] for part in engine.needs if part in self.parts.opened}
            )
            return await self.roster.run(engine, parsed, Call(scope, seen, emit))

    async def health(self, *, open_timeout_s: float = 0.0) -> AppHealth:
        """How everything does now. With `open_timeout_s` engines that were never used are opened first."""
        asked = self.roster.open_all(timeout_s=open_timeout_s) if open_timeout_s else self.roster.health()
        return AppHealth(await asked, self.supervisor.health())


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    for_engines: Collection[str] | None = None,
    parts: Sequence[Part] | None = None,
    trace: str | None = None,
) -> AsyncIterator[App]:
    """Open the application; closed in reverse order when the block ends, also after a half start.

    `for_engines` opens only what the engines answering to these names need; None opens every part. `parts` replaces
    the declared parts, for tests. `trace` is that of the request for which it is opened, if it is for one.

    Raises a DuckError for a part that cannot be opened, or closed; what went wrong first is raised, what goes wrong
    while closing because of it is told as an event.
    """
    telemetry.configure_logs(settings.log)
    try:
        async with AsyncExitStack() as stack:
            stack.enter_context(libraries_heard())
            stack.enter_context(_plugins_watched())
            roster = Roster(engines, settings)
            declared = PARTS if parts is None else parts
            chosen = _chosen(declared, None if for_engines is None else _needed(roster, for_engines))
            if settings.telemetry.traces == "file":
                stack.enter_context(_traced(Path(settings.home)))
            supervisor = Supervisor()
            with telemetry.correlated(trace), telemetry.span("app.open"):
                opened = await _open_parts(chosen, settings, stack)
            await stack.enter_async_context(Closing("background", closed_by(supervisor.close)))
            await stack.enter_async_context(Closing("engines", closed_by(roster.close)))
            app = App(settings, Parts(settings, opened), roster, supervisor)
            _lend_to_workflows(app)
            yield app
    finally:
        telemetry.emit("app.closed")


@contextmanager
def _plugins_watched() -> Iterator[None]:
    """Tell of every plug-in that is left out, now or whenever its kind is first needed; engines are needed now."""
    for left in engines.left_out.values():
        _tell_left_out(left)
    with watching(_tell_left_out):
        engines.discover()
        yield


def _tell_left_out(left: Contribution) -> None:
    telemetry.emit("plugin.left_out", kind=left.kind, plugin=left.name, package=left.package, error=left.reason)


async def _open_parts(chosen: Sequence[Part], settings: Settings, stack: AsyncExitStack) -> dict[str, object]:
    started = time.monotonic()
    opened: dict[str, object] = {}
    for part in chosen:
        try:
            context = Closing(part.name, part.open(settings, opened))
            opened[part.name] = await stack.enter_async_context(context)
            fault.point("app.after_part")
        except Exception as error:  # noqa: BLE001  # the border: whatever a part raises leaves as a DuckError
            known = normalize(error)
            telemetry.emit("app.start_undone", part=part.name, error=known.message)
            raise known  # noqa: B904  # normalize set the cause
    duration_ms = round((time.monotonic() - started) * 1000)
    telemetry.emit("app.opened", parts=" ".join(opened), duration_ms=duration_ms)
    return opened


def _needed(roster: Roster, names: Collection[str]) -> set[str]:
    return {part for name in names for engine in roster.answering(name) for part in engine.needs}


def _chosen(declared: Sequence[Part], wanted: set[str] | None) -> list[Part]:
    """The wanted parts and all they need, in the declared order; each may need only earlier ones."""
    by_name = {part.name: part for part in declared}
    chosen: set[str] = set()
    waiting = list(by_name if wanted is None else wanted)
    while waiting:
        name = waiting.pop()
        if name not in by_name:
            raise InvalidDeclaration(f"there is no part {name!r}; the parts are {', '.join(by_name)}")
        if name not in chosen:
            chosen.add(name)
            waiting.extend(by_name[name].needs)
    order = list(by_name)
    for name in chosen:
        later = [need for need in by_name[name].needs if order.index(need) > order.index(name)]
        if later:
            raise InvalidDeclaration(f"the part {name!r} is declared before {later[0]!r}, which it needs")
    return [part for part in declared if part.name in chosen]


def _traced(home: Path) -> AbstractContextManager[None]:
    from rubber_duck.telemetry.opentelemetry import traced  # noqa: PLC0415  # only who traces pays

    return traced(home / "traces.jsonl")


@asynccontextmanager
async def _open_database(settings: Settings, opened: Opened) -> AsyncIterator[Database]:
    from rubber_duck.storage.database import open_database  # noqa: PLC0415  # SQLAlchemy costs 0.45 s

    async with open_database(settings.database) as database:
        yield database


@asynccontextmanager
async def _open_workspace(settings: Settings, opened: Opened) -> AsyncIterator[Workspace]:
    from rubber_duck.accounts.projects import project_changed  # noqa: PLC0415  # see _open_database
    from rubber_duck.workspace.workspace import Workspace  # noqa: PLC0415  # as above

    yield Workspace(opened["database"], clock=_now, changed=project_changed)


@asynccontextmanager
async def _open_analysis(settings: Settings, opened: Opened) -> AsyncIterator[Analysis]:
    from rubber_duck.analysis.analysis import open_analysis  # noqa: PLC0415  # rules and grammars

    async with open_analysis(settings) as analysis:
        yield analysis


@asynccontextmanager
async def _open_project_analysis(settings: Settings, opened: Opened) -> AsyncIterator[ProjectAnalysis]:
    from rubber_duck.analysis.project_analysis import ProjectAnalysis  # noqa: PLC0415  # see _open_database
    from rubber_duck.channels.broadcast import telling  # noqa: PLC0415  # as above

    analysis = ProjectAnalysis(opened["database"], opened["workspace"], opened["analysis"], clock=_now)
    analysis.follow(telling(opened["cluster"], "analyzed"))
    yield analysis


@asynccontextmanager
async def _open_llm(settings: Settings, opened: Opened) -> AsyncIterator[LLM]:
    from rubber_duck.llm.llm import Ground, open_llm  # noqa: PLC0415  # only who asks models

    async with open_llm(settings, ground=Ground(opened["database"], opened["cluster"])) as llm:
        yield llm


@asynccontextmanager
async def _open_search(settings: Settings, opened: Opened) -> AsyncIterator[Search]:
    from rubber_duck.channels.broadcast import telling  # noqa: PLC0415  # as below
    from rubber_duck.search.search import open_search  # noqa: PLC0415  # numpy, see _open_database

    async with open_search(opened["database"], settings, clock=_now, embedder=_embedder(opened["llm"])) as search:
        search.follow(telling(opened["cluster"], "indexed"))
        yield search


def _embedder(llm: LLM) -> Embedder | None:
    """The way to the embeddings model that is configured, if one is."""
    from rubber_duck.llm.roles import Role  # noqa: PLC0415  # as in _open_llm
    from rubber_duck.search.meaning import Embedder  # noqa: PLC0415  # as in _open_search

    chain = llm.chain(Role.EMBED)
    if not chain:
        return None

    async def embed(scope: Scope, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return (await llm.embed(scope, texts)).vectors

    return Embedder(chain[0], embed)


@asynccontextmanager
async def _open_memory(settings: Settings, opened: Opened) -> AsyncIterator[Memories]:
    from rubber_duck.memory.memory import Memories  # noqa: PLC0415  # see _open_database
    from rubber_duck.memory.model import distiller  # noqa: PLC0415  # as above

    llm: LLM = opened["llm"]
    memories = Memories(opened["database"], settings.memory, _now, llm.redacted, distiller(llm))
    try:
        yield memories
    finally:
        await memories.close()


@asynccontextmanager
async def _open_ngram(settings: Settings, opened: Opened) -> AsyncIterator[Ngram]:
    from rubber_duck.ngram.ngram import open_ngram  # noqa: PLC0415  # numpy

    async with open_ngram(settings) as ngram:
        yield ngram


@asynccontextmanager
async def _open_cluster(settings: Settings, opened: Opened) -> AsyncIterator[Cluster]:
    from rubber_duck.cluster.cluster import open_cluster  # noqa: PLC0415  # only who shares something pays
    from rubber_duck.storage.installation import shared_key  # noqa: PLC0415  # see _open_database

    async with open_cluster(settings.cluster, partial(shared_key, opened["database"], "cluster")) as cluster:
        yield cluster


@asynccontextmanager
async def _open_contexts(settings: Settings, opened: Opened) -> AsyncIterator[Contexts]:
    from rubber_duck.context.contexts import open_contexts  # noqa: PLC0415  # numpy

    async with open_contexts(settings) as contexts:
        yield contexts


@asynccontextmanager
async def _open_journal(settings: Settings, opened: Opened) -> AsyncIterator[Journal]:
    from rubber_duck.workspace.journal import Journal  # noqa: PLC0415  # only where something is written

    yield Journal(Path(settings.home) / "journal", clock=_now)


@asynccontextmanager
async def _open_conversations(settings: Settings, opened: Opened) -> AsyncIterator[Conversations]:
    from rubber_duck.conversations.conversations import Conversations  # noqa: PLC0415  # see _open_database
    from rubber_duck.storage.keys import new_key  # noqa: PLC0415  # as above

    days = settings.privacy.keep_days
    yield Conversations(opened["database"], clock=_now, new_key=new_key, keep_days=days)


@asynccontextmanager
async def _open_workflows(settings: Settings, opened: Opened) -> AsyncIterator[Durable]:
    from rubber_duck.workflows.durable import open_durable  # noqa: PLC0415  # only who asks of workflows pays

    resolve = resolving(opened["database"], runs_commands=settings.server.runs_commands)
    async with open_durable(opened["database"], settings, resolve=resolve, now=_now) as durable:
        yield durable


@asynccontextmanager
async def _open_notices(settings: Settings, opened: Opened) -> AsyncIterator[Notices]:
    from rubber_duck.notices.notices import Notices  # noqa: PLC0415  # as _open_workflows

    yield Notices(opened["database"], opened["cluster"], opened["workflows"], settings, now=_now)


def resolving(database: Database, *, runs_commands: bool = False) -> Resolve:
    """What the actor of a run may do now: everything for the person at this machine, for a user what accounts say."""

    async def resolve(actor: str, project: UUID | None, trace: str, key: str = "") -> Scope:
        if actor == Actor.local().id:
            return Scope(Actor.local(), project, frozenset(Right), trace)
        from rubber_duck.accounts.accounts import scope_of_user  # noqa: PLC0415  # only for work of users

        return await scope_of_user(database, actor, project, trace, key, runs_commands=runs_commands)

    return resolve


def _lend_to_workflows(app: App) -> None:
    """Workflows touch every part and any engine, which are above them: they are handed down."""
    if "workflows" not in app.parts.opened:
        return
    from rubber_duck.jobs.hands import Hands  # noqa: PLC0415  # as above
    from rubber_duck.workflows.durable import Durable  # noqa: PLC0415  # as above

    if isinstance(durable := app.parts.opened["workflows"], Durable):
        is_told = "notices" in app.parts.opened
        durable.lend(Hands(app.parts, app.run), app.parts.notices.followers() if is_told else None)


def _now() -> datetime:
    return datetime.now(UTC)


PARTS: Final[tuple[Part, ...]] = (
    Part("database", (), _open_database),
    Part("cluster", ("database",), _open_cluster),
    Part("workspace", ("database",), _open_workspace),
    Part("analysis", (), _open_analysis),
    Part("project_analysis", ("database", "cluster", "workspace", "analysis"), _open_project_analysis),
    Part("llm", ("database", "cluster"), _open_llm),
    Part("search", ("database", "cluster", "workspace", "llm"), _open_search),
    Part("memory", ("database", "llm"), _open_memory),
    Part("ngram", (), _open_ngram),
    Part("contexts", (), _open_contexts),
    Part("journal", (), _open_journal),
    Part("conversations", ("database",), _open_conversations),
    Part(
        "workflows",
        ("database", "project_analysis", "search", "memory", "ngram", "contexts", "journal", "conversations"),
        _open_workflows,
    ),
    Part("notices", ("database", "cluster", "workflows"), _open_notices),
)
"""Every part in the order of opening; they close in reverse."""
