"""Reads an issue's text: leaves out what templates and mail programs add, and keeps what can name a place in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from rubber_duck.search.localisation.frames import Frame, innermost_last, read_frame
from rubber_duck.search.words import TOKEN, words_of

MAX_CHARACTERS: Final = 200_000
"""What is read of a text, half from its beginning and half from its end: no issue is longer, but a log may be."""


class Manner(IntEnum):
    """How a name stands in the text: in quoted code, among words, in code marks."""

    CODE = 0
    WORD = 1
    MARKED = 2


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier of the text; `owner` is what stands before its dot, or `""`."""

    name: str
    owner: str
    manner: Manner
    in_title: bool


@dataclass(frozen=True, slots=True)
class Issue:
    """What a text says that can lead to code.

    - `title`, `body` and `code`: words in order, without repetition. `title` is the first line that says something.
    - `names`: identifiers, each once, at its best. `paths`: files that are named, `modules`: dotted names.
    - `frames`: of tracebacks, the innermost call last.
    """

    title: tuple[str, ...]
    body: tuple[str, ...]
    code: tuple[str, ...]
    names: tuple[Name, ...]
    paths: tuple[str, ...]
    modules: tuple[str, ...]
    frames: tuple[Frame, ...]


_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_BLOB: Final = re.compile(r"\w{200,}|\S{400,}|[^\S\n]{60,}")
"""What no person wrote: encoded data, a minified script. The expressions below would take long over it."""

_LONGEST_LINE: Final = 4_000

_LABEL: Final = re.compile(r"(?:#{1,6}\s*)?(?:title|subject|summary)\s*:\s+(?=\S)", re.IGNORECASE)
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_QUOTED: Final = re.compile(r"\s{0,3}>(?!>> )[> ]*")
_HEADING: Final = re.compile(r"\s*(?:#{1,6}\s*|\*\*)?(?P<text>[^\n#*:]{2,80}?)(?:\*\*)?\s*:?\s*(?:\*\*)?\s*#*")
_TEMPLATE: Final = re.compile(
    r"(?:steps? to reproduce|to reproduce|how to reproduce|reproduction(?: steps)?|reproducer|minimal example|"
    r"(?:expected|actual|current|observed) (?:behaviou?r|results?|output)|describe the bug|bug report|"
    r"description|summary|"
    r"what happened|what did you (?:do|expect).*|additional (?:context|information)|screenshots?|"
    r"is your feature request.*|(?:traceback|stack ?trace|logs?|output))\W*",
    re.IGNORECASE,
)
_ENVIRONMENT: Final = re.compile(
    r"(?:(?:your )?environment(?: info.*)?|system info(?:rmation)?|versions?|version info(?:rmation)?|"
    r"installed versions|"
    r"pip (?:list|freeze)|(?:operating )?system|checklist|pre-?flight.*|sphinx extensions|installed packages)\W*",
    re.IGNORECASE,
)
_NOISE: Final = re.compile(
    r"\s*(?:[-*+] \[[ xX]\] .*"  # a box to tick
    r"|[-*+]?\s*[\w .@/-]{1,40}(?::|==|=>?)\s*v?\d+(?:\.\d+)+\S*.{0,40}"  # a version
    r"|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*|\[?(?:DEBUG|INFO|WARNING|WARN)\]?[ :].*"  # a line of a log
    r"|On .{5,100} wrote:|Traceback \(most recent call last\):|[-=~^*_#]{3,})\s*"
)
_CAUGHT: Final = re.compile(r"\s*(?:[\w.]*(?:Error|Exception|Warning)\b|\*\* \()")
_ROLE: Final = re.compile(r":[\w:+-]{1,40}:(?=`)")
_MARKED: Final = re.compile(r"(?P<ticks>`{1,2})(?P<text>[^`\n]{1,300})(?P=ticks)")
_PATH: Final = re.compile(r"(?<![\w/])(?:[\w.@-]+[/\\])*[\w@-][\w.@-]*\.[A-Za-z]{1,5}(?![\w/])")
_DOTTED: Final = re.compile(r"(?<![\w/.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?![\w/])")
_LIKE_A_NAME: Final = re.compile(
    r"(?<!\w)(?:_*[A-Za-z]+[a-z0-9]+[A-Z]\w*|[A-Z]+[a-z0-9]+[A-Z]\w*|_*[A-Za-z0-9]+_\w+|__?[a-z]\w+|\w+(?=\(\)))"
)
_NAME: Final = re.compile(r"[A-Za-z_]\w+")
_CODE_SUFFIX: Final = re.compile(
    r".*\.(?:py|pyi|pyx|[cm]?[jt]sx?|exs?|h?eex|html?|css|toml|cfg|ini|ya?ml|json|md|rst|txt|po|c|h)"
)


