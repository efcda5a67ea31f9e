"""What a scan leaves out: .gitignore, .duckignore, the settings, and folders that no one wrote by hand.

The order of authority, highest first: version control's own folders are always left out; the settings'
`index.ignore`; .duckignore, the deepest first; .gitignore, the deepest first; `.git/info/exclude`; the built-in
list. The first that has an opinion decides, so `!generated/` in a .duckignore brings back what git ignores, and
`!node_modules/` in any of them what the built-in list leaves out. Nothing below a folder that is left out can
come back, as in git.

The built-in list names only folders that nobody writes by hand. `build`, `dist`, `vendor`, `target` are left to
.gitignore, because real sources are called that too; beside a `mix.exs` or a `Cargo.toml` the names that those tools
generate into are left out. A person's global git settings count nowhere: two machines shall see the same project.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck.errors import LimitExceeded
from rubber_duck.workspace.paths import read_up_to
from rubber_duck.workspace.patterns import Patterns

VERSION_CONTROL: Final = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", ".pijul", "CVS"})
"""Always left out."""

_PACKAGES = "installed packages"
_CACHE = "a tool's cache"
_BUILT = "built by a tool"
BUILT_IN: Final[dict[str, str]] = {
    **dict.fromkeys(("node_modules", "bower_components", "jspm_packages", ".pnpm-store", "__pypackages__"), _PACKAGES),
    **dict.fromkeys((".eggs", "site-packages", ".direnv", ".pixi", ".bundle"), _PACKAGES),
    **dict.fromkeys(("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"), _CACHE),
    **dict.fromkeys((".tox", ".nox", ".pytype", ".ipynb_checkpoints", ".import_linter_cache"), _CACHE),
    **dict.fromkeys((".elixir_ls", ".parcel-cache", ".turbo", ".nyc_output", ".gradle", ".terraform"), _CACHE),
    **dict.fromkeys((".next", ".nuxt", ".svelte-kit", ".angular"), _BUILT),
}
"""Folder name → what it holds."""

_BUILT_IN_ENDINGS: Final = (".dist-info", ".egg-info")
_BESIDE: Final = {
    "mix.exs": {"_build": _BUILT},  # not `deps`: where git does not ignore it, it was put there on purpose
    "Cargo.toml": {"target": _BUILT},
}
_MARKERS: Final = {"pyvenv.cfg": "a virtual environment", "CACHEDIR.TAG": "marked as a cache by its CACHEDIR.TAG"}
MINIFIED: Final = re.compile(r".\.min\.[cm]?js\Z")

MAX_FILE_BYTES: Final = 512 * 1024
MAX_WILDCARDS: Final = 1000
"""Limits of what is honoured: the size of one ignore file, and its wildcards with those of all before it.

`*.pyc` and names are looked up and not counted. A thousand of the others take about 2 ms a file.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """Patterns and where they stand: a path of the scan is `lead` + that path from `skip` on, seen from there."""

    patterns: Patterns
    skip: int
    lead: str


class Levels:
    """All patterns that hold in one folder. Each group has its highest authority first, and so have the groups."""

    __slots__ = ("_ordered", "duck", "git", "settings")

    def __init__(self, settings: tuple[Level, ...], duck: tuple[Level, ...], git: tuple[Level, ...]) -> None:
        self.settings = settings
        self.duck = duck
        self.git = git
        self._ordered = settings + duck + git

    def verdict(self, path: str, name: str, *, folder: bool) -> tuple[bool, str] | None:
        """(whether `path` is left out, who says so), or None when nobody does."""
        for level in self._ordered:
            found = level.patterns.leaves_out(level.lead + path[level.skip :], name, folder=folder)
            if found is not None:
                return found, level.patterns.source
        return None


