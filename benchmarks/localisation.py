"""Changelog entries, and whether the files that were changed for them are found, beside BM25 over the same files.

`python -m benchmarks.localisation [PACKAGE …]`. The cases are made here, from source distributions that pip downloads:
an entry of a release's changelog is the text, the older release is the project, and the source files that differ
between the two are the answer. Only releases with few entries and few changed files are taken, so that an entry is
about one of them; which of them is not known, so any counts. Half of the cases, by a hash, may be looked at; nothing is
tuned on the later half.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks import corpus
from benchmarks.search_peers import split
from rubber_duck.engines.locate import edges_of
from rubber_duck.scope import Scope
from rubber_duck.search.hits import Hit
from rubber_duck.search.kinds import is_test
from rubber_duck.search.localisation.localisation import Ground, locate
from rubber_duck.search.search import Options, Search, open_search
from rubber_duck.settings import DatabaseSettings, Settings, load
from rubber_duck.storage.database import open_database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace

FOLDER: Final = corpus.BUILD / "localisation"
SHOWN: Final = 10
MOST_ENTRIES: Final = 10
MOST_CHANGED: Final = 8
"""A release with more of either is left out."""

LEAST_WORDS: Final = 4
SOURCE: Final = frozenset({".py", ".js", ".html", ".css", ".c", ".pyx"})


@dataclass(frozen=True, slots=True)
class Package:
    """A package: where its code and its changelog lie in a source distribution, and which releases are compared."""

    name: str
    code: tuple[str, ...]
    changelog: str
    series: tuple[str, ...]

    def releases(self) -> Iterator[list[str]]:
        """Each series' versions in order: `2.0.0-3` is 2.0.0 to 2.0.3."""
        for each in self.series:
            first, _, last = each.partition("-")
            head, _, start = first.rpartition(".")
            yield [f"{head}.{patch}" for patch in range(int(start), int(last) + 1)]


