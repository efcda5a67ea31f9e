"""Writes the ranks of the o200k vocabulary that ship in the wheel, from the npm package js-tiktoken (MIT).

    npm pack js-tiktoken && tar xzf js-tiktoken-*.tgz
    python tools/token_ranks.py package/dist/ranks/o200k_base.js

The file is refused unless it holds what tiktoken itself would download: its list of base64 tokens has the SHA-256 that
stands in tiktoken's source. A test proves the same of the file that ships.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

from rubber_duck.llm.tokens import RANKS_FILE, pack_ranks, ranks_digest


def read_ranks(script: str) -> list[bytes]:
    """The tokens in the order of their ranks: lines of `! first-rank token token …`, each token in base64."""
    written = re.search(r'"bpe_ranks":("(?:[^"\\]|\\.)*")', script)
    if written is None:
        raise SystemExit("this is not a file of ranks as js-tiktoken ships them")
    tokens: dict[int, bytes] = {}
    for line in json.loads(written[1]).split("\n"):
        _, first, *row = line.split(" ")
        tokens.update((int(first) + place, base64.b64decode(token)) for place, token in enumerate(row))
    return [tokens[rank] for rank in range(len(tokens))]


def main() -> None:
    """Read the script named on the command line, and write the ranks beside the module that reads them."""
    tokens = read_ranks(Path(sys.argv[1]).read_text("utf-8"))
    packed = pack_ranks(tokens)
    RANKS_FILE.write_bytes(packed)
    print(f"{len(tokens):,} tokens, {len(packed):,} bytes, SHA-256 of tiktoken's own file: {ranks_digest(tokens)}")


if __name__ == "__main__":
    main()
