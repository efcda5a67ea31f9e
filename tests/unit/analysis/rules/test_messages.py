"""What rules say, underline and mend, on planted cases."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.analyzer import Analyzer
from rubber_duck.analysis.finding import Confidence, Severity
from rubber_duck.analysis.rule_set import RuleSet
from tests.unit.analysis.rules.walking import fixed, hits, messages, underlined


def test_a_repeated_condition_names_the_line_that_tested_it_first() -> None:
    code = "if a == 1:\n    f()\nelif b:\n    g()\nelif a == 1:\n    h()\n"
    assert messages("duplicate-condition", "python", code) == [
        "`a == 1` was tested on line 1 already, so this branch never runs: write the condition that was meant"
    ]
    assert underlined("duplicate-condition", "python", code) == ["a == 1"]


def test_a_condition_that_asks_a_pure_function_twice_is_surer_than_one_that_asks_any_function() -> None:
    pure = "if isinstance(a, str):\n    f()\nelif isinstance(a, str):\n    g()\n"
    [(_, sure)] = hits("duplicate-condition", "python", pure)
    [(_, unsure)] = hits("duplicate-condition", "python", pure.replace("isinstance", "check"))
    assert (sure.confidence, unsure.confidence) == (Confidence.HIGH, Confidence.MEDIUM)


def test_a_complex_function_is_told_its_number_and_where_most_of_it_lies() -> None:
    code = "def f(x):\n" + "    if x: g()\n" * 9 + "    for y in x:\n" + "        if y: g()\n" * 12
    assert messages("complex-function", "python", code) == [
        "`f` has a cyclomatic complexity of 23 (at most 20): 21 × if, 1 × loop; line 11 begins a part with 13 of its "
        "decisions: move it into a function of its own"
    ]
    assert underlined("complex-function", "python", code) == ["f"]


def test_the_part_to_move_is_looked_for_inside_a_loop_that_holds_everything() -> None:
    code = (
        "def f(x):\n    for y in x:\n        if y == 1:\n            g()\n        elif y == 2:\n"
        "            for z in y:\n" + "                z and g()\n" * 6 + "        else:\n            g(y and x or 2)\n"
    )
    [message] = messages("complex-function", "python", code, options={"max_complexity": 5})
    assert message.endswith("; line 6 begins a part with 7 of its decisions: move it into a function of its own")


def test_the_limit_of_complexity_is_an_option() -> None:
    code = "def f(x):\n    if x:\n        return 1\n    if x and x:\n        return 2\n    return 3\n"
    assert messages("complex-function", "python", code) == []
    assert len(messages("complex-function", "python", code, options={"max_complexity": 3})) == 1


def test_the_limit_of_nesting_is_an_option() -> None:
    code = "if a:\n  if b:\n    for c in d:\n      f()\n"
    assert len(messages("deep-nesting", "python", code, options={"max_depth": 2})) == 1
    assert messages("deep-nesting", "python", code, options={"max_depth": 3}) == []


def test_unreachable_statements_are_counted_and_only_the_first_is_underlined() -> None:
    code = "def f():\n    return 1\n    g()\n    h()\n"
    assert messages("unreachable-code", "python", code) == [
        "This and 1 more below never run: `return` on line 2 always leaves first; move it up or delete it"
    ]
    assert underlined("unreachable-code", "python", code) == ["g()"]


def test_a_comparison_that_may_ask_for_not_a_number_says_how_to_ask() -> None:
    [(_, hit)] = hits("self-comparison", "python", "if v != v:\n    f()\n")
    assert "write `math.isnan(v)` if that is meant" in hit.message
    assert (hit.severity, hit.confidence) == (Severity.LOW, Confidence.LOW)


def test_a_shadowed_variable_that_is_read_again_is_worse() -> None:
    code = "for x in a:\n    for x in b:\n        f(x)\n"
    [(_, quiet)] = hits("shadowed-loop-variable", "python", code)
    [(_, loud)] = hits("shadowed-loop-variable", "python", code + "    g(x)\n")
    [(_, reset)] = hits("shadowed-loop-variable", "python", code + "    x = 1\n    g(x)\n")
    assert (quiet.confidence, loud.confidence, reset.confidence) == (
        Confidence.MEDIUM,
        Confidence.HIGH,
        Confidence.MEDIUM,
    )


@pytest.mark.parametrize(
    ("language", "code", "mended"),
    [
        ("python", "if x > 1:\n    return True\nelse:\n    return False\n", "return x > 1\n"),
        ("python", "if not x:\n    a.b = False\nelse:\n    a.b = True\n", "a.b = bool(x)\n"),
        ("python", "y = True if x or z else False\n", "y = bool(x or z)\n"),
        ("python", "return_ = False if x in y else True\n", "return_ = x not in y\n"),
        ("javascript", "f(k in o ? false : true)", "f(!(k in o))"),
        ("javascript", "f(x === 1 ? false : true)", "f(x !== 1)"),
        ("javascript", "f(x ? false : true)", "f(!x)"),
        ("typescript", "const y = a.b ? true : false", "const y = Boolean(a.b)"),
        ("elixir", "y = if x, do: true, else: false", "y = !!x"),
        ("elixir", "unless is_nil(x), do: true, else: false", "!is_nil(x)"),
    ],
)  # fmt: skip
def test_a_redundant_boolean_is_mended_without_changing_what_it_gives(language: str, code: str, mended: str) -> None:
    assert fixed("redundant-boolean", language, code) == mended


def test_a_condition_over_two_lines_keeps_its_parentheses() -> None:
    code = "if (\n    a is b\n    and c is d\n):\n    x = True\nelse:\n    x = False\n"
    assert fixed("redundant-boolean", "python", code) == "x = (a is b\n    and c is d)\n"


def test_unless_with_else_is_mended_by_exchanging_the_branches() -> None:
    assert fixed("unless-with-else", "elixir", "unless a do\n  b\nelse\n  c\nend\n") == "if a do\n  c\nelse\n  b\nend\n"
    assert fixed("unless-with-else", "elixir", "unless a, do: b, else: c") == "if a, do: c, else: b"


def test_counting_to_ask_for_emptiness_is_mended_by_the_cheap_question() -> None:
    assert fixed("expensive-empty-check", "elixir", "Enum.count(x) == 0") == "Enum.empty?(x)"
    assert fixed("expensive-empty-check", "elixir", "length(f(x)) > 0") == "f(x) != []"


def test_an_atom_from_input_is_mended_by_the_function_that_makes_none() -> None:
    code = 'def f(%{"a" => a}), do: String.to_atom(a)'
    assert fixed("atom-from-input", "elixir", code) == 'def f(%{"a" => a}), do: String.to_existing_atom(a)'


def test_any_text_that_becomes_an_atom_is_reported_on_request() -> None:
    code = "def f(x), do: String.to_atom(x)"
    assert len(messages("atom-from-input", "elixir", code, options={"everywhere": True})) == 1


@pytest.mark.parametrize(
    ("code", "confidence"),
    [
        ('cur.execute("SELECT a FROM t WHERE a = " + request.POST["a"])', Confidence.HIGH),
        ('cur.execute("SELECT a FROM t WHERE a = " + a)', None),
    ],
)
def test_a_value_of_a_request_in_sql_is_surer(code: str, confidence: Confidence | None) -> None:
    [(file, hit)] = hits("sql-injection", "python", code)
    assert (hit.confidence, file.text(hit.node) in {"a", 'request.POST["a"]'}) == (confidence, True)


@pytest.mark.parametrize(
    ("rule", "text", "call", "underlined_there", "said"),
    [
        (
            *("sql-injection", "\"SELECT a FROM t WHERE a = '%s'\" % name", "cursor.execute(built)", "built"),
            "The value of `name` (from line 2) becomes part of an SQL statement",
        ),
        (
            *("command-injection", '"git log %(a)s" % {"a": name}', "subprocess.run(built, shell=True)", "built"),
            "`name` (from line 2) becomes part of a shell command",
        ),
        (
            *("unescaped-html", '"<b>" + name', "return mark_safe(built)", "built"),
            "`name` (from line 2) becomes HTML through `mark_safe` and is not escaped",
        ),
        (
            *("command-injection", "1", 'subprocess.run(f"git log {name}", shell=True)', "name"),
            "`name` becomes part of a shell command",
        ),
    ],
)  # fmt: skip
def test_what_is_built_before_is_reported_where_it_is_used_with_the_line_of_the_value(
    rule: str, text: str, call: str, underlined_there: str, said: str
) -> None:
    code = f"def f(name):\n    built = {text}\n    {call}\n"
    [(file, hit)] = hits(rule, "python", code)
    assert (file.text(hit.node), file.position(hit.node.start_byte)[0]) == (underlined_there, 3)
    assert hit.message.partition(":")[0] == said


def test_a_secret_is_never_shown() -> None:
    secret = "k8Jd93-mWq0Zx71"
    [message] = messages("hardcoded-secret", "python", f'db_password = "{secret}"\n')
    assert secret not in message
    assert message.startswith("`db_password` holds a secret")


@pytest.mark.parametrize(
    "path", ["tests/app", "app/tests/app", "src/app.test", "examples/app", "app/test_login", "t/unit/app"]
)
def test_security_rules_leave_tests_and_examples_alone(path: str) -> None:
    suffix_free = path.removesuffix(".test")
    language = "typescript" if path.endswith(".test") else "python"
    code = "const apiKey = 'k8Jd93mWq0Zx71Lp'" if language == "typescript" else 'api_key = "k8Jd93mWq0Zx71Lp"\n'
    assert len(messages("hardcoded-secret", language, code)) == 1
    assert messages("hardcoded-secret", language, code, path=path if language == "typescript" else suffix_free) == []


@pytest.mark.parametrize(
    "value",
    ["correct-horse-battery", "changeme-12345678", "${VAULT_KEY_8d7f}", "https://x.example/8d7f6a5b", "aaaaaaaaaaaa1"],
)  # fmt: skip
def test_words_placeholders_and_addresses_are_no_secrets(value: str) -> None:
    assert messages("hardcoded-secret", "python", f'api_key = "{value}"\n') == []


def test_nested_conditions_are_joined_and_the_body_moves_to_the_left() -> None:
    code = (
        "def f():\n    if a or b:\n        if c:\n            g()\n\n            h(\n                1)\n    return 1\n"
    )
    mended = "def f():\n    if (a or b) and c:\n        g()\n\n        h(\n            1)\n    return 1\n"
    assert fixed("collapsible-if", "python", code) == mended


def test_nested_conditions_around_a_text_of_several_lines_are_reported_without_a_fix() -> None:
    [(_, hit)] = hits("collapsible-if", "python", 'if a:\n    if b:\n        x = """\n        text"""\n')
    assert hit.fix is None


def test_a_copy_of_a_function_names_the_one_it_was_copied_from() -> None:
    body = "        f(1)\n        g(2)\n        h(3)\n        i(4)\n"
    code = f"class T:\n    def test_a(self):\n{body}    def test_b(self):\n{body}"
    assert messages("duplicate-function", "python", code) == [
        "`test_b` is the same code as `test_a` on line 2: write what was meant here, or let one call the other"
    ]


def test_copies_are_worse_among_tests_where_one_case_then_goes_untested() -> None:
    body = "".join(f"    {name}(1)\n" for name in "abcdef")
    code = f"def one():\n{body}def two():\n{body}"
    [(_, plain)] = hits("duplicate-function", "python", code)
    [(_, test)] = hits("duplicate-function", "python", code, path="tests/app")
    assert (plain.severity, test.severity) == (None, Severity.MEDIUM)


def test_getters_of_one_value_under_two_names_are_no_copies() -> None:
    body = "const all: any = {};\nfor (const each of this.values) {\nall[each] = each;\n}\nuse(all);\nreturn all;\n"
    code = f"class A {{\n get enum() {{\n{body} }}\n get Values() {{\n{body} }}\n}}"
    assert messages("duplicate-function", "typescript", code) == []
    assert len(messages("duplicate-function", "typescript", code.replace("get ", "of"))) == 1
    lines = "".join(f"        {name}(1)\n" for name in "abcdef")
    python = f"class A:\n    @property\n    def a(self):\n{lines}    @property\n    def b(self):\n{lines}"
    assert messages("duplicate-function", "python", python) == []


def test_a_missing_return_names_the_branch_that_gives_nothing() -> None:
    code = "def f(x):\n    if x == 1:\n        return 1\n    elif x == 2:\n        g()\n    else:\n        return 3\n"
    assert messages("missing-return", "python", code) == [
        "`f` returns a value in the branch on line 2 but `None` in the branch on line 4: return it there or say so"
    ]


def test_the_part_to_move_out_of_an_elixir_function_is_a_statement_in_it() -> None:
    code = (
        "def f(x) when is_list(x) and x != [] do\n  g()\n"
        "  y =\n    case x do\n      1 -> a && b && c && d && e\n      2 -> a || b || c || d\n    end\n"
        "  if y, do: h()\n  if x, do: h()\nend\n"
    )
    [message] = messages("complex-function", "elixir", code, options={"max_complexity": 10})
    assert message == (
        "`f` has a cyclomatic complexity of 12 (at most 10): 8 × and/or, 2 × if, 1 × case; line 3 begins a part with 8 "
        "of its decisions: move it into a function of its own"
    )


def test_an_elixir_function_that_is_one_statement_is_to_be_split() -> None:
    code = "def f(x) when is_list(x) and x != [] do\n  case x do\n    1 -> a && b\n    2 -> a || b || c\n  end\nend\n"
    [message] = messages("complex-function", "elixir", code, options={"max_complexity": 4})
    assert message.endswith("4 × and/or, 1 × case; split it into functions with one purpose each")


def test_the_clauses_that_rescue_are_no_part_to_move() -> None:
    clauses = "".join(f"  e in {name} -> a && b && c\n" for name in "ABCD")
    code = f"def f(x) do\n  if x, do: g()\n  if y, do: g()\nrescue\n{clauses}end\n"
    [message] = messages("complex-function", "elixir", code, options={"max_complexity": 5})
    assert message.endswith("split it into functions with one purpose each")


@pytest.mark.parametrize(
    ("language", "code", "severity", "message"),
    [
        (
            *("elixir", "data = :erlang.binary_to_term(raw)", Severity.MEDIUM),
            "`:erlang.binary_to_term` makes atoms, which are never freed, and functions of what it reads: use "
            "`:erlang.binary_to_term(raw, [:safe])`, which refuses new atoms, and check the term, which may still hold "
            "functions",
        ),
        (
            *("python", "code = marshal.loads(raw)", None),
            "`marshal.loads` takes over code and can crash on bytes that are made for it: "
            "use JSON, or check a signature first",
        ),
        (
            *("python", "data = pickle.loads(raw)", None),
            "`pickle.loads` runs code that is hidden in what it reads: use JSON, or check a signature first",
        ),
    ],
)  # fmt: skip
def test_what_a_reader_of_terms_does_is_said_truly(
    language: str, code: str, severity: Severity | None, message: str
) -> None:
    [(_, hit)] = hits("unsafe-deserialization", language, code)
    assert (hit.severity, hit.message) == (severity, message)


def test_terms_that_an_elixir_module_writes_to_files_itself_are_its_own() -> None:
    code = (
        "defmodule A do\n  def write(file, x), do: File.write!(file, :erlang.term_to_binary(x))\n"
        "  def read(file), do: file |> File.read!() |> parse()\n"
        "  defp parse(binary), do: :erlang.binary_to_term(binary)\nend\n"
    )
    assert messages("unsafe-deserialization", "elixir", code) == []
    assert len(messages("unsafe-deserialization", "elixir", code.replace("File.write!(file, ", "put(conn, "))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "function f(x) { el.innerHTML = x }",
        "function f(x) { el.outerHTML = x.html }",
        "function f(x) { el.insertAdjacentHTML('beforeend', x) }",
        "function f(x) { document.write(x) }",
    ],
)
def test_a_value_that_is_handed_to_the_page_as_it_is_is_reported_with_low_confidence(code: str) -> None:
    [(_, hit)] = hits("unescaped-html", "javascript", code)
    assert hit.confidence is Confidence.LOW
    assert " as it is: set `textContent`, or make sure that it is escaped" in hit.message


def test_the_items_of_a_list_that_become_markup_are_looked_at() -> None:
    code = "function f(list) { el.innerHTML = list.map((item) => `<li>${item.title}</li>`).join('') }"
    [(file, hit)] = hits("unescaped-html", "javascript", code)
    assert (file.text(hit.node), hit.confidence) == ("item.title", Confidence.MEDIUM)
    assert messages("unescaped-html", "javascript", code.replace("item.title", "escape(item.title)")) == []


@pytest.mark.parametrize(
    "code",
    [
        "const ICON = readIcon(); const icon = `<svg>${ICON}</svg>`; function f() { el.innerHTML = icon }",
        "function f(x) { el.innerHTML = other.innerHTML; el.innerHTML = list.length; el.innerHTML = x ? '&lt;' : '' }",
        "function f(x) { el.innerHTML = t('title'); el.innerHTML = html`<b>${x}</b>`; $(el).html(x) }",
        "(function () { var id = 'x' + Date.now(); function f(el) { el.innerHTML = '<a>' + id + '<b>' + id } })()",
        "import page from './page.html'; function f() { document.body.innerHTML = `<main>${page}</main>` }",
    ],
)
def test_markup_of_the_page_itself_and_of_its_module_is_left_alone(code: str) -> None:
    assert messages("unescaped-html", "javascript", code) == []


@pytest.mark.parametrize(
    ("language", "innermost", "is_reported"),
    [
        ("python", "if f: continue", False),
        ("python", "if f:\n      # why\n      break", False),
        ("python", "if f: g()", True),
        ("python", "if f: continue\n     else: g()", True),
        ("javascript", "if (f) continue;", False),
        ("javascript", "if (f) { return g; }", False),
        ("javascript", "if (f) { g(); return; }", True),
    ],
)
def test_leaving_early_is_no_level_too_deep(language: str, innermost: str, is_reported: bool) -> None:
    python = f"for a in b:\n if a:\n  for c in d:\n   while d:\n    for e in f:\n     {innermost}\n"
    javascript = f"for (;;) {{ if (a) {{ for (;;) {{ while (b) {{ for (;;) {{ {innermost} }} }} }} }} }}"
    code = python if language == "python" else javascript
    assert len(messages("deep-nesting", language, code)) == int(is_reported)


def test_of_what_is_nested_too_deeply_in_one_statement_the_first_place_is_reported() -> None:
    inner = "     if f: g()\n     if h: g()\n"
    code = f"for a in b:\n if a:\n  for c in d:\n   while d:\n    for e in f:\n{inner}"
    assert [file.position(hit.node.start_byte)[0] for file, hit in hits("deep-nesting", "python", code + code)] == [
        6,
        13,
    ]


def test_a_comment_above_the_try_statement_says_why_errors_are_dropped() -> None:
    code = "# not every object can be shown\ntry:\n    f()\nexcept Exception:\n    pass\n"
    assert messages("swallowed-exception", "python", code) == []
    assert len(messages("swallowed-exception", "python", code.replace("# not every object can be shown\n", ""))) == 1


def test_the_code_that_a_report_shows_of_a_secret_is_stars_but_for_its_beginning() -> None:
    code = 'import os\nDB_PASSWORD = "k8Jd93-mWq0Zx"; eval(x)\n'
    analysis = Analyzer(RuleSet({})).analyze("a.py", code.encode(), "python").analysis
    assert sorted(each.rule for each in analysis.findings) == ["hardcoded-secret", "unsafe-eval"]
    assert analysis.excerpt == {2: 'DB_PASSWORD = "k8J***********; eval(x)'}
