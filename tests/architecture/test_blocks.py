"""The code in README and docs runs; and planted breaches are seen."""

from pathlib import Path

import pytest

from tests.architecture.checks import blocks
from tests.architecture.planted import ROOT, plant


@pytest.mark.parametrize("document", [document for document, _ in blocks.written(ROOT)])
def test_the_code_in_a_document_runs(document: str) -> None:
    assert "\n".join(blocks.blocks(ROOT, document)) == ""


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