PACKAGES: Final = (
    Package("click", ("src/click",), "CHANGES.rst", ("8.0.0-4", "8.1.0-8", "8.2.0-2", "8.3.0-1")),
    Package("jinja2", ("src/jinja2", "jinja2"), "CHANGES.rst", ("2.10.1-3", "2.11.0-3", "3.0.0-3", "3.1.0-6")),
    Package(
        "werkzeug", ("src/werkzeug",), "CHANGES.rst", ("2.0.0-3", "2.1.0-2", "2.2.0-3", "2.3.0-8", "3.0.0-6", "3.1.0-6")
    ),
    Package(
        "sphinx",
        ("sphinx",),
        "CHANGES CHANGES.rst",
        (
            "3.5.0-4",
            "4.0.0-3",
            "4.1.0-2",
            "4.3.0-2",
            "5.0.0-2",
            "5.1.0-1",
            "5.2.0-3",
            "6.0.0-1",
            "6.1.0-3",
            "7.0.0-1",
            "7.1.0-2",
            "7.2.0-6",
            "7.3.0-7",
            "7.4.0-7",
            "8.0.0-2",
            "8.1.0-3",
            "8.2.0-3",
        ),
    ),
    Package(
        "requests",
        ("requests", "src/requests"),
        "HISTORY.md HISTORY.rst",
        ("2.18.0-4", "2.19.0-1", "2.20.0-1", "2.25.0-1", "2.27.0-1", "2.28.0-2", "2.32.2-5"),
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A changelog entry, the folder of the release before, and the paths in it that the next release changed."""

    text: str
    folder: Path
    answer: frozenset[str]

    @property
    def is_later(self) -> bool:
        """Whether it belongs to the half that nothing may be tuned on."""
        return hashlib.sha256(self.text.encode()).digest()[0] >= 128


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, and the place of the first right file, 1 for the first and 0 for none shown: ours and BM25's; seconds."""

    case: Case
    ours: int
    bm25: int
    elapsed_s: float


def main() -> None:
    """Make the cases, and print how often a changed file is first, among five, among ten."""
    outcomes: list[Outcome] = []
    for package in (each for each in PACKAGES if each.name in sys.argv[1:] or not sys.argv[1:]):
        cases = list(_cases(package))
        with tempfile.TemporaryDirectory() as scratch:
            found = asyncio.run(_measured(cases, Path(scratch)))
        _show(f"{package.name}, first half", [each for each in found if not each.case.is_later])
        outcomes += found
    for name, is_later in (("first half, may be looked at", False), ("later half, never tuned on", True)):
        _show(f"\nall, {name}", [each for each in outcomes if each.case.is_later == is_later])
    if outcomes:
        print(
            f"\n{len(outcomes)} cases; locating takes {statistics.median(e.elapsed_s for e in outcomes) * 1000:.0f} ms"
        )


def _cases(package: Package) -> Iterator[Case]:
    for versions in package.releases():
        folders = {version: _distribution(package.name, version) for version in versions}
        for older, newer in pairwise(versions):
            before, after = folders[older], folders[newer]
            if before is None or after is None:
                continue
            code, changed = _changed(package, before, after)
            entries = list(_entries(package, after, newer))
            if code is not None and 0 < len(changed) <= MOST_CHANGED and len(entries) <= MOST_ENTRIES:
                for entry in entries:
                    yield Case(entry, code, changed)


def _distribution(name: str, version: str) -> Path | None:
    """The unpacked source distribution; None, which is said, where it cannot be downloaded."""
    folder = FOLDER / f"{name}-{version}"
    if folder.is_dir():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    archive = _archive(name, version)
    if archive is None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-binary",
            ":all:",
            "--no-deps",
            "-d",
            str(FOLDER),
        ]
        subprocess.run([*command, f"{name}=={version}"], check=False, stdout=subprocess.DEVNULL)
        archive = _archive(name, version)
    if archive is None:
        print(f"{name} {version} cannot be downloaded: left out")
        return None
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        next(Path(scratch).iterdir()).rename(folder)
    return folder


def _archive(name: str, version: str) -> Path | None:
    found = [path for path in FOLDER.glob("*.tar.gz") if path.name.lower() == f"{name}-{version}.tar.gz"]
    return found[0] if found else None


def _changed(package: Package, before: Path, after: Path) -> tuple[Path | None, frozenset[str]]:
    """The older release's code, and the source files of it that are other or gone in the newer one."""
    for code in package.code:
        if (before / code).is_dir() and (after / code).is_dir():
            paths = _sources(before / code)
            changed = (path for path in paths if _text(before / code / path) != _text(after / code / path))
            return before / code, frozenset(changed)
    return None, frozenset()


def _sources(folder: Path) -> list[str]:
    """The source files, without tests and what is only data."""
    relative = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in SOURCE)
    return sorted(path for path in relative if not is_test(path) and "locale/" not in path)


_VERSION_LINE: Final = re.compile(r".*(?:version|__build__|copyright).*", re.IGNORECASE)


