"""One piece of ordinary code in each language, to be broken by tests."""

from __future__ import annotations

from typing import Final

SAMPLES: Final = {
    "a.py": '''"""Doc."""
from __future__ import annotations
import os.path as p
from . import (a, b as c)

LIMIT: int = 10
__all__ = ["A"]

@decorate(1)
class A(B, metaclass=M):
    """Of A."""
    x, *y = 1, 2

    async def f(self, a, /, b=1, *c, d: T = 2, **e) -> dict[str, int]:
        r"""Says \\d."""
        async with a as (b, c):
            return f"{a!r:>{width}} {b}" "more"

match v:
    case P(a=b) | [d, *e] | {"k": f, **g} as h:
        print(lambda q, *r: q)
try:
    (n := 1)
except* E as error:
    del n
type X[T] = list[T]
''',
    "a.js": """/** Doc. */
import d, { a as b } from './x';
const { p, q: [r = 1] } = require("./w");
export default class A extends (B) {
  static #count = 0;
  get size() { return `${this.#count} ${`nested`}`; }
  async *each(a, ...rest) { for await (const x of a) yield x?.y ?? /re[/]x/g; }
}
export const view = ({ a }) => <List.Item a={a} {...b}>text<b/></List.Item>;
label: for (;;) { break label; }
module.exports = { a, b: function () {} };
""",
    "a.ts": """import type { T } from "./t";
export abstract class A<T extends B = C> implements I {
  constructor(private readonly x: string, y?: number) { super(); }
  declare z: Map<string, T[]>;
  over(a: string): void;
  over(a: any) { return <T>a as unknown as F<G>; }
}
export interface I extends J { a?: string; [key: string]: unknown; new (x: T): I }
type U<T> = T extends (infer M)[] ? M : { [K in keyof T]-?: T[K] };
enum E { A, B = 2 }
declare module "m" { export function g(x: this): asserts x is string; }
namespace N.M { export const inner = 1 satisfies number; }
""",
    "a.tsx": "export const F = <T,>(p: { a: T }) => <><G<T> a={p.a!} /></>;\n",
    "a.ex": '''defmodule A.B do
  @moduledoc """
  Doc.
  """
  use X, a: 1
  alias C.{D, E}
  @type t :: %__MODULE__{a: integer}
  @spec f(t, keyword) :: {:ok, t} | :error
  @doc "Says."
  def f(a, b \\\\ [])
  def f(%D{x: x} = a, _) when is_map(a) and x > 0, do: a |> E.run(&(&1 + 1)) |> then(fn y -> y end)
  defp g(<<h::8, rest::binary>>), do: ~r/#{h}/i
  defmacro m(x) do
    quote bind_quoted: [x: x] do
      unquote(x)
    end
  end
  defimpl Inspect, for: [A, B] do
    def inspect(_, _), do: 'c' ++ "s#{1}"
  end
end
''',
}
"""Path → source."""
