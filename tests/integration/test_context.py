"""`duck context` shows what a model would be told, and tells nothing of what the project ignores or of another one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.factories import write_tree
from tests.integration.duck import duck

FILES = {
    ".gitignore": "secret.py\n",
    "AGENTS.md": "Prices are integers.\n",
    "prices.py": "def price_of(item):\n    return item.price\n",
    "secret.py": "def price_of(item):\n    return 'hunter2'\n",
    "shop.py": "from prices import price_of\n\n\ndef sell(item):\n    return price_of(item)\n",
}


def test_a_place_is_explained_part_by_part(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    done = duck("context", "shop.py:5:12", home=tmp_path / "home", cwd=folder)
    assert done.returncode == 0, done.stderr
    for said in ("rules AGENTS.md", "definition prices.py:1-2", "is imported here", "strategy fim", "of 4,000 tokens"):
        assert said in done.stdout


def test_the_text_alone_is_what_a_model_would_get(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    home = tmp_path / "home"
    answer = json.loads(duck("context", "--query", "price", "--json", home=home, cwd=folder).stdout)
    text = duck("context", "--query", "price", "--text", home=home, cwd=folder).stdout
    assert text.rstrip() == answer["text"].rstrip()
    assert answer["strategy"] == "retrieval"
    assert answer["tokens"] <= answer["budget_tokens"] == 4000
    assert "def price_of(item):" in text


def test_ignored_files_and_other_projects_are_never_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    other = write_tree(tmp_path / "other", {"prices.py": "def price_of(item):\n    return 'swordfish'\n"})
    assert duck("index", str(other), home=home).returncode == 0
    folder = write_tree(tmp_path / "p", FILES)
    asked = (("shop.py:5",), ("--query", "price_of"), ("shop.py:5", "--query", "price", "--budget", "50000"))
    for arguments in asked:
        done = duck("context", *arguments, "--json", home=home, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "hunter2" not in done.stdout
        assert "swordfish" not in done.stdout
    refused = duck("context", "secret.py:1", home=home, cwd=folder)
    assert (refused.returncode, "is not among the project's files" in refused.stderr) == (2, True)


def test_a_place_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    for place, said in (("shop.py:0", "count from 1"), ("shop.py:99", "no line 99"), (".", "is a folder")):
        done = duck("context", place, home=tmp_path / "home", cwd=folder)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
