"""Change code without changing what it does: rename, extract, inline, move, organise imports."""

from __future__ import annotations

import asyncio
import os
import tomllib
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.patch import Approve, EditedFile, show_or_write
from rubber_duck.engines.place import ProjectFolder, Where, find
from rubber_duck.errors import DuckError, InvalidInput
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import absolute, display

if TYPE_CHECKING:
    from rubber_duck.code.refactoring.refactored import Refactored

What = Literal["rename", "extract-variable", "extract-function", "inline", "move", "organise-imports"]

_CONFIGURED: Final = (".toml", ".cfg", ".ini")
_STYLES: Final = (
    "force-single-line",
    "force-sort-within-sections",
    "combine-as-imports",
    "order-by-type",
    "case-sensitive",
    "lines-after-imports",
    "split-on-trailing-comma",
)
_NAMED: Final = ("rename", "extract-variable", "extract-function")


class RefactorRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to do, and where. Without `approve` nothing is written: the answer says what would be."""

    what: Annotated[What, Meta(description="What to do.", extra={"argument": True})]
    at: Annotated[
        str,
        Meta(
            max_length=4096,
            description="FILE:LINE:COLUMN of a name, FILE:LINE-LINE or FILE:LINE:COLUMN-LINE:COLUMN of code, or FILE.",
            extra={"argument": True},
        ),
    ]
    to: Annotated[
        str,
        Meta(max_length=4096, description="The new name; for `move` the file to move to.", extra={"argument": True}),
    ] = ""
    project: ProjectFolder = ""
    directory: Directory = ""
    approve: Approve = ""


class RefactorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What changes. `digest` names exactly these changes, to approve them; `written` is the number in the journal.

    `notes` are what a reader should look at beside the changes.
    """

    root: str
    files: tuple[EditedFile, ...]
    digest: str
    written: int = 0
    notes: tuple[str, ...] = ()


@engines.add
class Refactor(Engine[RefactorRequest, RefactorAnswer]):
    """Change code without changing what it does: rename, extract, inline, move, organise imports.

    Everything in Python; renames in JavaScript and TypeScript of what a file declares once, and of private functions in
    Elixir. What could change the meaning, or cannot be told for sure, is refused with the reason. Nothing is written
    before it was shown; `duck undo` takes it back.
    """

    name: ClassVar[str] = "refactor"
    request = RefactorRequest
    answer = RefactorAnswer
    right = Right.FILE_READ
    needs = ("workspace", "journal")
    timeout_s = 600.0

    async def run(self, request: RefactorRequest, call: Call) -> RefactorAnswer:
        """What changes, and, with `approve`, did.

        Raises Conflict (refused, with the reason), InvalidInput, StaleVersion (not what was shown), NotFound, Denied.
        """
        if request.what in _NAMED and not request.to:
            raise InvalidInput(f"give the new name: duck refactor {request.what} {request.at} NAME")
        if request.what == "move" and not request.to:
            raise InvalidInput(f"give the file to move to: duck refactor move {request.at} FILE")
        where = await find(call, request.at, request.project, request.directory)
        call.emit(Progress(0, 0, "reading the files"))
        done = await _done(request, where)
        about = f"{request.what} {where.path}{f' to {request.to}' if request.to else ''}"
        shown = await show_or_write(call, where.place, dict(done.texts), request.approve, about)
        notes = done.notes
        if not shown.files:
            notes = (*notes, "nothing changes: it is so already")
        return RefactorAnswer(
            root=display(os.fspath(where.root.path)),
            files=shown.files,
            digest=shown.digest,
            written=shown.written,
            notes=notes,
        )


async def _done(request: RefactorRequest, where: Where) -> Refactored:
    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.code.language import family  # noqa: PLC0415  # as above

    head = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes)[:4_000]
    language = detect(where.path, head) or ""
    kind = family(language) if language else ""
    if kind == "python" and request.what == "organise-imports":
        return await _organised(where)
    if kind == "python":
        return await asyncio.to_thread(_in_python, request, where)
    if kind in {"ecmascript", "elixir"}:
        if request.what != "rename":
            raise InvalidInput(
                f"'{request.what}' is done in Python only: in {language} nobody can tell for sure what else it changes"
            )
        return await asyncio.to_thread(_renamed, request, where, kind)
    raise InvalidInput(f"'{display(where.path)}' is in no language that can be refactored")


