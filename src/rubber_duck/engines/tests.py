"""Write tests for a function: property tests by Hypothesis, or by a model; they are run before they are shown."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.patch import Approve, EditedFile, show_or_write
from rubber_duck.engines.place import ProjectFolder, Where, find, in_project, refuse_untold
from rubber_duck.engines.prompting import asker, contained, fenced, messages
from rubber_duck.engines.techniques import Asking, Drafted, Judged, draft
from rubber_duck.engines.telling import BESIDE_TOKENS, as_code, told_beside
from rubber_duck.engines.testing import PATHS, FailedTest, in_sandbox, last_said, run_tests
from rubber_duck.errors import InvalidInput, NotFound, ProgramUnavailable
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import absolute, display

_ROOTS: Final = ("src", "lib")
_GHOST: Final = PATHS + "from hypothesis.extra.cli import main; main(sys.argv[1:])"
_FENCE: Final = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)\n```", re.DOTALL)
_SYSTEM: Final = """\
You write tests with pytest for one function or class of a Python project. Test what the code promises: usual values,
limits, and errors that it raises on purpose. Use no network, no sleep, no randomness, and no mocks of the code itself.
Import it as `{module}`. Answer with one Python file in a fence and nothing else."""


class TestsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to test. Without `approve` nothing is written: the answer says what would be."""

    at: Annotated[
        str,
        Meta(
            max_length=4096,
            description="FILE, or FILE:LINE of a function or class.",
            extra={"argument": True, "place": True},
        ),
    ]
    model: Annotated[bool, Meta(description="Let a model write them, instead of property tests by Hypothesis.")] = False
    to: Annotated[
        str,
        Meta(max_length=4096, description="The tests' file; empty: one beside the other tests.", extra={"place": True}),
    ] = ""
    project: ProjectFolder = ""
    directory: Directory = ""
    approve: Approve = ""


class TestsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The tests, and how they ended in the sandbox. `files` is the patch; `digest` approves it.

    `failed` tests either found a fault or expect what the code never promised: a person has to say which. `tries`
    counts the model's drafts; `note` says why there are none, or what is left to do.
    """

    root: str
    target: str
    by: str
    passed: int = 0
    failed: tuple[FailedTest, ...] = ()
    tries: int = 0
    files: tuple[EditedFile, ...] = ()
    digest: str = ""
    written: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """What is tested: the module as it is imported, the name in it (empty: all of it), and the tests' file."""

    where: Where
    module: str
    name: str
    to: str


