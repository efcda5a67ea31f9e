"""Whether a word of another project or a secret is sent: 5,000 requests over every engine, memory and cache.

`python -m benchmarks.canaries [REQUESTS]`. Ends with 1 when something was.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.canaries import PROJECTS, SECRETS, judged


def main(requests: int) -> int:
    """Print what was sent, and what of it should not have been."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(judged(Path(folder), requests))
    print(f"{requests:,} requests in {PROJECTS} projects, {verdict.sent:,} of them reached the model in all")
    print(", ".join(f"{name} {count}" for name, count in sorted(verdict.counts.items())))
    print(f"{verdict.mixed} held words of another project or person, {len(verdict.leaked)} of {SECRETS} secrets sent")
    print(f"{verdict.heard:,} answers came out, {verdict.shared} in two projects; {time.monotonic() - began:.0f} s")
    return 1 if verdict.mixed or verdict.leaked or verdict.shared else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))
