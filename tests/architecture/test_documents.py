"""Links lead somewhere and the reference is current; and planted breaches are seen."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rubber_duck.analysis.rule import rules
from tests.architecture.checks import links
from tests.architecture.planted import ROOT, plant


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