@engines.add
class Tests(Engine[TestsRequest, TestsAnswer]):
    """Write tests for a function: by Hypothesis without a model, or by a model.

    They are run in the sandbox before they are shown; those that fail are said so. What a model writes is sent back
    with what went wrong, a few times. The code under test is only ever imported in the sandbox.
    """

    name: ClassVar[str] = "tests"
    request = TestsRequest
    answer = TestsAnswer
    right = Right.COMMAND_RUN
    needs = ("workspace", "analysis", "search", "contexts", "journal", "llm")
    strategy = Strategy.LONG_WINDOW
    role = Role.EDIT
    model_options = ModelOptions(max_tokens=4096)
    uses = ("sandbox",)
    timeout_s = 1800.0

    async def run(self, request: TestsRequest, call: Call) -> TestsAnswer:
        """The tests; raises ProgramUnavailable without a sandbox, InvalidInput, NotFound, Denied, StaleVersion."""
        where = await find(call, request.at, request.project, request.directory)
        target = await asyncio.to_thread(_target, request, where)
        called = f"{target.module}.{target.name}".rstrip(".")
        if request.model:
            said = await contained(lambda: self._drafted(call, target), "without --model Hypothesis writes them")
            if said.value is None:
                return TestsAnswer(root=display(os.fspath(where.root.path)), target=called, by="model", note=said.note)
            drafted = said.value
            text, tries = drafted.value, drafted.tries
            trouble = "" if drafted.is_sound else drafted.problems[-1]
        else:
            call.emit(Progress(0, 0, "writing property tests"))
            text, tries, trouble = await self._by_hypothesis(call, target), 0, ""
        by = "model" if request.model else "hypothesis"
        if text is None:
            return TestsAnswer(
                root=display(os.fspath(where.root.path)), target=called, by=by, tries=tries, note=_brief(trouble)
            )
        call.emit(Progress(0, 0, "running them in the sandbox"))
        ended = await run_tests(call, target.where, {target.to: text.encode()}, target.to)
        shown = await show_or_write(call, where.place, {target.to: text}, request.approve, f"tests of {called}")
        return TestsAnswer(
            root=display(os.fspath(where.root.path)),
            target=called,
            by=by,
            passed=ended.passed,
            failed=ended.failed,
            tries=tries,
            files=shown.files,
            digest=shown.digest,
            written=shown.written,
            note=_brief(ended.trouble) or ("look at those that fail before you keep them" if ended.failed else ""),
        )

    async def _by_hypothesis(self, call: Call, target: _Target) -> str:
        called = f"{target.module}.{target.name}".rstrip(".")
        seen = await in_sandbox(call, target.where, ("python", "-c", _GHOST, "write", "--style", "pytest", called), {})
        if seen.done.code != 0 or seen.done.ended.value != "exit":
            said = (seen.done.stderr or seen.done.stdout).decode("utf-8", "replace").strip()
            if "No module named 'hypothesis'" in said:
                raise ProgramUnavailable("hypothesis is not in the project's own environment: install it there")
            raise InvalidInput(f"Hypothesis cannot write tests for '{called}': {last_said(said)}")
        text = seen.done.stdout.decode("utf-8", "replace")
        if "def test_" not in text:
            raise InvalidInput(f"Hypothesis finds nothing to test in '{called}'")
        return text

    async def _drafted(self, call: Call, target: _Target) -> Drafted[str]:
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
        from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

        where = target.where
        await asyncio.to_thread(refuse_untold, *where.place, where.path)
        content = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes)
        ask = Ask(where.path, where.line, 1, "", BESIDE_TOKENS, 0, 0)
        code = as_code(await told_beside(call, where.place, ask, self))
        code += fenced("code", display(where.path), content.decode("utf-8", "replace"))
        what = f"`{target.name}`" if target.name else "what is public in it"
        prompt = Prompt(
            messages(_SYSTEM.format(module=target.module), f"{code}\nWrite tests for {what}."),
            self.model_options.max_tokens,
            self.model_options.temperature,
        )
        call.emit(Progress(0, 0, "asking the model"))

        async def judge(said: str) -> Judged[str]:
            found = _FENCE.search(said)
            text = f"{found[1] if found else said}\n".lstrip("\n")
            try:
                compile(text, target.to, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                return Judged(None, f"the file does not parse: {error}")
            call.emit(Progress(0, 0, "running the model's tests in the sandbox"))
            ended = await run_tests(call, target.where, {target.to: text.encode()}, target.to)
            if ended.trouble:
                return Judged(text, ended.trouble)
            if ended.failed:
                return Judged(text, "\n".join(f"{each.name} failed: {each.why}" for each in ended.failed))
            return Judged(text, "" if ended.passed else "there is no test in the file")

        asking = Asking(call.parts.llm, await asker(call, where.root), Role.EDIT)
        return await draft(asking, prompt, judge)


def _target(request: TestsRequest, where: Where) -> _Target:
    from rubber_duck.code.code import open_source  # noqa: PLC0415  # grammars
    from rubber_duck.code.extract import extract  # noqa: PLC0415  # as above

    if not where.path.endswith(".py"):
        raise InvalidInput("tests are written for Python only: it is the one whose test runner is there")
    content = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes)
    name = ""
    if where.line:
        around = [
            each
            for each in extract(open_source(where.path, content, "python")).symbols
            if each.kind.value in ("function", "class", "method") and each.start_line <= where.line <= each.end_line
        ]
        if not around:
            raise NotFound(f"no function or class is at line {where.line} of '{display(where.path)}'")
        name = around[-1].qualified_name
    path = where.path
    for root in _ROOTS:
        path = path.removeprefix(f"{root}/")
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    if not all(part.isidentifier() for part in module.split(".")):
        raise InvalidInput(f"'{display(where.path)}' cannot be imported: its path is no name of a module")
    if request.to:
        to = in_project(where.root, absolute(request.to, request.directory or os.fspath(where.root.path)))
    else:
        folder = "tests/" if os.path.isdir(where.root.path / "tests") else ""
        to = f"{folder}test_{module.rpartition('.')[2]}{'_' + name.replace('.', '_').lower() if name else ''}.py"
        if os.path.exists(where.root.path / to):
            to = f"{to.removesuffix('.py')}_more.py"
    return _Target(where, module, name, to)


def _brief(text: str) -> str:
    return " ".join(text.split())[:500]
