"""Finds text that is run as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.calls import arguments
from rubber_duck.analysis.reading.composition import compose
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_CALLEES: Final = {
    "python": frozenset({"eval", "exec", "builtins.eval", "builtins.exec"}),
    "ecmascript": frozenset({"eval", "window.eval", "globalThis.eval", "Function", "vm.runInThisContext"}),
    "elixir": frozenset({"Code.eval_string", "Code.compile_string", "EEx.eval_string"}),
}
_RUNS_CODE: Final = re.compile(r"(?:^|[/_-])(?:shell|repl|console|evals?|interactive|interpreter|cli|notebook)\.\w+$")
_TIMERS: Final = frozenset({"setTimeout", "setInterval", "window.setTimeout", "window.setInterval"})


@rules.add
class UnsafeEval(Rule):
    """Text that is not written in the program is run as code by `eval`, `exec`, `new Function` or `Code.eval_string`.

    If anybody outside can choose the text, or part of it, they run what they like with the program's rights (CWE-95).
    Tools that look at code cannot see into it, and every error surfaces late.

    Mend it by parsing the text for what it may be: `ast.literal_eval`, `json.loads`, `JSON.parse`, a table from names
    to functions.

    Confidence is high where the text comes from a request, medium otherwise. Test files and files called
    `shell`, `repl`, `console`, `cli` and the like are not looked at. Ignore it in programs whose task is to run code,
    such as a template engine, and say so in the comment.
    """

    name = "unsafe-eval"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    cwe = 95
    kinds: ClassVar = {
        "python": ("call",),
        "ecmascript": ("call_expression", "new_expression"),
        "elixir": ("call",),
    }
    names = frozenset(
        {
            *("eval", "exec", "Function", "setTimeout", "setInterval", "runInThisContext"),
            *("eval_string", "compile_string"),
        }
    )
    replaces = (
        "ruff/S102",
        "ruff/S307",
        "ruff/PGH001",
        "bandit/B102",
        "bandit/B307",
        "eslint/no-eval",
        "eslint/no-implied-eval",
        "eslint/no-new-func",
    )
    good = (
        Example("python", 'eval("1 + 1")\nmodel.eval(x)\nast.literal_eval(x)\ndb.exec(x)\n'),
        Example("python", "def f():\n    code = 'a = 1'\n    exec(code, {})\n"),
        Example(
            "javascript", "eval('1'); new Function('return this')(); setTimeout(f, 10); setTimeout(() => g(`${x}`), 1)"
        ),
        Example("javascript", "re.exec(x); new Functional(x)"),
        Example("elixir", 'Code.eval_string("1 + 1")\nCode.eval_quoted(x)\n'),
    )
    bad = (
        Example("python", "result = eval(expression)\n"),
        Example("python", 'exec(f"import {name}")\n'),
        Example("python", 'eval(request.GET["sum"])\n'),
        Example("javascript", "eval(`(${text})`)"),
        Example("javascript", "const f = new Function('x', 'return ' + body)"),
        Example("typescript", "setTimeout('run(' + x + ')', 10)"),
        Example("elixir", 'Code.eval_string(params["code"])'),
        Example("elixir", "text |> Code.eval_string()"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at what a call runs."""
        callee = file.callee(node)
        is_timer = callee in _TIMERS
        if not (is_timer or callee in _CALLEES[file.family]) or is_test(file.path) or _RUNS_CODE.search(file.path):
            return
        given = arguments(node, file).positional
        for code in given if callee == "Function" else given[:1]:
            built = compose(code, file)
            if is_timer and not built.is_built:
                return
            holes = [hole for hole in built.holes if not is_constant(hole, file)]
            if not holes:
                continue
            is_outside = any(is_from_outside(hole, file) for hole in holes)
            message = (
                f"`{shortened(file.text(code))}` is run as code by `{callee}`: parse it for what it may be instead"
            )
            yield Hit(code, message, confidence=Confidence.HIGH if is_outside else Confidence.MEDIUM)
            return
