"""A JavaScript or TypeScript selection as a function: what it takes and gives is handed over, all else is refused."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.ecmascript_function import extract_function
from rubber_duck.code.refactoring.refactored import Stretch
from rubber_duck.errors import InvalidInput, Refused


def extracted(text: str, chosen: str, path: str = "a.js", *, others: dict[str, str] | None = None) -> str:
    """The text with what stands there as the function `far`."""
    at = text.index(chosen)
    end = at + len(chosen)
    line, last = text.count("\n", 0, at) + 1, text.count("\n", 0, end) + 1
    first, until = at - text.rfind("\n", 0, at), end - text.rfind("\n", 0, end)
    stretch = Stretch(path, line, last, first, until)
    return extract_function({path: text, **(others or {})}, stretch, "far").texts[path]


def body(lines: str, before: str = "", parameters: str = "p, q") -> str:
    """A module with a function of these lines."""
    return f"export {before}function f({parameters}) {{\n{lines}}}\n"


@pytest.mark.parametrize(
    ("lines", "chosen", "call", "function"),
    [
        ("  g(p * 2)\n", "p * 2", "  g(far(p))\n", "function far(p) {\n  return p * 2\n}\n"),
        ("  g(p)\n  h(q)\n", "g(p)\n  h(q)", "  far(p, q)\n", "function far(p, q) {\n  g(p)\n  h(q)\n}\n"),
        ("  const a = p\n  g(a)\n", "const a = p", "  const a = far(p)\n  g(a)\n", "  const a = p\n  return a\n}\n"),
        (
            "  const a = p\n  let b = a\n  b = g(a, b)\n",
            "const a = p\n  let b = a",
            "  let { a, b } = far(p)\n  b = g(a, b)\n",
            "  return { a, b }\n",
        ),
        ("  p += q\n  g(p)\n", "p += q", "  p = far(p, q)\n  g(p)\n", "  p += q\n  return p\n"),
        ("  for (const x of p) {\n    g(x)\n  }\n", "g(x)", "    far(x)\n", "function far(x) {\n  g(x)\n}\n"),
        ("  if (p) {\n    g()\n    return q\n  }\n", "g()\n    return q", "    return far(q)\n", "  g()\n  return q\n"),
        (
            "  while (p) { if (q) break }\n",
            "while (p) { if (q) break }",
            "  far(p, q)\n",
            "  while (p) { if (q) break }\n",
        ),
        ("  g(`a\n  ${p}`)\n", "g(`a\n  ${p}`)", "  far(p)\n", "function far(p) {\n  g(`a\n  ${p}`)\n}\n"),
        ("  g(p);\n  (q)();\n", "g(p);", "  far(p);\n  (q)();\n", "function far(p) {\n  g(p);\n}\n"),
    ],
)
def test_a_selection_becomes_a_function_and_a_call(lines: str, chosen: str, call: str, function: str) -> None:
    after = extracted(body(lines), chosen)
    assert call in after
    assert after.endswith(function) or function in after.partition("\n}\n")[2]


@pytest.mark.parametrize(
    ("lines", "chosen", "why"),
    [
        ("  g(new Error('x').stack)\n", "new Error('x').stack", "looks at the functions"),
        ("  Error.captureStackTrace(p)\n", "Error.captureStackTrace(p)", "looks at the functions"),
        ("  g(this.x)\n", "g(this.x)", "`this`"),
        ("  g(arguments[0])\n", "g(arguments[0])", "`arguments`"),
        ("  g(new.target)\n", "g(new.target)", "new.target"),
        ("  g(() => this.x)\n", "g(() => this.x)", "`this`"),
        ("  if (p) {\n    return q\n  }\n  g()\n", "if (p) {\n    return q\n  }", "a return would"),
        ("  for (;;) {\n    if (p) break\n  }\n", "if (p) break", "leaves a loop"),
        ("  a: for (;;) {\n    for (;;) { break a }\n  }\n", "for (;;) { break a }", "leaves a loop"),
        ("  let a = p\n  const h = () => { a = 1 }\n  g(a)\n  h()\n", "g(a)", "another function"),
        ("  let a = p\n  a = q\n  g(() => a)\n", "g(() => a)", "kept by a function"),
        ("  let a = p\n  a = q\n  g(() => a)\n  h(a)\n", "a = q", "used by another function"),
        ("  let a = p\n  try {\n    a = g()\n  } finally { h(a) }\n", "a = g()", "`try`"),
        ("  const a = p\n  p = q\n  h(a, p)\n", "const a = p\n  p = q", "gives several"),
        ("  for (const x of p) {\n    var t = t || x\n  }\n", "var t = t || x", "`var`"),
        ("  g(() => late)\n  const late = p\n", "g(() => late)", "no value yet"),
        ("  { function h() {} }\n  h()\n", "\n  h()", "function in a block"),
        ("  function h() {}\n  h()\n", "function h() {}", "used outside"),
        ("  g(p.m)\n  p.m()\n", "m)\n  p", "not one whole"),
        ("  'use strict'\n  g()\n", "'use strict'\n  g()", "directive"),
        ("  g(eval('p'))\n", "g(eval('p'))", "`eval`"),
        ("  far(p)\n", "far(p)", "is used"),
    ],
)
def test_refused_to_become_a_function(lines: str, chosen: str, why: str) -> None:
    with pytest.raises((Refused, InvalidInput), match=why):
        extracted(body(lines), chosen)


@pytest.mark.parametrize("lines", ["  g(await p)\n", "  for await (const x of p) g(x)\n"])
def test_what_waits_stays(lines: str) -> None:
    with pytest.raises(Refused, match="waits or yields"):
        extracted(body(lines, "async "), lines.strip())


def test_a_method_that_is_strict_in_a_script_that_is_not_stays() -> None:
    text = "class A {\n  m(p) {\n    g(p)\n  }\n}\n"
    with pytest.raises(Refused, match="strict mode"):
        extracted(text, "g(p)")
    assert "far(p)" in extracted(f"'use strict'\n{text}", "g(p)")


def test_scripts_share_their_names() -> None:
    text = "function f(p) {\n  g(p)\n}\n"
    assert "far(p)" in extracted(text, "g(p)")
    with pytest.raises(Refused, match="script"):
        extracted(text, "g(p)", others={"b.js": "far()\n"})


def test_types_are_taken_from_where_they_are_written() -> None:
    typed = body("  g(p + q)\n", parameters="p: number, q?: string")
    assert "function far(p: number, q: string | undefined) {" in extracted(typed, "g(p + q)", "a.ts")
    with pytest.raises(Refused, match="type of 'p'"):
        extracted(body("  g(p)\n"), "g(p)", "a.ts")
    with pytest.raises(Refused, match="type 'T'"):
        extracted("export function f<T>(p: T[]) {\n  g(p)\n}\n", "g(p)", "a.ts")
