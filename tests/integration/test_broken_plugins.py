"""A plug-in of another distribution that does not work is said once and left out; everything else works on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.factories import write_tree
from tests.integration.duck import duck

ENGINE = '''
from msgspec import Struct

from rubber_duck.engines.engine import Engine, EngineHealth
from rubber_duck.scope import Right


class Ask(Struct):
    """Anything."""

    paths: tuple[str, ...] = ()


class Said(Struct):
    """Something."""

    text: str = ""


class Plugged(Engine[Ask, Said]):
    """Say something."""

    name = "plugged"
    request = Ask
    answer = Said
    right = Right.CATALOG_READ

    async def run(self, request, call):
        return Said("quack")
'''

RULE = '''
from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.rule import Example, Hit, Rule


class Plugged(Rule):
    """A call of `quack`."""

    name = "no-quack"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds = {"python": ("call",)}
    good = (Example("python", "x = 1\\n"),)
    bad = (Example("python", "quack()\\n"),)

    def check(self, node, file):
        yield Hit(node, "quack() was left in the code")
'''

LANGUAGE = '''
from rubber_duck.code.language import Language


class Plugged(Language):
    """A language."""

    name = "quackish"
    family = "quackish"
    suffixes = (".py", ".quack")
    grammars = {"quackish": "nowhere:language"}
    leaves = frozenset()
    line_comment = "#"
    extraction = "nowhere:Extraction"

    def syntax(self):
        raise NotImplementedError
'''

WORKFLOW = '''
from msgspec import Struct

from rubber_duck.scope import Right
from rubber_duck.workflows.run import Step
from rubber_duck.workflows.workflow import Workflow


class Words(Struct):
    """Words."""

    words: tuple[str, ...] = ()


class Plugged(Workflow[Words, Words]):
    """Say words."""

    name = "quacks"
    version = 1
    request = Words
    answer = Words
    right = Right.CATALOG_READ
    queue = "generation"

    async def run(self, request, run):
        return request
'''

KINDS = {
    "engine": ("engines", "plugged"),
    "rule": ("rules", "no-quack"),
    "language": ("languages", "quackish"),
    "workflow": ("workflows", "quacks"),
}

NO_SUCH = "ModuleNotFoundError: No module named 'nowhere_at_all'"

BROKEN = {
    "an engine that cannot be imported": ("engine", "import nowhere_at_all", NO_SUCH),
    "an engine that ends the program": ("engine", "raise SystemExit(0)", "its module ends the program (SystemExit(0))"),
    "an engine without a right": (
        "engine",
        ENGINE.replace("    right = Right.CATALOG_READ\n", ""),
        "the engine class duck_quack.Plugged needs a class attribute `right`",
    ),
    "an engine that is none": (
        "engine",
        "class Plugged:\n    name = 'plugged'",
        "its entry point leads to <class 'duck_quack.Plugged'>, which is no engine class",
    ),
    "a rule that cannot be imported": ("rule", "import nowhere_at_all", NO_SUCH),
    "a rule without a severity": (
        "rule",
        RULE.replace("    severity = Severity.LOW\n", ""),
        "the rule class duck_quack.Plugged needs a class attribute `severity`",
    ),
    "a rule without a check": (
        "rule",
        RULE.replace("def check", "def look"),
        "its class does not define check",
    ),
    "a rule that cannot be made": (
        "rule",
        RULE + "\n    def __init__(self, options=None):\n        raise KeyError('gone')\n",
        "it cannot be made: KeyError: 'gone'",
    ),
    "a rule whose names are none": (
        "rule",
        RULE.replace("    good", "    names = frozenset({3})\n    good"),
        "the rule class duck_quack.Plugged has the names frozenset({3}); write a set of texts",
    ),
    "a language that cannot be imported": ("language", "import nowhere_at_all", NO_SUCH),
    "a language without suffixes": (
        "language",
        LANGUAGE.replace('    suffixes = (".py", ".quack")\n', ""),
        "the language class duck_quack.Plugged needs a class attribute `suffixes`",
    ),
}


def install(
    folder: Path, kind: str, source: str, name: str | None = None, package: str = "duck-quack"
) -> dict[str, str]:
    """What an installer does with a distribution of one module and one entry point; the variables that find it."""
    module = package.replace("-", "_")
    group, usual = KINDS[kind]
    write_tree(
        folder,
        {
            f"{module}.py": source,
            f"{module}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
            f"{module}-1.0.dist-info/entry_points.txt": (
                f"[rubber_duck.{group}]\n{name or usual} = {module}:Plugged\n"
            ),
        },
    )
    return {"PYTHONPATH": str(folder), "DUCK_ANALYSIS_RUFF": "false"}


def project(folder: Path) -> Path:
    """A file with one thing wrong."""
    return write_tree(folder / "project", {"a.py": "def f(a):\n    return eval(a)\n\n\nquack()\n"})


def said(stderr: str) -> str:
    """What was said, with the program called as in the documentation."""
    return re.sub(r"`[^`]*duck doctor`", "`duck doctor`", stderr)


def found(stdout: str) -> list[str]:
    """The rules that reported something."""
    return sorted({each["rule"] for file in json.loads(stdout)["files"] for each in file["findings"]})


@pytest.mark.parametrize("broken", BROKEN)
def test_it_is_said_once_with_its_package_and_the_analysis_goes_on(tmp_path: Path, broken: str) -> None:
    kind, source, reason = BROKEN[broken]
    there = install(tmp_path / "site", kind, source)
    done = duck("analyze", ".", "--format", "json", home=tmp_path / "home", cwd=project(tmp_path), **there)

    assert done.returncode == 1
    assert said(done.stderr) == (
        f"duck: warning: the {kind} {KINDS[kind][1]!r} of duck-quack 1.0 is left out: {reason}; "
        "repair or uninstall that package, `duck doctor` looks at every plug-in\n"
    )
    assert found(done.stdout) == ["unsafe-eval"]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("engine", "[engines.plugged]\nx = 1\n"),
        ("rule", "[analysis]\nignore = ['no-quack']\n[analysis.rules.no-quack]\nx = 1\n"),
    ],
)
def test_its_settings_stop_nothing_while_it_is_left_out(tmp_path: Path, kind: str, settings: str) -> None:
    there = install(tmp_path / "site", kind, "import nowhere_at_all")
    home = write_tree(tmp_path / "home", {"duck.toml": settings})
    done = duck("analyze", ".", "--format", "json", home=home, cwd=project(tmp_path), **there)

    assert (done.returncode, done.stderr.count("\n"), found(done.stdout)) == (1, 1, ["unsafe-eval"]), done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "source", "arguments"),
    [
        ("rule", "unsafe-eval", RULE.replace("no-quack", "unsafe-eval"), ["analyze", ".", "--format", "json"]),
        ("engine", "analyze", ENGINE.replace('"plugged"', '"analyze"'), ["analyze", ".", "--format", "json"]),
        ("language", "python", LANGUAGE.replace("quackish", "python"), ["analyze", ".", "--format", "json"]),
    ],
)
def test_it_never_takes_the_place_of_what_is_ours(
    tmp_path: Path, kind: str, name: str, source: str, arguments: list[str]
) -> None:
    there = install(tmp_path / "site", kind, source, name)
    done = duck(*arguments, home=tmp_path / "home", cwd=project(tmp_path), **there)

    assert (done.returncode, found(done.stdout)) == (1, ["unsafe-eval"])
    assert f"the {kind} {name!r} of duck-quack 1.0 is left out: two {kind}s are called {name!r}: " in done.stderr


def test_a_language_does_not_take_the_files_of_ours(tmp_path: Path) -> None:
    there = install(tmp_path / "site", "language", LANGUAGE)
    done = duck("analyze", ".", "--format", "json", home=tmp_path / "home", cwd=project(tmp_path), **there)

    assert (done.returncode, done.stderr, found(done.stdout)) == (1, "", ["unsafe-eval"])


def test_a_language_whose_grammar_is_missing_costs_its_own_files_only(tmp_path: Path) -> None:
    there = install(tmp_path / "site", "language", LANGUAGE)
    folder = write_tree(project(tmp_path), {"b.quack": "quack\n"})
    done = duck("analyze", ".", "--format", "json", home=tmp_path / "home", cwd=folder, **there)

    assert (done.returncode, found(done.stdout)) == (2, ["unsafe-eval"])
    assert "'b.quack' could not be analysed: ModuleNotFoundError: No module named 'nowhere'" in done.stderr


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("raise KeyError('gone')", "the rule 'no-quack' failed here: KeyError: 'gone'"),
        ("yield 'quack'", "the rule 'no-quack' failed here: TypeError: it yields 'quack', which is no Hit"),
        ("yield Hit(node, 3)", "the rule 'no-quack' failed here: TypeError: it says 3, which is no text"),
        ("raise SystemExit(3)", "the rule 'no-quack' failed here: SystemExit: 3"),
        ("while True: pass", "it took longer than 1 s"),
    ],
)
def test_a_rule_that_fails_or_hangs_costs_no_other_file_its_findings(tmp_path: Path, body: str, detail: str) -> None:
    check = f"yield from ()\n        if file.path == 'b.py':\n            {body}"
    source = RULE.replace('yield Hit(node, "quack() was left in the code")', check)
    there = install(tmp_path / "site", "rule", source)
    folder = write_tree(project(tmp_path), {"b.py": "quack()\n"})
    more = there | {"DUCK_WORKERS_FILE_TIMEOUT_S": "1", "DUCK_WORKERS_COUNT": "1"}
    done = duck("analyze", ".", "--format", "json", home=tmp_path / "home", cwd=folder, **more)

    assert (done.returncode, found(done.stdout)) == (2, ["unsafe-eval"])
    assert f"'b.py' could not be analysed: {detail}" in done.stderr


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (
            "    async def open(self):\n        raise OSError('no device')\n",
            "could not be opened: the operating system refused: no device",
        ),
        (
            "    @classmethod\n    def accepts(cls, request):\n        raise KeyError('gone')\n",
            "failed: KeyError: 'gone'",
        ),
    ],
)
def test_an_engine_that_fails_before_it_begins_leaves_the_request_to_ours(tmp_path: Path, more: str, what: str) -> None:
    source = ENGINE.replace(
        "    async def run", f"    capabilities = ('engines',)\n    priority = 5\n\n{more}\n    async def run"
    )
    there = install(tmp_path / "site", "engine", source)
    done = duck("engines", "outline", home=tmp_path / "home", **there)

    assert (done.returncode, done.stdout.split()[0]) == (0, "outline")
    assert said(done.stderr) == (
        f"duck: warning: the engine 'plugged' {what}; 'engines' answered in its place, "
        "`duck doctor` looks at every engine\n"
    )


def test_asking_for_it_says_why_it_is_not_there(tmp_path: Path) -> None:
    there = install(tmp_path / "site", "engine", "raise ValueError('not today')\n")
    done = duck("plugged", home=tmp_path / "home", **there)

    assert (done.returncode, done.stderr) == (
        2,
        "duck: error: the engine 'plugged' of duck-quack 1.0 is left out: ValueError: not today\n",
    )
    assert duck("--help", home=tmp_path / "home", **there).returncode == 0


def checked(stdout: str, check: str) -> list[tuple[str, str, str]]:
    """What `duck doctor --json` said of one check: each time the state, what was seen, the advice."""
    return [(each["state"], each["seen"], each["advice"]) for each in json.loads(stdout) if each["check"] == check]


@pytest.mark.parametrize("broken", BROKEN)
def test_the_doctor_says_what_is_wrong_with_it_and_how_to_be_rid_of_it(tmp_path: Path, broken: str) -> None:
    kind, source, reason = BROKEN[broken]
    there = install(tmp_path / "site", kind, source) | {"DUCK_WORKERS_COUNT": "1"}
    done = duck("doctor", "--json", home=tmp_path / "home", **there)

    advice = f"repair or update that package, or take it out: {sys.executable} -m pip uninstall duck-quack"
    seen = f"the {kind} {KINDS[kind][1]!r} of duck-quack 1.0 is left out: {reason}"
    assert (done.returncode, done.stderr) == (0, "")
    assert checked(done.stdout, "plug-ins") == [("note", seen, advice)]


def test_the_doctor_says_why_a_workflow_is_left_out_and_others_are_listed(tmp_path: Path) -> None:
    there = install(tmp_path / "site", "workflow", WORKFLOW.replace("    right = Right.CATALOG_READ\n", ""))
    done = duck("doctor", "--json", home=tmp_path / "home", DUCK_WORKERS_COUNT="1", **there)

    ((state, seen, _),) = checked(done.stdout, "plug-ins")
    assert (state, seen) == (
        "note",
        "the workflow 'quacks' of duck-quack 1.0 is left out: "
        "the workflow class duck_quack.Plugged needs a class attribute `right`",
    )
    listed = duck("workflows", "--json", home=tmp_path / "home", **there)
    assert "analyze-project" in {each["name"] for each in json.loads(listed.stdout)["workflows"]}


@pytest.mark.parametrize(("kind", "source"), [("engine", ENGINE), ("rule", RULE), ("workflow", WORKFLOW)])
def test_the_doctor_names_a_plug_in_that_works(tmp_path: Path, kind: str, source: str) -> None:
    there = install(tmp_path / "site", kind, source) | {"DUCK_WORKERS_COUNT": "1"}
    done = duck("doctor", "--json", home=tmp_path / "home", **there)

    seen = f"the {kind} {KINDS[kind][1]!r} of duck-quack 1.0, duck_quack:Plugged"
    assert checked(done.stdout, "plug-ins") == [("well", seen, "")]


@pytest.mark.parametrize(
    ("kind", "source", "check", "seen"),
    [
        (
            "engine",
            ENGINE + "\n    async def open(self):\n        raise OSError('no device')\n",
            "engines",
            "the engine 'plugged' of duck-quack 1.0: the operating system refused: no device",
        ),
        (
            "engine",
            ENGINE + "\n    async def health(self):\n        raise KeyError('gone')\n",
            "engines",
            "the engine 'plugged' of duck-quack 1.0: KeyError: 'gone'",
        ),
        (
            "language",
            LANGUAGE,
            "grammars",
            "the language 'quackish' of duck-quack 1.0: ModuleNotFoundError: No module named 'nowhere'",
        ),
    ],
)
def test_the_doctor_finds_one_that_loads_and_does_not_work(
    tmp_path: Path, kind: str, source: str, check: str, seen: str
) -> None:
    there = install(tmp_path / "site", kind, source) | {"DUCK_WORKERS_COUNT": "1"}
    done = duck("doctor", "--json", home=tmp_path / "home", **there)

    advice = f"repair or update that package, or take it out: {sys.executable} -m pip uninstall duck-quack"
    (well, unwell) = checked(done.stdout, check)
    assert (done.returncode, well[0], unwell) == (0, "well", ("note", seen, advice))
