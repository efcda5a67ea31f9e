"""Which file imports which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import Edge, GraphFile, ImportGraph, cycles, resolve


def graph(files: dict[str, str]) -> ImportGraph:
    return resolve({path: read(path, text) for path, text in files.items()})


def read(path: str, text: str) -> GraphFile:
    language = detect(path, None)
    assert language is not None
    return GraphFile(language, extract(open_source(path, text.encode(), language)))


def edges(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in graph(files).edges]


def test_a_python_import_leads_to_the_module_or_to_the_package_that_defines_the_name() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/cart.py": "import os\nfrom shop import price, VERSION\nfrom shop.price import total\n",
        "shop/price.py": "",
    }
    assert graph(files) == ImportGraph(
        (Edge("shop/cart.py", "shop/__init__.py", 2), Edge("shop/cart.py", "shop/price.py", 2)),
        {"shop/cart.py": ("os",)},
        (),
    )


def test_relative_imports_count_from_the_importing_package() -> None:
    files = {
        "a/__init__.py": "",
        "a/b/__init__.py": "from . import c\n",
        "a/b/c.py": "from .. import d\nfrom ..d import x\nfrom .... import beyond\n",
        "a/d.py": "",
    }
    assert edges(files) == [("a/b/__init__.py", "a/b/c.py"), ("a/b/c.py", "a/d.py")]


def test_a_package_below_src_is_imported_by_its_own_name() -> None:
    files = {"src/duck/__init__.py": "", "src/duck/a.py": "", "tests/test_a.py": "import duck.a\nimport src.duck.a\n"}
    assert edges(files) == [("tests/test_a.py", "src/duck/a.py")]


def test_among_files_of_one_name_the_nearest_is_meant() -> None:
    files = {"x/utils.py": "", "x/main.py": "import utils\n", "y/utils.py": "", "y/main.py": "import utils\n"}
    assert edges(files) == [("x/main.py", "x/utils.py"), ("y/main.py", "y/utils.py")]


def test_a_module_of_the_standard_library_is_not_a_file_of_a_package() -> None:
    files = {"a/__init__.py": "", "a/datetime.py": "", "a/b.py": "import datetime\n"}
    assert graph(files).external == {"a/b.py": ("datetime",)}


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("./b", "src/b.ts"),
        ("./b.js", "src/b.ts"),
        ("./c", "src/c/index.tsx"),
        ("../lib/d.mjs", "lib/d.mjs"),
        ("./e.json", None),
    ],
)
def test_a_relative_path_finds_its_file(written: str, target: str | None) -> None:
    files = {"src/a.ts": f"import '{written}';", "src/b.ts": "", "src/c/index.tsx": "", "lib/d.mjs": ""}
    assert edges(files) == ([("src/a.ts", target)] if target else [])


def test_a_bare_name_is_a_package_from_outside() -> None:
    files = {"a.js": "import '@scope/name/deep'; require('lodash/fp'); import x from 'react';"}
    assert graph(files).external == {"a.js": ("@scope/name", "lodash", "react")}


def test_elixir_modules_are_found_by_name_through_aliases_and_nesting() -> None:
    files = {
        "lib/a.ex": "defmodule A do\n  alias Shop.{Cart, Price}\n  def f, do: Cart.Item.go(Other.x())\nend\n",
        "lib/cart.ex": "defmodule Shop.Cart do\n  defmodule Item do\n  end\n  def g, do: Item.new()\nend\n",
        "lib/price.ex": "defmodule Shop.Price do\n  use GenServer\nend\n",
    }
    result = graph(files)
    assert [(edge.source, edge.target, edge.line) for edge in result.edges] == [
        ("lib/a.ex", "lib/cart.ex", 2),
        ("lib/a.ex", "lib/price.ex", 2),
    ]
    assert result.external == {"lib/price.ex": ("GenServer",)}


def test_importers_and_imports_are_told_and_cycles_named() -> None:
    result = graph({"a.py": "import b\n", "b.py": "import c\n", "c.py": "import a, d\n", "d.py": ""})
    assert result.cycles == (("a.py", "b.py", "c.py"),)
    assert (result.imports_of("c.py"), result.importers_of("a.py")) == (("a.py", "d.py"), ("c.py",))


def test_a_chain_of_a_hundred_thousand_files_needs_no_recursion() -> None:
    chain = [(str(number), str(number + 1)) for number in range(100_000)]
    assert cycles(chain) == ()
    assert [len(group) for group in cycles([*chain, ("100000", "0")])] == [100_001]


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=20))
def test_two_files_share_a_cycle_exactly_when_each_reaches_the_other(pairs: list[tuple[str, str]]) -> None:
    reached = {(a, b) for a, b in pairs}
    for through in "abcdefg":
        reached |= {(a, b) for a in "abcdefg" for b in "abcdefg" if {(a, through), (through, b)} <= reached}
    together = {(a, b) for group in cycles(pairs) for a in group for b in group if a != b}
    assert together == {(a, b) for a, b in reached if a != b and (b, a) in reached}
