"""A model that completes is told of what is named near the cursor, and of nothing that the project ignores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rubber_duck.app import App, open_app
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import FakeProvider, event, fake_provider, head, sending

BEFORE = "from lake import depth_of\nfrom secret import key_of\n\n\ndef swim(lake):\n    return "
FILES = {
    "pyproject.toml": "",
    ".gitignore": "secret.py\n",
    "AGENTS.md": "Names are of birds.\n",
    "pond.py": f"{BEFORE}1\n",
    "lake.py": 'def depth_of(lake: str) -> float:\n    """In fathoms."""\n    return len(lake) * 1.5\n',
    "secret.py": "def key_of(lake):\n    return 'canary'\n",
}
SAID = sending(
    head(), event({"choices": [{"index": 0, "text": "depth_of(lake)", "finish_reason": "stop"}]}), b"data: [DONE]\n\n"
)


@asynccontextmanager
async def completing(tmp_path: Path, model: str, flavor: str = "compatible") -> AsyncIterator[tuple[App, FakeProvider]]:
    write_tree(tmp_path / "pond", FILES)
    async with fake_provider(SAID) as fake:
        mine = Connection(name="mine", flavor=flavor, url=fake.url, key="only-a-test", is_private=True)
        (tmp_path / "home").mkdir(mode=0o700)
        write_connections(tmp_path / "home", Connections({"mine": mine}, {Role.COMPLETION: (f"mine/{model}",)}))
        settings = load({"DUCK_HOME": str(tmp_path / "home")})
        settings = replace(settings, llm=replace(settings.llm, cache_s=0))
        async with open_app(settings, for_engines=["complete"]) as app:
            yield app, fake


async def complete(app: App, tmp_path: Path, prefix: str = BEFORE) -> Any:  # Any: an answer
    """A completion, asked until the project is read, as one who types goes on asking."""
    request = {"type": "suggest", "path": str(tmp_path / "pond" / "pond.py"), "prefix": prefix, "suffix": "\n"}
    return await app.run("complete", {**request, "wait_s": 30.0}, Scope.local())


async def told(app: App, fake: FakeProvider, tmp_path: Path) -> Any:  # Any: JSON
    """What is sent once the project is read; a slow machine may take longer for that than a model waits."""
    for number in range(50):
        await complete(app, tmp_path, f"{BEFORE}{'  ' * number}")
        if "depth_of(lake: str)" in fake.asked[-1].body.decode():
            break
    return fake.asked[-1].json


QWEN = "<|repo_name|>project\n<|file_sep|>lake.py\ndef depth_of(lake: str) -> float:"
STAR = "<file_sep>lake.py\ndef depth_of(lake: str) -> float:"


@pytest.mark.parametrize(("model", "begins"), [("qwen-m", QWEN), ("starcoder2-3b", STAR)])
async def test_families_with_marks_for_files_are_told_of_definitions_by_them(
    tmp_path: Path, model: str, begins: str
) -> None:
    async with completing(tmp_path, model) as (app, fake):
        prompt = (await told(app, fake, tmp_path))["prompt"]
    assert prompt.startswith(begins)
    assert "pond.py\n<" in prompt
    assert "Names are of birds" not in prompt


async def test_other_families_are_told_in_comments(tmp_path: Path) -> None:
    async with completing(tmp_path, "deepseek-coder") as (app, fake):
        prompt = (await told(app, fake, tmp_path))["prompt"]
    assert '# lake.py\n# def depth_of(lake: str) -> float:\n#     """In fathoms."""\n' in prompt


async def test_a_server_that_takes_files_beside_the_gap_is_given_them(tmp_path: Path) -> None:
    async with completing(tmp_path, "m", "llamacpp") as (app, fake):
        body = await told(app, fake, tmp_path)
    assert [each["filename"] for each in body["input_extra"]] == ["lake.py"]
    assert body["input_prefix"].startswith("from lake")


async def test_nothing_is_told_of_what_the_project_ignores_also_when_it_does_so_only_now(tmp_path: Path) -> None:
    async with completing(tmp_path, "qwen-m") as (app, fake):
        assert "canary" not in str(await told(app, fake, tmp_path))
        (tmp_path / "pond" / ".gitignore").write_text("secret.py\nlake.py\n")
        await complete(app, tmp_path, f"{BEFORE}7 + ")
        assert "7 + " in fake.asked[-1].body.decode()
        assert "fathoms" not in fake.asked[-1].body.decode()


async def test_a_definition_that_was_changed_since_is_not_told_as_it_was(tmp_path: Path) -> None:
    async with completing(tmp_path, "qwen-m") as (app, fake):
        await told(app, fake, tmp_path)
        (tmp_path / "pond" / "lake.py").write_text("\n\n\ndef wholly_else():\n    return 'nothing'\n")
        await complete(app, tmp_path, f"{BEFORE}7 + ")
        assert "wholly_else" not in fake.asked[-1].body.decode()
        assert "fathoms" not in fake.asked[-1].body.decode()


async def test_in_a_file_that_is_not_saved_yet_a_model_is_asked_without(tmp_path: Path) -> None:
    async with completing(tmp_path, "qwen-m") as (app, fake):
        request = {"type": "suggest", "path": str(tmp_path / "pond" / "new.py"), "prefix": BEFORE, "suffix": "\n"}
        answer = await app.run("complete", {**request, "wait_s": 30.0}, Scope.local())
    assert [each.reason for each in answer.candidates if each.reason == "model"] == ["model"]
    assert fake.asked[0].json["prompt"].startswith("<|fim_prefix|>")
