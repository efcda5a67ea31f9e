"""What a search promises is the same on both databases."""

from __future__ import annotations

from pathlib import Path

from rubber_duck.search.hits import ReasonKind
from rubber_duck.storage.database import Database
from tests.contract.searching import indexed

FILES = {
    "mail/send.py": '''
"""Sending of letters."""

from mail.queue import Queue

RETRIES = 3


def send_letter(address, text, attachments=()):
    """Put a letter into the queue, with its attachments."""
    queue = Queue(RETRIES)
    return queue.append_letter(address, text, attachments)


class Postman:
    """Carries letters."""

    def deliver(self, letter):
        # rings twice
        return letter.open(self)
''',
    "mail/queue.py": '''
class Queue:
    """Letters that wait."""

    def __init__(self, retries):
        self.retries = retries

    def append_letter(self, address, text, attachments):
        self.items.append((address, text, attachments))
''',
    "tests/test_send.py": """
from mail.send import send_letter

def test_send_letter_puts_it_into_the_queue():
    assert send_letter("a", "b") is None
""",
    "web/inbox.ts": """
/** Shows the letters of one person. */
export function showInbox(person: string): string[] {
  return fetchLetters(person).map((letter) => letter.subject);
}
""",
    "README.md": """
# Post office

Sends letters.

## Attachments

Every letter may have attachments.
""",
    "conf.toml": "[queue]\nretries = 3\n",
}


