"""Folders laid out like the repository, with a breach planted in each."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""


def plant(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files`, path → content, below `root`; return `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def lawful(root: Path) -> Path:
    """An empty product that keeps the import law: every floor exists, every library is used where it may be."""
    law = (ROOT / ".importlinter").read_text()
    parser = configparser.ConfigParser()
    parser.read_string(law)
    floors = parser["importlinter:contract:floors"]["layers"].replace("|", "\n").split("\n")
    files = {
        f"src/rubber_duck/{name.strip()}/__init__.py": "" for name in floors if name.strip() not in {"", "__main__"}
    }
    files = {name: content for name, content in files.items() if "(" not in name}
    files |= {
        ".importlinter": law,
        "src/rubber_duck/__init__.py": "",
        "src/rubber_duck/__main__.py": "",
        "src/rubber_duck/code/store.py": "",
        "src/rubber_duck/code/workers.py": "",
        "src/rubber_duck/analysis/finding.py": "",
        "src/rubber_duck/analysis/reading/__init__.py": "",
        "src/rubber_duck/analysis/selection.py": "",
        "src/rubber_duck/analysis/rule.py": "",
        "src/rubber_duck/analysis/rules/__init__.py": "",
        "src/rubber_duck/analysis/report/__init__.py": "",
        "src/rubber_duck/workspace/journal.py": "",
        "src/rubber_duck/workspace/programs.py": "",
    }
    for section in parser.sections():
        if parser[section].get("type") != "protected":
            continue
        owner = parser[section]["allowed_importers"].split()[0].removeprefix("rubber_duck.").replace(".", "/")
        path = f"src/rubber_duck/{owner}.py"
        path = path if path in files else f"src/rubber_duck/{owner}/__init__.py"
        files[path] += "".join(f"import {library}\n" for library in parser[section]["protected_modules"].split())
    return plant(root, files)
