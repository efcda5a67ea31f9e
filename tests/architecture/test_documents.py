"""The code in README and docs runs, links lead somewhere, the reference is current; and planted breaches are seen."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rubber_duck.analysis.rule import rules
from tests.architecture.checks import blocks, links
from tests.architecture.planted import ROOT, plant


def test_the_code_in_the_documents_runs() -> None:
    assert "\n".join(blocks.blocks(ROOT)) == ""


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", "AssertionError"),
        ("```toml\nx = \n```\n", "is not valid"),
        ("```toml\n[index]\nignored = []\n```\n", "did you mean 'index.ignore'"),
        ("```json\n{,}\n```\n", "is not valid JSON"),
        ("```console\n$ make tea\n```\n", "there is no `make tea`"),
        ("```console\n$ exit 3\n```\n", "ends with status 3"),
        ("```console\n$ echo one\ntwo\n```\n", "does not print 'two'"),
        ("```sh\nls\n```\n", "a block marked 'sh'"),
    ],
)
def test_code_that_does_not_run_is_caught(tmp_path: Path, block: str, what: str) -> None:
    (breach,) = blocks.blocks(plant(tmp_path, {"docs/a.md": f"# A\n\n{block}", "Makefile": "run:\n"}))
    assert what in breach


def test_files_that_a_document_shows_can_be_used_in_it(tmp_path: Path) -> None:
    shown = "```python\n# file: seven.py\nSEVEN = 7\n```\n"
    used = '```console\n$ python -c "import seven; print(seven.SEVEN)"\n…\n7\n```\n'
    assert blocks.blocks(plant(tmp_path, {"README.md": shown + used})) == []


def test_the_links_in_the_documents_lead_somewhere() -> None:
    assert "\n".join(links.links(ROOT)) == ""


@pytest.mark.parametrize("link", ["[a](gone.md)", "![a](images/gone.png)", "[a](#gone)", "[a](a.md#gone)"])
def test_a_link_that_leads_nowhere_is_caught(tmp_path: Path, link: str) -> None:
    assert len(links.links(plant(tmp_path, {"docs/a.md": f"# A\n\n{link}\n"}))) == 1


def test_the_reference_is_what_the_code_says() -> None:
    assert "\n".join(links.reference(ROOT)) == ""


def test_the_examples_of_rules_keep_their_layout() -> None:
    shown = (ROOT / "docs/reference/rules.md").read_text()
    for rule in rules.discover().values():
        for example in rule.bad[:2]:
            if rule.__module__.startswith("rubber_duck."):
                assert f"\n{example.code.strip(chr(10))}\n```" in shown


def test_a_stale_a_missing_and_a_superfluous_page_are_caught(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "src").symlink_to(ROOT / "src")
    subprocess.run([sys.executable, str(tmp_path / "docs/generate.py")], check=True)
    pages = tmp_path / "docs/reference"
    (pages / "errors.md").write_text((pages / "errors.md").read_text().replace("| no |", "| yes |", 1))
    (pages / "rules.md").unlink()
    (pages / "gone.md").write_text("# Gone\n")
    assert [breach.split()[0] for breach in links.reference(tmp_path)] == [
        "docs/reference/errors.md",
        "docs/reference/gone.md",
        "docs/reference/rules.md",
    ]
