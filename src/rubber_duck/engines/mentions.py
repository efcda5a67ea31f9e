"""What a message mentions by `@`: files, symbols, the diff, findings; resolved to what a model is told."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.call import Call
from rubber_duck.engines.index import known_project, update_index
from rubber_duck.engines.place import untold
from rubber_duck.engines.prompting import fenced
from rubber_duck.engines.verifying import findings_of
from rubber_duck.errors import DuckError
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root

EACH_TOKENS: Final = 4_000
ALL_TOKENS: Final = 12_000
"""What one mention, and all of a message, may tell a model."""

_MENTION: Final = re.compile(r"(?<![\w@.])@([\w./\-\\]+(?::[\w./\-]+)?)")
_LINES: Final = re.compile(r"(.+?):(\d+)(?:-(\d+))?")
_MOST: Final = 20
_MOST_CHANGED: Final = 500
_HITS: Final = 3


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that the model is told because a message mentions it: what was written, what it is, its text."""

    mention: str
    what: str
    text: str
    tokens: int
    is_shortened: bool = False


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a message mentions, and what of that could not be found, with the reason."""

    told: tuple[Told, ...]
    missing: tuple[str, ...]


async def resolve(call: Call, place: tuple[Root, Settings], message: str, *, refresh: bool) -> Mentioned:
    """What `message` mentions: `@diff`, `@findings`, `@findings:FILE`, `@FILE`, `@FILE:LINE-LINE`, `@symbol`.

    Only files of the project that it does not ignore are told. Nothing is raised for what cannot be found.
    """
    from rubber_duck.llm.tokens import count_tokens, cut  # noqa: PLC0415  # its ranks

    root, settings = place
    known = await asyncio.to_thread(_files, root, settings)
    told: list[Told] = []
    missing: list[str] = []
    left = ALL_TOKENS
    for mention in list(dict.fromkeys(found.rstrip(".") for found in _MENTION.findall(message)))[:_MOST]:
        try:
            what, text = await _text(call, place, mention, known, refresh=refresh)
        except DuckError as error:
            missing.append(f"@{mention}: {error.message}")
            continue
        if not text.strip():
            missing.append(f"@{mention}: {what}")
            continue
        short = await asyncio.to_thread(cut, text, min(EACH_TOKENS, max(left, 0)))
        tokens = count_tokens(short)
        if not short:
            missing.append(f"@{mention}: there is no room left for it")
            continue
        left -= tokens
        told.append(Told(mention, what, short, tokens, is_shortened=len(short) < len(text)))
    return Mentioned(tuple(told), tuple(missing))


def shown(mentioned: Mentioned) -> str:
    """What was mentioned as a model is told it."""
    return "\n".join(fenced("data", f"@{each.mention}, {each.what}", each.text) for each in mentioned.told)


def unmentioned(message: str) -> str:
    """A message without what it mentions."""
    return " ".join(_MENTION.sub(" ", message).split())


async def _text(
    call: Call, place: tuple[Root, Settings], mention: str, known: frozenset[str], *, refresh: bool
) -> tuple[str, str]:
    """What a mention is, in a few words, and its text; empty, and why, when there is nothing."""
    root, settings = place
    if mention == "diff":
        return await _diff(root, settings)
    head, _, rest = mention.partition(":")
    if head == "findings":
        return await _findings(call, place, rest, known)
    path = (rest if head == "file" else mention).replace("\\", "/").removeprefix("./")
    lines = _LINES.fullmatch(path)
    if lines is not None and lines[1] in known:
        first, last = int(lines[2]), int(lines[3] or lines[2])
        text = await asyncio.to_thread(_read, root, settings, lines[1])
        piece = "\n".join(text.split("\n")[first - 1 : last])
        return (f"lines {first} to {last} of the file", piece) if piece else ("there are no such lines", "")
    if path in known:
        return "the file", await asyncio.to_thread(_read, root, settings, path)
    name = rest if head == "symbol" else mention
    return await _symbol(call, root, name, known, refresh=refresh)


async def _diff(root: Root, settings: Settings) -> tuple[str, str]:
    from rubber_duck.workspace.git import read_changed, read_changes  # noqa: PLC0415  # only here

    changed = (await read_changed(root.path))[:_MOST_CHANGED]
    told = await asyncio.to_thread(lambda: [path for path in changed if not untold(root, settings, path)])
    if changed and not told:
        return "only what the project ignores is changed since the last commit", ""
    diff = await read_changes(root.path, only=told)
    if diff is None:
        return "there is no commit to compare with", ""
    what = "what is not committed" + (", without what the project ignores" if len(told) < len(changed) else "")
    return (what, diff) if diff.strip() else ("nothing is changed since the last commit", "")


async def _findings(call: Call, place: tuple[Root, Settings], path: str, known: frozenset[str]) -> tuple[str, str]:
    from rubber_duck.impact.change import parse_diff  # noqa: PLC0415  # only here

    root, settings = place
    if path and path not in known:
        return "there is no such file in the project", ""
    paths = [path]
    if not path:
        _, diff = await _diff(root, settings)
        paths = [each.path for each in parse_diff(diff) if each.path in known][:_MOST] if diff else []
        if not paths:
            return "no file is changed: write @findings:FILE", ""
    lines = []
    for each in paths:
        found = [one for one in await findings_of(call, root, settings, each) if one.suppressed is None]
        lines += [f"{display(each)}:{one.span.start_line}: {one.message} [{one.rule}]" for one in found]
    return ("findings of the analysers", "\n".join(lines)) if lines else ("the analysers find nothing there", "")


async def _symbol(call: Call, root: Root, name: str, known: frozenset[str], *, refresh: bool) -> tuple[str, str]:
    from rubber_duck.search.search import Options  # noqa: PLC0415  # numpy

    plain = "".join(character for character in name if character.isalnum() or character in "_.")
    if not plain:
        return "no file or symbol is called so", ""
    if refresh:
        _, scope, _ = await update_index(call, root)
    else:
        _, scope = await known_project(call, str(root.path), "")
    hits = (await call.parts.search.find(scope, root, f"symbol:{plain}", Options(limit=_HITS))).hits
    last = plain.rpartition(".")[2]
    current = (hit for hit in hits if hit.path in known and not hit.is_outdated)  # the index may be behind
    named = [hit for hit in current if hit.name.rpartition(".")[2] == last]
    parts = []
    for hit in named:
        content = root.open_bytes(hit.path, 20_000_000)
        text = content[hit.start_byte : hit.end_byte].decode("utf-8", "replace")
        parts.append(f"# {display(hit.path)}:{hit.start_line}\n{text}")
    return ("the definition", "\n\n".join(parts)) if parts else ("no file or symbol is called so", "")


def _files(root: Root, settings: Settings) -> frozenset[str]:
    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.workspace.scan import scan  # noqa: PLC0415  # only here

    return frozenset(file.path for file in scan(root, settings.index, detect).files)


def _read(root: Root, settings: Settings, path: str) -> str:
    content = root.open_bytes(path, settings.index.max_file_size_bytes)
    return content.decode("utf-8", "replace").removeprefix("\ufeff")
