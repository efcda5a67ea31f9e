"""Reads unified diffs, as git and diff write them and as models almost do.

Line numbers and counts in a hunk's head may be wrong or missing; what the lines say counts. A blank line in a hunk is
a blank line of the file, though its leading space was lost. A hunk that ends before all its lines were read is misread:
half of a change is another change.
Format: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rubber_duck.code.edits.edit import Delete, Edit, Hint, Misread, Reading, Replace, Whole
from rubber_duck.code.edits.names import fence

_OLD: Final = re.compile(r"--- (\S.*?)\s*$")
_NEW: Final = re.compile(r"\+\+\+ (\S.*?)\s*$")
_HUNK: Final = re.compile(r"@@(?: -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))?)? ?.*?(?:@@.*)?$")
_GIT: Final = re.compile(r"diff --git (.*)")
_INDEX: Final = re.compile(r"index ([0-9a-f]{7,64})\.\.([0-9a-f]{7,64})")
_UNREADABLE: Final = {
    "rename from ": "renaming a file is not supported; say it as a new file and a removed one",
    "copy from ": "copying a file is not supported; say it as a new file",
    "old mode ": "changing a file's mode is not supported",
    "Binary files ": "binary files are not edited",
    "GIT binary patch": "binary files are not edited",
}
_ESCAPE: Final = re.compile(r"\\([0-7]{3}|.)")
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_NO_FILE: Final = "/dev/null"
_EMPTY: Final = "e69de29"
"""How git's name of an empty file begins."""

_SIGNS: Final = frozenset({" ", "+", "-"})
_CHANGE: Final = re.compile(r"[+-](?![ ][^\s*])(?!-{0,2}\s*$)")
"""A line that a hunk adds or removes, and no item of a list, rule or end of a mail."""


@dataclass(slots=True)
class _Hunk:
    line: int
    at: int
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changes: int = 0

    def is_full(self, counts: tuple[int, int], more: int) -> bool:
        """Whether it has as many lines as its head says, with so many more on both sides."""
        return (len(self.old) + more, len(self.new) + more) == counts


@dataclass(slots=True)
class _Section:
    """What the head of one file of a git diff says, and how much had been read when it began."""

    line: int
    path: str
    read: int
    makes: bool = False
    removes: bool = False
    is_empty: bool = False