def _in_python(request: RefactorRequest, where: Where) -> Refactored:
    from rubber_duck.code.refactoring.python.extract import (  # noqa: PLC0415  # libcst
        extract_function,
        extract_variable,
    )
    from rubber_duck.code.refactoring.python.inline import inline_variable  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.python.move import move  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.python.rename import rename  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.refactored import Spot, Stretch  # noqa: PLC0415  # as above

    if not where.line:
        raise InvalidInput(f"say where in '{display(where.path)}': FILE:LINE:COLUMN, or FILE:LINE-LINE")
    spot = Spot(where.path, where.line, where.column)
    if request.what == "rename":
        return rename(_texts(where, (".py", ".pyi", *_CONFIGURED)), spot, request.to)
    if request.what == "move":
        to = os.path.relpath(os.path.realpath(absolute(request.to, request.directory)), where.root.path)
        return move(_texts(where, (".py", ".pyi")), spot, to.replace(os.sep, "/"))
    texts = _texts(where, (), only=where.path)
    if request.what == "inline":
        return inline_variable(texts, spot)
    if bool(where.column) != bool(where.end_column) or (where.column and not where.end_line):
        raise InvalidInput("select code as FILE:LINE-LINE, whole lines, or as FILE:LINE:COLUMN-LINE:COLUMN")
    last = where.end_line or where.line
    stretch = Stretch(where.path, where.line, last, where.column, where.end_column)
    extract = extract_variable if request.what == "extract-variable" else extract_function
    return extract(texts, stretch, request.to)


def _renamed(request: RefactorRequest, where: Where, kind: str) -> Refactored:
    from rubber_duck.code.refactoring import ecmascript, elixir  # noqa: PLC0415  # grammars
    from rubber_duck.code.refactoring.refactored import Spot  # noqa: PLC0415  # as above

    spot = Spot(where.path, where.line, where.column)
    if kind == "elixir":
        return elixir.rename(_texts(where, (), only=where.path), spot, request.to)
    suffixes = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
    return ecmascript.rename(_texts(where, suffixes), spot, request.to)


async def _organised(where: Where) -> Refactored:
    from rubber_duck.analysis.ruff import sorted_imports  # noqa: PLC0415  # rules and grammars
    from rubber_duck.code.refactoring.refactored import Refactored  # noqa: PLC0415  # as above

    text = _texts(where, (), only=where.path)[where.path]
    own = sorted({path.split("/")[-2] if "/" in path else path[:-3] for path in _packages(where)})
    return Refactored({where.path: await sorted_imports(text, where.path, own, _import_style(where))})


def _import_style(where: Where) -> dict[str, bool | int]:
    """How the project itself wants its imports: the switches of ruff's isort, and its length of lines."""
    try:
        found = tomllib.loads(where.root.open_bytes("pyproject.toml", 1_000_000).decode())
    except (DuckError, ValueError):
        return {}  # none, or none that can be read: the usual order holds
    ruff = found.get("tool", {}).get("ruff", {})
    style = {f"lint.isort.{name}": ruff.get("lint", {}).get("isort", {}).get(name) for name in _STYLES}
    style["line-length"] = ruff.get("line-length")
    return {name: value for name, value in style.items() if isinstance(value, (bool, int))}


def _packages(where: Where) -> list[str]:
    """The packages and modules at the top of the project, or of its source folder."""
    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.workspace.scan import scan  # noqa: PLC0415  # as above

    paths = [file.path for file in scan(where.root, where.settings.index, detect).files if file.path.endswith(".py")]
    inner = [path.removeprefix("src/").removeprefix("lib/") for path in paths]
    return [path for path in inner if path.count("/") == 0 or (path.count("/") == 1 and path.endswith("/__init__.py"))]


def _texts(where: Where, suffixes: tuple[str, ...], *, only: str = "") -> dict[str, str]:
    """The texts of the project's files with these suffixes, or of one file alone; those that are no text are left."""
    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.code.edits.planning import read_text  # noqa: PLC0415  # as above
    from rubber_duck.workspace.scan import scan  # noqa: PLC0415  # as above

    limit = where.settings.index.max_file_size_bytes
    if only:
        return {only: read_text(only, where.root.open_bytes(only, limit))}
    found: dict[str, str] = {}
    for file in scan(where.root, where.settings.index, detect).files:
        if file.path.endswith(suffixes):
            try:
                found[file.path] = read_text(file.path, where.root.open_bytes(file.path, limit))
            except DuckError:
                continue  # no text, or it went away: nothing in it can be code of this project
    return found
