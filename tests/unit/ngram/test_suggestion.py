"""Suggestions are whole, fit where they are put, and are worth showing."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import click
import pytest

from rubber_duck.code.code import open_source
from rubber_duck.ngram.session import Session
from rubber_duck.ngram.soundness import Soundness
from rubber_duck.ngram.suggestion import Cursor, Silence, Suggestion, extended, offer, suggestions
from tests.unit.ngram.models import SHOP, model_of, words

MODEL = model_of(SHOP)
BEGUN = "from shop.orders import Order\n\n\ndef undo(customer, items):\n    for item in items:\n        "
ELIXIR = model_of(
    {
        "lib/shop.ex": "defmodule Shop do\n  def run(order) do\n    order |> price() |> round()\n  end\n\n"
        "  def price(order) do\n    order.total\n  end\n\n"
        "  def ship(order) do\n    order |> price() |> round()\n  end\nend\n"
    }
)
TYPESCRIPT = model_of(
    {
        "src/shop.ts": "export function run(order: Order): number {\n"
        "  const total = price(order);\n  return total;\n}\n"
        "export function ship(order: Order): number {\n  const total = price(order);\n  return total;\n}\n"
    }
)


def _offers(prefix: str, suffix: str = "", count: int = 3) -> list[str]:
    found = suggestions(Session(MODEL, "shop/x.py"), Cursor("shop/x.py", "python", prefix, suffix), count=count)
    return [each.text for each in found]


def test_the_rest_of_the_line_is_offered_as_it_would_be_written() -> None:
    assert _offers(BEGUN)[0] == "total = item.price"
    assert _offers(BEGUN + "total")[0] == " = item.price"
    assert _offers(BEGUN + "total =")[0] == " item.price"
    assert _offers(BEGUN + "total = it")[0] == "em.price"


def test_nothing_is_offered_that_would_grow_into_the_word_behind_it() -> None:
    prefix, suffix = "defmodule Other do\n  def go(order), do: ", ":error\nend\n"
    session = Session(ELIXIR, "lib/other.ex")
    assert offer(session, Cursor("lib/other.ex", "elixir", prefix, suffix), count=3) == ([], Silence.WORD)


@pytest.mark.parametrize("prefix", ["x = 1  # the to", "x = 'the to", '"""The to', "x = f'{to"])
def test_nothing_is_offered_in_comments_and_strings(prefix: str) -> None:
    assert _offers(prefix) == []


def test_what_stands_behind_the_cursor_is_not_offered_again() -> None:
    assert _offers(BEGUN + "total = ", "item.price\n") == []
    assert "total = item.price" not in _offers(BEGUN, "\n        total = item.price\n")
    assert "customer, total)" not in _offers("order = Order(", ")\n")
    assert "customer, total" in _offers("order = Order(", ")\n")


@pytest.mark.parametrize(
    ("prefix", "suffix", "why"),
    [
        ("x = 1  # the to", "", Silence.INSIDE),
        (BEGUN + "total = ", "item.price\n", Silence.WORD),
        ("order = Order(customer, total", ")\n", Silence.UNFIT),
    ],
)
def test_why_nothing_is_offered_is_told(prefix: str, suffix: str, why: Silence) -> None:
    cursor = Cursor("shop/x.py", "python", prefix, suffix)
    session = Session(MODEL, "shop/x.py")
    told: list[None] = []
    assert offer(session, cursor, count=1, on_code=lambda: told.append(None)) == ([], why)
    assert bool(told) == (why is not Silence.INSIDE)


def test_a_project_that_says_nothing_makes_nothing_likely() -> None:
    session = Session(model_of({"a.py": ""}), "x.py")
    assert offer(session, Cursor("x.py", "python", "", ""), count=3) == ([], Silence.UNLIKELY)


def test_a_line_is_not_offered_a_third_time() -> None:
    model = model_of({"a.py": "def f():\n" + "    step()\n" * 8})

    def offers(prefix: str) -> list[str]:
        cursor = Cursor("b.py", "python", prefix, "\n")
        return [each.text for each in suggestions(Session(model, "b.py"), cursor, count=3)]

    assert "step()" in offers("def g():\n    step()\n    ")
    assert "step()" not in offers("def g():\n    step()\n    step()\n    ")


@pytest.mark.parametrize(
    "prefix", [BEGUN, "order.", "x = [", "def f(", "class ", "if ", "for ", "order = Order(customer, ", "return "]
)
def test_a_suggestion_breaks_nothing(prefix: str) -> None:
    suffix = "\n\n\ndef after():\n    return 1\n"
    for text in _offers(prefix, suffix, count=10):
        body = "\n    pass" if text.endswith(":") else ""
        problems = open_source("x.py", f"{prefix}{text}{body}{suffix}".encode(), "python").problems
        assert (text, problems) == (text, ())


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "whole"),
    [
        ("", "\n", "order.ship(customer)", "order.ship(customer)"),
        ("", "\n", "order.ship(", "order.ship()"),
        ("", "\n", "x = [a, (b", "x = [a, (b)]"),
        ("", "\n", "x = )", None),
        ("", "\n", "x = = 1", None),
        ("", "\n\ny = 1\n", "if order:", "if order:"),
        ("", "\n    pass\n", "if order:", "if order:"),
        ("def f():\n    ", "\n\n\ndef g(): ...\n", "return a b", None),
        ("f(\n    a,\n    ", "\n)\n", "b,", "b,"),
        ("broken ) (\n", "\n", "x = 1", "x = 1"),
        ("x = (", ")\n", "a", "a"),
        ("class A:\n    def f(self):\n        ", "\n\n    def g(self): ...\n", "self.x = 1", "self.x = 1"),
    ],
)
def test_only_what_parses_is_sound(prefix: str, suffix: str, text: str, whole: str | None) -> None:
    assert Soundness(words("python"), "x.py", "python", prefix, suffix).sound(text) == whole