async def test_words_find_definitions_with_the_reasons(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", FILES) as project:
        found = await project.find("put letters into a queue")
        first = found.hits[0]
        assert (first.path, first.kind, first.name, first.start_line, first.end_line) == (
            "mail/send.py",
            "function",
            "send_letter",
            9,
            12,
        )
        assert [(reason.kind, reason.words) for reason in first.reasons] == [
            (ReasonKind.NAME, ("letters",)),
            (ReasonKind.DOCUMENTATION, ("put", "queue")),
        ]


async def test_a_definition_comes_before_its_uses_and_tests_come_last(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", FILES) as project:
        assert await project.places("append_letter") == [
            "mail/queue.py Queue.append_letter",
            "mail/send.py send_letter",
        ]
        first, *others = await project.places("send_letter")
        assert (first, {place[:18] for place in others}) == ("mail/send.py send_letter", {"tests/test_send.py"})
        assert (await project.places("test that it puts letters"))[0].startswith("tests/")
        assert await project.places("send_letter", tests=False) == ["mail/send.py send_letter"]


async def test_phrases_patterns_and_conditions_must_hold(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", FILES) as project:
        assert await project.places('"rings  TWICE"') == ["mail/send.py Postman.deliver"]
        assert await project.places("/def [a-z]+_letter\\(/") == [
            "mail/queue.py Queue.append_letter",
            "mail/send.py send_letter",
        ]
        assert await project.places("letters lang:typescript") == ["web/inbox.ts showInbox"]
        assert await project.places("attachments path:*.md") == ["README.md Post office > Attachments"]
        assert await project.places("symbol:Queue.append_letter") == ["mail/queue.py Queue.append_letter"]
        assert await project.places("symbol:RETRIES") == ["mail/send.py:2"]
        assert await project.places("retries -path:mail") == ["conf.toml:1"]
        assert await project.places("ppend_lette") == ["mail/queue.py Queue.append_letter", "mail/send.py send_letter"]


async def test_an_update_reads_only_what_has_changed(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", FILES) as project:
        project.write({"mail/queue.py": "class Basket:\n    pass\n", "new.py": "def fresh():\n    pass\n"})
        (project.folder / "web/inbox.ts").unlink()
        updated = await project.update()
        assert (updated.added, updated.changed, updated.removed, updated.unchanged) == (1, 1, 1, 4)
        assert await project.places("symbol:Queue") == []
        assert await project.places("Basket") == ["mail/queue.py Basket"]
        assert await project.places("fresh") == ["new.py fresh"]
        assert await project.places("showInbox") == []


async def test_a_search_that_takes_too_long_ends_with_what_it_has(database: Database, tmp_path: Path) -> None:
    seconds = iter(range(0, 1000, 3))
    async with indexed(database, tmp_path / "p", FILES, clock=lambda: float(next(seconds))) as project:
        found = await project.find("/letter/", limit=100)
        assert not found.is_complete
        assert 0 < len(found.hits) < 8


async def test_hostile_expressions_find_what_they_mean(database: Database, tmp_path: Path) -> None:
    files = FILES | {"long.py": "value = '" + "a" * 200_000 + "!'\n"}
    async with indexed(database, tmp_path / "p", files) as project:
        assert await project.places("/(a+)+!/") == ["long.py:1"]
        assert await project.places("/(a|aa)+$/ path:long") == []
        assert await project.places("/(x?){50}y{50}/") == []


REASONS = {
    "a.py": "def getQuerySetFast(model):\n    return make_query_set(model)\n\n\ndef to_json(the_range):\n    pass\n",
    "b.py": "class HTTPResponse(status_Code.Any):\n    STATUS_CODE = 200\n\n\ndef refuse():\n    return STATUS_CODE\n",
}


async def test_reasons_name_what_the_code_says_and_no_stop_word(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", REASONS) as project:

        async def said(query: str) -> list[tuple[ReasonKind, tuple[str, ...]]]:
            hit = (await project.find(query)).hits[0]
            return [(reason.kind, reason.words) for reason in hit.reasons]

        assert (await said("httpresponse -path:tests lang:python"))[0] == (ReasonKind.DECLARES, ("HTTPResponse",))
        assert (await said("status_code"))[0] == (ReasonKind.DECLARES, ("STATUS_CODE",))
        assert await said("symbol:httpresponse path:b") == [(ReasonKind.DECLARES, ("HTTPResponse",))]
        assert await said("symbol:status_code") == [(ReasonKind.DECLARES, ("STATUS_CODE",))]
        assert await said("path:b lang:python") == []
        for query in ("how to", "how to make the json"):
            found = await project.find(query)
            words = {word for hit in found.hits for reason in hit.reasons for word in reason.words}
            assert words.isdisjoint({"how", "to", "the"})
            assert found.unknown == ()


async def test_no_word_is_said_to_be_nowhere_beside_hits_that_hold_it(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", REASONS) as project:
        for query in ("getQuerySet", "getQuerySet model", "MakeQuerySet"):
            found = await project.find(query)
            assert (bool(found.hits), found.unknown) == (True, ())
        assert (await project.find("model zebra")).unknown == ("zebra",)


DOTTED = {
    "a/alike.py": "class ModelSaver:\n    def save_model(self):\n        Model.save(self)\n        Model().save()\n",
    "a/many.py": "".join(f"class C{n}:\n    def save(self, model, Model):\n        self.{n}\n\n" for n in range(320)),
    "orm/models/base.py": "class Model:\n    limit = 3\n\n    def save(self): ...\n\n    def all(self): ...\n",
    "web/shortcuts.py": "def redirect(to):\n    return to\n",
    "web/other.py": "def redirect(shortcuts):\n    return shortcuts.redirect(web)\n",
    "lib/pond.ex": "defmodule Pond do\n  def feed(duck), do: duck\nend\n",
    "lib/lake.ex": "defmodule Lake do\n  def feed(pond), do: Pond.feed(pond)\nend\n",
}


async def test_a_dotted_name_finds_first_what_is_called_so_as_a_whole(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", DOTTED) as project:
        found = await project.places("Model.save")
        assert found[0] == "orm/models/base.py Model.save"
        assert {place.rpartition(".")[2] for place in found[1:]} == {"save"}
        for query, first in (
            ("model.save", "orm/models/base.py Model.save"),
            ("models.Model.save()", "orm/models/base.py Model.save"),
            ("Model.all", "orm/models/base.py Model.all"),
            ("Model.limit", "orm/models/base.py Model"),
            ("web.shortcuts.redirect", "web/shortcuts.py redirect"),
            ("shortcuts.redirect", "web/shortcuts.py redirect"),
            ("Pond.feed", "lib/pond.ex Pond.feed"),
            ("Pond::feed", "lib/pond.ex Pond.feed"),
            ("Pond.feed/1", "lib/pond.ex Pond.feed"),
        ):
            assert (await project.places(query))[0] == first, query
        assert set((await project.places("web.shortcuts.redirect"))[:2]) == {
            "web/shortcuts.py redirect",
            "web/other.py redirect",
        }


NAMED = {
    "a.md": "# Notes\n\nfetch_rows is slow.\n",
    "b.po": "fetch_rows\n",
    "c.py": "def first(pond):\n    return pond.fetch_rows()\n\n\ndef rows():\n    return fetch_rows()\n",
    "y.py": "class Table:\n    SAVE = 1\n\n    def fetch_rows(self):\n        return 1\n",
    "z.py": "class Save:\n    def save(self):\n        pass\n\n\ndef handle(x):  # fetch_rows too\n    pass\n",
    "tests/a.py": "def test_fetch_rows():\n    fetch_rows()\n",
}


async def test_without_words_what_is_called_so_comes_first_and_prose_after_code(
    database: Database, tmp_path: Path
) -> None:
    many = {f"m/f{n:03}.py": f"def use{n}(x):\n    return x.fetch_rows({n})\n" for n in range(600)}
    async with indexed(database, tmp_path / "p", NAMED) as project:
        order = ["y.py Table.fetch_rows", "z.py handle", "c.py first", "c.py rows", "a.md Notes"]
        for query in ("/fetch_rows/", '"fetch_rows"', "/fetch_[a-z]ows/"):
            assert await project.places(query) == [*order, "tests/a.py test_fetch_rows"], query
            assert await project.places(query, limit=1) == order[:1]
        assert await project.places("symbol:save") == ["z.py Save.save", "z.py Save", "y.py Table"]
        project.write(many)
        await project.update()
        assert (await project.places("/fetch_rows/"))[0] == order[0]
        assert (await project.places("/fetch_rows\\(/", limit=2))[0] == order[0]


MANY = "".join(f"def turn_{n}(self):\n    return self.x{n}\n\n\n" for n in range(150))


async def test_a_file_with_many_matches_is_looked_at_to_its_end(database: Database, tmp_path: Path) -> None:
    files = {"base.py": MANY + "def last(self):\n    raise FieldError(self.name)\n"}
    async with indexed(database, tmp_path / "p", files) as project:
        assert await project.places("/self\\./ /raise FieldError/") == ["base.py last"]
        assert await project.places("/self\\./ /raise \\w+/ /FieldError\\(self/") == ["base.py last"]
        assert await project.places("/self\\./ -/return/") == ["base.py last"]
        for pattern, hits in ((r"/self\b/", 151), (r"/x\d+\s+def/", 150), (r"/self\./ /x\d+$/", 150)):
            found = await project.find(f"{pattern} path:base.py", limit=1000)
            assert (len(found.hits), found.is_complete) == (hits, True), pattern


async def test_a_hit_in_a_huge_line_shows_its_own_part_of_it(database: Database, tmp_path: Path) -> None:
    packed = ";".join(f"const v{n}=pond.duck{n}({n})" for n in range(2_000)) + ";übrig=goose('grün')"
    async with indexed(database, tmp_path / "p", {"packed.js": packed, "packed.txt": packed}) as project:
        for query in ("duck1234", "duck1234 pond", "/duck1234/", '"duck1234"', "goose", "/goose/ pond"):
            for path in ("packed.js", "packed.txt"):
                hit = (await project.find(f"{query} path:{path}")).hits[0]
                word = "goose" if "goose" in query else "duck1234"
                (line,) = hit.lines
                assert word in {line.text[start:end] for start, end in line.spans}, query
                assert (line.number, len(line.text)) == (1, 240)


async def test_globs_consider_every_name(database: Database, tmp_path: Path) -> None:
    many = "".join(f"def test_a{n}():\n    pass\n\n\n" for n in range(1_500))
    last = "def test_z_zip():\n    pass\n\n\ndef zip_test_zoo():\n    return test_z_zip()\n"
    files = {"many.py": many, "other.py": last, "feeling.py": "def happy():\n    pass\n"}
    files |= {"lib/pond.ex": "defmodule Pond do\n  def valid?(x), do: x\nend\n"}
    async with indexed(database, tmp_path / "p", files) as project:
        for query in ("symbol:test_*_zip", "symbol:*_z_zip", "symbol:test_?_zip", "symbol:test_z*", "test_z*"):
            assert (await project.places(query))[0] == "other.py test_z_zip", query
        assert await project.places("symbol:zip_test_*") == ["other.py zip_test_zoo"]
        assert await project.places("symbol:*st_zoo") == ["other.py zip_test_zoo"]
        assert await project.places("symbol:val*d?") == ["lib/pond.ex Pond.valid?"]
        for query in ("symbol:happy*", "happy*", "symbol:ha*y"):  # its stem is another
            assert await project.places(query) == ["feeling.py happy"], query
        assert len((await project.find("symbol:test_*", limit=1000)).hits) == 1000
        assert await project.places("zoo symbol:*_zoo") == ["other.py zip_test_zoo"]
