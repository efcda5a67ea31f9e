import textwrap
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.context.compression import elide
from rubber_duck.context.context import build
from rubber_duck.context.picture import Picture
from rubber_duck.context.snippet import SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.errors import InvalidInput, NotFound, UnknownName
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.search.hits import Hit, Line, Reason, ReasonKind
from rubber_duck.workspace.paths import Root
from tests.factories import write_tree

PRICES = '''\
def price_of(item):
    """What it costs."""
    total = item.price
    total += item.tax
    return total
'''
SHOP = "from prices import price_of\n\n\ndef sell(item):\n    return price_of(item)\n"
OTHER = "def unrelated():\n    return 1\n"


def sources(folder: Path, files: dict[str, str], hits: Sequence[Hit] = ()) -> Sources:
    async def find(query: str, limit: int) -> Sequence[Hit]:
        return hits

    write_tree(folder, dict(files))
    folder.mkdir(exist_ok=True)
    facts = {
        path: extract(open_source(path, text.encode(), "python"))
        for path, text in files.items()
        if path.endswith(".py")
    }
    picture = Picture(facts, {"shop.py": ["prices.py"]} if "shop.py" in files else {}, dict.fromkeys(files, 0))
    return Sources(Root(folder), picture, find)


FILES = {"prices.py": PRICES, "shop.py": SHOP, "other.py": OTHER}


async def test_a_place_is_told_with_the_definitions_of_the_names_near_it(tmp_path: Path) -> None:
    built = await build(Ask("shop.py", 5, 12), sources(tmp_path, FILES))

    parts = [(each.snippet.kind, each.snippet.path, each.text) for each in built.packed.chosen]
    assert built.strategy == "fim"
    assert parts == [
        (SnippetKind.MAP, "", "prices.py:\n  def price_of(item)\n"),
        (SnippetKind.DEFINITION, "prices.py", PRICES.rstrip("\n")),
        (SnippetKind.BEFORE, "shop.py", "from prices import price_of\n\n\ndef sell(item):\n    return "),
        (SnippetKind.AFTER, "shop.py", "price_of(item)"),
    ]
    assert built.problems == ()


async def test_a_question_is_told_what_a_search_finds(tmp_path: Path) -> None:
    hit = Hit(
        *("prices.py", "python", "function", "price_of", 1, 5, 0, len(PRICES), 7.0, False),
        (Reason(ReasonKind.NAME, ("price",)),),
        (Line(1, "def price_of(item):"),),
    )
    built = await build(Ask(query="what does it cost?"), sources(tmp_path, FILES, [hit]))

    assert built.strategy == "retrieval"
    found = [each.snippet for each in built.packed.chosen if each.snippet.kind is SnippetKind.FOUND]
    assert [(each.path, each.reasons, each.relevance) for each in found] == [("prices.py", ("name: price",), 1.0)]


async def test_a_long_window_is_told_whole_files(tmp_path: Path) -> None:
    built = await build(Ask("shop.py", budget_tokens=20_000), sources(tmp_path, FILES))

    assert built.strategy == "long_window"
    files = [each for each in built.packed.chosen if each.snippet.kind is SnippetKind.FILE]
    assert [(each.snippet.path, each.snippet.reasons) for each in files] == [("prices.py", ("is imported by shop.py",))]


async def test_a_file_that_the_project_ignores_is_never_told(tmp_path: Path) -> None:
    project = sources(tmp_path, FILES)
    write_tree(tmp_path, {"secret.py": "KEY = 'abc'\n"})

    assert project.lines("secret.py") == ()
    with pytest.raises(NotFound, match=r"secret\.py"):
        await build(Ask("secret.py", 1, 1), project)


@pytest.mark.parametrize(
    ("ask", "said"),
    [(Ask(), "a place or for a question"), (Ask("shop.py", 99, 1), "has 5 lines, and no line 99")],
)
async def test_an_ask_that_means_nothing_is_refused(ask: Ask, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=said):
        await build(ask, sources(tmp_path, FILES))


async def test_an_unknown_strategy_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="fym"):
        await build(Ask("shop.py", 1, 1), sources(tmp_path, FILES), strategy="fym")


async def test_rules_of_the_folder_are_told_first(tmp_path: Path) -> None:
    project = sources(tmp_path, FILES | {"AGENTS.md": "Use tabs.\n"})
    built = await build(Ask("shop.py", 5, 1), project)
    assert built.packed.text.startswith("### rules AGENTS.md\nUse tabs.\n")


async def test_the_rules_of_the_nearest_folder_are_told_last_and_have_room_first(tmp_path: Path) -> None:
    files = {"AGENTS.md": "Use tabs. " * 200, "A/AGENTS.md": "Use spaces.", "A/shop.py": SHOP, "shop.py": SHOP}
    built = await build(Ask("A/shop.py", 5, 1, budget_tokens=400), sources(tmp_path, files))
    rules = [each.snippet for each in built.packed.chosen if each.snippet.kind is SnippetKind.RULES]
    assert [each.path for each in rules] == ["AGENTS.md", "A/AGENTS.md"]
    assert rules[1].text == "Use spaces."
    assert rules[1].reasons == (
        "rules of the project for this folder, 2 of 2: where they disagree, the last ones hold",
    )


async def test_a_document_is_told_around_a_place_in_it(tmp_path: Path) -> None:
    built = await build(Ask("README.md", 2, 1), sources(tmp_path, FILES | {"README.md": "# Shop\nIt sells.\n"}))
    assert [each.text for each in built.packed.chosen if each.snippet.kind is SnippetKind.AFTER] == ["It sells."]


