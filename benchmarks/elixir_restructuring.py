"""Refactorings of random Elixir programs: whether the programs still say and do what they did.

`python -m benchmarks.elixir_restructuring [N] [SEED]`: so many of each kind that are made. `elixir` compiles and runs
each program before and after; one that then differs is printed and the status is 1.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.extraction import Make, Pairs, compared
from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.elixir_extract import extract_variable
from rubber_duck.code.refactoring.elixir_function import extract_function
from rubber_duck.code.refactoring.elixir_inline import inline_variable
from rubber_duck.code.refactoring.elixir_inline_function import inline
from rubber_duck.code.refactoring.elixir_rename import rename
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Stretch
from rubber_duck.code.source import SourceFile
from rubber_duck.errors import DuckError

HEAD: Final = """defmodule Pond do
  @k 7
  def log(x) do
    Process.put(:said, [plain(x) | Process.get(:said, [])])
    x
  end
  defp plain(x), do: Regex.replace(~r/#(Function|Reference|PID)<[^>]*>/, inspect(x), "made")
  def bump(x) do
    n = Process.get(:n, 0) + 1
    Process.put(:n, n)
    log({:bump, x, n})
    n
  end
  def two(x, y), do: log({x, y})
  def boom(x) do
    log(:boom)
    if Process.get(:n, 0) > 2, do: raise(ArgumentError, "much"), else: x
  end
  def same(x), do: x
  def run(a, b) do
    own = 3
    o = %{n: 1, list: [1, 2]}
"""
TAIL: Final = """    log({a, b, own, o})
  end
end
"""
LEAVES: Final = (
    *("1", '"s"', ":a", "a", "b", "own", "K", "nil", "o.n", "o.list", "bump(1)", "boom(2)", "a", "b", "own", "true"),
)
SHAPES: Final = (
    *("(@ + @)", "(@ == @)", "(@ && @)", "(@ || @)", "(@ and @)", "[@, @]", "{@, @}", "%{k: @, j: @}.k", "two(@, @)"),
    *(
        "elem({@, @}, 0)",
        '"x#{inspect(@)}y#{inspect(@)}"',
        "(fn v -> two(v, @) end).(@)",
        "(@ |> two(@))",
        "hd([@ | [@]])",
    ),
    *("Enum.map([@, 2], fn v -> two(v, @) end)", "if(@, do: @, else: @)", "(own = @)", "Map.put(o, :n, @)", "o[@]"),
    *(
        "bump(@)",
        "bump @",
        "not @",
        "(@ in [@, @])",
        "(&two(&1, @)).(@)",
        "(&(two(&1, @))).(@)",
        "Enum.map([1], &{&1, @})",
        "(with {:ok, v} <- {:ok, @}, do: two(v, @))",
    ),
    *(
        "for(v <- [@, @], do: two(v, @))",
        "then(@, &two(&1, @))",
        "%{o | n: @}",
        "same(@)",
        "(case @ do a -> two(a, @) end)",
    ),
    *("Enum.map([1], fn a -> two(a, @) end)", "same(fn -> @ end)", "@ |> same() |> two(@)", "(fn own -> own end).(@)"),
)
STATEMENTS: Final = (
    *(
        "log(@)",
        "own = @",
        "{x#, own} = {@, @}; log(x#)",
        "z# = @; log(z#)",
        "q# = @; log({q#, q#})",
        "a = @",
        "log {@, @}",
    ),
    *(
        "w# = own; log(w#)",
        "u# = 5; log(u# + @)",
        "f# = fn b -> b end; log(f#.(@))",
        "e# = @; own = e#",
        "t# = @; two(t#, @)",
    ),
    *(
        "y# = @; i# = 4; log({i#, y#})",
        "m# = {a, b}; log(m#)",
        "k# = K; log(if(@, do: k#, else: @))",
        "r# = b; b = @; log(r#)",
    ),
)
BLOCKS: Final = (
    *(
        "if @ do",
        "case @ do\n  1 -> own\n  own when own != b ->",
        "case own do\n  ^own ->",
        "Enum.each([@, 2], fn b ->",
    ),
    *(
        "cond do\n  @ -> 1\n  true ->",
        "with {:ok, g#} <- {:ok, @}, h# = @ do",
        "for c# <- [@, 2] do",
        "try do",
        "unless @ do",
    ),
    *("s# = if @ do",),
)
BODIES: Final = (
    *(
        "{p, q}",
        "two(p, q)",
        "two(q, p)",
        "p",
        "{q, bump(p)}",
        "if(p, do: q, else: 0)",
        "(p && q)",
        "p |> two(q)",
        "@k",
    ),
    *(
        "Enum.map([p], fn v -> two(v, q) end)",
        "case p do a -> two(a, q) end",
        "%{k: p, j: p}",
        "[p | [q]]",
        "two(1, p)",
    ),
    *("bump(p)", '"x#{inspect(p)}"', "(fn b -> two(b, p) end).(q)", "fn -> p end", "&two(&1, p)", "two(bump(1), p)"),
    *(
        "two(same(p), q)",
        "with {:ok, a} <- {:ok, p}, do: {a, q}",
        "p == q",
        "not p",
        "elem({p, q}, 0)",
        "p",
        "two(p, 1)",
    ),
    *(
        "Map.put(%{n: 1}, p, q)",
        "two(p, bump(q))",
        "if p do\n      q\n    end",
        "p + q",
        "p and q",
        "case 1 do ^p -> q; _ -> 0 end",
    ),
)
RUN: Final = """
Code.compiler_options(ignore_module_conflict: true)
said = fn path ->
  Process.put(:said, [])
  Process.put(:n, 0)
  done =
    try do
      Code.compile_string(File.read!(path), "pond.ex")
      try do
        {:ok, apply(Pond, :run, [1, 2]) |> inspect()}
      rescue
        e -> {:error, e.__struct__}
      catch
        kind, _ -> {:caught, kind}
      end
    rescue
      e -> {:broken, Exception.message(e)}
    end
  done = Regex.replace(~r/#(Function|Reference|PID)<[^>]*>/, inspect(done), "made")
  {done, Process.get(:said)}
end
[folder, count] = System.argv()
for i <- 0..(String.to_integer(count) - 1) do
  before = said.(Path.join(folder, "#{i}.before"))
  later = said.(Path.join(folder, "#{i}.after"))
  broken = match?({"{:broken" <> _, _}, before)
  fate = if broken, do: "broken", else: "differ"
  if broken or before != later, do: IO.puts("#{fate} #{i} #{inspect({before, later}, limit: 20, printable_limit: 300)}")
end
"""


def under_elixir(pairs: Pairs) -> list[int]:
    """Which of the pairs of programs do not say and do the same under Elixir; those that never compiled are told."""
    elixir = shutil.which("elixir")
    if elixir is None:
        sys.exit("there is no elixir on the path to run the programs with")
    with tempfile.TemporaryDirectory() as folder:
        for number, (before, after) in enumerate(pairs):
            Path(folder, f"{number}.before").write_text(before, encoding="utf-8")
            Path(folder, f"{number}.after").write_text(after, encoding="utf-8")
        script = Path(folder, "run.exs")
        script.write_text(RUN, encoding="utf-8")
        done = subprocess.run(
            [elixir, str(script), folder, str(len(pairs))], capture_output=True, text=True, check=True
        )
    lines = [each.split(" ", 2) for each in done.stdout.splitlines() if each.startswith(("differ ", "broken "))]
    broken = [each for each in lines if each[0] == "broken"]
    print(f"{len(broken)} of {len(pairs)} programs do not compile before", *broken[:1], flush=True)
    for each in lines:
        if each[0] == "differ":
            print(*each)
    return [int(number) for kind, number, _ in lines if kind == "differ"]


def filled(shape: str, dice: random.Random, depth: int) -> str:
    """The shape with an expression in each of its places."""
    first, *rest = shape.split("@")
    return first + "".join(f"{expression(dice, depth)}{each}" for each in rest)


def expression(dice: random.Random, depth: int) -> str:
    """A random expression."""
    return filled(dice.choice(SHAPES), dice, depth - 1 - dice.randrange(2)) if depth > 0 else dice.choice(LEAVES)


def block(dice: random.Random, depth: int, numbers: Iterator[int]) -> list[str]:
    """Random statements, each on lines of its own."""
    lines: list[str] = []
    for _ in range(dice.randrange(1, 4)):
        number = str(next(numbers))
        if depth and dice.random() < 0.4:
            lines += _whole(dice, dice.choice(BLOCKS), number, block(dice, depth - 1, numbers))
        else:
            parts = dice.choice(STATEMENTS).replace("#", number).split("; ")
            lines += [filled(each, dice, dice.randrange(3)) for each in parts]
    return lines


def _whole(dice: random.Random, head: str, number: str, inner: list[str]) -> list[str]:
    first = [filled(each, dice, dice.randrange(2)) for each in head.replace("#", number).split("\n")]
    indent = "    " if first[-1].endswith("->") and len(first) > 1 else "  "
    body = [f"{indent}{each}" for each in (*inner, "log(own)")]
    if head.startswith("try"):
        return [*first, *body, "rescue", "  e -> log(e.__struct__)", "end"]
    if head.startswith("case own"):
        body += ["  _ -> own"]
    if head.startswith("case @"):
        body += ["  _ -> 0"]
    return [*first, *body, "end)" if first[-1].endswith("fn b ->") else "end"]


def program(dice: random.Random) -> str:
    """A random program."""
    lines = block(dice, 2, count())
    return HEAD + "".join(f"    {line.replace('K', '@k')}\n" for line in lines) + TAIL


def called(dice: random.Random) -> str:
    """A random program that calls a private function of one expression, here and there."""
    body = dice.choice(BODIES)
    name, params = dice.choice([("p", "q"), ("a", "b"), ("v", "own")]), ""
    params = ", ".join(name)
    body = re.sub(r"\b[pq]\b", lambda found: name["pq".index(found[0])], body)
    made = (
        f"  defp aid({params}), do: {body}\n"
        if dice.random() < 0.5
        else f"  defp aid({params}) do\n    {body}\n  end\n"
    )
    head, run, rest = program(dice).partition("  def run")
    rest = re.sub(r"\btwo\(", lambda found: dice.choice(["aid(", "two("]), rest)
    return f"{head}{made}\n{run}{rest}"


def functions_inlined(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when its function is put into all its calls, or into one; None where refused."""
    starts = [found.start() for found in re.finditer(r"\baid\(", text)]
    found: list[str | None] = []
    for at in {starts[0], dice.choice(starts)}:
        spot = Spot("pond.ex", text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        found.append(_tried(partial(inline, {"pond.ex": text}, spot)))
    return found


def _inside(text: str) -> tuple[SourceFile, range]:
    file = open_source("pond.ex", text.encode(), "elixir")
    return file, range(text.index("    own = 3"), text.index("    log({a, b, own, o})"))


def _tried(make: Callable[[], Refactored]) -> str | None:
    try:
        return make().texts["pond.ex"]
    except DuckError:
        return None


def extractions(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its expressions get a name; None where that is refused."""
    file, inside = _inside(text)
    nodes = [each for each in file.descendants(file.tree.root_node) if each.start_byte in inside and each.is_named]
    found: list[str | None] = []
    for node in dice.sample(nodes, min(8, len(nodes))):
        (line, column), (last, end) = file.position(node.start_byte), file.position(node.end_byte)
        stretch = Stretch("pond.ex", line, last, column, end)
        found.append(_tried(partial(extract_variable, {"pond.ex": text}, stretch, "fresh")))
    return found


def functions(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its expressions and statements become functions; None where refused."""
    file, inside = _inside(text)
    nodes = [each for each in file.descendants(file.tree.root_node) if each.start_byte in inside and each.is_named]
    blocks = [each for each in nodes if each.parent is not None and each.parent.type in {"do_block", "body"}]
    found: list[str | None] = []
    for first in dice.sample(nodes, min(4, len(nodes))) + dice.sample(blocks, min(6, len(blocks))):
        beside = [each for each in blocks if each.parent == first.parent and each.start_byte >= first.start_byte]
        last = dice.choice(beside[:4]) if beside else first
        (line, column), (final, end) = file.position(first.start_byte), file.position(last.end_byte)
        stretch = Stretch("pond.ex", line, final, column, end)
        found.append(_tried(partial(extract_function, {"pond.ex": text}, stretch, "fresh")))
    return found


def inlined(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its variables are put back; None where that is refused."""
    file, inside = _inside(text)
    nodes = [each for each in file.descendants(file.tree.root_node) if each.type == "identifier"]
    names = [each for each in nodes if each.start_byte in inside and text[each.end_byte :].startswith(" = ")]
    found: list[str | None] = []
    for node in dice.sample(names, min(4, len(names))):
        spot = Spot("pond.ex", *file.position(node.start_byte))
        found.append(_tried(partial(inline_variable, {"pond.ex": text}, spot)))
    return found


def renamed(dice: random.Random, text: str) -> list[str | None]:
    """What becomes of a program when some of its variables are renamed; None where that is refused."""
    file, inside = _inside(text)
    names = [each for each in file.descendants(file.tree.root_node) if each.type == "identifier"]
    names = [each for each in names if each.start_byte in inside and file.text(each) in {"a", "b", "own", "o", "v"}]
    found: list[str | None] = []
    for node in dice.sample(names, min(4, len(names))):
        spot = Spot("pond.ex", *file.position(node.start_byte))
        found.append(_tried(partial(rename, {"pond.ex": text}, spot, dice.choice(["fresh", "same", "v"]))))
    return found


KINDS: Final[dict[str, tuple[Callable[[random.Random], str], Make]]] = {
    "variables extracted": (program, extractions),
    "variables inlined": (program, inlined),
    "functions extracted": (program, functions),
    "functions inlined": (called, functions_inlined),
    "names of variables": (program, renamed),
}


def main(wanted: int, seed: int, kinds: str) -> int:
    """Make so many of each of the kinds that `kinds` begins, and run them."""
    chosen = {kind: ways for kind, ways in KINDS.items() if kind.startswith(kinds)}
    return sum(compared(kind, wanted, seed, ways, under_elixir) for kind, ways in chosen.items())


if __name__ == "__main__":
    given = sys.argv[1:]
    wanted, seed, kinds = [*given, *("500", "1", "")[len(given) :]]
    sys.exit(1 if main(int(wanted), int(seed), kinds) else 0)
