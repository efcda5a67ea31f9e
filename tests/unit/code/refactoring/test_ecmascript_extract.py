"""A JavaScript or TypeScript expression under a name: made where nobody can tell, refused wherever order matters."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring import ecmascript_extract
from rubber_duck.code.refactoring.refactored import Stretch
from rubber_duck.errors import InvalidInput, Refused


def extracted(text: str, chosen: str, path: str = "a.js", *, last: bool = False) -> str:
    at = text.rindex(chosen) if last else text.index(chosen)
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    stretch = Stretch(path, line, line, column, column + len(chosen))
    return ecmascript_extract.extract_variable({path: text}, stretch, "far").texts[path]


@pytest.mark.parametrize(
    ("text", "chosen", "after"),
    [
        ("f(a + b);\n", "a + b", "const far = a + b;\nf(far);\n"),
        ("function f(x) {\n  return g(x).y\n}\n", "g(x)", "function f(x) {\n  const far = g(x)\n  return far.y\n}\n"),
        ("export const x = a.b.c;\n", "a.b", "const far = a.b;\nexport const x = far.c;\n"),
        ("{\n  if (a > 1) g()\n}\n", "a > 1", "{\n  const far = a > 1\n  if (far) g()\n}\n"),
        ("for (const x of f()) g(x)\n", "f()", "const far = f()\nfor (const x of far) g(x)\n"),
        ("x = a && b\n", "a", "const far = a\nx = far && b\n"),
        ("`${a}`.x()\n", "a", "const far = a;\n`${far}`.x()\n"),
    ],
)
def test_an_expression_becomes_a_const_before_its_statement(text: str, chosen: str, after: str) -> None:
    assert extracted(text, chosen) == after


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("x = a && b.c\n", "b.c"),
        ("x = a ? b.c : d\n", "b.c"),
        ("x = a?.f(b.c)\n", "b.c"),
        ("while (b.c) f()\n", "b.c"),
        ("for (let i = 0; i < b.c; i++) f()\n", "b.c"),
        ("if (x) f()\nelse if (b.c) g()\n", "b.c"),
        ("if (x) f(b.c)\n", "b.c"),
        ("const f = x => x + b.c\n", "b.c"),
        ("function f(x = b.c) {}\n", "b.c"),
        ("f(g(), b.c)\n", "b.c"),
        ("b.c()\n", "b.c"),
        ("b.c = 1\n", "b.c"),
        ("b.c += d.e\n", "d.e"),
        ("delete b.c\n", "b.c"),
        ("f(x = 1)\n", "x = 1"),
        ("let x = 1, y = b.c\n", "b.c"),
        ("class A { x = b.c }\n", "b.c"),
        ("f(far, b.c)\n", "b.c"),
        ("a + b * c\n", "a + b"),
        ("switch (x) { case b.c: f() }\n", "b.c"),
    ],
)
def test_refused_to_be_a_const(text: str, chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(text, chosen)


def test_in_typescript_what_gets_its_type_from_its_place_stays_there() -> None:
    with pytest.raises(Refused):
        extracted("f({ a: 'x' })\n", "{ a: 'x' }", path="a.ts")
    assert extracted("f({ a: 'x' })\n", "{ a: 'x' }") == "const far = { a: 'x' }\nf(far)\n"


SETTLED = """const k = 1
let once = 2
function f(p) {
  let own = p
  own = 3
  HERE
}
"""

PASSES = {
    "a constant past a call": ("g() + k", "k"),
    "a parameter past a call": ("g(h(), p)", "p"),
    "a local that only its function gives a value past a call": ("g(h(), own)", "own"),
    "what is put together of those": ("g(h(), [p, own === k])", "[p, own === k]"),
    "a text past a call": ("g(h(), 'x')", "'x'"),
    "a call past what is to be called": ("g(h())", "h()"),
    "a call past a method of a parameter": ("p.go(h())", "h()"),
    "a call past a method of a global": ("console.log(h())", "h()"),
    "a call past a method of this": ("this.go(h())", "h()"),
    "a call past a local": ("own === h()", "h()"),
    "a call past a name that is given once": ("g(once, h())", "h()"),
    "a call past a function": ("g(() => own.x, h())", "h()"),
    "a call past the place for it": ("p.x = h()", "h()"),
    "an await past a constant": ("g(k, await h())", "await h()"),
    "a read past a read": ("p.x + own.y", "own.y"),
    "a read past a read in a text": ("g(`${p.x}${p.y}`)", "p.y"),
    "a call in a declaration with a pattern": ("const { a = 1 } = h()", "h()"),
    "the condition of a choice": ("p.x ? g() : h()", "p.x"),
    "the left side of a choice": ("p.x ?? g()", "p.x"),
    "the whole of a chain": ("g(p?.x.y)", "p?.x.y"),
    "the index of what is counted up": ("p[own.i]++", "own.i"),
    "what an object holds": ("g({ a: p.x, b: own.y })", "own.y"),
    "what markup shows": ("g(<b c={p.x} d={p.y} />)", "p.y"),
}


@pytest.mark.parametrize(("line", "chosen"), PASSES.values(), ids=PASSES.keys())
def test_what_nobody_can_tell_is_made(line: str, chosen: str) -> None:
    text = SETTLED.replace("function f", "async function f").replace("HERE", line)
    at = line.rindex(chosen)
    after = f"  const far = {chosen}\n  {line[:at]}far{line[at + len(chosen) :]}\n"
    assert after in extracted(text, chosen, last=True, path="a.jsx")


OPEN = """let open = 1
import { live } from './live'
function change() { open += 1; list[0] = own_of.x = p.q = 2 }
async function* f(p, q) {
  let caught = p
  function later() { caught = 2 }
  HERE
}
"""

ORDER = {
    "a property past a call": ("g(h(), p.x)", "p.x"),
    "a property past a call of its object": ("p.go() + p.x", "p.x"),
    "a name of the file that a function gives a value, past a call": ("change() + open", "open"),
    "a local that a function inside gives a value, past a call": ("later() + caught", "caught"),
    "what another module may give a value, past a call": ("h() + live", "live"),
    "a name that nobody declares, past a call": ("h() + everybodys", "everybodys"),
    "a call past a property": ("p.x + p.bump()", "p.bump()"),
    "a call past an element": ("p[0] + h()", "h()"),
    "a call past a name that it may change": ("open + change()", "change()"),
    "a call past a captured name": ("g(caught, later())", "later()"),
    "a call past what another module exports": ("g(live, h())", "h()"),
    "a call past a name that nobody declares": ("g(everybodys, h())", "h()"),
    "a call past a method that is replaced somewhere": ("p.q(h())", "h()"),
    "a call past a method of a property": ("p.x.go(h())", "h()"),
    "a call past a function that is replaced": ("open(h())", "h()"),
    "a call past an object that is changed": ("p.x.y = h()", "h()"),
    "a call past an index": ("p[open] = h()", "h()"),
    "a call past a sum": ("p + q + h()", "h()"),
    "a call past a text that is made": ("`${p}` === h()", "h()"),
    "an await past a property": ("p.x + await h()", "await h()"),
    "a construction past a property": ("g(p.x, new H())", "new H()"),
    "a property past a construction": ("g(new H(p), p.x)", "p.x"),
    "a property past an await": ("g(await h, p.x)", "p.x"),
    "a property past a yield": ("g(yield, p.x)", "p.x"),
    "a property past a tagged text": ("g(h`x`, p.x)", "p.x"),
    "a tagged text past a property": ("g(p.x, h`x`)", "h`x`"),
    "a property past what is deleted": ("g(delete p.x, p.y)", "p.y"),
    "a property past an iteration": ("g(...q, p.x)", "p.x"),
    "an iteration past a property": ("g(p.x, [...q])", "[...q]"),
    "a property past markup": ("g(<B />, p.x)", "p.x"),
    "markup past a property": ("g(p.x, <B />)", "<B />"),
    "a property past a class": ("g(class { static x = h() }, p.x)", "p.x"),
    "a property past an assignment": ("g(q = 1, p.x)", "p.x"),
    "a name past what gives it a value": ("g(q = 1, q)", "q"),
    "a name past what counts it": ("g(h(), q++, q)", "q"),
    "a property past counting": ("g(q++, p.x)", "p.x"),
    "a property past a computed name": ("g({ [h()]: p.x })", "p.x"),
    "an assignment": ("g(q = 1)", "q = 1"),
    "counting": ("g(q++)", "q++"),
    "a yield": ("g(yield 1)", "yield 1"),
}

SOMETIMES = {
    "behind &&, with a comment": ("p /* why */ && p.x", "p.x"),
    "behind ??": ("p ?? q.x", "q.x"),
    "behind ||": ("p || q.x", "q.x"),
    "behind &&, further out": ("p && (1 + q.x)", "q.x"),
    "the second of a choice": ("p ? q.x : 1", "q.x"),
    "the third of a choice": ("p ? 1 : q.x", "q.x"),
    "an argument behind ?.": ("p?.go(q.x)", "q.x"),
    "an index behind ?.": ("p?.[q.x]", "q.x"),
    "an argument further behind ?.": ("p?.a.b(q.x)", "q.x"),
    "an argument behind ?. and !": ("p?.a!.b(q.x)", "q.x"),
    "the first part of a chain": ("g(p?.x.y)", "p?.x"),
    "a value if there is none": ("p ||= q.x", "q.x"),
    "what is added": ("p += q.x", "q.x"),
    "the value of a parameter": ("g((a = q.x) => a)", "q.x"),
    "the body of an arrow": ("g(() => q.x)", "q.x"),
    "the default in a pattern": ("const { a = q.x } = p", "q.x"),
    "the key in a pattern": ("const { [q.x]: a } = h()", "q.x"),
    "the index in a pattern": ("[p[q.x]] = h()", "q.x"),
    "the default in a pattern that is assigned": ("({ a: p = q.x } = h())", "q.x"),
    "the second of a declaration": ("let a = h(), b = q.x", "q.x"),
    "the condition of while": ("while (q.x) h()", "q.x"),
    "the condition of do": ("do h(); while (q.x)", "q.x"),
    "the first of for": ("for (let i = q.x; ; ) h()", "q.x"),
    "the second of for": ("for (; q.x; ) h()", "q.x"),
    "where for puts its values": ("for (p[q.x] of h()) g()", "q.x"),
    "the body of if": ("if (p) g(q.x)", "q.x"),
    "the condition of else if": ("if (p) g()\n  else if (q.x) h()", "q.x"),
    "a case": ("switch (p) { case q.x: h() }", "q.x"),
    "behind a case": ("switch (p) {\n  case 1:\n    g(q.x)\n  }", "q.x"),
    "behind the default": ("switch (p) {\n  default:\n    g(q.x)\n  }", "q.x"),
    "a field": ("g(class { a = q.x })", "q.x"),
    "a parent of a class": ("g(class extends q.x {})", "q.x"),
    "a method's name": ("g(class { [q.x]() {} })", "q.x"),
    "a method's name in an object": ("g({ [q.x]() {} })", "q.x"),
    "a label": ("out: g(q.x)", "q.x"),
}

PLACES = {
    "what is called": ("p.x()", "p.x"),
    "what is called, in parentheses": ("(p.x)()", "p.x"),
    "what is awaited, with a bracket": ("g(await (p.x)(1))", "p.x"),
    "what is called, with its parentheses": ("(p.x)()", "(p.x)"),
    "what is called, with a text": ("p.x`a`", "p.x"),
    "what is called, with !": ("p.x!()", "p.x"),
    "what is given a value, in parentheses": ("(p.x) = 1", "p.x"),
    "what is given a value in a pattern": ("[p.x] = q", "p.x"),
    "what is counted": ("p.x++", "p.x"),
    "what is deleted, in parentheses": ("delete (p.x)", "p.x"),
    "what typeof asks for": ("g(typeof everybodys)", "everybodys"),
    "two in parentheses, as one": ("g((p, q))", "p, q"),
    "a directive": ("'use strict'", "'use strict'"),
    "a module's name": ("g(import('./x'))", "'./x'"),
    "a module's name, required": ("g(require('./x'))", "'./x'"),
    "a function that is called after its place": ("const a = () => 1", "() => 1"),
    "a function in parentheses": ("const a = (function () {})", "(function () {})"),
    "a class without a name": ("const a = class {}", "class {}"),
    "an element of markup in another": ("g(<b><i /></b>)", "<i />"),
    "a text in markup": ("g(<b c='d' />)", "'d'"),
    "a key": ("g({ 'a': 1 })", "'a'"),
    "a function at the end of a choice, before a bracket": ("p = q ? 1 : () => {}\n  (0)", "q ? 1 : () => {}"),
    "a function, and in the next line what looks like its call": ("const a = () => {}\n  (p.x)()", "p.x"),
    "a function, and in the next line what looks like its index": ("const a = () => {}\n  [p[q.x]] = h()", "q.x"),
}


@pytest.mark.parametrize(
    ("line", "chosen"),
    [*ORDER.values(), *SOMETIMES.values(), *PLACES.values()],
    ids=[*ORDER, *SOMETIMES, *PLACES],
)
def test_what_somebody_could_tell_is_refused(line: str, chosen: str) -> None:
    path = "a.ts" if "!" in line else "a.jsx"
    with pytest.raises((Refused, InvalidInput)):
        extracted(OPEN.replace("HERE", line), chosen, last=True, path=path)


TYPES = {
    "a type": ("const a: null = null", "null"),
    "a type behind as": ("g(p as 'x')", "'x'"),
    "a type of an argument": ("g<'x'>('x')", "'x'"),
    "what as const stands behind": ("g('x' as const)", "'x'"),
    "an object in a choice": ("g(p ? { a: 1 } : q)", "p ? { a: 1 } : q"),
}


@pytest.mark.parametrize(("line", "chosen"), TYPES.values(), ids=TYPES.keys())
def test_in_typescript_types_stay(line: str, chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(f"function f(p, q) {{\n  {line}\n}}\n", chosen, path="a.ts")
