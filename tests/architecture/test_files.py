"""What may not stand in a committed file, the locks and the Makefile, in the repository and in planted breaches."""

from pathlib import Path

import pytest

from tests.architecture.checks import files
from tests.architecture.checks.law import Check
from tests.architecture.planted import ROOT, plant

CHECKS: list[Check] = [
    files.registries,
    files.machine_paths,
    files.secrets,
    files.skips,
    files.unfinished,
    files.locks,
    files.dependencies,
    files.makefile,
]
PROJECT = '[project]\ndependencies = ["click>=8"]\n'
HASH = "--hash=sha256:" + "0" * 64

# In pieces, so that this file itself has none of them.
PLANTED: list[tuple[Check, dict[str, str]]] = [
    (files.registries, {"requirements/run.txt": "--index" + "-url https://mirror.example/x\n"}),
    (files.registries, {"web/package-lock.json": '{"resolved": ' + '"https://mirror.example/a.tgz"}'}),
    (files.registries, {"README.md": "see https://mirror.example/" + "simple/click\n"}),
    (files.registries, {"docs/a.md": "from files.python" + "hosted.org\n"}),
    (files.machine_paths, {"docs/a.md": "cd /" + "root/code\n"}),
    (files.machine_paths, {"benchmarks/a.py": 'DATA = "/' + 'work/x"\n'}),
    (files.secrets, {"tests/data/key.pem": "-----BEGIN PRIVATE" + " KEY-----\n" + "A" * 64}),
    (files.secrets, {"src/a.py": 'key = "AKIA' + 'ABCDEFGHIJKLMNOP"\n'}),
    (files.skips, {"tests/unit/test_a.py": "@pytest.mark." + "skip\ndef test_a(): ...\n"}),
    (files.unfinished, {"src/rubber_duck/a.py": "x = 1  # TO" + "DO later\n"}),
    (files.unfinished, {"src/rubber_duck/a.py": "try: f()\nexcept ValueError: pa" + "ss\n"}),
    (files.unfinished, {"src/rubber_duck/a.py": "def f():\n    raise NotImplementedError\n"}),
    (files.locks, {"pyproject.toml": PROJECT, "requirements/run.txt": f"click==7.0 {HASH}\n"}),
    (files.locks, {"pyproject.toml": PROJECT, "requirements/run.txt": f"click==8.1 {HASH}\nrich>=14 {HASH}\n"}),
    (files.locks, {"pyproject.toml": PROJECT, "requirements/run.txt": f"click==8.1 {HASH}\nrich==14\n"}),
    (files.dependencies, {"pyproject.toml": PROJECT, "docs/decisions/0001-a.md": "`clicks` is not it\n"}),
    (files.makefile, {"Makefile": ".PHONY: run\nrun:\n", "CONTRIBUTING.md": "`make run`\n"}),
    (files.makefile, {"Makefile": ".PHONY: run\nrun: ## Runs\n", "CONTRIBUTING.md": "\n"}),
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_repository_holds_nothing_that_may_not_stand_in_it(check: Check) -> None:
    assert "\n".join(check(ROOT)) == ""


@pytest.mark.parametrize(("check", "content"), PLANTED)
def test_what_may_not_be_committed_is_caught(tmp_path: Path, check: Check, content: dict[str, str]) -> None:
    assert len(check(plant(tmp_path, content))) == 1
