"""`duck memory` from the terminal: remembered, recalled with reasons, told to models, exported, forgotten."""

from __future__ import annotations

import json
from pathlib import Path

from rubber_duck.llm.tokens import count_tokens
from tests.integration.duck import duck


def test_what_is_remembered_is_recalled_told_and_forgotten(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "shop"
    project.mkdir()
    (project / "price.py").write_text("def price():\n    return 1\n")

    def asked(*words: str) -> str:
        done = duck(*words, home=home, cwd=project)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "as a preference" in asked("memory", "remember", "I prefer prices in cents", "--personal")
    asked("memory", "remember", "Team Falcon owns the price list", "--personal")
    recalled = asked("memory", "recall", "who owns the price list?")
    assert "Team Falcon owns the price list" in recalled.splitlines()[0]
    assert "says" in recalled.splitlines()[1]

    context = json.loads(asked("context", "--query", "where are prices made?", "--budget", "600", "--json"))
    assert context["parts"][0]["kind"] == "memory"
    assert "I prefer prices in cents" in context["text"]
    assert count_tokens(context["text"]) <= context["tokens"] <= 600

    exported = json.loads(asked("memory", "export", "--everywhere"))
    assert [each["kind"] for each in exported] == ["preference", "fact"]
    assert asked("memory", "forget", exported[0]["id"]).strip() == "1 forgotten"
    assert asked("memory", "forget", "--everywhere").strip() == "1 forgotten"

    said = '{"session": "a", "asked": "Our mascot is a heron.\u2028Really.", "answered": "Nice."}\n'
    (tmp_path / "said.jsonl").write_text(said, encoding="utf-8")  # a line separator within a text ends no line
    assert asked("memory", "note", str(tmp_path / "said.jsonl")).strip() == "1 interactions noted"
    assert asked("memory", "consolidate", "--everything").startswith("1 interactions condensed")
    assert "heron" in asked("memory", "recall", "which mascot?").splitlines()[0]
    unknown = duck("memory", "forget", exported[0]["id"], home=home)
    assert unknown.returncode != 0
    assert "no such memory" in unknown.stderr
