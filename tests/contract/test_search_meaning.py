"""With an embeddings model, chunks are also found by what they mean; without its answers, as if there were none."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.errors import Unavailable
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.providers.scripted import ScriptedProvider
from rubber_duck.scope import Scope
from rubber_duck.search.hits import ReasonKind
from rubber_duck.search.search import Embedded, Embedder, open_search
from rubber_duck.settings import load
from rubber_duck.storage.database import Database
from rubber_duck.storage.vectors import Model, vectors
from rubber_duck.workspace.workspace import Workspace
from tests.contract.searching import Indexed
from tests.factories import MOMENT

FILES = {
    "bird.py": "def swim(far):\n    return paddle(far)\n",
    "nest.py": "def hatch(eggs):\n    return [warm(egg) for egg in eggs]\n",
    "README.md": "# Pond\n\nWater.\n",
}
CONCEPTS = ("swim paddle float", "hatch egg brood", "pond water lake")


class Model3:
    """Turns a text into how often it speaks of three things, in whatever words; fails when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False

    async def embed(self, scope: Scope, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector of three numbers for each text."""
        if self.fails:
            raise Unavailable("the endpoint does not answer")
        self.asked += texts
        return [[1e-9 + sum(text.lower().count(word) for word in each.split()) for each in CONCEPTS] for text in texts]


@asynccontextmanager
async def meant(database: Database, folder: Path, model: Model3, name: str = "three") -> AsyncIterator[Indexed]:
    """The project, with chunks found by what `model` makes of them."""
    settings = load({"DUCK_HOME": str(folder.parent / "home"), "DUCK_WORKERS_COUNT": "1"})
    local = Scope.local()
    os.makedirs(folder, exist_ok=True)
    project = await Workspace(database, clock=lambda: MOMENT).open_project(local, str(folder))
    embedder = Embedder(name, model.embed, at_once=2)
    async with open_search(database, settings, clock=lambda: MOMENT, embedder=embedder) as search:
        opened = Indexed(folder, local.within(project.id), search, settings)
        opened.write(FILES)
        await opened.update()
        yield opened


async def test_chunks_are_found_by_what_they_mean_with_that_as_the_reason(database: Database, tmp_path: Path) -> None:
    model = Model3()
    async with meant(database, tmp_path / "p", model) as project:
        found = await project.find("brood them please")
        assert [(hit.path, [reason.kind for reason in hit.reasons]) for hit in found.hits[:1]] == [
            ("nest.py", [ReasonKind.MEANING])
        ]
        assert found.unknown == ("brood", "them", "please")
        assert await project.places("float water hatch", limit=3) != []
        asked = len(model.asked)
        assert await project.places("swim") == ["bird.py swim"]  # a name, about which nobody is asked
        assert len(model.asked) == asked


async def test_only_what_has_changed_is_asked_about_and_another_model_about_everything(
    database: Database, tmp_path: Path
) -> None:
    first, second = Model3(), Model3()
    async with meant(database, tmp_path / "p", first) as project:
        assert len(first.asked) == 3
        first.asked.clear()
        project.write({"bird.py": FILES["bird.py"] + "\n\ndef fly(high):\n    return flap(high)\n"})
        (project.folder / "nest.py").unlink()
        await project.update()
        await project.update()
        assert [text.split("\n")[0] for text in first.asked] == ["bird.py fly"]
        assert "nest.py hatch" not in await project.places("brood them please")
    async with meant(database, tmp_path / "p", second, name="other"):
        assert len(second.asked) == 3
        assert await database.run(lambda connection: vectors(connection, 1).model()) == Model("other", 3)


async def test_a_model_that_does_not_answer_costs_nothing_else(database: Database, tmp_path: Path) -> None:
    model = Model3()
    model.fails = True
    told: list[str] = []
    with telemetry.listening(lambda name, fields: told.append(f"{name} {fields.get('error')}")):
        async with meant(database, tmp_path / "p", model) as project:
            found = await project.find("hatch the eggs")
            assert [hit.name for hit in found.hits] == ["hatch"]
            assert found.without_meaning == "the endpoint does not answer"
            status = await project.search.status(project.scope)
            assert status.embedded == Embedded("three", 0, "the endpoint does not answer")
            model.fails = False
            behind = await project.find("hatch the eggs")
            assert behind.without_meaning == "the endpoint does not answer"  # when it was indexed
            await project.update()
            assert len(model.asked) == 4
            assert (await project.search.status(project.scope)).embedded == Embedded("three", 3)
            assert (await project.find("hatch the eggs")).without_meaning == ""
        async with meant(database, tmp_path / "p", Model3(), name="other") as project:
            assert (await project.search.status(project.scope)).embedded == Embedded("other", 3)
    assert "search.embedding_stopped the endpoint does not answer" in told


@pytest.mark.parametrize("answer", [[], [[1.0]], [[1.0], [1.0, 2.0]], [[float("nan")], [1.0]], [[], []]])
async def test_an_answer_that_is_none_is_like_no_answer(
    database: Database, tmp_path: Path, answer: list[list[float]]
) -> None:
    model = Model3()

    async def embed(scope: Scope, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return answer

    model.embed = embed  # type: ignore[method-assign]  # the double's own way to answer
    async with meant(database, tmp_path / "p", model) as project:
        assert await project.places("hatch the eggs") == ["nest.py hatch"]


async def test_the_scripted_provider_serves(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()
    model = Model3()

    async def embed(scope: Scope, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return (await provider.embed("words", texts, Errand())).vectors

    model.embed = embed  # type: ignore[method-assign]  # as above
    async with meant(database, tmp_path / "p", model) as project:
        assert (await project.places("how to hatch eggs"))[0] == "nest.py hatch"
        assert len(provider.asked.texts) == 3