def _text(path: Path) -> list[str]:
    """A file's lines, but for those that every release changes."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if not _VERSION_LINE.fullmatch(line)]


_ITEM: Final = re.compile(r"^[-*] +", re.MULTILINE)
_TAIL: Final = re.compile(
    r":(?:issue|pr|ghsa|cve):`[^`]*`|\(?#\d+\)?:?|Patch by .*|\b(?:GHSA|CVE)-[\w-]+", re.IGNORECASE
)


def _entries(package: Package, folder: Path, version: str) -> Iterator[str]:
    """What the changelog says of one release, entry by entry, without numbers of issues; those that say little not."""
    file = next((folder / name for name in package.changelog.split() if (folder / name).is_file()), None)
    if file is None:
        return
    heading = re.compile(rf"^(?:Version |Release )?{re.escape(version)}\b.*\n[-=]{{3,}}\n", re.MULTILINE)
    text = file.read_text(encoding="utf-8")
    found = heading.search(text)
    if found is None:
        return
    section = re.split(
        r"^(?:Version |Release )?\d+\.\d[\w.]*\b.*\n[-=]{3,}\n", text[found.end() :], flags=re.MULTILINE
    )[0]
    for item in _ITEM.split(section)[1:]:
        entry = " ".join(_TAIL.sub("", re.split(r"\n(?=\S)|\n\n", item)[0]).split())
        if len(re.findall(r"[A-Za-z]{3,}", entry)) >= LEAST_WORDS:
            yield entry


async def _measured(cases: Sequence[Case], scratch: Path) -> list[Outcome]:
    settings = load({"DUCK_HOME": str(scratch)})
    local = Scope.local()
    folder = scratch / "project"
    folder.mkdir()

    def now() -> datetime:
        return datetime.now(UTC)

    outcomes: list[Outcome] = []
    async with (
        open_database(DatabaseSettings(url=f"sqlite:///{scratch}/duck.db")) as database,
        open_search(database, settings, clock=now) as search,
    ):
        project = await Workspace(database, clock=now).open_project(local, str(folder))
        scope, root = local.within(project.id), Root(folder)
        for code in dict.fromkeys(case.folder for case in cases):
            await _take(code, folder, (search, scope, settings))
            ground, ranked = await _ground(search, scope, root), _bm25(folder)
            for case in (each for each in cases if each.folder == code):
                started = time.perf_counter()
                found = await locate(case.text, ground, SHOWN)
                elapsed_s = time.perf_counter() - started
                ours = _place([suspect.path for suspect in found], case)
                outcomes.append(Outcome(case, ours, _place(ranked(case.text), case), elapsed_s))
    return outcomes


async def _take(code: Path, folder: Path, index: tuple[Search, Scope, Settings]) -> None:
    """Make the project that release's sources, and only them, and index what is other than before."""
    search, scope, settings = index
    wanted = {path: (code / path).read_bytes() for path in _sources(code)}
    for path in _sources(folder):
        if path not in wanted:
            (folder / path).unlink()
    for path, content in wanted.items():
        target = folder / path
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    await search.update(scope, Root(folder), settings, lambda done, total, note: None)


async def _ground(search: Search, scope: Scope, root: Root) -> Ground:
    async def find(query: str, limit: int) -> Sequence[Hit]:
        return (await search.find(scope, root, query, Options(limit=limit, tests=False, with_lines=False))).hits

    languages: Mapping[str, str] = await search.paths(scope)
    return Ground(list(languages), find, edges_of(root, languages))


class _Ranked:
    """BM25 over whole files, identifiers and paths split."""

    def __init__(self, folder: Path) -> None:
        import bm25s  # noqa: PLC0415  # a tool of benchmarks

        self._paths = _sources(folder)
        self._model = bm25s.BM25()
        texts = [
            split(f"{path} {(folder / path).read_text(encoding='utf-8', errors='replace')}") for path in self._paths
        ]
        self._model.index([text.split() for text in texts], show_progress=False)

    def __call__(self, text: str) -> list[str]:
        """The likeliest files."""
        count = min(SHOWN, len(self._paths))
        found, _ = self._model.retrieve([split(text).split()], k=count, show_progress=False)
        return [self._paths[number] for number in found[0]]


def _bm25(folder: Path) -> _Ranked:
    return _Ranked(folder)


def _place(paths: Sequence[str], case: Case) -> int:
    return next((place for place, path in enumerate(paths, 1) if path in case.answer), 0)


def _show(name: str, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        print(f"{name}: no cases")
        return
    print(f"{name}: {len(outcomes)} cases")
    for who, places in (("duck locate", [each.ours for each in outcomes]), ("BM25", [each.bm25 for each in outcomes])):
        shares = (f"Acc@{limit} {statistics.mean(0 < place <= limit for place in places):.3f}" for limit in (1, 5, 10))
        print(f"  {who:<12} {'   '.join(shares)}")


if __name__ == "__main__":
    main()
