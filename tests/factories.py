"""Typed makers of what tests need, with sensible fields that a test may replace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` (relative path → content) below `folder`, which is returned; folders are made as needed."""
    for relative, content in files.items():
        file = os.path.join(folder, relative)  # pathlib would tidy strange names
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
    return folder
