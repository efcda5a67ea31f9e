"""Edits in a real chat log, and whether each is read as its gold list says. Beside it, a plain regular expression.

The log is read message by message, as the product does: what stands between two lines that begin with `#### `, which
is how it marks what the person said. An answer with a broken block gives no edits, as the product by default applies
none of it. Messages that talk about the code that reads such blocks hold examples, and the gold list passes them over.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.cosqa import CASES
from rubber_duck.code.edits.edit import Replace
from rubber_duck.code.edits.reading import Form, read_edits

FILE = "edit_blocks.jsonl.gz"
_PEER = re.compile(r"^(\S+)\n```\w*\n<{5,9} SEARCH\n(.*?)^={5,9}\n(.*?)^>{5,9} REPLACE", re.MULTILINE | re.DOTALL)
_GOLD = re.compile(r"^@@@ SEARCH: (.*?) @{20}\n(.*?)^@{20}\n(.*?)^@@@ REPLACE @{20}", re.MULTILINE | re.DOTALL)
_EXAMPLES = ("editblock_coder.py", "test_editblock.py")


def main() -> None:
    """Print precision and recall of both, block by block: file, old lines and new lines have to be the same."""
    path = CASES / FILE
    if not path.exists():
        print(f"{path} is not there: not measured")
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        row = json.loads(next(lines))
    gold = Counter(_same(*found) for found in _GOLD.findall(row["gold"]))
    messages = [each for each in re.split(r"(?=####\s)", row["chat"]) if not any(name in each for name in _EXAMPLES)]
    print(f"{gold.total()} blocks in {len(row['chat']) / 1e6:.1f} MB, {len(messages):,} messages\n")
    for name, read in (("regular expression", _by_expression), ("rubber_duck.code.edits", _by_duck)):
        started = time.process_time()
        found = Counter(each for message in messages for each in read(message))
        took_s = time.process_time() - started
        right = (found & gold).total()
        print(
            f"{name:<24} found {found.total():>4}  precision {right / found.total():.3f}  "
            f"recall {right / gold.total():.3f}  {took_s:.2f} s"
        )


def _by_expression(message: str) -> Iterator[tuple[str, str, str]]:
    for found in _PEER.findall(message):
        yield _same(*found)


def _by_duck(message: str) -> Iterator[tuple[str, str, str]]:
    reading = read_edits(message, Form.BLOCKS)
    if not reading.misread:
        for edit in reading.edits:
            if isinstance(edit, Replace):
                yield _same(edit.path, edit.search, edit.replace)


def _same(path: str, old: str, new: str) -> tuple[str, str, str]:
    """What is compared: line feeds at the end and the kind of slash do not matter."""
    return path.replace("\\", "/"), old.rstrip("\n"), new.rstrip("\n")


if __name__ == "__main__":
    main()