def read_issue(text: str) -> Issue:
    """What `text`, an issue or a traceback, says that can lead to code."""
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]}\n{text[-MAX_CHARACTERS // 2 :]}"
    lines = [line[:_LONGEST_LINE] for line in _COMMENT.sub(" ", _BLOB.sub(" ", text)).splitlines()]
    frames = innermost_last([_QUOTED.sub("", line) for line in lines])
    said, code = _parted(lines)
    title, body = (_LABEL.sub("", said[0]), said[1:]) if said else ("", [])
    code = code[1:] if not said and code else code
    names: dict[str, Name] = {}
    prose = [_ROLE.sub("", line) for line in (title, *body)]
    for number, line in enumerate(prose):
        for name in _names(line, in_title=number == 0):
            _keep(names, name)
    for line in code:
        for found in _NAME.findall(line):
            if words_of(found):
                _keep(names, Name(found, "", Manner.CODE, in_title=False))
    everything = "\n".join((*prose, *code))
    paths = [each.replace("\\", "/") for each in _PATH.findall(everything) if _CODE_SUFFIX.fullmatch(each)]
    modules = [each for each in _DOTTED.findall(everything) if each not in paths]
    return Issue(
        title=_words([prose[0]]),
        body=_words(prose[1:]),
        code=_words(code),
        names=tuple(names.values()),
        paths=tuple(dict.fromkeys(paths)),
        modules=tuple(dict.fromkeys(modules)),
        frames=frames,
    )


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines that say something, and those of quoted code; neither has boilerplate or frames."""
    said: list[str] = []
    code: list[str] = []
    is_code = is_left_out = follows_frame = False
    for line in lines:
        if _FENCE.match(line):
            is_code = not is_code
            continue
        heading = None if is_code else _HEADING.fullmatch(line)
        if heading is not None and (_TEMPLATE.fullmatch(heading["text"]) or _ENVIRONMENT.fullmatch(heading["text"])):
            is_left_out = _ENVIRONMENT.fullmatch(heading["text"]) is not None
            continue
        is_left_out = is_left_out and not line.lstrip().startswith("#")
        if read_frame(_QUOTED.sub("", line)) is not None:
            follows_frame = True
            continue
        was_shown = follows_frame and line[:1].isspace()  # the line of code that a frame shows
        follows_frame = False
        if not line.strip() or _NOISE.fullmatch(line) or (_QUOTED.match(line) and not is_code):
            continue
        if is_left_out and not _CAUGHT.match(line):
            continue
        if is_code or was_shown or line.startswith(("    ", "\t", ">>> ")):
            (said if _CAUGHT.match(line) else code).append(line.strip())
        else:
            said.append(line.strip())
    return said, code


def _names(line: str, *, in_title: bool) -> Iterator[Name]:
    for marked in _MARKED.finditer(line):
        target = re.search(r"<([^<>]+)>$", marked["text"])
        inside = (target[1] if target else marked["text"]).strip("~!.")
        for found in re.findall(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", inside):
            yield _name(found, Manner.MARKED, in_title)
    for found in _DOTTED.findall(line):
        yield _name(found, Manner.WORD, in_title)
    for found in _LIKE_A_NAME.findall(line):
        yield _name(found, Manner.WORD, in_title)


def _name(dotted: str, manner: Manner, in_title: bool) -> Name:
    owner, _, name = dotted.rpartition(".")
    return Name(name, owner.rpartition(".")[2], manner, in_title)


def _keep(names: dict[str, Name], name: Name) -> None:
    known = names.get(name.name)
    if len(name.name) > 1 and (known is None or (known.in_title, known.manner) < (name.in_title, name.manner)):
        names[name.name] = name


def _words(lines: list[str]) -> tuple[str, ...]:
    tokens = dict.fromkeys(token for line in lines for token in TOKEN.findall(line))
    return tuple(token for token in tokens if words_of(token) and not token.isdigit())
