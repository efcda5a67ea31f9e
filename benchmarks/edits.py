"""Edits in a real chat log: whether each is read as its gold list says, and placed. Beside it, a regular expression.

The log is read message by message, as the product does: what stands between two lines that begin with `#### `, which
is how it marks what the person said. An answer with a broken block gives no edits, as the product by default applies
none of it. Messages that talk about the code that reads such blocks hold examples, and the gold list passes them over.

The files that the log was about are not at hand. So each block is read, planned and applied in memory to files that are
made from its lines: as it is, indented otherwise, with its result in another place, too, with a slip in each line, with
its result alone, and with neither.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from benchmarks.cosqa import CASES
from rubber_duck.code.edits.edit import Replace
from rubber_duck.code.edits.placing import Fate
from rubber_duck.code.edits.planning import plan
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
    judged(gold.elements())


def judged(blocks: Iterable[tuple[str, str, str]]) -> None:
    """Print what becomes of the blocks in the files made from them: written as it must be, kept, or neither."""
    fates: dict[str, Counter[str]] = {}
    for path, old, new in blocks:
        for name, (before, right, may_be_done) in _files(old, new).items():
            said = f"{path}\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"
            made = plan(read_edits(said), {path: before.encode()}.get, {path})
            after = made.changes[0].after if made.changes else before.encode()
            fate = str(made.verdicts[0].fate) if made.verdicts else "misread"
            is_written = fate == str(Fate.PLACED)
            is_right = _bare(after) == _bare(right.encode()) if is_written else after == before.encode()
            is_told = fate != str(Fate.DONE) or may_be_done
            fates.setdefault(name, Counter())[fate if is_right and is_told else f"WRONG: {fate}"] += 1
    for name, counts in fates.items():
        print(f"{name:<24} {', '.join(f'{count} {fate}' for fate, count in counts.most_common())}")


def _bare(content: bytes | None) -> list[bytes]:
    """The lines; a blank one may hold blanks."""
    return [line if line.strip() else b"" for line in (content or b"").split(b"\n")]


def _files(old: str, new: str) -> dict[str, tuple[str, str, bool]]:
    """Files that hold the block's old lines: (before, after it is applied, whether it may be said to be applied)."""
    first, last = "first line of the file\n\n", "\nlast line of the file\n"
    if not old.strip():
        return {"new file": ("", f"{new}\n", False)}
    deeper, moved = (re.sub(r"^(?=.*\S)", "    ", text, flags=re.MULTILINE) for text in (old, new))
    slipped = re.sub(r"(\S)$", r"Q\1", old, flags=re.MULTILINE)
    is_same = old == new
    return {
        "as it is": (f"{first}{old}\n{last}", f"{first}{new}\n{last}", is_same),
        "indented otherwise": (f"{first}{deeper}\n{last}", f"{first}{moved}\n{last}", is_same),
        "result elsewhere, too": (f"{first}{new}\n{last}{deeper}\n", f"{first}{new}\n{last}{moved}\n", old in new),
        "a slip in each line": (f"{first}{slipped}\n{last}", "", is_same),
        "applied": (f"{first}{new}\n{last}", "", True),
        "gone": (f"{first}{last}", "", is_same),
    }


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
