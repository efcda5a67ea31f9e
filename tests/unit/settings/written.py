"""Settings as a person writes them, for tests: a folder with a duck.toml, and an environment that leads there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import Settings, load


def load_written(home: Path, content: str | bytes = "", variables: Mapping[str, str] | None = None) -> Settings:
    """The settings for a duck.toml of that content in `home`, and these variables beside DUCK_HOME."""
    (home / "duck.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return load({"DUCK_HOME": str(home), **(variables or {})})


def refusal(home: Path, content: str | bytes = "", variables: Mapping[str, str] | None = None) -> str:
    """What is said of wrong settings; the path of the file is written `duck.toml`."""
    try:
        settings = load_written(home, content, variables)
    except InvalidSettings as error:
        return error.message.replace(str(home / "duck.toml"), "duck.toml")
    raise AssertionError(f"nothing was refused: {settings}")