def test_only_the_line_counts_in_a_file_that_is_broken_elsewhere() -> None:
    prefix = "def f(:\n    pass\n\n\ndef g():\n    "
    assert Soundness(words("python"), "x.py", "python", prefix, "\n").sound("return 1") == "return 1"
    assert Soundness(words("python"), "x.py", "python", prefix, "\n").sound("return (1]") is None


def test_blocks_of_other_languages_are_sound_as_they_begin() -> None:
    elixir = Soundness(words("elixir"), "x.ex", "elixir", "defmodule A do\n  ", "\nend\n")
    assert elixir.sound("def run(order) do") == "def run(order) do"
    typescript = Soundness(words("ecmascript"), "x.ts", "typescript", "", "\n")
    assert typescript.sound("if (order) {") == "if (order) {"
    assert typescript.sound("const x = ;") is None


def test_elixir_and_typescript_are_completed_in_their_own_words() -> None:
    prefix = "defmodule Other do\n  def go(order) do\n    order |> "
    found = suggestions(
        Session(ELIXIR, "lib/other.ex"), Cursor("lib/other.ex", "elixir", prefix, "\n  end\nend\n"), count=3
    )
    assert found[0].text == "price() |> round()"
    prefix = "export function go(order: Order): number {\n  const total = "
    found = suggestions(Session(TYPESCRIPT, "src/x.ts"), Cursor("src/x.ts", "typescript", prefix, "\n}\n"), count=3)
    assert found[0].text == "price(order);"


def test_what_is_left_of_an_answer_serves_as_the_next_one() -> None:
    known = [Suggestion("total = 1", 0.6, "file", True), Suggestion("total += 1", 0.2, "file", True)]
    assert extended(known, "total ") == [Suggestion("= 1", 0.6, "file", True), Suggestion("+= 1", 0.2, "file", True)]
    assert extended(known, "total =") == [Suggestion(" 1", 0.6, "file", True)]
    assert extended(known, "other") == []
    assert extended(known, "total = 1") == []
    assert extended([], "total") == []


def test_python_itself_takes_what_is_offered_in_a_real_package() -> None:
    folder = Path(click.__file__).parent
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    model = model_of(texts)
    dice = random.Random(11)
    offered, refused = 0, []
    for name in dice.sample(sorted(texts), 8):
        session = Session(model, name)
        lines = texts[name].split("\n")
        for number in dice.sample(range(len(lines)), 12):
            line = lines[number]
            margin = len(line) - len(line.lstrip())
            above, below = "\n".join(lines[:number]), "\n".join(lines[number + 1 :])
            if not line.strip() or not _is_python(f"{above}\n{below}"):
                continue
            prefix = f"{above}\n{line[: dice.randint(margin, len(line))]}"
            for each in suggestions(session, Cursor(name, "python", prefix, f"\n{below}"), count=5):
                offered += 1
                body = f"\n{' ' * margin}    pass"
                if not any(_is_python(f"{prefix}{each.text}{end}\n{below}") for end in ("", body)):
                    refused.append((name, number + 1, line, each.text))
    assert refused == []
    assert offered > 50


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize(
    ("model", "path", "language", "prefix", "suffix", "text"),
    [
        ("ecmascript", "x.ts", "typescript", "for (const alg ", "\n  run();\n}\n", ":"),
        ("ecmascript", "x.ts", "typescript", "const x = core.", "\nconst y = ;\n", "$ZodType>()"),
        ("elixir", "x.ex", "elixir", "  case Map", "\n    :a -> 1\n  end\n", ","),
        ("elixir", "x.ex", "elixir", "x = [", "]\n", "key: do"),
        ("elixir", "x.ex", "elixir", "x = load", ".(1)\n", "er = fn ->"),
        ("elixir", "x.ex", "elixir", "x = {a", "}\n", ", f b, c"),
        ("elixir", "x.ex", "elixir", "f(\n  a,", "\n  d\n)\n", " b"),
        ("python", "x.py", "python", "f ", "\n", ":"),
        ("python", "x.py", "python", "f(a=1, ", "\n", "b)"),
        ("python", "x.py", "python", "global", "\n", " getchar(echo)"),
        ("python", "x.py", "python", "while ", "\n    run()\n", "x"),
    ],
)
def test_no_language_is_broken(model: str, path: str, language: str, prefix: str, suffix: str, text: str) -> None:
    assert Soundness(words(model), path, language, prefix, suffix).sound(text) is None
