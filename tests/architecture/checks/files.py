"""What may not stand in a committed file, and whether the locks and the Makefile are as they should be."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.checks.tree import Breach, committed, modules

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    r"""^(?:--|-)(?:index-url|extra-index-url|find-links|i\s)|"resolved":\s*"http|registry\s*=\s*['"]?http"""
    r"|https?://[^\s\"')]+/(?:packages|simple)/|\bpypi" + r"\.org\b|pythonhosted" + r"\.org|registry\.npmjs" + r"\.org",
    re.MULTILINE,
)
MACHINE_PATHS = re.compile(r"(?:^|[^A-Za-z0-9_.-])/(?:work|farm|root|opt/pypi)/|/tmp/(?:corpora|probe)\b", re.MULTILINE)
SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\bxox[abp]-[0-9]{10,}-|\bsk-(?:ant-)?[A-Za-z0-9_-]{40,}"
)
SKIPS = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b")
MARKS = re.compile(r"\b(?:TODO|FIX" + r"ME|XXX)\b")


def registries(root: Path) -> list[Breach]:
    """Hosts of package registries and options that name one."""
    return _matches(root, REGISTRIES, "names a registry: what is installed from where is each machine's own business")


def machine_paths(root: Path) -> list[Breach]:
    """Paths that exist on one machine only."""
    return _matches(root, MACHINE_PATHS, "names a path of somebody's machine")


def secrets(root: Path) -> list[Breach]:
    """Keys and tokens of well-known shapes."""
    return _matches(root, SECRETS, "looks like a secret: revoke it, then take it out")


def skips(root: Path) -> list[Breach]:
    """Tests that may be left out. Only servers.py may, which fails under CI when a server cannot be had."""
    besides = ("tests/architecture/", "tests/servers.py")
    return _matches(root, SKIPS, "leaves a test out", within="tests/", besides=besides)


def unfinished(root: Path) -> list[Breach]:
    """Marks of work that was not ended: comments that say so, bodies that only refuse, errors that are swallowed."""
    found: list[Breach] = []
    for module in modules(root):
        found += [
            module.breach(token.start[0], f"is not ended: {token.string[:60]!r}")
            for token in tokenize.generate_tokens(io.StringIO(module.text).readline)
            if token.type == tokenize.COMMENT and MARKS.search(token.string)
        ]
        for node in module.nodes:
            if isinstance(node, ast.Raise) and node.exc and "NotImplemented" in ast.unparse(node.exc):
                found.append(module.breach(node.lineno, "is not implemented; an abstract method has no body"))
            elif isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body):
                found.append(module.breach(node.lineno, "swallows an error; use contextlib.suppress and say why"))
    return found


def locks(root: Path) -> list[Breach]:
    """Requirements that are not pinned by version and hash, and dependencies that their lock does not satisfy."""
    found: list[Breach] = []
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project.get("dependency-groups", {})
    wanted = {"run": [*project["project"]["dependencies"], *groups.get("build", [])]}
    wanted |= {name: groups[name] for name in ("dev", "bench", "lock") if name in groups}
    for name, dependencies in wanted.items():
        path = f"requirements/{name}.txt"
        text = (root / path).read_text().replace("\\\n", " ")
        pins: dict[str, list[str]] = {}
        for line in text.splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            pin = re.match(r"([A-Za-z0-9._-]+)==(\S+)[^#]*--hash=sha256:[0-9a-f]{64}", line)
            if pin is None:
                found.append(f"{path}:1: {line[:60]!r} is not pinned by version and hash")
            else:
                pins.setdefault(canonicalize_name(pin[1]), []).append(pin[2])
        for dependency in map(Requirement, dependencies):
            held = pins.get(canonicalize_name(dependency.name), [])
            if not any(dependency.specifier.contains(version, prereleases=True) for version in held):
                found.append(f"{path}:1: does not satisfy {dependency}; run `make lock`")
    return found


def dependencies(root: Path) -> list[Breach]:
    """Run-time dependencies that no decision note explains."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    notes = "".join(path.read_text() for path in (root / "docs/decisions").glob("*.md"))
    return [
        f"pyproject.toml:1: {name} is in no table of docs/decisions/: say what it replaces and who keeps it"
        for name in (Requirement(each).name for each in project["project"]["dependencies"])
        if f"`{name}`" not in notes
    ]


def makefile(root: Path) -> list[Breach]:
    """Targets that a person may call and that `make` does not describe, or CONTRIBUTING does not name."""
    text = (root / "Makefile").read_text()
    guide = (root / "CONTRIBUTING.md").read_text()
    declared = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    found: list[Breach] = []
    for target in (declared[1] if declared else "").split():
        if "-" in target or target in {"help", "servers"}:
            continue  # steps of others, and the list itself
        if not re.search(rf"^{target}:.*## \S", text, re.MULTILINE):
            found.append(f"Makefile:1: the target {target!r} has no description after `##`")
        if f"make {target}" not in guide:
            found.append(f"CONTRIBUTING.md:1: does not name `make {target}`")
    return found


def _matches(
    root: Path, pattern: re.Pattern[str], what: str, *, within: str = "", besides: tuple[str, ...] = ()
) -> list[Breach]:
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match[0].strip()[:60]!r}"
        for path, text in committed(root)
        if path.startswith(within) and not path.startswith(besides)
        for match in pattern.finditer(text)
    ]
