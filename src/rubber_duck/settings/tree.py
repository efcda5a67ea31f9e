"""The settings themselves: frozen sections, each field with its default, its limits and its documentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, field

from rubber_duck.settings.memory import MemorySettings, PrivacySettings
from rubber_duck.settings.models import ModelSettings
from rubber_duck.settings.section import Section
from rubber_duck.settings.telling import MailSettings, NoticeSettings

__all__ = [
    "PROFILES", "PROJECT_SECTIONS", "AnalysisSettings", "ClusterSettings", "ContextSettings", "DatabaseSettings",
    "IndexSettings", "LogSettings", "MailSettings", "MemorySettings", "ModelSettings", "NoticeSettings", "PathRules",
    "PrivacySettings", "QueueSettings", "ScheduleSettings", "Section", "Settings", "TelemetrySettings",
    "WorkerSettings", "WorkflowSettings", "is_filled",
]  # fmt: skip

LogLevel = Literal["debug", "info", "warning", "error"]
SeverityName = Literal["info", "low", "medium", "high", "critical"]
Option = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | bool | str | tuple[str, ...]


class DatabaseSettings(Section, frozen=True):
    """Where RubberDuck keeps what it knows."""

    url: Annotated[
        str,
        Meta(
            description="`sqlite:////absolute/path.db`, with four slashes, or "
            "`postgresql://user:password@host:5432/name`; empty: `duck.db` in the home folder.",
            extra={"secret": "url"},
        ),
    ] = ""
    pool_min: Annotated[int, Meta(ge=0, le=1000, description="PostgreSQL connections kept open while idle.")] = 1
    pool_max: Annotated[int, Meta(ge=1, le=1000, description="PostgreSQL connections at the most.")] = 10
    readers: Annotated[int, Meta(ge=1, le=32, description="SQLite threads that read; one more writes.")] = 3
    busy_timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds to wait for another process's SQLite lock.")
    ] = 10.0
    connect_timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds to wait for a PostgreSQL connection.")
    ] = 10.0


class ClusterSettings(Section, frozen=True):
    """What several processes of one installation share while they run."""

    url: Annotated[
        str,
        Meta(
            description="`local:` for one process, or `redis://user:password@host:6379/0` (`rediss://` with TLS) for "
            "several.",
            extra={"secret": "url"},
        ),
    ] = "local:"
    prefix: Annotated[
        str,
        Meta(min_length=1, max_length=100, description="What every key begins with, so that one Redis serves several."),
    ] = "duck"
    timeout_s: Annotated[float, Meta(gt=0, le=60, description="Seconds to wait for an answer of Redis.")] = 2.0


class LogSettings(Section, frozen=True):
    """What is logged, and how. Logs go to standard error of this process and nowhere else."""

    level: Annotated[LogLevel, Meta(description="The least level that is written.")] = "error"
    format: Annotated[Literal["console", "json"], Meta(description="Lines for people, or one JSON value per line.")] = (
        "console"
    )


class TelemetrySettings(Section, frozen=True):
    """Spans and counters. Nothing leaves this machine."""

    traces: Annotated[
        Literal["off", "file"],
        Meta(description="`file` appends OpenTelemetry spans to `traces.jsonl` in the home folder."),
    ] = "off"


class WorkerSettings(Section, frozen=True):
    """Processes that read hostile input, so that they can be killed."""

    count: Annotated[int, Meta(ge=0, le=256, description="Worker processes; 0: one per core.")] = 0
    file_timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds of processor time a worker, or ruff, may spend on one file.")
    ] = 5.0
    memory_bytes: Annotated[
        int, Meta(ge=134_217_728, description="Memory a worker, or ruff, may map before it is refused more.")
    ] = 2_147_483_648


class IndexSettings(Section, frozen=True):
    """Which files of a project are looked at. A project's own duck.toml may set this."""

    ignore: Annotated[
        tuple[str, ...],
        Meta(description="More patterns to leave out, in .gitignore syntax, relative to the project's root."),
    ] = ()
    max_file_size_bytes: Annotated[
        int, Meta(ge=1, le=20_000_000, description="Larger files are left out and reported.")
    ] = 1_000_000
    follow_links: Annotated[bool, Meta(description="Follow symbolic links to files inside the project's root.")] = False
    text: Annotated[
        bool,
        Meta(description="Also search documentation, configuration, and code that is only read as text."),
    ] = True


class PathRules(Section, frozen=True):
    """Rules to leave out below some paths."""

    path: Annotated[
        str, Meta(min_length=1, max_length=1000, description="A pattern in .gitignore syntax, e.g. `tests/`.")
    ]
    ignore: Annotated[tuple[str, ...], Meta(description="Rule names or prefixes ending in `*`, e.g. `ruff/S*`.")]


