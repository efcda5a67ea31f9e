"""What comments for other tools silence among our rules: those that name a rule which one of ours replaces.

`# noqa: S307`, `# nosec B307`, `// eslint-disable-line no-eval`, `# credo:disable-for-next-line Credo.Check.…`. A
comment that names no rule is for its tool's own rules only; `# nosec` alone counts, because it can be about nothing
but security, and only for rules that replace one of bandit's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from rubber_duck.analysis.codes import BANDIT, CREDO, ESLINT, RUFF
from rubber_duck.analysis.comments import Comment
from rubber_duck.analysis.rule import overlapping, stand_ins
from rubber_duck.analysis.suppression import LAST_LINE, Suppression

MARKS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "python": (b"noqa", b"nosec", b"ruff"),
    "ecmascript": (b"eslint-",),
    "elixir": (b"credo:",),
}
"""A family of languages → what a file must hold, in lower case, to have a comment for another tool."""

_REASON_CHARACTERS: Final = 200

# Possessive where white space repeats: a comment may be a megabyte of it.
_CODES: Final = r"(?P<codes>[A-Z]++[0-9]++(?:[,\s]++[A-Z]++[0-9]++)*)"
_NOQA: Final = re.compile(
    rf"\#\s*+(?P<whole>(?:(?P<file>ruff|flake8)\s*+:\s*+)?noqa\b\s*+:?+\s*+{_CODES})", re.IGNORECASE
)
_RUFF: Final = re.compile(
    rf"\#\s*+(?P<whole>ruff\s*+:\s*+(?P<verb>ignore|file-ignore|disable|enable)\s*+\[\s*+{_CODES}[,\s]*+\])"
)
_NOSEC: Final = re.compile(
    r"\#\s*+(?P<whole>nosec\b\s*+:?+(?:\s*+(?P<codes>B[0-9]{3}(?:[,\s]++B[0-9]{3})*))?)", re.IGNORECASE
)
_ESLINT: Final = re.compile(
    r"/[/*]\s*+(?P<whole>eslint-(?P<verb>disable-next-line|disable-line|disable|enable)(?![\w-])(?P<rest>.*))",
    re.DOTALL,
)
_CREDO: Final = re.compile(
    r"\#\s*+(?P<whole>credo:disable-for-(?P<verb>this-file|next-line|previous-line|lines:(?P<lines>-?[0-9]{1,5}))"
    r"[ \t]++(?P<codes>[A-Z][\w.]*))"
)


def speaks_to_ruff(lowered: bytes) -> bool:
    """Whether content, in lower case, may have a comment that ruff itself obeys."""
    return b"noqa" in lowered or b"ruff" in lowered


def foreign_suppressions(family: str, comments: Sequence[Comment]) -> Iterator[Suppression]:
    """What the comments of a file in a language of `family` silence."""
    reader = _READERS.get(family)
    return reader(comments) if reader is not None else iter(())


def _python(comments: Sequence[Comment]) -> Iterator[Suppression]:
    blocks = _Blocks()
    for comment in comments:
        yield from _noqa(comment)
        yield from _nosec(comment)
        yield from _ruff(comment, blocks)


def _noqa(comment: Comment) -> Iterator[Suppression]:
    found = _NOQA.search(comment.text)
    if found is None or (found["file"] and not comment.is_alone):  # ruff takes no notice of the latter either
        return
    span = (1, LAST_LINE) if found["file"] else (comment.start_line, comment.start_line)
    yield from _silencing(span, _ours(RUFF, _split(found["codes"].upper())), found["whole"])


def _nosec(comment: Comment) -> Iterator[Suppression]:
    found = _NOSEC.search(comment.text)
    if found is not None:
        codes = found["codes"]
        rules = _security() if codes is None else _ours(BANDIT, _split(codes.upper()))
        yield from _silencing((comment.start_line, comment.start_line), rules, found["whole"])


def _ruff(comment: Comment, blocks: _Blocks) -> Iterator[Suppression]:
    found = _RUFF.search(comment.text)
    if found is None:
        return
    rules = _ours(RUFF, _split(found["codes"]))
    match found["verb"]:
        case "ignore":
            yield from _silencing((comment.code_line, comment.code_line), rules, found["whole"])
        case "file-ignore":
            yield from _silencing((1, LAST_LINE), rules, found["whole"])
        case "disable":
            blocks.open(comment.start_line, rules, found["whole"])
        case _:
            yield from blocks.close(comment.start_line, rules)


def _ecmascript(comments: Sequence[Comment]) -> Iterator[Suppression]:
    blocks = _Blocks()
    for comment in comments:
        found = _ESLINT.match(comment.text)
        if found is None:
            continue
        line, after = comment.start_line, comment.end_line + 1
        listed = found["rest"].removesuffix("*/").partition("--")[0]
        rules = _ours(ESLINT, _split(listed))
        match found["verb"]:
            case "disable-line":
                yield from _silencing((line, line), rules, found["whole"])
            case "disable-next-line":
                yield from _silencing((after, after), rules, found["whole"])
            case "disable" if comment.text.startswith("/*"):
                blocks.open(line, rules, found["whole"])
            case "enable" if comment.text.startswith("/*"):
                yield from blocks.close(line, rules if listed.strip() else None)
    yield from blocks.close(LAST_LINE, None)  # what is not enabled again stays disabled


def _elixir(comments: Sequence[Comment]) -> Iterator[Suppression]:
    for comment in comments:
        found = _CREDO.match(comment.text)
        if found is None:
            continue
        line = comment.start_line
        match found["verb"]:
            case "this-file":
                span = (1, LAST_LINE)
            case "next-line":
                span = (line + 1, line + 1)
            case "previous-line":
                span = (line - 1, line - 1)
            case _:
                end = line + int(found["lines"])
                span = (min(line, end), max(line, end))
        yield from _silencing(span, _ours(CREDO, (found["codes"],)), found["whole"])


_READERS: Final[Mapping[str, Callable[[Sequence[Comment]], Iterator[Suppression]]]] = {
    "python": _python,
    "ecmascript": _ecmascript,
    "elixir": _elixir,
}


class _Blocks:
    """Rules that a comment has silenced until another one lets them speak again."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, str]] = {}

    def open(self, line: int, rules: Iterable[str], whole: str) -> None:
        for rule in rules:
            self._open.setdefault(rule, (line, whole))

    def close(self, line: int, rules: Iterable[str] | None) -> Iterator[Suppression]:
        """What was silenced up to `line`; None stands for all rules."""
        for rule in tuple(self._open) if rules is None else rules:
            if rule in self._open:
                start, whole = self._open.pop(rule)
                yield from _silencing((start, line), (rule,), whole)


def _silencing(span: tuple[int, int], rules: tuple[str, ...], whole: str) -> Iterator[Suppression]:
    if rules:
        said = " ".join(whole[: 2 * _REASON_CHARACTERS].removesuffix("*/").split())
        yield Suppression(*span, rules, said[:_REASON_CHARACTERS])


def _ours(tool: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Our rules that replace any of the tool's or overlap with it."""
    known = (stand_ins(), overlapping())
    return tuple(sorted({rule for code in codes for each in known for rule in each.get(tool + code, ())}))


@cache
def _security() -> tuple[str, ...]:
    """Our rules that replace one of bandit's."""
    return tuple(sorted({rule for code, names in stand_ins().items() if code.startswith(BANDIT) for rule in names}))


def _split(codes: str) -> list[str]:
    return [code for code in re.split(r"[,\s]+", codes) if code]