async def test_a_long_window_is_told_documents_that_a_search_finds(tmp_path: Path) -> None:
    hit = Hit(*("README.md", "markdown", "section", "Shop", 1, 2, 0, 9, 7.0, False), (), ())
    project = sources(tmp_path, FILES | {"README.md": "# Shop\nIt sells.\n"}, [hit])
    built = await build(Ask("shop.py", 5, 1, "what sells", 20_000), project)
    files = [each.snippet.path for each in built.packed.chosen if each.snippet.kind is SnippetKind.FILE]
    assert files == ["README.md", "prices.py"]


async def test_retrieval_for_a_place_asks_for_the_names_on_its_line(tmp_path: Path) -> None:
    project = sources(tmp_path, FILES)
    asked: list[str] = []

    async def find(query: str, limit: int) -> Sequence[Hit]:
        asked.append(query)
        return ()

    project.find = find
    await build(Ask("shop.py", 5, 1), project, strategy="retrieval")
    assert asked == ["def sell item return price_of"]


trees = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "lib/c.py", "AGENTS.md", "lib/CLAUDE.md", "notes.md"]),
    st.lists(st.sampled_from([PRICES, SHOP, OTHER, "x = 1\n", "Ü漢字 🦆 " * 30 + "\n", "\n" * 9]), max_size=8).map(
        "".join
    ),
    min_size=1,
)


@given(trees, st.integers(50, 3000), st.sampled_from(["", "fim", "retrieval", "long_window"]), st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_context_of_any_project_exceeds_its_budget(
    tmp_path: Path, files: dict[str, str], budget: int, strategy: str, data: st.DataObject
) -> None:
    folder = tmp_path / uuid4().hex
    project = sources(folder, files)
    path = data.draw(st.sampled_from(sorted(files)))
    count = len(project.lines(path))
    assume(count > 0)
    line = data.draw(st.integers(1 if strategy == "fim" else 0, count))
    ask = Ask(path, line, 1, data.draw(st.sampled_from(["", "price"])), budget)

    built = await build(ask, project, strategy=strategy)

    assert count_tokens(built.packed.text) == built.packed.tokens <= budget
    before = sum(each.tokens for each in built.packed.chosen if each.snippet.kind is SnippetKind.BEFORE)
    after = sum(each.tokens for each in built.packed.chosen if each.snippet.kind is SnippetKind.AFTER)
    assert before <= 1500
    assert after <= 500


async def test_rules_that_are_too_long_are_cut_and_that_is_said(tmp_path: Path) -> None:
    project = sources(tmp_path, FILES | {"AGENTS.md": "Use tabs. " * 500})
    built = await build(Ask("shop.py", 5, 1, budget_tokens=400), project)
    assert built.problems == ("'AGENTS.md' is longer than there is room for rules, and was cut",)
    assert built.packed.tokens <= 400


def elided(text: str, keep: range = range(0), *, language: str = "python") -> str:
    source = textwrap.dedent(text)
    symbols = extract(open_source("a", source.encode(), language)).symbols
    return elide(source.splitlines(), symbols, keep=keep)


CODE = """\
class A:
    def first(
        self,
    ):
        one()
        two()

    def second(self):
        three()
        four()
        five()
"""


def test_a_definition_that_is_not_there_any_more_is_passed_over() -> None:
    source = "def f():\n    a = 1\n    b = 2\n    c = 3\n    return a\n"
    symbols = extract(open_source("a.py", source.encode(), "python")).symbols
    lines = source.splitlines()
    assert elide(lines, symbols) == "def f():\n    …"
    assert [elide(lines[:count], symbols) for count in range(5)] == ["\n".join(lines[:count]) for count in range(5)]


def test_bodies_are_elided_and_heads_stay() -> None:
    assert elided(CODE) == (
        "class A:\n    def first(\n        self,\n    ):\n        …\n\n    def second(self):\n        …"
    )


def test_a_body_with_a_line_that_is_kept_stays() -> None:
    assert elided(CODE, range(10, 11)) == (
        "class A:\n    def first(\n        self,\n    ):\n        …\n\n    def second(self):\n"
        "        three()\n        four()\n        five()"
    )


def test_bodies_in_braces_are_elided() -> None:
    code = """\
        export function price(
          item: Item,
        ): number {
          const net = item.net;
          return net;
        }

        export const cost = async (item: Item): Promise<number> => {
          await save(item);
          return 1;
        };

        class Shop {
          constructor(private items: Item[]) {
            this.start();
            this.go();
          }

          static of(items: Item[]) { return new Shop(items); }
        }
        """
    assert elided(code, language="typescript") == (
        "export function price(\n  item: Item,\n): number {\n  …\n}\n\n"
        "export const cost = async (item: Item): Promise<number> => {\n  …\n};\n\n"
        "class Shop {\n  constructor(private items: Item[]) {\n    …\n  }\n\n"
        "  static of(items: Item[]) { return new Shop(items); }\n}"
    )


def test_bodies_between_do_and_end_are_elided() -> None:
    code = """\
        defmodule Shop do
          @spec price(item, float) :: float
          def price(item, rate)
              when is_float(rate) do
            net = item.net
            net * rate
          end

          defp short(a), do: a + 1
        end
        """
    assert elided(code, language="elixir") == (
        "defmodule Shop do\n  @spec price(item, float) :: float\n  def price(item, rate)\n"
        "      when is_float(rate) do\n    …\n  end\n\n  defp short(a), do: a + 1\nend"
    )


async def test_filling_in_the_middle_asks_for_a_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="say FILE:LINE"):
        await build(Ask(query="price"), sources(tmp_path, FILES), strategy="fim")
