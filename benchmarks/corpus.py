"""Real code to measure on: fetched once into build/corpora, or taken from where `DUCK_BENCH_DJANGO` says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

BUILD = Path(__file__).resolve().parent.parent / "build" / "corpora"
DJANGO = "django==5.2.7"
SPHINX = "sphinx==8.2.3"
CELERY = "celery==5.5.3"
SCRAPY = "scrapy==2.13.3"
CLICK = "click==8.5.0"


def django() -> Path:
    """The unpacked source distribution of Django 5.2.7: 2,818 Python files, 18.0 MB, 489,000 lines."""
    given = os.environ.get("DUCK_BENCH_DJANGO")
    if given:
        return Path(given)
    return _source_distribution(DJANGO)


def sphinx() -> Path:
    """The unpacked source distribution of Sphinx 8.2.3."""
    return _source_distribution(SPHINX)


def celery() -> Path:
    """The unpacked source distribution of Celery 5.5.3."""
    return _source_distribution(CELERY)


def scrapy() -> Path:
    """The unpacked source distribution of Scrapy 2.13.3."""
    return _source_distribution(SCRAPY)


def click() -> Path:
    """The unpacked source distribution of click 8.5.0, tests included; or where `DUCK_BENCH_CLICK` says."""
    given = os.environ.get("DUCK_BENCH_CLICK")
    return Path(given) if given else _source_distribution(CLICK)


def zod() -> Path | None:
    """The TypeScript sources in the npm package zod 4.6.7; None where there is no npm to fetch it with."""
    folder = BUILD / "zod-4.6.7"
    if not folder.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            return None
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "pack", "--silent", "zod@4.6.7"], cwd=BUILD, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(BUILD / "zod-4.6.7.tgz") as archive:
            archive.extractall(folder, filter="data")
    return folder / "package" / "src"


def elixir() -> Path | None:
    """The sources of Elixir 1.14.0; None where nobody has put them there."""
    folder = BUILD / "elixir-1.14.0"
    return folder if folder.is_dir() else None


CODE_BASES: Final[dict[str, Callable[[], Path | None]]] = {
    "django-5.2.7": django,
    "sphinx-8.2.3": sphinx,
    "celery-5.5.3": celery,
    "scrapy-2.13.3": scrapy,
    "zod-4.6.7": zod,
    "elixir-1.14.0": elixir,
}
"""Code bases by the name that labels give them."""

WHERE: Final[dict[str, str]] = {
    "zod-4.6.7": "install npm, which fetches it",
    "elixir-1.14.0": "unpack Debian's elixir-lang_1.14.0.dfsg.orig.tar.xz as build/corpora/elixir-1.14.0",
}
"""What to do where one is absent."""


def _source_distribution(requirement: str) -> Path:
    """The unpacked source distribution of `name==version`, downloaded where it is not there yet."""
    name, _, version = requirement.partition("==")
    folder = BUILD / f"{name}-{version}"
    if not folder.is_dir():
        BUILD.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps", "-d", str(BUILD)]
        subprocess.run([*command, requirement], check=True)
        with tarfile.open(next(BUILD.glob(f"[{name[0].upper()}{name[0]}]{name[1:]}-{version}.tar.gz"))) as archive:
            archive.extractall(BUILD, filter="data")
    return folder


def copy_of(source: Path, target: Path) -> Path:
    """A copy that a benchmark may change."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return target
