"""What of sound code is taken for secrets before it is sent: each line is printed, and how many of which kind.

`python -m benchmarks.redacting FOLDER…`: every text file below the folders that is no larger than 400 kB.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rubber_duck.redaction import Redactor

_SUFFIXES: Final = (".py", ".ts", ".tsx", ".js", ".ex", ".exs", ".md", ".rst", ".txt", ".toml", ".cfg", ".yml", ".html")
_MOST_BYTES: Final = 400_000
_KIND: Final = re.compile(r"\[REDACTED:([a-z-]+)\]")
_BESIDE: Final = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|t)/|\.(?:md|rst|txt)$|\.test\.")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The texts below a folder, by path."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file() and path.stat().st_size <= _MOST_BYTES:
            yield os.fspath(path.relative_to(folder)), path.read_text("utf-8", "replace")


def main(folders: list[str]) -> None:
    """Clear every text, and say what went."""
    redactor = Redactor()
    kinds: Counter[str] = Counter()
    own = characters = files = 0
    for folder in map(Path, folders):
        for path, text in texts(folder):
            files, characters = files + 1, characters + len(text)
            cleared = redactor.text(text)
            kinds.update(_KIND.findall(cleared))
            if cleared != text and not _BESIDE.search(path):
                own += len(_KIND.findall(cleared))
                print(folder.name, path, *_KIND.findall(cleared))
    print(f"{files} files, {characters} characters; {own} in neither tests, documents nor examples; all: {dict(kinds)}")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
