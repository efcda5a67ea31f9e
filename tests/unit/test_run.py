"""The application runs an engine for whoever asks: with the parts it needs, under the trace of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from rubber_duck import telemetry
from rubber_duck.app import App
from rubber_duck.call import Call, Delta, Parts, Progress
from rubber_duck.engines.roster import AnyEngine
from rubber_duck.errors import Denied, DuckError, InvalidDeclaration, InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.supervision import Supervisor
from tests.unit.engines.samples import NOBODY, Ask, Said, engine, failure, roster, scope


def _application(*classes: type[AnyEngine], opened: Mapping[str, object] | None = None) -> App:
    settings = Settings()
    return App(settings, Parts(settings, opened or {}), roster(*classes), Supervisor())


async def test_a_request_reaches_its_engine_and_the_answer_comes_back() -> None:
    assert await _application(engine()).run("sample", {"text": "ab", "times": 2}, scope()) == Said("abab")


async def test_what_the_engine_says_meanwhile_reaches_the_asker() -> None:
    async def talk(request: Ask, call: Call) -> Said:
        call.emit(Progress(0, 1, "begun"))
        call.emit(Delta("x"))
        return Said("x")

    said: list[Delta | Progress] = []
    await _application(engine(answering=talk)).run("sample", Ask("x"), scope(), said.append)

    assert said == [Progress(0, 1, "begun"), Delta("x")]


async def test_the_engine_knows_who_asks_and_the_settings() -> None:
    seen: list[object] = []

    async def look(request: Ask, call: Call) -> Said:
        seen.extend([call.scope, call.settings])
        return Said("")

    asking = scope()
    application = _application(engine(answering=look))
    await application.run("sample", Ask("x"), asking)

    assert seen == [asking, application.settings]


async def test_an_engine_sees_only_the_parts_it_needs() -> None:
    seen: list[Mapping[str, object]] = []

    async def look(request: Ask, call: Call) -> Said:
        seen.append(call.parts.opened)
        return Said("")

    application = _application(engine(answering=look, needs=("workspace",)), opened={"workspace": "w", "analysis": "a"})
    await application.run("sample", Ask("x"), scope())

    assert seen == [{"workspace": "w"}]


async def test_every_task_an_engine_starts_carries_the_trace_of_the_request() -> None:
    async def trace() -> str | None:
        return telemetry.correlation_id()

    async def work(request: Ask, call: Call) -> Said:
        return Said(
            f"{await trace()} {await asyncio.create_task(trace())} {await asyncio.to_thread(telemetry.correlation_id)}"
        )

    asking = scope()
    answer = await _application(engine(answering=work)).run("sample", Ask("x"), asking)

    assert answer == Said(" ".join([asking.trace] * 3))


async def test_the_trace_ends_with_the_request() -> None:
    await _application(engine()).run("sample", Ask("x"), scope())

    assert telemetry.correlation_id() is None


@pytest.mark.parametrize(
    ("asking", "request_", "kind"),
    [
        (lambda: NOBODY, {"no": "request"}, Denied),
        (scope, {"no": "request"}, InvalidInput),
    ],
)
async def test_the_right_is_checked_before_the_request_is_read(
    asking: Callable[[], Scope], request_: object, kind: type[DuckError]
) -> None:
    assert type(await failure(_application(engine()).run("sample", request_, asking()))) is kind


async def test_several_engines_run_at_once() -> None:
    everybody = asyncio.Barrier(3)

    async def together(request: Ask, call: Call) -> Said:
        await everybody.wait()
        return Said(request.text)

    names = ("a", "b", "c")
    application = _application(*(engine(name, answering=together) for name in names))

    assert await asyncio.gather(*(application.run(name, Ask(name), scope()) for name in names)) == [
        Said(name) for name in names
    ]


async def test_an_engine_whose_part_was_not_opened_is_told_when_it_reaches_for_it() -> None:
    async def reach(request: Ask, call: Call) -> Said:
        return Said(str(call.parts.workspace))

    error = await failure(_application(engine(answering=reach, needs=("workspace",))).run("sample", Ask("x"), scope()))

    assert type(error) is InvalidDeclaration
