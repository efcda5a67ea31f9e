"""What any engine asks a model is charged to the person and to the project, also where no server says which it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rubber_duck.app import App, open_app
from rubber_duck.engines.engine import engines
from rubber_duck.errors import BudgetExceeded
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Actor, Scope
from rubber_duck.settings import load
from rubber_duck.settings.models import BudgetSettings
from tests.factories import write_tree
from tests.fake_provider import Asked, Send, event, fake_provider, head, openai_events, saying
from tests.models import MODEL, connect

CODE = 'def swim(far):\n    """Swims."""\n    return eval(far)\n'
REQUESTS: dict[str, dict[str, Any]] = {  # Any: each engine has a request of its own
    "chat": {"message": "How are you?"},
    "complete": {"type": "suggest", "path": "pond.py", "prefix": "def dive(deep):\n    return ", "suffix": "\n"},
    "explain": {"at": "pond.py:1"},
    "fix": {"at": "pond.py:3", "model": True},
    "generate": {"task": "Write a function that dives."},
    "refactor": {"what": "rewrite", "at": "pond.py", "to": "Use a parser instead of eval."},
    "review": {"files": ["pond.py"]},
    "tests": {"at": "pond.py:1", "model": True},
}
"""A request to every engine that asks a model."""


async def said(asked: Asked, send: Send) -> None:
    """Something that is no code, no JSON and no patch, so that no engine has more to do than to ask."""
    if asked.path.endswith("/embeddings"):
        vectors = [{"index": at, "embedding": [1.0, float(at)]} for at, _ in enumerate(asked.json["input"])]
        await saying({"data": vectors, "usage": {"prompt_tokens": 5}})(asked, send)
    elif "/chat" in asked.path:
        await send(head() + b"".join(openai_events(["(well"])))
    else:
        await send(head() + event({"choices": [{"index": 0, "text": "far", "finish_reason": "stop"}]}))


@asynccontextmanager
async def pond(tmp_path: Path, *names: str, tokens: int = 0) -> AsyncIterator[tuple[App, str]]:
    """A folder that nobody has opened yet; with `tokens` each project may take so many."""
    folder = write_tree(tmp_path / "pond", {"pyproject.toml": "", "pond.py": CODE})
    settings = load({"DUCK_HOME": str(tmp_path / "home")})
    budgets = {"project": BudgetSettings(tokens=tokens)} if tokens else {}
    settings = replace(settings, llm=replace(settings.llm, budgets=budgets, retries=0))
    async with fake_provider(said) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(settings, for_engines=[*names, "projects"]) as app:
            yield app, str(folder)


def test_there_is_a_request_for_every_engine_that_asks_a_model() -> None:
    engines.discover()
    assert {name for name, each in engines.items() if each.role is not None} == set(REQUESTS)


@pytest.mark.parametrize("name", list(REQUESTS))
async def test_what_an_engine_asks_is_charged_to_the_project_of_its_folder(tmp_path: Path, name: str) -> None:
    async with pond(tmp_path, name) as (app, folder):
        scope = Scope.local()
        await app.run(name, {**REQUESTS[name], "directory": folder}, scope)
        (project,) = await app.parts.workspace.projects(scope)
        calls = await app.parts.llm.calls(scope, 9)
    assert {(call.actor, call.project) for call in calls} == {("local", project.id)}


@pytest.mark.parametrize("name", list(REQUESTS))
async def test_an_engine_asks_nothing_beyond_the_projects_budget(tmp_path: Path, name: str) -> None:
    async with pond(tmp_path, name, tokens=3) as (app, folder):
        try:
            said = str(await app.run(name, {**REQUESTS[name], "directory": folder}, Scope.local()))
        except BudgetExceeded as error:
            said = error.message
        assert await app.parts.llm.calls(Scope.local(), 9) == []
    assert "the project's budget" in said


async def test_vectors_are_charged_to_who_indexes_and_searches(tmp_path: Path) -> None:
    async with fake_provider(said) as fake:
        folder = write_tree(tmp_path / "pond", {"pyproject.toml": "", "pond.py": CODE})
        connect(tmp_path / "home", fake)
        settings = load({"DUCK_HOME": str(tmp_path / "home")})
        settings = replace(settings, llm=replace(settings.llm, embed=(MODEL,)))
        ann = Scope(Actor("ann", "Ann"), None, Scope.local().rights, "t" * 32)
        async with open_app(settings, for_engines=["search", "llm"]) as app:
            await app.run("search", {"query": "how to swim far", "directory": str(folder)}, ann)
            (project,) = await app.parts.workspace.projects(ann)
            calls = await app.parts.llm.calls(ann, 9)
    assert [(call.role, call.project) for call in calls] == [(Role.EMBED.value, project.id)] * 2
