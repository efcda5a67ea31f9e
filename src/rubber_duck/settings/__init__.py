"""One frozen tree of settings, read from the user's duck.toml and `DUCK_*` variables; every field is documented."""

from rubber_duck.settings.load import RESERVED_VARIABLES, environment_name, home_folder, load, public, with_project
from rubber_duck.settings.secrets import without_password
from rubber_duck.settings.tree import (
    AnalysisSettings,
    ClusterSettings,
    ContextSettings,
    DatabaseSettings,
    IndexSettings,
    LogSettings,
    PathRules,
    Section,
    Settings,
    TelemetrySettings,
    WorkerSettings,
    is_filled,
)

__all__ = [
    "RESERVED_VARIABLES",
    "AnalysisSettings",
    "ClusterSettings",
    "ContextSettings",
    "DatabaseSettings",
    "IndexSettings",
    "LogSettings",
    "PathRules",
    "Section",
    "Settings",
    "TelemetrySettings",
    "WorkerSettings",
    "environment_name",
    "home_folder",
    "is_filled",
    "load",
    "public",
    "with_project",
    "without_password",
]
