"""Change code without changing what it does: rename, extract, inline, move, organise imports; the rest by a model."""

from __future__ import annotations

import asyncio
import os
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.patch import Approve, EditedFile, Hunks, show_or_write, texts_after
from rubber_duck.engines.place import ProjectFolder, Where, find, in_project, texts_of
from rubber_duck.engines.prompting import contained
from rubber_duck.engines.rewriting import begin, drafted, judge
from rubber_duck.errors import Conflict, DuckError, InvalidInput, NotFound
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import absolute, display

if TYPE_CHECKING:
    from rubber_duck.code.refactoring.refactored import Refactored, Stretch

What = Literal["rename", "extract-variable", "extract-function", "inline", "move", "organise-imports", "rewrite"]

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
_ECMASCRIPT: Final = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_NAMED: Final = ("rename", "extract-variable", "extract-function")


class RefactorRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to do, and where. Without `approve` nothing is written: the answer says what would be."""

    what: Annotated[What, Meta(description="What to do.", extra={"argument": True})]
    at: Annotated[
        str,
        Meta(
            max_length=4096,
            description="FILE:LINE:COLUMN of a name, FILE:LINE-LINE or FILE:LINE:COLUMN-LINE:COLUMN of code, or FILE.",
            extra={"argument": True, "place": True},
        ),
    ]
    to: Annotated[
        str,
        Meta(
            max_length=20_000,
            description="The new name; for `move` the file to move to; for `rewrite` what to do, in words.",
            extra={"argument": True, "place": False},
        ),
    ] = ""
    also: Annotated[
        tuple[Annotated[str, Meta(max_length=4096)], ...],
        Meta(max_length=20, description="For `rewrite`: further files that may change.", extra={"place": True}),
    ] = ()
    tests: Annotated[bool, Meta(description="For `rewrite`: run the project's tests in the sandbox on each draft.")] = (
        False
    )
    techniques: Annotated[
        tuple[Literal["repair", "thought"], ...],
        Meta(description="For `rewrite`: `repair` what fails the check, `thought` thinks first."),
    ] = ("repair",)
    edits: Annotated[
        str,
        Meta(
            max_length=1_000_000,
            description="For `rewrite`: the edits of an earlier answer, to be checked and written: no model.",
        ),
    ] = ""
    hunks: Hunks = None
    project: ProjectFolder = ""
    directory: Directory = ""
    approve: Approve = ""


class RefactorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What changes. `digest` names exactly these changes, to approve them; `written` is the number in the journal.

    `notes` are what a reader should look at beside the changes. Of a `rewrite`: to write it, ask again with these
    `edits`; `steps` is what the model thought, `tries` counts its drafts, `problems` is what the check said of those
    that failed.
    """

    root: str
    files: tuple[EditedFile, ...]
    digest: str
    written: int = 0
    notes: tuple[str, ...] = ()
    edits: str = ""
    steps: tuple[str, ...] = ()
    tries: int = 0
    problems: tuple[str, ...] = ()
    model: str = ""


