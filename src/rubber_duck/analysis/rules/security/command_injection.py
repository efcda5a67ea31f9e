"""Finds shell command lines that are put together from values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.calls import Arguments, arguments
from rubber_duck.analysis.reading.composition import HOLE, compose
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.mentions import mentions
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import placed
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_PYTHON_SHELLS: Final = frozenset(
    {
        *("os.system", "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput"),
        *("asyncio.create_subprocess_shell", "create_subprocess_shell", "getstatusoutput"),
    }
)
_RUNNERS: Final = frozenset({"run", "call", "Popen", "check_call", "check_output", "spawn", "spawnSync", "execFile"})
_NODE_SHELLS: Final = frozenset({"exec", "execSync", "child_process", "cp", "childProcess"})
_SHELLS: Final = frozenset({"sh", "bash", "/bin/sh", "/bin/bash", "zsh", "cmd", "cmd.exe", "powershell"})
_QUOTING: Final = ("quote", "escape", "list2cmdline", "shlex.join")


@rules.add
class CommandInjection(Rule):
    """A command line for a shell is put together from values.

    A shell gives meaning to `;`, `$(…)`, `|`, `>` and many more. If anybody outside can choose part of the line, they
    run commands of their own (CWE-78); and an honest file name with a space breaks it.

    Mend it by starting the program without a shell, with its arguments in a list:
    `subprocess.run(["git", "log", name])`, `execFile("git", ["log", name])`, `System.cmd("git", ["log", name])`.
    Where a shell is needed, quote every value (`shlex.quote`).

    The finding stands at the call; where the line was put together before, the message says where the value was put in.
    Confidence is high where the value comes from a request or the command line. Constants, numbers and quoted values
    are not reported, nor are test files, nor whole command lines that are handed through in one variable. Ignore it
    where only trusted code decides the value.
    """

    name = "command-injection"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    cwe = 78
    kinds: ClassVar = {"python": ("call",), "ecmascript": ("call_expression",), "elixir": ("call",)}
    names = frozenset(
        {
            *("system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "exec", "execSync"),
            *("shell", "cmd", *_RUNNERS),
        }
    )
    replaces = (
        "ruff/S602",
        "ruff/S604",
        "ruff/S605",
        "bandit/B602",
        "bandit/B604",
        "bandit/B605",
        "eslint/security/detect-child-process",
        "credo/Credo.Check.Warning.UnsafeExec",
    )
    good = (
        Example("python", 'subprocess.run(["git", "log", name])\nos.system("clear")\nos.system(command)\n'),
        Example("python", 'subprocess.run(f"ls {shlex.quote(name)}", shell=True)\n'),
        Example("python", 'subprocess.run(f"ls {name}")\nself.system(f"a {b}")\n'),
        Example("python", 'args = ["a"] + list(flags)\nsubprocess.run(args, shell=True)\n'),
        Example("python", 'PAGER = "less"\nos.system(f"{PAGER} {len(x)}")\n'),
        Example("javascript", "const { execFile } = require('child_process'); execFile('git', ['log', name])"),
        Example("javascript", "const m = regex.exec(`a ${b}`); db.exec('SELECT ' + x)"),
        Example("elixir", 'System.cmd("git", ["log", name])\nSystem.shell("ls -l")\nMix.shell().cmd("a #{b}")\n'),
    )
    bad = (
        Example("python", 'subprocess.run(f"git log {name}", shell=True)\n'),
        Example("python", 'os.system("ls " + path)\n'),
        Example("python", 'def f(a):\n    cmd = "rm -r %s" % a\n    subprocess.Popen(cmd, shell=True)\n'),
        Example("python", 'os.popen("ping {}".format(request.GET["host"]))\n'),
        Example("python", 'subprocess.check_output(["sh", "-c", f"cat {path} | sort"])\n'),
        Example("javascript", "const { exec } = require('child_process'); exec(`git log ${name}`)"),
        Example("typescript", "import * as cp from 'child_process';\ncp.execSync('rm -r ' + dir)"),
        Example("javascript", "const { spawn } = require('child_process'); spawn(`ls ${dir}`, { shell: true })"),
        Example("elixir", 'System.shell("git log #{name}")'),
        Example("elixir", ':os.cmd(~c"ls #{dir}")'),
        Example("elixir", 'System.cmd("sh", ["-c", "ls " <> dir])'),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Read the command line that a call hands to a shell."""
        if is_test(file.path):
            return
        given = arguments(node, file)
        line = _command_line(node, given, file)
        if line is None:
            return
        built = compose(line, file)
        if not built.is_built or not built.text.replace(HOLE, "").strip():
            return
        holes = [hole for hole in built.holes if not is_constant(hole, file, harmless=_QUOTING)]
        if not holes:
            return
        worst = next((hole for hole in holes if is_from_outside(hole, file)), holes[0])
        confidence = Confidence.HIGH if is_from_outside(worst, file) else Confidence.MEDIUM
        place, value = placed(worst, line, file)
        message = f"{value} becomes part of a shell command: start the program with a list of arguments and without a"
        yield Hit(place, f"{message} shell, or quote it", confidence=confidence)


def _command_line(call: Node, given: Arguments, file: SourceFile) -> Node | None:
    """The argument that a shell will read; None where there is no shell."""
    first = given.at(0, "args", "cmd", "command")
    if first is None:
        return None
    callee = file.callee(call)
    name = callee.rpartition(".")[2]
    if file.family == "elixir":
        if callee in {"System.shell", ":os.cmd"}:
            return first
        return _behind_dash_c(first, given.at(1), file) if callee == "System.cmd" else None
    if file.family == "python":
        if callee in _PYTHON_SHELLS:
            return first
        if name not in _RUNNERS:
            return None
        if _is_true(given.named.get("shell"), file):
            return children.first(first) if first.type in {"list", "tuple"} else first
        return _behind_dash_c(first, None, file) if first.type in {"list", "tuple"} else None
    if not mentions(file, b"child_process"):
        return None
    if name in {"exec", "execSync"}:
        return first if callee == name or callee.rpartition(".")[0] in _NODE_SHELLS else None
    if _is_true(given.named.get("shell"), file):
        return first
    return _behind_dash_c(first, given.at(1), file) if name in _RUNNERS else None


def _behind_dash_c(program: Node, rest: Node | None, file: SourceFile) -> Node | None:
    """The command line in `["sh", "-c", line]` or in `"sh", ["-c", line]`."""
    words = list(program.named_children) if rest is None else [program, *rest.named_children]
    if len(words) < 3 or file.string_value(words[0]) not in _SHELLS:
        return None
    return words[2] if file.string_value(words[1]) in {"-c", "/c", "-Command", "-lc"} else None


def _is_true(value: Node | None, file: SourceFile) -> bool:
    return value is not None and file.text(value) in {"True", "true"}
