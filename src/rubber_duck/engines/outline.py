"""Tell what a file defines: modules, classes, functions and the rest, as a tree."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import InvalidInput, InvalidPath
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import Root, absolute, display
from rubber_duck.workspace.scan import looks_binary

if TYPE_CHECKING:
    from rubber_duck.code.outline import Entry

_HEAD_BYTES: Final = 4096


class OutlineRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file on this machine, or its content."""

    path: Annotated[
        str, Meta(max_length=4096, description="The file; with `content`, its name.", extra={"argument": True})
    ]
    directory: Annotated[
        str,
        Meta(
            description="What a relative path is relative to; empty: the process's own folder.",
            extra={"directory": True},
        ),
    ] = ""
    content: Annotated[
        Annotated[str, Meta(max_length=5_000_000)] | None,
        Meta(description="The file's text; unset: it is read from the path.", extra={"place": False}),
    ] = None
    language: Annotated[str, Meta(max_length=100, description="Its language; empty: as its name and content say.")] = ""
    private: Annotated[bool, Meta(description="Also what is private.")] = True


class OutlineEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A definition. `head` is its signature on one line; `doc` the first paragraph; lines are 1-based, inclusive.

    `decorators` are as written, without `@`; `spec` is a type that stands apart from the signature, as in Elixir.
    """

    kind: str
    name: str
    head: str
    start_line: int
    end_line: int
    doc: str = ""
    decorators: tuple[str, ...] = ()
    spec: str = ""
    children: tuple[OutlineEntry, ...] = ()


class OutlineProblem(msgspec.Struct, frozen=True):
    """Where the file could not be understood."""

    line: int
    message: str


class OutlineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the file defines, in its order; `lines` is how many it has.

    `refused` says in a sentence why the file was not read as it is: it holds bytes that are no text.
    """

    path: str
    language: str
    lines: int
    entries: tuple[OutlineEntry, ...]
    problems: tuple[OutlineProblem, ...]
    refused: tuple[str, ...] = ()


@engines.add
class Outline(Engine[OutlineRequest, OutlineAnswer]):
    """Tell what a file defines: modules, classes, functions and the rest, as a tree.

    A broken file is understood as far as possible, and where not is said.
    """

    name: ClassVar[str] = "outline"
    request = OutlineRequest
    answer = OutlineAnswer
    right = Right.FILE_READ
    timeout_s = 60.0

    async def run(self, request: OutlineRequest, call: Call) -> OutlineAnswer:
        """The outline; raises NotFound, Denied, InvalidPath, LimitExceeded, InvalidInput or UnknownName."""
        # parsing takes a second at the worst, which the event loop must not stand still for
        return await asyncio.to_thread(_outline, request, call.settings.index.max_file_size_bytes)


def _outline(request: OutlineRequest, limit_bytes: int) -> OutlineAnswer:
    from rubber_duck.code.code import detect, open_source  # noqa: PLC0415  # grammars, which listing engines needs not
    from rubber_duck.code.extract import extract  # noqa: PLC0415  # as above
    from rubber_duck.code.outline import outline  # noqa: PLC0415  # as above

    content = _read(request, limit_bytes) if request.content is None else request.content.encode("utf-8", "replace")
    language = request.language or detect(request.path, content[:_HEAD_BYTES])
    if not language:
        raise InvalidInput(f"'{display(request.path)}' is in no language that RubberDuck knows; name one if it is")
    file = open_source(request.path, content, language)
    found = extract(file)
    return OutlineAnswer(
        path=request.path,
        language=language,
        lines=file.lines,
        entries=tuple(_entry(each) for each in outline(found, with_private=request.private)),
        problems=tuple(
            OutlineProblem(file.position(each.start_byte)[0], each.message)
            for each in file.problems
            if not each.is_encoding
        ),
        refused=tuple(
            f"'{display(request.path)}' was not outlined as it is: {each.message}"
            for each in file.problems
            if each.is_encoding
        ),
    )


def _entry(entry: Entry) -> OutlineEntry:
    return OutlineEntry(
        kind=entry.kind.value,
        name=entry.name,
        head=entry.head,
        start_line=entry.start_line,
        end_line=entry.end_line,
        doc=entry.doc,
        decorators=entry.decorators,
        spec=entry.spec,
        children=tuple(map(_entry, entry.children)),
    )


def _read(request: OutlineRequest, limit_bytes: int) -> bytes:
    if not request.path or "\0" in request.path:
        raise InvalidPath(f"'{display(request.path)}' is not a path")
    found = os.path.realpath(absolute(request.path, request.directory))
    if os.path.isdir(found):
        raise InvalidPath(f"'{display(request.path)}' is a folder; an outline is of one file")
    folder, name = os.path.split(found)
    content = Root(folder).open_bytes(name, limit_bytes)
    if looks_binary(content):
        raise InvalidInput(f"'{display(request.path)}' is not text: it holds NUL bytes")
    return content
