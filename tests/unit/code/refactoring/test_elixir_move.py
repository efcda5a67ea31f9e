"""Modules of Elixir moved to files of their own: nobody has to follow, as long as the file means nothing to them."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.elixir_move import move
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import DuckError

DUCK = "defmodule Pond.Duck do\n  defstruct [:far]\nend\n"
NEST = '# Where ducks sleep.\ndefmodule Pond.Nest do\n  alias Pond.Duck\n  def all, do: [%Duck{far: "#{1}"}]\nend\n'
GOOSE = "defmodule Pond.Goose do\n  def go, do: Pond.Nest.all()\nend\n"


def moved(line: int, to: str = "lib/pond/nest.ex", **files: str) -> dict[str, str]:
    texts = {"lib/pond.ex": f"{DUCK}\n{NEST}\n{GOOSE}", **{f"lib/{name}.ex": text for name, text in files.items()}}
    return dict(move(texts, Spot("lib/pond.ex", line), to).texts)


def test_a_module_moves_with_the_words_above_it() -> None:
    assert moved(6) == {"lib/pond/nest.ex": NEST, "lib/pond.ex": f"{DUCK}\n{GOOSE}"}


@pytest.mark.parametrize(("line", "kept"), [(1, f"{NEST}\n{GOOSE}"), (11, f"{DUCK}\n{NEST}")])
def test_the_first_and_the_last_leave_no_blank_lines(line: int, kept: str) -> None:
    assert moved(line)["lib/pond.ex"] == kept


def test_what_it_uses_is_told() -> None:
    texts = {"lib/pond.ex": f"{DUCK}\ndefmodule Pond.Page do\n  use Phoenix.Controller, here: 1\nend\n"}
    done = move(texts, Spot("lib/pond.ex", 5), "lib/page.ex")
    assert done.notes == (
        "macros that ask in which file they are used are not followed: `use Phoenix.Controller, here: 1`",
    )


@pytest.mark.parametrize("to", ["lib/pond/nest.exs", "test/nest.ex", "lib/taken.ex", "apps/a/lib/nest.ex"])
def test_it_moves_only_to_a_new_file_that_is_compiled_with_the_old_one(to: str) -> None:
    with pytest.raises(DuckError):
        moved(6, to, taken="defmodule Taken do\nend\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"alias Pond.Duck\n\n{DUCK}\n{NEST}", 8),
        (f"IO.puts(1)\n{DUCK}\n{NEST}", 7),
        (NEST, 2),
        (f"{DUCK}\n{NEST.replace('1', '__DIR__')}", 6),
        (f"{DUCK}\ndefmodule name do\nend\n", 5),
        (f"if true do\n{NEST}end\n{DUCK}", 3),
        (f"{DUCK}\n{NEST}", 7),
    ],
)
def test_it_stays_where_its_file_means_something_to_it(text: str, line: int) -> None:
    with pytest.raises(DuckError):
        move({"lib/pond.ex": text}, Spot("lib/pond.ex", line), "lib/nest.ex")


def test_it_stays_where_somebody_names_the_file() -> None:
    with pytest.raises(DuckError, match=r"lib/load\.ex:1"):
        moved(6, load='Code.require_file("lib/pond.ex")\n')
