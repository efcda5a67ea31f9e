from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.context.repository_map import Ground, draw, is_test_path
from rubber_duck.llm.tokens import count_tokens

CORE = """
class OrderBook:
    def place_order(self, item):
        return item


def unused_thing():
    pass
"""
SHOP = """
from core import OrderBook


def sell_item():
    OrderBook().place_order(1)
"""
WEB = """
from core import OrderBook
from shop import sell_item


def page():
    sell_item()
    return OrderBook()
"""
TEST = """
from core import unused_thing


def test_it():
    unused_thing()
"""
SOURCES = {"core.py": CORE, "shop.py": SHOP, "web.py": WEB, "tests/test_core.py": TEST}
IMPORTS = {"shop.py": ["core.py"], "web.py": ["core.py", "shop.py"], "tests/test_core.py": ["core.py"]}


def symbols(sources: dict[str, str]) -> dict[str, FileSymbols]:
    return {path: extract(open_source(path, text.encode(), "python")) for path, text in sources.items()}


def names(focus: tuple[str, ...] = (), mentioned: tuple[str, ...] = ()) -> list[str]:
    return [
        each.symbol.name
        for each in Ground(symbols(SOURCES), IMPORTS).landmarks(focus=focus, mentioned=mentioned)
        if each.rank
    ]


def test_what_most_others_lean_on_comes_first_and_what_only_tests_name_last() -> None:
    assert names() == ["OrderBook", "place_order", "sell_item", "unused_thing"]


def test_what_the_file_in_focus_leans_on_comes_first() -> None:
    assert names(focus=("tests/test_core.py",))[0] == "unused_thing"


def test_a_name_that_was_mentioned_draws_its_readers() -> None:
    assert names(mentioned=("sell_item",))[0] == "sell_item"


def test_an_import_alone_is_no_mention() -> None:
    sources = SOURCES | {"web.py": "from core import OrderBook, unused_thing\n"}
    ranked = Ground(symbols({name: text for name, text in sources.items() if "test" not in name}), IMPORTS).landmarks()
    assert [each.symbol.name for each in ranked if each.rank] == ["OrderBook", "place_order"]


def test_a_map_stays_within_its_budget_and_says_what_had_no_room() -> None:
    ranked = Ground(symbols(SOURCES), IMPORTS).landmarks()
    whole = draw(ranked, 1000, count_tokens)
    assert whole.text == (
        "core.py:\n  class OrderBook\n  def place_order(self, item)  # in OrderBook\n  def unused_thing()\n"
        "shop.py:\n  def sell_item()\n"
    )
    assert (whole.tokens, whole.left_out) == (count_tokens(whole.text), 0)
    for budget in range(whole.tokens + 1):
        part = draw(ranked, budget, count_tokens)
        assert part.tokens <= budget
        assert len(part.landmarks) + part.left_out == 4


def test_a_file_that_is_shown_whole_is_not_on_the_map() -> None:
    drawn = draw(Ground(symbols(SOURCES), IMPORTS).landmarks(), 1000, count_tokens, without=("core.py",))
    assert drawn.text == "shop.py:\n  def sell_item()\n"


def test_test_files_are_known_by_their_path() -> None:
    paths = (
        "tests/a.py",
        "a/test_b.py",
        "b_test.go",
        "x.test.ts",
        "x.spec.ts",
        "conftest.py",
        "contest.py",
        "attest/a.py",
    )
    assert [path for path in paths if is_test_path(path)] == [
        "tests/a.py",
        "a/test_b.py",
        "b_test.go",
        "x.test.ts",
        "x.spec.ts",
    ]
