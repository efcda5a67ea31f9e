"""A function goes into the places that call it, or it is said why that would not be the same."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from rubber_duck.code.refactoring.python.inline_function import inline_function
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import InvalidInput, Refused
from tests.unit.code.refactoring.programs import outcome

SHOP = {
    "shop/__init__.py": "",
    "shop/rates.py": 'TAX = 0.2\n\n\ndef taxed(net, rate=0.2):\n    """With tax."""\n    return net + net * rate\n',
    "shop/bill.py": (
        "from shop.rates import TAX, taxed\n\n\ndef total(rows):\n    net = sum(rows)\n    return taxed(net) * 2\n\n\n"
        "def one(net):\n    print(taxed(net, rate=TAX))\n"
    ),
    "main.py": "from shop import rates\n\n\ndef f(x):\n    return rates.taxed(x, 1)\n",
}


def inlined(files: dict[str, str], path: str, line: int, column: int = 0) -> dict[str, str]:
    return dict(inline_function(files, Spot(path, line, column)).texts)


def one(function: str, rest: str) -> str:
    text = f"{function}\n\n\n{rest}"
    return inlined({"p.py": text}, "p.py", 1, 5)["p.py"].strip()


def test_an_expression_takes_the_place_of_every_call_and_imports_go() -> None:
    files = {**SHOP, "shop/bill.py": SHOP["shop/bill.py"].replace("rate=TAX", "rate=.3")}
    found = inlined(files, "shop/rates.py", 4)
    assert found["shop/rates.py"] == "TAX = 0.2\n\n\n"
    assert found["main.py"].endswith("return x + x * 1\n")
    assert found["shop/bill.py"] == (
        "from shop.rates import TAX\n\n\ndef total(rows):\n    net = sum(rows)\n    return (net + net * 0.2) * 2\n\n\n"
        "def one(net):\n    print(net + net * .3)\n"
    )


def test_at_a_call_only_that_call_goes() -> None:
    found = inlined(SHOP, "main.py", 5, 18)
    assert found == {"main.py": SHOP["main.py"].replace("rates.taxed(x, 1)", "x + x * 1")}


STATEMENTS = (
    "def help(far, by=2):\n    # as it is\n    total = 0\n    for n in range(far):\n        total += n * by\n"
    "    return total + 1"
)


def test_statements_take_the_place_of_a_call_that_is_a_statement() -> None:
    assert one(STATEMENTS, "def f(x):\n    if x:\n        y = help(x + 1)\n        return y\n") == (
        "def f(x):\n    if x:\n        far = x + 1\n        by = 2\n        total = 0\n        for n in range(far):\n"
        "            total += n * by\n        y = total + 1\n        return y"
    )


@pytest.mark.parametrize(
    ("function", "call", "result"),
    [
        ("def h(a, b):\n    return a - b", "return h(b=x, a=y)", "return y - x"),
        ("def h(a):\n    return a * 2", "return h(x + 1) ** 2", "return ((x + 1) * 2) ** 2"),
        ("def h(a):\n    return a.b", "return h(3)", "return (3).b"),
        ("def h(a): return len(a)", "return h(g(x))", "return len(g(x))"),
        ("def h():\n    pass", "h()", "None"),
        ("def h(a):\n    print(a)", "h(x)", "a = x\n    print(a)"),
        ("def h(x):\n    print(x)", "h(x)", "print(x)"),
        ("def h(a):\n    return a, a", "return g(h(x))", "return g((x, x))"),
        ("def h(a):\n    return (\n        a\n        + 1\n    )", "return h(x)", "return (x\n        + 1)"),
    ],
)
def test_it_is_written_so_that_it_means_the_same(function: str, call: str, result: str) -> None:
    assert one(function, f"def f(x, y, g=len):\n    {call}\n") == f"def f(x, y, g=len):\n    {result}"


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("def h(n):\n    return h(n - 1) if n else 0", "return h(x)"),
        ("def h(a):\n    if a:\n        return 1\n    return 2", "return h(x)"),
        ("def h(*a):\n    return a", "return h(x)"),
        ("def h(**a):\n    return a", "return h(a=x)"),
        ("def h(a):\n    return a", "return h(*x)"),
        ("def h(a):\n    return a + a", "return h(g(x))"),
        ("def h(a):\n    return 1", "return h(g(x))"),
        ("def h(a, b):\n    return a + b", "return h(g(x), g(y))"),
        ("def h(a):\n    return g(1) + a", "return h(x.y)"),
        ("def h(a):\n    return 1 if x_ else a", "return h(g(x))"),
        ("def h(a):\n    return [a for b in (1, 2)]", "return h(g(x))"),
        ("def h(a):\n    return [a + x for x in (1, 2)]", "return h(x)"),
        ("def h(a):\n    return lambda: a", "return h(x)"),
        ("def h(a):\n    yield a", "return h(x)"),
        ("async def h(a):\n    return a", "return h(x)"),
        ("@g_\ndef h(a):\n    return a", "return h(x)"),
        ("def h(a=[]):\n    return a", "return h()"),
        ("def h(a):\n    return a", "return h"),
        ("def h(a):\n    return a", "return f'{h(x)}'"),
        ("def h(a):\n    return y_", "y_ = 1\n    return h(x)"),
        ("def h(a):\n    b = a\n    return b", "return h(x) + 1"),
        ("def h(a):\n    b = a\n    return b", "b = 1\n    y = h(x)\n    return b"),
        ("def h(a):\n    if a:\n        b = 1\n    return b", "y = h(x)\n    return y"),
        ("def h(x):\n    x = 1\n    return x", "y = h(x)\n    return x"),
        ("def h(a):\n    return locals()", "return h(x)"),
        ("def h(a):\n    global z_\n    z_ = a", "h(x)"),
        ("def h(a):\n    b = a\n    return b", "y += h(x)\n    return y"),
        ("def h(a):\n    b = '''\n'''\n    return b", "y = h(x)\n    return y"),
        ("def h(a):\n    return a", "return h(x, y)"),
        ("def h(a):\n    return a", "return h()"),
        ("def h(a):\n    return a", "return h(h(x))"),
        ("def h(a):\n    return a", "return h(z for z in (1,)), getattr(f, 'h')"),
    ],
)
def test_refused_is(function: str, call: str) -> None:
    line = 2 if function.startswith("@") else 1
    text = f"{function}\n\n\ndef f(x, y, g=len):\n    {call}\n"
    ast.parse(text)
    with pytest.raises((Refused, InvalidInput)):
        inlined({"p.py": text}, "p.py", line)


@pytest.mark.parametrize(
    "more",
    [
        {"other.py": "from shop.rates import taxed\n"},
        {"other.py": "from shop.rates import taxed as t\n\nprint(t(1))\n"},
        {"other.py": "from shop.rates import *\n"},
        {"other.py": "import mock\nmock.patch('shop.rates.taxed')\n"},
        {"shop/rates.py": SHOP["shop/rates.py"] + "\n\n__all__ = ['taxed']\n"},
        {"shop/rates.py": SHOP["shop/rates.py"].replace("net * rate", "net * rate * TAX")},
        {"shop/rates.py": SHOP["shop/rates.py"] + "\n\nif TAX:\n    def taxed(net, rate=1):\n        return 0\n"},
    ],
)
def test_what_others_reach_stays(more: dict[str, str]) -> None:
    with pytest.raises(Refused):
        inlined({**SHOP, **more}, "shop/rates.py", 4)


_values = st.sampled_from(["x", "y", "1", "-2", "x + y", "say(x)", "[x]", "None", "(x, y)"])
_bodies = st.sampled_from(
    [
        "return p + q", "return q * 2 - p", "return [p, q]", "return say(p) or q", "return say(q), p", "return (p)",
        "return p if q else 0", "return [p for n in rows(q)]", "return -p", "return {p: q}.get(p)",
        "say(p)\n    say(q)", "r = p + 1\n    say(r)\n    return r", "for n in rows(q):\n        say(n)\n    return p",
        "return str(p) + str(q)",
        "p = q\n    return p", "try:\n        r = p + q\n    except TypeError:\n        r = 0\n    return r", "pass",
    ]
)  # fmt: skip
_calls = st.sampled_from(
    ["return {}", "z = {}\n    return z", "return say({}) + 1", "{}\n    return y", "return [{} for x in (3, 4)]",
     "return 2 * {}", "x = {}\n    return x, y", "for z in rows(x):\n        y = {}\n    return y", "return not {}"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_bodies, _calls, st.lists(_values, min_size=2, max_size=2), st.booleans(), st.sampled_from(["", "=1"]))
def test_whatever_is_inlined_does_what_it_did(
    body: str, call: str, given_: list[str], by_name: bool, default: str
) -> None:
    arguments = f"q={given_[1]}, p={given_[0]}" if by_name else ", ".join(given_)
    text = (
        f"def help(p, q{default}):\n    {body}\n\n\ndef run(x, y):\n    {call.format(f'help({arguments})')}\n\n\n"
        "for a in (0, 1, 5):\n    say(call(run, a, 2))\nsay(call(run, [1], [2]))\n"
    )
    note(text)
    try:
        after = inlined({"p.py": text}, "p.py", 1)["p.py"]
    except (Refused, InvalidInput):
        return
    note(after)
    assert "help" not in after
    assert outcome(after) == outcome(text)
