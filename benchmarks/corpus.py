"""Real code to measure on: fetched once with pip, or taken from where `DUCK_BENCH_DJANGO` says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build" / "corpora"
DJANGO = "django==5.2.7"


def django() -> Path:
    """The unpacked source distribution of Django 5.2.7: 2,818 Python files, 18.0 MB, 489,000 lines."""
    given = os.environ.get("DUCK_BENCH_DJANGO")
    if given:
        return Path(given)
    folder = BUILD / "django-5.2.7"
    if not folder.is_dir():
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps", "-d", BUILD, DJANGO],
            check=True,
        )
        with tarfile.open(next(BUILD.glob("[dD]jango-5.2.7.tar.gz"))) as archive:
            archive.extractall(BUILD, filter="data")
    return folder


def copy_of(source: Path, target: Path) -> Path:
    """A copy that a benchmark may change."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return target