class _Reader:
    """Goes through the lines once; `at` is the line that is read next."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self._blob = ""
        self._section: _Section | None = None
        self.edits: list[Edit] = []
        self.misread: list[Misread] = []

    def run(self) -> None:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            index = _INDEX.match(line)
            unreadable = next((why for begin, why in _UNREADABLE.items() if line.startswith(begin)), "")
            if git := _GIT.match(line):
                self._end_section()
                self._section = _Section(self._at + 1, _git_name(git[1]), len(self.edits) + len(self.misread))
                self._blob = ""
            elif index:
                self._blob = index[1]
                if self._section is not None:
                    self._section.is_empty = (index[2] if self._section.makes else index[1]).startswith(_EMPTY)
            elif self._in_git_head() and self._comes_or_goes(line):
                pass
            elif unreadable and self._in_git_head():
                self.misread.append(Misread(self._at + 1, unreadable))
            elif self._begins_file():
                self._file()
                continue
            self._at += 1
        self._end_section()

    def _comes_or_goes(self, line: str) -> bool:
        if self._section is None or not line.startswith(("new file mode ", "deleted file mode ")):
            return False
        self._section.makes = line.startswith("new")
        self._section.removes = not self._section.makes
        return True

    def _end_section(self) -> None:
        """An empty file has no hunk; else a head that nothing follows is a diff that broke off."""
        section, self._section = self._section, None
        if section is None or len(self.edits) + len(self.misread) > section.read:
            return
        if section.path and section.makes and section.is_empty:
            self.edits.append(Whole(section.path, "", section.line, is_new=True))
        elif section.path and section.removes and section.is_empty:
            self.edits.append(Delete(section.path, "", section.line))
        else:
            self.misread.append(Misread(section.line, "the diff names a file and has no hunk"))

    def _in_git_head(self) -> bool:
        """Whether the few lines above are the head of a git diff: prose may begin with the same words."""
        return any(_GIT.match(line) for line in self._lines[max(self._at - 6, 0) : self._at])

    def _begins_file(self, line: int | None = None) -> bool:
        lines, at = self._lines, self._at if line is None else line
        return at + 1 < len(lines) and bool(_OLD.match(lines[at]) and _NEW.match(lines[at + 1]))

    def _file(self) -> None:
        said_at = self._at + 1
        old = _name(self._lines[self._at][4:])
        new = _name(self._lines[self._at + 1][4:])
        if old.startswith("a/") and (new.startswith("b/") or new == _NO_FILE):
            old = old[2:]
        if new.startswith("b/") and (old == _NO_FILE or self._lines[self._at].startswith(("--- a/", '--- "a/'))):
            new = new[2:]
        self._at += 2
        hunks = self._hunks()
        if not hunks:
            self.misread.append(Misread(said_at, "the diff names a file and has no hunk"))
        elif old == _NO_FILE:
            self.edits.append(Whole(new, "".join(line for hunk in hunks for line in hunk.new), said_at, is_new=True))
        elif new == _NO_FILE:
            self.edits.append(Delete(old, "".join(line for hunk in hunks for line in hunk.old), said_at))
        elif old != new and not _differs_in_prefix(old, new):
            self.misread.append(Misread(said_at, _UNREADABLE["rename from "]))
        else:
            self.edits += [self._replace(new, hunk) for hunk in hunks]
        self._blob = ""

    def _replace(self, path: str, hunk: _Hunk) -> Replace:
        hint = Hint(hunk.at, self._blob) if self._blob and hunk.at else None
        return Replace(path, "".join(hunk.old), "".join(hunk.new), hunk.line, hint)

    def _hunks(self) -> list[_Hunk]:
        hunks: list[_Hunk] = []
        while self._at < len(self._lines):
            head = _HUNK.match(self._lines[self._at])
            if head is None:
                if hunks or self._lines[self._at].strip():
                    break
                self._at += 1
                continue
            hunk = _Hunk(self._at + 1, int(head[1] or 0))
            counts = (int(head[2] or 1), int(head[4] or 1)) if head[1] else None
            self._at += 1
            self._body(hunk, counts)
            if hunk.changes:
                hunks.append(hunk)
            else:
                self.misread.append(Misread(hunk.line, "the hunk changes nothing"))
        return hunks

    def _body(self, hunk: _Hunk, counts: tuple[int, int] | None) -> None:
        """The hunk's lines: as many as its head says where that fits them, else as long as they look like some."""
        pending: list[str] = []
        is_full = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            sign = line[:1]
            if counts is not None and hunk.is_full(counts, len(pending)):
                self._flush(hunk, pending)
                is_full = True
            if is_full and sign != "\\":
                if (sign.strip() and sign not in _SIGNS) or self._begins_file() or not self._goes_on():
                    break
                is_full, counts = False, None  # the head says too few
            elif not is_full and self._begins_file() and not _fits(hunk, counts):
                break
            if (line.strip() == "" and not sign.strip()) or (sign == " " and fence(line)):
                pending.append(line[1:])
            elif sign in _SIGNS:
                self._flush(hunk, pending)
                self._take(hunk, sign, line[1:])
            elif sign == "\\":
                self._without_end(hunk)
            else:
                break
            self._at += 1
        if counts is not None and hunk.is_full(counts, len(pending)):
            self._flush(hunk, pending)
        elif not is_full:
            self._check_end(hunk, counts)

    def _goes_on(self) -> bool:
        """Whether what follows a hunk that has all its lines is more of it, not a list or the end of a mail."""
        for at in range(self._at, len(self._lines)):
            line = self._lines[at]
            if (line.strip() and line[0] not in _SIGNS) or self._begins_file(at):
                return False
            if _CHANGE.match(line):
                return True
        return False

    def _check_end(self, hunk: _Hunk, counts: tuple[int, int] | None) -> None:
        """A hunk that has fewer lines than its head says, or says no number, may have been cut: then it is misread."""
        lines = self._lines
        if not any(lines[at].strip() for at in range(self._at, len(lines))):
            if counts is not None and (len(hunk.old) < counts[0] or len(hunk.new) < counts[1]):
                self.misread.append(Misread(hunk.line, "the diff breaks off: the hunk has fewer lines than it says"))
            return
        closing = fence(lines[self._at])
        is_closed = closing is not None and not closing[1]
        for at in range(self._at, len(lines)):
            if _HUNK.match(lines[at]) or _GIT.match(lines[at]) or self._begins_file(at):
                return
            if is_closed and at > self._at and fence(lines[at]):
                return
            if _CHANGE.match(lines[at]):
                why = f"it looks like a line of the hunk that begins in line {hunk.line} and ends before it"
                self.misread.append(Misread(at + 1, why))
                return

    @staticmethod
    def _flush(hunk: _Hunk, pending: list[str]) -> None:
        """Blank lines and fences count only when the hunk goes on behind them, or its head counts them."""
        for each in pending:
            hunk.old.append(each + "\n")
            hunk.new.append(each + "\n")
        pending.clear()

    @staticmethod
    def _take(hunk: _Hunk, sign: str, text: str) -> None:
        if sign != "+":
            hunk.old.append(text + "\n")
        if sign != "-":
            hunk.new.append(text + "\n")
        hunk.changes += sign != " "

    def _without_end(self, hunk: _Hunk) -> None:
        """`\\ No newline at end of file`: the line before it ends without one."""
        before = self._lines[self._at - 1][:1]
        for lines, signs in ((hunk.old, "- "), (hunk.new, "+ ")):
            if before in signs and lines:
                lines[-1] = lines[-1].removesuffix("\n")


