"""Whether the code in README and docs runs: each document's blocks, in order, in a folder of their own.

- `python`: executed, all blocks of a document in one namespace.
- `toml`, `json`: parsed; TOML without a file name has to be a valid duck.toml.
- `console`: each line `$ command` is run; the lines below it must occur in its output in this order (a line `…`
  stands for any others). `make` is only asked for the target; `git`, `cd` and `apt-get` are not run; `pip install`
  installs what the document has written so far into a folder of its own, from no index.
- A block whose first line is `# file: name` (or `// file: name`) is written to that file instead.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rubber_duck.errors import DuckError
from rubber_duck.settings import load
from tests.architecture.checks.tree import Breach, documents

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) file: (\S+)\n")
SHOWN_ONLY = frozenset({"text", "law", "elixir", "typescript", "javascript", "html", "yaml", "ini", "diff"})
NOT_RUN = frozenset({"git", "cd", "apt-get", "export"})


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the document, the 1-based line of its fence, its language and its content."""

    document: str
    line: int
    language: str
    content: str

    def breach(self, what: str) -> Breach:
        """A breach at this block."""
        return f"{self.document}:{self.line}: {what}"


def written(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each document with code in it; those of the reference are generated, and show bad examples."""
    for document, text in documents(root):
        if _FENCE.search(text) and not document.startswith("docs/reference/"):
            yield document, text


def blocks(root: Path, only: str = "") -> list[Breach]:
    """Blocks of code that do not run, or do not show what they say; of one document, or of all."""
    found: list[Breach] = []
    for document, text in written(root):
        if only not in ("", document):
            continue
        with tempfile.TemporaryDirectory() as folder:
            session = _Session(root, Path(folder))
            for match in _FENCE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                indent = len(match[1])
                content = "".join(each[indent:] for each in match[3].splitlines(keepends=True))
                block = Block(document, line, match[2], content)
                found += [block.breach(what) for what in session.run(block)]
    return found


class _Session:
    """The folder, the namespace and the installed packages of one document."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.work = folder / "work"
        self.site = folder / "site"
        self.programs = folder / "bin"
        for each in (self.work, self.site, self.programs):
            each.mkdir()
        duck = self.programs / "duck"
        duck.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m rubber_duck "$@"\n')
        duck.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.site}:{root / 'src'}",
            "DUCK_HOME": str(folder / "home"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        self.python = ""

    def run(self, block: Block) -> Iterator[str]:
        """What is wrong with the block."""
        named = _FILE.match(block.content)
        if named:
            path = self.work / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content[named.end() :])
        if block.language == "toml":
            yield from self._toml(block.content, is_settings=not named or named[1] == "duck.toml")
        elif block.language == "json":
            yield from _json(block.content)
        elif named or block.language in SHOWN_ONLY:
            return
        elif block.language == "python":
            yield from self._python(block.content)
        elif block.language == "console":
            yield from self._console(block.content)
        else:
            yield f"a block marked {block.language!r}: mark it python, toml, json, console or text"

    def _toml(self, content: str, *, is_settings: bool) -> Iterator[str]:
        path = self.work.parent / "block.toml"
        path.write_text(content)
        try:
            tomllib.loads(content)
            if is_settings:
                load({"DUCK_HOME": str(self.work), "DUCK_CONFIG": str(path)})
        except (tomllib.TOMLDecodeError, DuckError) as error:
            yield f"is not valid: {error}"

    def _python(self, content: str) -> Iterator[str]:
        """Earlier blocks run again with it, in one fresh interpreter."""
        self.python += content + "\n"
        done = self._start([sys.executable, "-c", self.python])
        if done.returncode != 0:
            yield f"does not run: {done.stdout[-1500:]}"

    def _console(self, content: str) -> Iterator[str]:
        for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            command = command.removeprefix(".venv/bin/")
            program = command.split()[0]
            if program == "make":
                yield from self._make(command)
            elif command.startswith("pip install "):
                yield from self._install(command)
            elif program not in NOT_RUN:
                done = self._start(["sh", "-c", command])
                missing = _missing(expected, done.stdout)
                if missing is not None:
                    yield f"`{command}` does not print {missing!r} but:\n{done.stdout[-1500:]}"
                elif done.returncode not in (0, 1):
                    yield f"`{command}` ends with status {done.returncode}:\n{done.stdout[-1500:]}"

    def _make(self, command: str) -> Iterator[str]:
        targets = [word for word in shlex.split(command)[1:] if "=" not in word]
        makefile = (self.root / "Makefile").read_text()
        yield from (f"there is no `make {t}`" for t in targets if not re.search(rf"^{t}:", makefile, re.MULTILINE))

    def _install(self, command: str) -> Iterator[str]:
        options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(self.site)]
        done = self._start([sys.executable, "-m", "pip", "install", *options, shlex.split(command)[-1]])
        if done.returncode != 0:
            yield f"`{command}` fails:\n{done.stdout[-1500:]}"

    def _start(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


def _json(content: str) -> Iterator[str]:
    try:
        json.loads(content)
    except ValueError as error:
        yield f"is not valid JSON: {error}"


def _missing(expected: str, output: str) -> str | None:
    """The first expected line that does not occur in the output after the ones before it."""
    lines = iter([line.rstrip() for line in output.splitlines()])
    for wanted in expected.splitlines():
        if wanted.strip() and wanted.strip() != "…" and wanted.rstrip() not in lines:
            return wanted
    return None
