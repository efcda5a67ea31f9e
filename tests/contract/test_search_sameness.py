"""Both databases give the same hits in the same order: over this program's own code, for fifty questions."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import rubber_duck
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.searching import indexed
from tests.servers import PostgresServer

SOURCE = Path(rubber_duck.__file__).parent

QUESTIONS = """
open a database
lock that other processes wait for
how are files left out of a scan
kill a worker process that hangs
count how often a word stands in a text
translate an error of the driver
which rights does an engine need
read a project's own settings
follow symbolic links inside the root
render the report as one page
suppress a finding with a comment
write a file so that it is never half
time limit while parsing
migrate the schema of the database
shell completion
progress bar on a terminal
name nearest to a wrong one
cancel a transaction
restart a crashed background part
delay before trying again
trace id of a request
find the language of a file
normalize foreign exceptions
soft delete and restore of projects
compress symbols of a file
open_database
record_files
SqliteDatabase
get_facts
FileSymbols
did_you_mean
checked_configuration
_commit_together
LeftOutReason
Transaction.execute
quer*
scan*
open_*
"unchanged files come from the cache"
"the event loop"
/def _[a-z]+_path\\(/
/async def \\w*CLOSE\\b/i
/raise InvalidPath\\(/
symbol:begin
symbol:Database.*
symbol:*_path
lang:python path:storage transaction
path:cli/commands option json
-path:analysis finding
retries -"the event loop"
""".strip().split("\n")


async def test_fifty_questions_have_the_same_first_ten_on_both_databases(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    assert len(QUESTIONS) == 50
    files = {
        str(path.relative_to(SOURCE)): path.read_bytes()
        for folder in ("storage", "workspace", "cli", "code", "engines", "settings")
        for path in sorted((SOURCE / folder).rglob("*.py"))
    }
    async with AsyncExitStack() as stack:
        name = stack.enter_context(postgres_server.database())
        answers = []
        for number, url in enumerate((f"sqlite:///{tmp_path}/duck.db", postgres_server.url(name))):
            database = await stack.enter_async_context(open_database(DatabaseSettings(url=url)))
            project = await stack.enter_async_context(indexed(database, tmp_path / str(number), files))
            answers.append({question: (await project.find(question)).hits for question in QUESTIONS})
    assert answers[0] == answers[1]
    assert [question for question, hits in answers[0].items() if not hits] == []