class IgnoreFiles:
    """Reads ignore files for one scan, within limits. `refused` lists those not honoured, and why."""

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []
        self._wildcards_left = MAX_WILDCARDS
        self._known: dict[tuple[str, bytes], Patterns] = {}

    def top(self, root: Path, ignore: tuple[str, ...]) -> Levels:
        """What holds in the root before its own files: the settings, and the repository that it is a part of."""
        patterns = Patterns(ignore, "the settings (index.ignore)")
        self._wildcards_left -= patterns.wildcards
        if self._wildcards_left < 0:
            raise LimitExceeded(f"index.ignore has over {MAX_WILDCARDS:,} wildcard patterns; leave out folders instead")
        settings = (Level(patterns, 0, ""),) if len(patterns) else ()
        duck: list[Level] = []
        git: list[Level] = []
        repository = _repository(root)
        if repository is None:
            return Levels(settings, (), ())
        for folder in _between(repository, root):
            lead = root.relative_to(folder).as_posix() + "/"
            above_duck, above_git = self._read_folder(folder, lead)
            if not _any_leaves_out([*above_duck, *above_git], root.name):
                duck += above_duck
                git += above_git
        lead = "" if repository == root else root.relative_to(repository).as_posix() + "/"
        exclude = self._read_path(repository / ".git" / "info" / "exclude", ".git/info/exclude")
        if exclude is not None:
            git.append(Level(exclude, 0, lead))
        return Levels(settings, tuple(duck), tuple(git))

    def below(self, levels: Levels, folder: int, prefix: str, names: Collection[str]) -> Levels:
        """`levels` with the ignore files of the open `folder`, whose paths begin with `prefix`."""
        if ".duckignore" not in names and ".gitignore" not in names:
            return levels
        duck, git = levels.duck, levels.git
        if ".duckignore" in names and (found := self._read(folder, ".duckignore", prefix)) is not None:
            duck = (Level(found, len(prefix), ""), *duck)
        if ".gitignore" in names and (found := self._read(folder, ".gitignore", prefix)) is not None:
            git = (Level(found, len(prefix), ""), *git)
        return Levels(levels.settings, duck, git)

    def _read_folder(self, path: Path, lead: str) -> tuple[list[Level], list[Level]]:
        """The (.duckignore, .gitignore) of a folder above the root."""
        found = [self._read_path(path / name, f"{name} above the project") for name in (".duckignore", ".gitignore")]
        duck, git = ([] if patterns is None else [Level(patterns, 0, lead)] for patterns in found)
        return duck, git

    def _read_path(self, path: Path, source: str) -> Patterns | None:
        try:
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None  # no such folder: nothing is ignored by it
        try:
            return self._read(folder, path.name, "", source)
        finally:
            os.close(folder)

    def _read(self, folder: int, name: str, prefix: str, source: str = "") -> Patterns | None:
        try:
            content = _content(folder, name)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.refused.append((prefix + name, f"cannot be read: {error.strerror}"))
            return None
        if len(content) > MAX_FILE_BYTES:
            self.refused.append((prefix + name, f"larger than {MAX_FILE_BYTES:,} bytes"))
            return None
        source = source or prefix + name
        known = self._known.get((source, content))
        if known is None:
            text = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))
            known = self._known[source, content] = Patterns(text.split("\n"), source)
            self._wildcards_left -= known.wildcards
        if self._wildcards_left < 0:
            self._wildcards_left += known.wildcards
            self.refused.append((prefix + name, f"over {MAX_WILDCARDS:,} wildcard patterns in all"))
            return None
        return known if len(known) else None


def left_out_by(root: Path, relative: str, ignore: tuple[str, ...]) -> str | None:
    """What leaves out one file of the project, which need not exist; None when it is a part of the project.

    As a scan has it: `ignore` are the settings' patterns. Links are not followed.
    """
    files = IgnoreFiles()
    levels = files.top(root, ignore)
    *folders, name = relative.split("/")
    descriptor: int | None = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    prefix = ""
    try:
        for folder in folders:
            names = os.listdir(descriptor) if descriptor is not None else []
            if descriptor is not None:
                levels = files.below(levels, descriptor, prefix, names)
            verdict = levels.verdict(prefix + folder, folder, folder=True)
            meaning = built_in(folder, names)
            if meaning and (verdict is None or meaning == "version control"):
                return meaning
            if verdict is not None and verdict[0]:
                return verdict[1]
            descriptor = _inside(descriptor, folder)
            prefix += f"{folder}/"
        if descriptor is not None:
            levels = files.below(levels, descriptor, prefix, os.listdir(descriptor))
    finally:
        if descriptor is not None:
            os.close(descriptor)
    verdict = levels.verdict(relative, name, folder=False)
    return verdict[1] if verdict is not None and verdict[0] else None


def _inside(descriptor: int | None, name: str) -> int | None:
    """The folder `name` of an open one, which is closed; None when there is none."""
    if descriptor is None:
        return None
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
    except OSError:
        return None  # not there yet, or no folder of the project: then no file in it is either
    finally:
        os.close(descriptor)


def built_in(name: str, siblings: Collection[str]) -> str | None:
    """What the folder `name` holds when it is one of those that nobody writes by hand."""
    if name in VERSION_CONTROL:
        return "version control"
    if name.endswith(_BUILT_IN_ENDINGS):
        return _PACKAGES
    for neighbour, folders in _BESIDE.items():
        if name in folders and neighbour in siblings:
            return f"{folders[name]}, beside {neighbour}"
    return BUILT_IN.get(name)


def marked(names: Iterable[str]) -> str | None:
    """What a folder is that holds a file with one of these names; None for an ordinary one."""
    for marker, meaning in _MARKERS.items():
        if marker in names:
            return meaning
    return None


def _repository(root: Path) -> Path | None:
    """The nearest folder from `root` upwards that holds a `.git`."""
    for folder in (root, *root.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    return None


def _between(repository: Path, root: Path) -> list[Path]:
    """The folders above `root` up to `repository`, the nearest first."""
    return [folder for folder in root.parents if folder == repository or repository in folder.parents]


def _any_leaves_out(levels: list[Level], name: str) -> bool:
    """Whether patterns above the root leave out the root itself: then it was asked for in spite of them."""
    return any(level.patterns.leaves_out(level.lead[:-1], name, folder=True) for level in levels)


def _content(folder: int, name: str) -> bytes:
    """Raises OSError; like git, follows no link."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return read_up_to(descriptor, MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
