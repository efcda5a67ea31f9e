"""The complete analysis as a workflow, on SQLite and on PostgreSQL: its stages, its review, and what fails in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rubber_duck.analysis.analysis import Analysis, OnProgress
from rubber_duck.analysis.outcome import Outcome
from rubber_duck.analysis.target import Target
from rubber_duck.app import App, open_app
from rubber_duck.call import Parts
from rubber_duck.errors import ProviderUnavailable, Unavailable, UnknownName
from rubber_duck.jobs.hands import Hands
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope, new_trace
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import AnalysisSettings
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.working import working
from tests.durable import QUICK, until
from tests.factories import write_tree
from tests.fake_provider import fake_provider, head, openai_events, saying, sending
from tests.models import answering, connect

ME = Scope.local()
FILES: Mapping[str, str | bytes] = {
    "bad.py": "import os\n\n\ndef f():\n    return eval(input())\n",
    "good.py": "def g(values):\n    return values[0]\n",
}


@dataclass(slots=True)
class Analysing:
    """An application that works through its queues; `ask` is the engine `review`, asked for one file at a time."""

    app: App
    folder: Path

    async def answer(self, **request: object) -> dict[str, Any]:  # Any: JSON
        """The answer of an analysis of the folder."""
        work = self.app.parts.workflows
        asked = {"path": str(self.folder), "format": "json", **request}
        run_id = await work.start(ME, "analyze-project", asked)
        found: dict[str, Any] = await work.answer(ME, run_id)  # Any: as above
        return found

    async def steps(self) -> list[str]:
        """The steps of the newest run."""
        work = self.app.parts.workflows
        (newest,) = await work.runs(ME, limit=1)
        return [step.name for step in await work.steps(ME, newest.id)]


Ask = Callable[[App, str], Awaitable[dict[str, Any]]]  # Any: JSON, as the engine answers


@asynccontextmanager
async def analysing(
    database: DatabaseSettings, tmp_path: Path, ask: Ask, *, url: str = "", least: str = "info"
) -> AsyncIterator[Analysing]:
    """Analyses over a database, with a model at `url` if one is given."""
    home = tmp_path / "home"
    home.mkdir()
    if url:
        kept = Connections().with_provider(Connection(name="p", flavor="openai", url=url, key="only-a-test-1"))
        write_connections(home, kept.with_chain(Role.CHAT, ("p/m-1",)))
    analysis = AnalysisSettings(min_severity=least)  # type: ignore[arg-type]  # one of the names
    settings = Settings(home=str(home), database=database, workflows=QUICK, analysis=analysis)
    async with open_app(settings, for_engines=["workflow"]) as app, working(app.parts.workflows):

        async def engine(name: str, request: object, scope: Scope) -> object:
            assert isinstance(request, dict)
            assert (name, request["model"]) == ("review", True)
            (path,) = request["files"]
            return await ask(app, path)

        app.parts.workflows.lend(Hands(app.parts, engine))
        yield Analysing(app, write_tree(tmp_path / "p", FILES))


async def _has_step(work: Durable, run_id: str, name: str) -> bool:
    return name in [step.name for step in await work.steps(ME, run_id)]


async def _is(work: Durable, run_id: str, state: str) -> bool:
    return (await work.show(ME, run_id)).state == state


def report_of(answer: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The report that an answer tells of."""
    report: dict[str, Any] = json.loads(Path(answer["report"]).read_text())
    return report


async def nobody(_: App, path: str) -> dict[str, Any]:  # Any: as Ask
    """Nobody reviews."""
    raise UnknownName("there is no engine 'review'")


async def by_a_model(app: App, path: str) -> dict[str, Any]:  # Any: as Ask
    """Ask the model for one remark on line 2, and say beside it what a rule said."""
    question = f"{path} {new_trace()}"  # the same one would be answered from the cache
    said = await app.parts.llm.write(ME, Role.CHAT, Prompt((Message(Speaker.USER, question),)))
    line = {"path": path, "line": 2, "severity": "high", "confidence": 0.9, "evidence": "    return values[0]"}
    return {
        "remarks": [{**line, "message": said.text, "source": "model"}, {**line, "message": "no", "source": "a-rule"}],
        "model": "p/m-1",
        "files": [path],
    }