class AnalysisSettings(Section, frozen=True):
    """Which rules run, where, and with which options. A project's own duck.toml may set this."""

    min_severity: Annotated[SeverityName, Meta(description="Findings below this are left out of reports.")] = "info"
    select: Annotated[
        tuple[str, ...],
        Meta(description="Rule names or prefixes ending in `*` that run; empty: all."),
    ] = ()
    ignore: Annotated[tuple[str, ...], Meta(description="Rule names or prefixes ending in `*` that do not run.")] = ()
    ruff: Annotated[bool, Meta(description="Run ruff on Python files, with RubberDuck's own selection.")] = True
    per_path: Annotated[
        tuple[PathRules, ...], Meta(max_length=1000, description="Rules to leave out below some paths.")
    ] = ()
    rules: Annotated[
        dict[str, dict[str, Option]],
        Meta(description="Options of single rules: `[analysis.rules.complex-function] max_complexity = 20`."),
    ] = field(default_factory=dict)


class QueueSettings(Section, frozen=True):
    """How much of one kind of durable work is done at once."""

    per_process: Annotated[int, Meta(ge=1, le=100, description="Runs that one process works on at once.")] = 4
    at_once: Annotated[
        int, Meta(ge=0, le=100_000, description="Runs that all processes together work on at once; 0: no limit.")
    ] = 0
    rate: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Runs that may begin within `rate_period_s`; 0: no limit.")
    ] = 0
    rate_period_s: Annotated[float, Meta(gt=0, le=86_400, description="Seconds over which `rate` is counted.")] = 60.0
    most_waiting: Annotated[int, Meta(ge=1, le=10_000_000, description="Runs that may wait; one more is refused.")] = (
        20_000
    )


class ScheduleSettings(Section, frozen=True):
    """A workflow that is started again and again."""

    workflow: Annotated[str, Meta(description="Its name; `duck workflows` lists them.")]
    cron: Annotated[str, Meta(max_length=200, description="When, in UTC: minute hour day month weekday.")]
    request: Annotated[dict[str, Option], Meta(description='What it is asked, e.g. `{ path = "/srv/code" }`.')] = field(
        default_factory=dict
    )


class WorkflowSettings(Section, frozen=True):
    """Durable work: how it is shared among processes, and what is started by the clock."""

    heartbeat_s: Annotated[
        float, Meta(gt=0, le=60, description="Seconds between two signs of life of a process that works.")
    ] = 2.0
    dead_after_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds without one until other processes take its work over.")
    ] = 12.0
    poll_s: Annotated[float, Meta(ge=0.01, le=60, description="Seconds between two looks into a queue.")] = 1.0
    attempts: Annotated[
        int,
        Meta(ge=1, le=100, description="Times a run may be begun and killed, keeping no step, until it is given up."),
    ] = 5
    keep_days: Annotated[
        float,
        Meta(ge=0, le=3650, description="Days that an ended run is kept, with its steps and its answer; 0: for ever."),
    ] = 30.0
    in_server: Annotated[
        bool, Meta(description="Whether `duck serve` works through the queues too; off, only `duck work` does.")
    ] = True
    queues: Annotated[
        dict[str, QueueSettings],
        Meta(description="Limits of queues: `[workflows.queues.analysis]`."),
    ] = field(default_factory=dict)
    schedules: Annotated[
        dict[str, ScheduleSettings],
        Meta(description="What is started by the clock: `[workflows.schedules.<name>]`."),
    ] = field(default_factory=dict)


class ServerSettings(Section, frozen=True):
    """Who serves whom, and how. Addresses other than this machine's own need TLS or a declared proxy."""

    secret: Annotated[
        str,
        Meta(
            description="What tokens are signed with, the same on every node: 32 random characters or more; empty: "
            "made at the first start and kept in `server.secret` in the home folder.",
            extra={"secret": "url"},
        ),
    ] = ""
    names: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Names that browsers and proxies call it by, e.g. `duck.example`."),
    ] = ()
    certificate: Annotated[str, Meta(description="The file with the TLS certificate and its chain, PEM.")] = ""
    private_key: Annotated[str, Meta(description="The file with the certificate's private key, PEM.")] = ""
    proxies: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Addresses of proxies in front of it, which have TLS and are believed."),
    ] = ()
    connections: Annotated[
        int, Meta(ge=10, le=1_000_000, description="Connections of one process, HTTP and sockets together; more: 503.")
    ] = 10_000
    connections_per_address: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Of those, from one address, or one IPv6 network; more: 429.")
    ] = 4_000
    sockets_per_person: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Open sockets of one person to one process; more: 429.")
    ] = 2_000
    rate_factor: Annotated[
        float,
        Meta(
            ge=0.01, le=100_000, description="How many times as often as usual people may ask, over HTTP and sockets."
        ),
    ] = 1.0
    runs_commands: Annotated[
        bool,
        Meta(
            description="Whether whoever may change a project's files may also run its tests and other commands, in "
            "the sandbox on a copy."
        ),
    ] = False


