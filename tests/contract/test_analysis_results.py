"""What analyses found is kept by project and file, comes back whole, and is nobody else's."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.finding import Confidence, Edit, Fix, Kind, Severity, Span
from rubber_duck.analysis.result import AnalysisResult
from rubber_duck.analysis.store import results_of
from rubber_duck.errors import Denied, InvalidInput
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database
from tests.factories import make_file, make_finding, make_project, make_result

LOCAL = Scope.local()
OTHER = Scope(Actor("other", "Other"), None, frozenset(Right), "t" * 32)

WHOLE = make_finding(
    span=Span(2, 3, 4, 5),
    rule="sql-injection",
    severity=Severity.CRITICAL,
    confidence=Confidence.LOW,
    message="größe\n“x” \ud83e",
    cwe=89,
    fix=Fix("bind it", (Edit(1, 2, "?"), Edit(5, 5, "")), safe=False),
    suppressed="a test",
)
"""A finding that uses every field."""


async def read(
    database: Database, scope: Scope, *, path: str | None = None, kind: Kind | None = None
) -> list[AnalysisResult]:
    async with database.begin(write=False) as tx:
        return await results_of(scope, tx, path=path, kind=kind)


async def test_a_result_comes_back_as_it_was_kept(database: Database) -> None:
    project = await make_project(database, LOCAL)
    scope = LOCAL.within(project.id)
    file = await make_file(database, LOCAL, project)
    result = await make_result(database, scope, file, findings=(WHOLE, make_finding()))
    assert await read(database, scope) == [result]


async def test_results_come_by_path_and_kind_and_can_be_chosen_by_either(database: Database) -> None:
    project = await make_project(database, LOCAL)
    scope = LOCAL.within(project.id)
    b = await make_file(database, LOCAL, project, path="b.py")
    a = await make_file(database, LOCAL, project, path="a.py")
    of_b = await make_result(database, scope, b, kind=Kind.STYLE)
    of_a = await make_result(database, scope, a)
    assert await read(database, scope) == [of_a, of_b]
    assert await read(database, scope, path="b.py") == [of_b]
    assert await read(database, scope, kind=Kind.SECURITY) == [of_a]


async def test_results_of_a_file_replace_those_of_before(database: Database) -> None:
    project = await make_project(database, LOCAL)
    scope = LOCAL.within(project.id)
    file = await make_file(database, LOCAL, project)
    await make_result(database, scope, file, kind=Kind.STYLE)
    await make_result(database, scope, file)
    last = await make_result(database, scope, file, content_hash="2" * 32, findings=())
    assert await read(database, scope) == [last]


async def test_nobody_else_reads_or_writes_them(database: Database) -> None:
    project, another = await make_project(database, LOCAL), await make_project(database, LOCAL)
    file = await make_file(database, LOCAL, project)
    await make_result(database, LOCAL.within(project.id), file)
    for scope in (LOCAL.within(another.id), OTHER.within(project.id)):
        assert await read(database, scope) == []
        with pytest.raises(Denied):
            await make_result(database, scope, file)


async def test_reading_and_writing_need_a_right_each(database: Database) -> None:
    project = await make_project(database, LOCAL)
    file = await make_file(database, LOCAL, project)
    reader = Scope(LOCAL.actor, project.id, frozenset(Right) - {Right.ANALYSIS_RUN}, LOCAL.trace)
    writer = Scope(LOCAL.actor, project.id, frozenset(Right) - {Right.FILE_READ}, LOCAL.trace)
    result = await make_result(database, writer, file)
    with pytest.raises(Denied, match=r"analysis\.run"):
        await make_result(database, reader, file)
    with pytest.raises(Denied, match=r"file\.read"):
        await read(database, writer)
    assert await read(database, reader) == [result]


async def test_a_finding_of_another_kind_is_refused(database: Database) -> None:
    project = await make_project(database, LOCAL)
    file = await make_file(database, LOCAL, project)
    with pytest.raises(InvalidInput, match="a security finding cannot be in a result of kind 'style'"):
        await make_result(database, LOCAL.within(project.id), file, kind=Kind.STYLE, findings=(make_finding(),))
