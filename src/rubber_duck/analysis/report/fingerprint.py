"""Names for findings that stay the same when lines above them come and go.

A fingerprint is BLAKE2b-128 over the rule, the path, the finding's first line with runs of white space made one
space, and the how-manieth such finding of the file it is. So a finding keeps its name when its line moves or is
indented anew, and loses it when the line's words change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from rubber_duck.analysis.finding import Finding
from rubber_duck.analysis.report.model import FileReport

_BYTES: Final = 16


def fingerprints(file: FileReport) -> Iterator[tuple[Finding, str]]:
    """Each finding of `file`, suppressed ones included, in `Finding.order` with its 32 hexadecimal digits."""
    lines: dict[int, bytes] = {}
    seen: Counter[tuple[str, bytes]] = Counter()
    for finding in sorted(file.findings, key=lambda each: each.order):
        number = finding.span.start_line
        if number not in lines:  # a minified line may be a megabyte and carry a thousand findings
            lines[number] = _digest(" ".join(file.excerpt.get(number, "").split()))
        same = (finding.rule, lines[number])
        yield finding, _digest(finding.rule, file.path, lines[number].hex(), str(seen[same])).hex()
        seen[same] += 1


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
