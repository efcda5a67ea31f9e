"""Folders that only their owner can enter: the home folder, and whatever lies in it."""

from __future__ import annotations

from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make `folder` and the missing ones above it with mode 0700; one that is there stays as it is. Raises OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