class WorkspaceSettings(Section, frozen=True):
    """Where projects of a server may lie."""

    roots: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Folders below which an administrator may open projects over HTTP."),
    ] = ()
    copies: Annotated[
        str,
        Meta(
            max_length=4096,
            description="The folder for what a server copies, Git remotes and uploads; of several machines the same "
            "one, on a disk that they share. Empty: `projects` in the home folder.",
        ),
    ] = ""
    fetch_minutes: Annotated[
        int,
        Meta(ge=0, le=10_080, description="Minutes between two fetches of every copy of a Git remote; 0: when asked."),
    ] = 0
    git_tokens: Annotated[
        tuple[str, ...],
        Meta(
            max_length=100,
            description="For private Git remotes, `HOST=FILE` each: a file with `TOKEN` or `NAME:TOKEN`, for its owner "
            "alone.",
        ),
    ] = ()
    git_authority: Annotated[
        str,
        Meta(
            max_length=4096,
            description="A file with the certificate (PEM) of the authority of one's own that vouches for private Git "
            "hosts; empty: those that the system trusts.",
        ),
    ] = ""


class ContextSettings(Section, frozen=True):
    """What a model is told. A project's own duck.toml may have this table; it has no keys yet."""


class Settings(Section, frozen=True):
    """Every setting of RubberDuck."""

    profile: Annotated[
        Literal["dev", "test", "prod"],
        Meta(description="Which defaults hold, and which `[profiles.<name>]` tables are laid over the file."),
    ] = "dev"
    home: Annotated[
        str,
        Meta(description="The folder for settings, database, cache and reports; set by `DUCK_HOME` alone."),
    ] = "~/.rubber_duck"
    file: Annotated[
        str, Meta(description="The person's own settings file, whether it is there or not.", extra={"filled": True})
    ] = ""
    pinned: Annotated[
        tuple[str, ...],
        Meta(description="Keys that variables set: a project's own duck.toml cannot.", extra={"filled": True}),
    ] = ()
    database: Annotated[DatabaseSettings, Meta(description="Storage.")] = DatabaseSettings()
    cluster: Annotated[ClusterSettings, Meta(description="Several processes.")] = ClusterSettings()
    log: Annotated[LogSettings, Meta(description="Logs.")] = LogSettings()
    telemetry: Annotated[TelemetrySettings, Meta(description="Spans and counters.")] = TelemetrySettings()
    workers: Annotated[WorkerSettings, Meta(description="Worker processes.")] = WorkerSettings()
    index: Annotated[IndexSettings, Meta(description="Files of a project.")] = IndexSettings()
    analysis: Annotated[AnalysisSettings, Meta(description="Rules.")] = AnalysisSettings()
    llm: Annotated[ModelSettings, Meta(description="Models.")] = ModelSettings()
    memory: Annotated[MemorySettings, Meta(description="What is remembered.")] = MemorySettings()
    privacy: Annotated[PrivacySettings, Meta(description="How long it is kept.")] = PrivacySettings()
    context: Annotated[ContextSettings, Meta(description="Context for models.")] = ContextSettings()
    server: Annotated[ServerSettings, Meta(description="The server.")] = ServerSettings()
    workspace: Annotated[WorkspaceSettings, Meta(description="Projects of a server.")] = WorkspaceSettings()
    workflows: Annotated[WorkflowSettings, Meta(description="Durable work.")] = WorkflowSettings()
    mail: Annotated[MailSettings, Meta(description="Mail.")] = MailSettings()
    notices: Annotated[NoticeSettings, Meta(description="Telling people.")] = NoticeSettings()
    engines: Annotated[
        dict[str, dict[str, Option]],
        Meta(description="Settings of single engines, e.g. `[engines.analyze]`; each engine documents its own."),
    ] = field(default_factory=dict)


def is_filled(annotation: Any) -> bool:  # Any: annotations have no common type
    """Whether a field with this annotation is filled in by `load`, and not a setting that people write."""
    return any(isinstance(note, Meta) and (note.extra or {}).get("filled") for note in get_args(annotation))


PROJECT_SECTIONS = ("analysis", "index", "context")
"""The only tables that a project's own duck.toml may have: hostile repositories exist."""

PROFILES: dict[str, dict[str, dict[str, object]]] = {
    "dev": {},
    "test": {"log": {"level": "error"}, "workers": {"count": 2}},
    "prod": {"log": {"level": "info", "format": "json"}},
}
"""Defaults that a profile changes."""
