"""An explanation says what is known without a model, and streams what a model says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.app import open_app
from rubber_duck.call import Delta, Progress
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import fake_provider, head, openai_events, sending
from tests.models import connect

FILES = {
    "pyproject.toml": "",
    "pond.py": 'import os\n\n\ndef swim(far):\n    """Swims."""\n    return far\n',
    "nest.py": "from pond import swim\n",
}


async def test_what_is_known_is_said_without_a_model(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", FILES)
    async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["explain"]) as app:
        found = await app.run("explain", {"at": "pond.py:6", "directory": str(pond)}, Scope.local())
        assert (found.start_line, found.end_line, found.mentioned) == (4, 6, ("nest.py:1",))
        assert [(each.name, each.about) for each in found.definitions] == [("swim", "Swims.")]
        assert "duck llm connect" in found.note
        with pytest.raises(InvalidInput, match="behind the end"):
            await app.run("explain", {"at": "pond.py:60", "directory": str(pond)}, Scope.local())


async def test_a_models_words_come_as_they_are_written(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", FILES)
    heard: list[Delta | Progress] = []
    async with fake_provider(sending(head(), *openai_events(["It ", "swims."]))) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["explain"]) as app:
            request = {"at": "pond.py:4", "question": "Why?", "directory": str(pond)}
            found = await app.run("explain", request, Scope.local(), heard.append)
        told = fake.asked[0].json["messages"][1]["content"]
    assert found.text == "It swims."
    assert [each.text for each in heard if isinstance(each, Delta)] == ["It ", "swims."]
    assert ("4 | def swim(far):" in told, "import os" in told, "Why?" in told) == (True, False, True)
