"""A JavaScript variable or function put back where it is read: as if it had been extracted from there."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.ecmascript_inline_function import inline
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import InvalidInput, Refused


def inlined(lines: str, line: int = 2, path: str = "a.js", before: str = "") -> str:
    """The lines of a function without what the given line of the file defines."""
    head = f"export {before}function f(p, q) {{\n"
    return inline({path: f"{head}{lines}}}\n"}, Spot(path, line)).texts[path].removeprefix(head).removesuffix("}\n")


@pytest.mark.parametrize(
    ("lines", "after"),
    [
        ("  const a = p * 2\n  g(a)\n", "  g(p * 2)\n"),
        ("  const a = p * 2\n  return a + 1\n", "  return (p * 2) + 1\n"),
        ("  const a = 5\n  g(a, () => a)\n", "  g(5, () => 5)\n"),
        ("  const a = p\n  g({ a }, a.b)\n", "  g({ a: p }, p.b)\n"),
        ("  const a = p?.x\n  return a.y\n", "  return (p?.x).y\n"),
        ("  const a = g()\n  const b = 3\n  h(a, b)\n", "  const b = 3\n  h(g(), b)\n"),
        ("  const a = q => q\n  h(a(1), a(p))\n", "  h(1, p)\n"),
        ("  function a(x) { return x + q }\n  h(a(p) * 2)\n", "  h((p + q) * 2)\n"),
        ("  function a(x) {\n    return { x }\n  }\n  h(a(g()))\n", "  h({ x: g() })\n"),
    ],
)
def test_what_is_read_takes_the_place_of_its_name(lines: str, after: str) -> None:
    assert inlined(lines) == after


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("  const a = g()\n  h(a, a)\n", "several times"),
        ("  const a = g()\n  h()\n  k(a)\n", "between"),
        ("  const a = g()\n  h(k(), a)\n", "is called there before it|may change"),
        ("  const a = g()\n  if (p) h(a)\n", "no block|only sometimes"),
        ("  const a = g()\n  return () => a\n", "another function"),
        ("  const a = g()\n  while (a) h()\n", "later, repeatedly|no statement"),
        ("  let a = 1\n  a = 2\n  g(a)\n", "once"),
        ("  const a = () => 1\n  g(a)\n", "without a name"),
        ("  const { a } = p\n  g(a)\n", "part of what is given|once"),
        ("  const a = p.m\n  a()\n", "this"),
        ("  const a = 1 // why\n  g(a)\n", "shares its lines"),
        ("  const a = p\n  q = (p) => a\n", "is worked out once|another function|several"),
        ("  g(() => a)\n  const a = 1\n", "nowhere|declares"),
        ("  function a(x) { return x + x }\n  h(a(g()))\n", "not read once"),
        ("  function a(x) { return k() + x }\n  h(a(g()))\n", "may change"),
        ("  function a(x, y) { return y + x }\n  h(a(g(), k()))\n", "may change"),
        ("  function a(x) { return q && x }\n  h(a(g()))\n", "only sometimes"),
        ("  function a(x) { return x + q }\n  for (const q of p) h(a(q))\n", "something else"),
        ("  function a(x) { return a(x) }\n  h(a(1))\n", "calls itself"),
        ("  function a(x) { return x }\n  h(a)\n", "not called"),
        ("  function a(x = 1) { return x }\n  h(a())\n", "more than a name"),
        ("  function a() { return this }\n  h(a())\n", "`this`"),
        ("  async function a() { return 1 }\n  h(a())\n", "promise"),
        ("  const a = (x) => p = x\n  h(a(1))\n", "gives something a value"),
        ("  function a() { return () => 1 }\n  const h = a()\n", "without a name"),
    ],
)
def test_refused_to_be_put_back(lines: str, why: str) -> None:
    with pytest.raises((Refused, InvalidInput), match=why):
        inlined(lines)


def test_what_the_whole_file_knows_is_put_back_only_in_a_module() -> None:
    text = "const LIMIT = 3\nfunction f() { return LIMIT }\n"
    with pytest.raises(Refused, match="script"):
        inline({"a.js": text}, Spot("a.js", 1))
    done = inline({"a.js": f"{text}export { {'f'} }\n".replace("{'f'}", "{ f }")}, Spot("a.js", 1))
    assert done.texts["a.js"] == "function f() { return 3 }\nexport { f }\n"


def test_what_is_exported_or_typed_stays() -> None:
    with pytest.raises(Refused, match="exported"):
        inline({"a.js": "export const a = 1\ng(a)\n"}, Spot("a.js", 1))
    with pytest.raises(Refused, match="type"):
        inlined("  const a: number = 1\n  g(a)\n", path="a.ts")


def test_what_tells_the_compiler_of_its_argument_stays() -> None:
    with pytest.raises(Refused, match="what its argument is"):
        inlined("  const a = (x: unknown): x is string => typeof x === 'string'\n  if (a(p)) g(p)\n", path="a.ts")
