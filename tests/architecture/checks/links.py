"""Whether the links between documents lead somewhere, and the reference is what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.checks.tree import Breach, documents

_LINK = re.compile(r"!?\[[^\]]*\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def links(root: Path) -> list[Breach]:
    """Relative links to files or headings that do not exist."""
    found: list[Breach] = []
    for document, text in documents(root):
        prose = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
        for match in _LINK.finditer(prose):
            target = root / Path(document).parent / match[1] if match[1] else root / document
            line = prose.count("\n", 0, match.start()) + 1
            if not target.exists():
                found.append(f"{document}:{line}: links to {match[1]!r}, which does not exist")
            elif match[2] and target.is_file() and match[2] not in _anchors(target.read_text()):
                found.append(f"{document}:{line}: links to the heading {match[2]!r}, which does not exist")
    return found


def reference(root: Path) -> list[Breach]:
    """Pages of docs/reference/ that are not what the code says."""
    done = subprocess.run(
        [sys.executable, str(root / "docs/generate.py"), "--check"],
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if done.returncode == 0 else (done.stderr or f"status {done.returncode}").splitlines()


def _anchors(text: str) -> set[str]:
    """The headings' anchors, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
