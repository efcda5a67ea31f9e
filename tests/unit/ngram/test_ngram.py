"""The front: a project is trained when it is asked about, kept, brought up to date, and apart from all others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.errors import InvalidInput
from rubber_duck.ngram.ngram import REFRESH_S, Completion, Cursor, Ngram, open_ngram
from rubber_duck.ngram.shelf import Shelf
from rubber_duck.settings import IndexSettings, Settings
from rubber_duck.telemetry.events import Value
from rubber_duck.workspace.paths import Root
from tests.factories import write_tree
from tests.unit.ngram.models import SHOP

BEGUN = "def refund(customer, items):\n    order = "


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Project:
    """A folder with the shop in it, and what is told while it is asked about."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_tree(folder / "project", SHOP)
        self.home = folder / "home"
        self.clock = Clock()
        self.events: list[tuple[str, dict[str, Value]]] = []
        self.ngram = self.anew()

    def anew(self) -> Ngram:
        """As after the next start of the program."""
        self.ngram = Ngram(Shelf(self.home), clock=self.clock)
        return self.ngram

    async def ask(
        self, prefix: str, *, path: str = "shop/x.py", language: str = "python", index: IndexSettings | None = None
    ) -> Completion:
        """What is offered behind `prefix`."""
        cursor = Cursor(path, language, prefix, "")
        return await self.ngram.complete(Root(self.folder), index or IndexSettings(), cursor, count=3)

    def listen(self, name: str, fields: Mapping[str, Value]) -> None:
        """Note an event of this slice."""
        if name.startswith("ngram."):
            self.events.append((name, {key: value for key, value in fields.items() if key != "duration_ms"}))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    found = Project(tmp_path)
    with telemetry.listening(found.listen):
        yield found


def _texts(found: Completion) -> list[str]:
    return [each.text for each in found.suggestions]


async def test_the_first_question_trains_and_the_next_does_not(project: Project) -> None:
    first = await project.ask(BEGUN)
    second = await project.ask(BEGUN + "Order(customer, ")
    assert _texts(first)[0] == "Order(customer, total)"
    assert (first.was_ready, second.was_ready, first.files) == (False, True, 2)
    assert [name for name, _ in project.events] == ["ngram.trained"]


async def test_a_trained_project_is_kept_for_the_next_start(project: Project) -> None:
    first = await project.ask(BEGUN)
    project.anew()
    assert await project.ask(BEGUN) == first
    assert [name for name, _ in project.events] == ["ngram.trained"]


async def test_what_changed_meanwhile_is_read_and_nothing_else(project: Project) -> None:
    await project.ask(BEGUN)
    write_tree(project.folder, {"shop/refunds.py": "def settle(order):\n    order.settle_now()\n"})
    os.utime(project.folder / "shop/orders.py", (1, 1))
    project.anew()
    found = await project.ask("order.set")
    assert _texts(found)[0].startswith("tle")
    assert project.events[1:] == [("ngram.updated", {"changed": 1, "removed": 0})]


async def test_files_that_change_while_it_runs_are_counted_behind_the_answers(project: Project) -> None:
    await project.ask(BEGUN)
    write_tree(project.folder, {"shop/refunds.py": "def settle(order):\n    order.settle_now()\n"})
    assert _texts(await project.ask("order.set")) == []
    project.clock.now_s += REFRESH_S
    await project.ask(BEGUN)
    await project.ngram.refreshed()
    assert _texts(await project.ask("order.set"))[0].startswith("tle")


async def test_a_kept_model_that_is_broken_is_made_anew(project: Project) -> None:
    await project.ask(BEGUN)
    path = Shelf(project.home).path(project.folder, "python")
    path.write_bytes(path.read_bytes()[:-3])
    project.anew()
    assert _texts(await project.ask(BEGUN))[0] == "Order(customer, total)"
    assert [name for name, _ in project.events] == ["ngram.trained", "ngram.model_unusable", "ngram.trained"]


async def test_a_project_knows_nothing_of_another(project: Project, tmp_path: Path) -> None:
    await project.ask(BEGUN)
    other = write_tree(tmp_path / "other", {"a.py": "x = 1\n"})
    cursor = Cursor("b.py", "python", BEGUN, "")
    found = await project.ngram.complete(Root(other), IndexSettings(), cursor, count=3)
    assert found.files == 1
    assert not any("Order" in text for text in _texts(found))


async def test_more_of_a_suggestion_that_is_typed_leaves_less_of_it(project: Project) -> None:
    first = await project.ask(BEGUN)
    second = await project.ask(BEGUN + "Order(cus")
    third = await project.ask(BEGUN + "Order(cuz")
    assert (first.is_extended, second.is_extended, third.is_extended) == (False, True, False)
    assert _texts(second)[0] == "tomer, total)"


async def test_an_ignored_file_is_not_learnt_from(project: Project) -> None:
    write_tree(project.folder, {"secret.py": "password_of_mia = 1\n", ".duckignore": "secret.py\n"})
    assert (await project.ask("pass")).files == 2
    assert not any("word_of_mia" in text for text in _texts(await project.ask("x = pass")))


async def test_what_the_settings_leave_out_from_now_on_is_unlearnt_before_the_next_answer(project: Project) -> None:
    write_tree(project.folder, {"secret.py": "password_of_mia = 1\n"})
    prefix = "x = pass"
    assert _texts(await project.ask(prefix))[0].startswith("word_of_mia")
    found = await project.ask(prefix, index=IndexSettings(ignore=("secret.py",)))
    assert (found.files, any("mia" in text for text in _texts(found))) == (2, False)
    assert _texts(await project.ask(prefix))[0].startswith("word_of_mia")


async def test_nothing_is_learnt_from_what_is_no_text(project: Project) -> None:
    write_tree(project.folder, {"binary.py": b"settle_now = 1\0\n"})
    assert _texts(await project.ask("x = settle")) == []
    assert _texts(await project.ask(BEGUN))[0] == "Order(customer, total)"


async def test_a_cancelled_question_does_not_train(project: Project) -> None:
    task = asyncio.create_task(project.ask(BEGUN))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _texts(await project.ask(BEGUN))[0] == "Order(customer, total)"


async def test_questions_at_the_same_time_are_answered_one_after_the_other(project: Project) -> None:
    prefixes = [BEGUN, BEGUN + "Order(", "def ", "from shop.orders import "]
    together = await asyncio.gather(*(project.ask(prefix, path=f"shop/{at}.py") for at, prefix in enumerate(prefixes)))
    alone = [await project.ask(prefix, path=f"shop/other{at}.py") for at, prefix in enumerate(prefixes)]
    assert [_texts(each) for each in together] == [_texts(each) for each in alone]
    assert [name for name, _ in project.events] == ["ngram.trained"]


async def test_a_language_without_a_lexicon_is_refused(project: Project) -> None:
    with pytest.raises(InvalidInput, match="no language 'cobol'"):
        await project.ask("x", language="cobol")


async def test_models_lie_in_the_home_folder(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "project", SHOP)
    async with open_ngram(Settings(home=str(tmp_path / "home"))) as ngram:
        await ngram.complete(Root(folder), IndexSettings(), Cursor("shop/x.py", "python", BEGUN, ""), count=1)
    assert Shelf(tmp_path / "home" / "ngram").path(folder, "python").is_file()