def read_patches(lines: Sequence[str]) -> Reading:
    """The changes of every unified diff in `lines`, which have no line ends."""
    reader = _Reader(lines if lines and lines[-1] else lines[:-1])  # behind the last line feed is no line
    reader.run()
    return Reading(tuple(reader.edits), tuple(reader.misread))


def _fits(hunk: _Hunk, counts: tuple[int, int] | None) -> bool:
    """Whether the head says that lines are still to come, so that `--- a` may be a removed line `-- a`."""
    return counts is not None and len(hunk.old) < counts[0] and len(hunk.new) < counts[1]


def _git_name(said: str) -> str:
    """The file that `diff --git` names twice, with a prefix or without; "" when the names are not the same."""
    if said.startswith('"'):
        end = next((at for at in range(1, len(said)) if said[at] == '"' and said[at - 1] != "\\"), 0)
        return _name(said[: end + 1]).partition("/")[2]
    for at in (at for at, character in enumerate(said) if character == " "):
        old, new = said[:at], said[at + 1 :]
        if old.startswith("a/") and new.startswith("b/") and old[2:] == new[2:]:
            return new[2:]
        if old == new:
            return new
    return ""


def _differs_in_prefix(old: str, new: str) -> bool:
    """`a.py.orig` and `old/a.py` beside `a.py`, as plain diff names two versions of one file."""
    return old in {f"{new}.orig", f"{new}.old", f"{new}~"} or old.rpartition("/")[2] == new.rpartition("/")[2]


def _name(written: str) -> str:
    """The name without the time that diff writes behind it; git quotes odd names, bytes as octal numbers."""
    name = written.partition("\t")[0].strip()
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    content = bytearray()
    at = 1
    while at < len(name) - 1:
        escape = _ESCAPE.match(name, at)
        if escape is None:
            content += name[at].encode("utf-8", "surrogateescape")
            at += 1
            continue
        said = escape[1]
        content += bytes((int(said, 8) & 255,)) if len(said) == 3 else _CONTROLS.get(said, said).encode()
        at = escape.end()
    return content.decode("utf-8", "surrogateescape")