@engines.add
class Refactor(Engine[RefactorRequest, RefactorAnswer]):
    """Change code without changing what it does: rename, extract, inline, move, organise imports.

    Everything in Python, JavaScript and TypeScript, where the latter two rename what a file declares once; in Elixir
    variables and private functions renamed, extracted and inlined, modules moved, aliases in order.
    What could change the meaning, or cannot be told for sure, is refused with the reason. `rewrite` lets a model do
    what is asked in words: each draft must parse, bring no findings and keep what other files take, and goes back if it
    does not. Nothing is written before it was shown; `duck undo` takes it back.
    """

    name: ClassVar[str] = "refactor"
    request = RefactorRequest
    answer = RefactorAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "contexts", "journal", "llm")
    strategy = Strategy.LONG_WINDOW
    role = Role.EDIT
    model_options = ModelOptions(max_tokens=8192)
    uses = ("ruff", "sandbox")
    timeout_s = 3600.0

    async def run(self, request: RefactorRequest, call: Call) -> RefactorAnswer:
        """What changes, and, with `approve`, did.

        Raises Conflict (refused, with the reason), InvalidInput, StaleVersion (not what was shown), NotFound, Denied.
        """
        if request.what in _NAMED and not request.to:
            raise InvalidInput(f"give the new name: duck refactor {request.what} {request.at} NAME")
        if request.what == "move" and not request.to:
            raise InvalidInput(f"give the file to move to: duck refactor move {request.at} FILE")
        where = await find(call, request.at, request.project, request.directory)
        if request.what == "rewrite":
            return await self._rewritten(request, call, where)
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

    async def _rewritten(self, request: RefactorRequest, call: Call, where: Where) -> RefactorAnswer:
        """What a model's edits change, or those of an earlier answer. A model that fails is told in `notes`."""
        if not request.to.strip():
            raise InvalidInput(f"say in words what to do: duck refactor rewrite {request.at} 'INSTRUCTION'")
        also = tuple(in_project(where.root, absolute(each, request.directory)) for each in request.also)
        asked = await begin(call, where, request.to, also, with_tests=request.tests)
        found = RefactorAnswer(root=display(os.fspath(where.root.path)), files=(), digest="", edits=request.edits)
        if request.edits:
            judged = await judge(call, asked, request.edits, request.hunks)
            if judged.problem or judged.value is None:
                raise Conflict(f"these edits do not pass the check: {judged.problem}")
            made = judged.value
        else:
            said = await contained(
                lambda: drafted(call, asked, request.techniques, self),
                "the other refactorings need no model",
            )
            if said.value is None:
                return msgspec.structs.replace(found, notes=(said.note,))
            last, steps = said.value
            found = msgspec.structs.replace(
                found,
                edits=last.answer.text,
                steps=steps,
                tries=last.tries,
                problems=last.problems,
                model=last.answer.model,
            )
            if not last.is_sound or last.value is None:
                return msgspec.structs.replace(found, notes=("no draft passed the check, so nothing is offered",))
            made = last.value
        texts = await asyncio.to_thread(texts_after, made, None)
        about = f"rewrite {where.path}: {' '.join(request.to.split())[:60]}"
        shown = await show_or_write(call, where.place, texts, request.approve, about)
        kept = "a model wrote this: the checks say that it parses and that names stay, not that it does the same"
        return msgspec.structs.replace(
            found,
            files=shown.files,
            digest=shown.digest,
            written=shown.written,
            notes=() if request.tests else (f"{kept}; --tests runs the project's tests on it",),
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
    if kind == "ecmascript":
        return await asyncio.to_thread(_in_ecmascript, request, where)
    if kind == "elixir":
        return await asyncio.to_thread(_in_elixir, request, where)
    raise InvalidInput(f"'{display(where.path)}' is in no language that can be refactored")


def _in_python(request: RefactorRequest, where: Where) -> Refactored:
    from rubber_duck.code.refactoring.python.extract import (  # noqa: PLC0415  # libcst
        extract_function,
        extract_variable,
    )
    from rubber_duck.code.refactoring.python.inline import inline_variable, is_function  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.python.inline_function import inline_function  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.python.move import move  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.python.rename import rename  # noqa: PLC0415  # as above
    from rubber_duck.code.refactoring.refactored import Spot  # noqa: PLC0415  # as above

    if not where.line:
        raise InvalidInput(f"say where in '{display(where.path)}': FILE:LINE:COLUMN, or FILE:LINE-LINE")
    spot = Spot(where.path, where.line, where.column)
    if request.what == "rename":
        return rename(texts_of(where, (".py", ".pyi", *_CONFIGURED)), spot, request.to)
    if request.what == "move":
        return move(texts_of(where, (".py", ".pyi")), spot, _target(request, where))
    texts = texts_of(where, (), only=where.path)
    if request.what == "inline":
        if is_function(texts, spot):
            return inline_function(texts_of(where, (".py", ".pyi")), spot)
        return inline_variable(texts, spot)
    extract = extract_variable if request.what == "extract-variable" else extract_function
    return extract(texts, _stretch(where), request.to)


def _in_elixir(request: RefactorRequest, where: Where) -> Refactored:
    from rubber_duck.code.refactoring import (  # noqa: PLC0415  # grammars
        elixir_aliases,
        elixir_extract,
        elixir_function,
        elixir_inline_function,
        elixir_move,
        elixir_rename,
    )
    from rubber_duck.code.refactoring.refactored import Spot  # noqa: PLC0415  # as above

    alone = texts_of(where, (), only=where.path)
    spot = Spot(where.path, where.line, where.column)
    match request.what:
        case "organise-imports":
            return elixir_aliases.organise(alone, where.path)
        case "extract-variable":
            return elixir_extract.extract_variable(alone, _stretch(where), request.to)
        case "extract-function":
            return elixir_function.extract_function(alone, _stretch(where), request.to)
        case "inline":
            return elixir_inline_function.inline(alone, spot)
        case "move":
            return elixir_move.move(texts_of(where, (".ex", ".exs")), spot, _target(request, where))
    return elixir_rename.rename(alone, spot, request.to)


def _in_ecmascript(request: RefactorRequest, where: Where) -> Refactored:
    from rubber_duck.code.refactoring import (  # noqa: PLC0415  # grammars
        ecmascript,
        ecmascript_extract,
        ecmascript_function,
        ecmascript_imports,
        ecmascript_inline_function,
        ecmascript_move,
    )
    from rubber_duck.code.refactoring.refactored import Spot  # noqa: PLC0415  # as above

    alone = texts_of(where, (), only=where.path)
    spot = Spot(where.path, where.line, where.column)
    match request.what:
        case "organise-imports":
            return ecmascript_imports.organise(alone, where.path, _typescript_settings(where))
        case "extract-variable":
            return ecmascript_extract.extract_variable(alone, _stretch(where), request.to)
        case "extract-function":
            return ecmascript_function.extract_function(texts_of(where, _ECMASCRIPT), _stretch(where), request.to)
        case "move":
            texts = texts_of(where, (*_ECMASCRIPT, "package.json"))
            return ecmascript_move.move(texts, spot, _target(request, where))
        case "inline":
            return ecmascript_inline_function.inline(alone, spot)
    return ecmascript.rename(texts_of(where, _ECMASCRIPT), spot, request.to)


def _target(request: RefactorRequest, where: Where) -> str:
    """The file to move to, in the project."""
    to = os.path.relpath(os.path.realpath(absolute(request.to, request.directory)), where.root.path)
    return to.replace(os.sep, "/")


def _stretch(where: Where) -> Stretch:
    from rubber_duck.code.refactoring.refactored import Stretch  # noqa: PLC0415  # as above

    if not where.line:
        raise InvalidInput(f"say where in '{display(where.path)}': FILE:LINE:COLUMN, or FILE:LINE-LINE")
    if bool(where.column) != bool(where.end_column) or (where.column and not where.end_line):
        raise InvalidInput("select code as FILE:LINE-LINE, whole lines, or as FILE:LINE:COLUMN-LINE:COLUMN")
    return Stretch(where.path, where.line, where.end_line or where.line, where.column, where.end_column)


def _typescript_settings(where: Where) -> str:
    """The text of the nearest tsconfig.json, from the file's folder up to the project's; "" where there is none."""
    folder = where.path
    while folder:
        folder = folder.rpartition("/")[0]
        with suppress(NotFound):
            content = where.root.open_bytes(f"{folder}/tsconfig.json".lstrip("/"), 1_000_000)
            return content.decode("utf-8", "replace")
    return ""


async def _organised(where: Where) -> Refactored:
    from rubber_duck.analysis.ruff import sorted_imports  # noqa: PLC0415  # rules and grammars
    from rubber_duck.code.refactoring.refactored import Refactored  # noqa: PLC0415  # as above

    text = texts_of(where, (), only=where.path)[where.path]
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