async def test_every_stage_is_a_step_and_without_a_model_it_says_that_there_was_no_review(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with analysing(settings, tmp_path, nobody) as found:
        answer = await found.answer()
        stages = ["validate", "detect", "analyse 1 of 1", "choose what to review", "aggregate", "report"]
        assert await found.steps() == stages
        assert (answer["files"], answer["review"]) == (2, "no model is configured: `duck llm connect` changes that")
        assert answer["failed"] == []
        assert (await found.answer(review=0))["review"] == "it was not asked for"


async def test_a_model_reviews_the_worst_files_and_its_remarks_stand_in_the_report(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with (
        fake_provider(sending(head(), *openai_events(["an empty list has no first element"]))) as server,
        analysing(settings, tmp_path, by_a_model, url=server.url) as found,
    ):
        answer = await found.answer(review=1)
        assert (await found.steps())[3:] == ["choose what to review", "review bad.py", "aggregate", "report"]
        assert (answer["reviewed"], answer["remarks"]) == (1, 1)
        answer = await found.answer()
        assert (answer["reviewed"], answer["remarks"]) == (2, 2)
        report = report_of(answer)
        remarks = [each for file in report["files"] for each in file["findings"] if each["rule"] == "review"]
        assert [each["message"] for each in remarks] == ["an empty list has no first element"] * 2
        assert len(server.asked) == 2  # the first file was not reviewed a second time
        (found.folder / "good.py").write_text("def g(values):\n    return values[-1]\n")
        await found.answer()
        assert len(server.asked) == 3


async def test_the_reviewing_engine_asks_a_provider_and_what_it_says_of_a_line_stands_in_the_report(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    said = {"line": 2, "quote": "    return values[0]", "message": "An empty list has no first element."}
    remark = {**said, "severity": "high", "confidence": 0.9}
    async with fake_provider(*answering({"remarks": [remark]})) as server:
        (tmp_path / "home").mkdir()
        connect(tmp_path / "home", server)
        chosen = Settings(home=str(tmp_path / "home"), database=settings, workflows=QUICK)
        async with open_app(chosen, for_engines=["workflow"]) as app, working(app.parts.workflows):
            found = Analysing(app, write_tree(tmp_path / "p", {"good.py": FILES["good.py"], "pyproject.toml": ""}))
            answer = await found.answer()
            assert "review good.py" in await found.steps()
            again = await found.answer()
        assert len(server.asked) == 1  # nothing has changed, so nothing is reviewed again
    assert (answer["reviewed"], answer["remarks"], answer["failed"], answer["review"]) == (1, 1, [], "")
    assert again["remarks"] == 1
    assert "2 |     return values[0]" in server.asked[0].json["messages"][-1]["content"]
    (finding,) = [each for file in report_of(answer)["files"] for each in file["findings"] if each["rule"] == "review"]
    assert (finding["message"], finding["severity"]) == ("An empty list has no first element.", "high")


async def test_a_review_that_the_model_could_not_make_is_said_and_made_by_the_next_analysis(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    said = {"line": 2, "quote": "    return values[0]", "message": "An empty list has no first element."}
    remark = {**said, "severity": "high", "confidence": 0.9}
    async with fake_provider(saying({"error": {"message": "wrong key"}}, 401)) as server:
        (tmp_path / "home").mkdir()
        connect(tmp_path / "home", server)
        chosen = Settings(home=str(tmp_path / "home"), database=settings, workflows=QUICK)
        async with open_app(chosen, for_engines=["workflow"]) as app, working(app.parts.workflows):
            found = Analysing(app, write_tree(tmp_path / "p", {"good.py": FILES["good.py"], "pyproject.toml": ""}))
            answer = await found.answer()
            server.answers[:] = answering({"remarks": [remark]})
            again = await found.answer()
    (failed,) = answer["failed"]
    assert failed.startswith("the review of 'good.py' failed: the model could not be asked: ")
    assert (answer["reviewed"], again["reviewed"], again["remarks"], again["failed"]) == (0, 1, 1, [])


async def test_what_fails_in_a_review_is_said_and_the_rest_stands(settings: DatabaseSettings, tmp_path: Path) -> None:
    async def half(app: App, path: str) -> dict[str, Any]:  # Any: as Ask
        if path == "bad.py":
            raise ProviderUnavailable("the model is away")
        return await by_a_model(app, path)

    async with (
        fake_provider(sending(head(), *openai_events(["look"]))) as server,
        analysing(settings, tmp_path, half, url=server.url) as found,
    ):
        answer = await found.answer()
        assert answer["failed"] == ["the review of 'bad.py' failed: the model is away"]
        assert (answer["reviewed"], answer["remarks"], answer["files"]) == (1, 1, 2)
        assert answer["findings"] > 1


async def test_a_run_goes_on_with_the_review_that_it_chose_whatever_is_connected_then(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def half(app: App, path: str) -> dict[str, Any]:  # Any: as Ask
        if path == "bad.py":
            reached.set()
            await gate.wait()
        return await by_a_model(app, path)

    async with (
        fake_provider(sending(head(), *openai_events(["look"]))) as server,
        analysing(settings, tmp_path, half, url=server.url) as found,
    ):
        work, kept = found.app.parts.workflows, found.app.parts.llm.connections()
        run_id = await work.start(ME, "analyze-project", {"path": str(found.folder), "format": "json"})
        await reached.wait()
        await until(lambda: _has_step(work, run_id, "review good.py"))
        await work.pause(ME, run_id)
        write_connections(tmp_path / "home", Connections())
        await work.resume(ME, run_id)
        await until(lambda: _is(work, run_id, "working"))
        write_connections(tmp_path / "home", kept)
        gate.set()
        answer = await work.answer(ME, run_id)
        assert (answer["reviewed"], answer["failed"]) == (2, [])


async def test_a_chain_of_models_that_are_not_connected_costs_the_review_alone(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with analysing(settings, tmp_path, nobody) as found:
        write_connections(tmp_path / "home", Connections(roles={Role.CHAT: ("gone/m-1",)}))
        answer = await found.answer()
        assert "that provider is not connected" in answer["review"]
        assert (answer["files"], answer["failed"]) == (2, [])


async def test_where_no_engine_reviews_that_is_said(settings: DatabaseSettings, tmp_path: Path) -> None:
    async with analysing(settings, tmp_path, nobody, url="http://127.0.0.1:9/v1") as found:
        answer = await found.answer()
        assert (answer["review"], answer["files"]) == ("there is no engine 'review'", 2)


async def test_remarks_below_the_readers_severity_do_not_count(settings: DatabaseSettings, tmp_path: Path) -> None:
    async with (
        fake_provider(sending(head(), *openai_events(["look"]))) as server,
        analysing(settings, tmp_path, by_a_model, url=server.url, least="critical") as found,
    ):
        answer = await found.answer()
        assert (answer["reviewed"], answer["remarks"], answer["findings"]) == (2, 0, 0)


async def test_a_file_that_fails_is_named_and_the_rest_stands(settings: DatabaseSettings, tmp_path: Path) -> None:
    async with analysing(settings, tmp_path, nobody) as found:
        (found.folder / "deep.py").write_text("x = " + "(" * 200_000 + ")" * 200_000 + "\n")
        (found.folder / "gone.py").symlink_to("nowhere.py")
        answer = await found.answer()
        problems = report_of(answer)["problems"]
        assert {each["path"] for each in problems} >= {"deep.py"}
        assert answer["findings"] >= 2


class Flaky:
    """An analysis that fails on every batch with a file of that name."""

    def __init__(self, analysis: Analysis, name: str) -> None:
        self.analysis = analysis
        self.name = name

    async def run(self, target: Target, on_progress: OnProgress) -> Outcome:
        """As the analysis, or Unavailable."""
        if self.name in target.only:
            raise Unavailable("the disk is away")
        return await self.analysis.run(target, on_progress)


async def test_a_batch_that_fails_is_said_with_its_files_and_the_others_stand(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with analysing(settings, tmp_path, nobody) as found:
        for number in range(120):
            (found.folder / f"f{number:03}.py").write_text(f"x = {number}\n")
        parts = found.app.parts
        flaky = Parts(parts.settings, {**parts.opened, "analysis": Flaky(parts.analysis, "f060.py")})
        parts.workflows.lend(Hands(flaky, found.app.run))
        answer = await found.answer()
        assert answer["failed_batches"] == 1
        (said,) = answer["failed"]
        assert said.endswith(" on were not analysed: the disk is away")
        assert (answer["files"], [step for step in await found.steps() if "analyse" in step]) == (
            122,
            ["analyse 1 of 3", "analyse 2 of 3", "analyse 3 of 3"],
        )
