"""Folders that only their owner can enter: the home folder, and whatever lies in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final
from uuid import UUID

REPORTS: Final = "reports"
"""The folder in the home folder where reports are kept, those of each project in one of its own."""


def make_private_folder(folder: Path) -> None:
    """Make `folder` and the missing ones above it with mode 0700; one that is there stays as it is. Raises OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def reports_of(home: Path, project_id: UUID) -> Path:
    """The folder of a project's reports that runs write."""
    return home / REPORTS / str(project_id)


def forget_reports(home: Path, project_id: UUID) -> None:
    """Remove the reports of a project: of runs, and of `duck up`, whose folder ends with the end of the id."""
    for folder in (reports_of(home, project_id), *(home / REPORTS).glob(f"*-{str(project_id)[-8:]}")):
        shutil.rmtree(folder, ignore_errors=True)
