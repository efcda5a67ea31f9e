"""Tells when new lines stand for code that was left out: a remark or dots where the code should be.

A remark is told by its words alone: `# rest of the code` has no others, `# the rest of the file is parsed lazily` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

_COMMENT: Final = re.compile(r"\s*(?:#+|//+|--|\{?/\*+|<!--|;+|%+)\s*")
_CLOSING: Final = re.compile(r"\s*(?:\*/\}?|-->)\s*$")
_DOTS: Final = re.compile(r"\s*(?:\.{3}|…)")
_AFTER_DOTS: Final = re.compile(
    r"\(?\s*(?:(?:and|the|all)\s+)*(?:rest|remain\w*|existing|other|previous|unchanged|same|keep|omitted|more)\b",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"\s*\(?\s*[A-Za-z'’-]+(?:\s+[A-Za-z'’-]+)*\s*(?:\)|\.{1,3}|…)*\s*$")
_WORD: Final = re.compile(r"[\w'’-]+")
_KEY: Final = re.compile(r"rest|existing|remaining|remainder|previous|unchanged|original")
_DOUBTFUL_KEY: Final = re.compile(r"other|more|same|before|omitted|truncated|snip(?:ped)?|changes")
_NOUN: Final = re.compile(
    r"code|functions?|methods?|class(?:es)?|files?|imports?|logic|implementation|body|contents?|tests|components?|"
    r"handlers?|routes?|styles|module|script"
)
_TAIL: Final = re.compile(
    r"remains?|stays?|goes|here|there|unchanged|unmodified|untouched|intact|kept|omitted|brevity|clarity|continues|shown"
)
_FURTHER: Final = re.compile(
    r"fields?|propert(?:y|ies)|rules|variables|state|props|attributes|elements|items|entries|cases|block|section|lines|"
    r"parts?|definitions|declarations|helpers|setup|config(?:uration)?|statements|parameters|"
    r"the|your|all|any|of|and|or|as|is|are|was|were|be|it|they|this|that|these|in|to|for|no|not|keep|leave|insert|"
    r"include|plus|with|see|etc|below|above|needed|change|exactly|just"
)
_OTHER: Final = re.compile(r"other|same")
_SPOKEN: Final = (_KEY, _DOUBTFUL_KEY, _NOUN, _TAIL, _FURTHER)


def elides(old: str, new: str) -> bool:
    """Whether a line of `new` stands for code that was left out; one that `old` has, too, is the file's own.

    Where a remark may as well be a comment of the file's own, lines have to be missing in its place.
    """
    known = {line.strip() for line in old.split("\n")}
    added = [line.strip() for line in new.split("\n") if line.strip() and line.strip() not in known]
    if any(_is_elision(line) for line in added):
        return True
    doubtful = {line for line in added if _is_remark(line, is_sure=False)}
    return bool(doubtful) and _loses(_lines(old), _lines(new), doubtful)


def _is_elision(line: str) -> bool:
    if line == "...":
        return False  # Python's own ellipsis
    comment = _COMMENT.match(line)
    bare = _CLOSING.sub("", line[comment.end() :] if comment else line)
    dots = _DOTS.match(bare)
    if dots is None:
        return comment is not None and _is_remark(line, is_sure=True)
    said = bare[dots.end() :]
    if not said.strip(" .…"):
        return True
    if not _AFTER_DOTS.match(said.lstrip()):
        return False
    # `...rest` is a value that is spread, `... rest` is not
    return comment is not None or (_PLAIN.match(said) is not None and (said[0].isspace() or " " in said.strip()))


def _is_remark(line: str, *, is_sure: bool) -> bool:
    """Whether a comment says that code was left out, and nothing else; surely, or as far as its words go."""
    comment = _COMMENT.match(line)
    if comment is None:
        return False
    words = [word.lower() for word in _WORD.findall(_CLOSING.sub("", line[comment.end() :]))]
    if not all(any(each.fullmatch(word) for each in _SPOKEN) for word in words):
        return False

    def has(*wanted: re.Pattern[str]) -> bool:
        return any(each.fullmatch(word) for each in wanted for word in words)

    if has(_KEY) and has(_NOUN, _TAIL):
        return True
    if has(_OTHER) and has(_TAIL):
        return True
    return not is_sure and has(_KEY, _DOUBTFUL_KEY)


def _loses(old: Sequence[str], new: Sequence[str], remarks: set[str]) -> bool:
    """Whether fewer lines stand where a remark does than stood there before."""
    return any(
        last - first > sum(line not in remarks for line in new[new_first:new_last])
        for _, first, last, new_first, new_last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if any(line in remarks for line in new[new_first:new_last])
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
