"""Finds values that become HTML without being escaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.assignments import is_of_module
from rubber_duck.analysis.reading.calls import Arguments, arguments
from rubber_duck.analysis.reading.composition import compose
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.mentions import mentions
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import placed
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_TRUSTING: Final = frozenset(
    {"mark_safe", "SafeString", "SafeText", "Markup", "safestring.mark_safe", "markupsafe.Markup"}
)
_FORMATS: Final = frozenset({"format_html", "format_html_join"})
_PROPERTIES: Final = frozenset({b"innerHTML", b"outerHTML", b"srcdoc"})
_WRITERS: Final = frozenset({"document.write", "document.writeln", "window.document.write"})
_OWN: Final = frozenset({"innerHTML", "outerHTML", "length", "size"})
_TRANSLATING: Final = frozenset({"t", "$t", "__", "i18n", "translate", "interpolate"})
_HARMLESS: Final = (
    *("escape", "sanitize", "purify", "format_html", "render", "quote", "encode", "gettext", "ngettext", "json_script"),
    *(
        "mark_safe",
        "flatatt",
        "bleach",
        "clean",
        "strip_tags",
        "to_html",
        "tohtml",
        "trusted",
        "toFixed".lower(),
        "as_p",
    ),
    *("as_table", "as_ul", "as_div", "highlight", "linebreaks", "urlize", "slugify", "reverse"),
)


@rules.add
class UnescapedHtml(Rule):
    """A value is put into HTML, and the page is told to trust the result.

    If anybody outside can choose the value, they can put a script into the page that acts as its reader: read what the
    reader sees, send what the reader may send (CWE-79).

    Mend it by letting the template escape: `format_html("<b>{}</b>", name)` in Django, `textContent` in the browser,
    an expression in JSX or HEEx. Where HTML is really meant, sanitise it first (`nh3.clean`, `DOMPurify.sanitize`).

    Reported are `mark_safe`, `SafeString` and `Markup` of text that is put together, `format_html` with a text that was
    put together before, `innerHTML`, `outerHTML`, `srcdoc`, `insertAdjacentHTML`, `document.write` and
    `dangerouslySetInnerHTML` with values, Phoenix's `raw`, and Jinja environments that do not escape. Values that went
    through a function that escapes, renders, translates or sanitises are not, nor plain names that the function neither
    takes nor assigns, nor test files. Confidence is high for what comes from a request or an address, and low for a
    value that is handed to the page as it is, because it may have been escaped before. Not looked at: `.html(…)` of
    jQuery, and templates of Vue and Angular.
    """

    name = "unescaped-html"
    kind = Kind.SECURITY
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    cwe = 79
    kinds: ClassVar = {
        "python": ("call",),
        "ecmascript": ("call_expression", "assignment_expression", "augmented_assignment_expression", "jsx_attribute"),
        "elixir": ("call",),
    }
    names = frozenset(
        {
            *("mark_safe", "SafeString", "SafeText", "Markup", "format_html", "HttpResponse", "Environment"),
            *("write", "writeln", "insertAdjacentHTML", "raw"),
        }
    )
    replaces = (
        "ruff/S308",
        "ruff/S701",
        "ruff/S704",
        "bandit/B308",
        "bandit/B701",
        "bandit/B703",
        "bandit/B704",
        "eslint/react/no-danger",
        "eslint/no-unsanitized/method",
        "eslint/no-unsanitized/property",
    )
    good = (
        Example("python", 'mark_safe("<b>bold</b>")\nmark_safe(value)\nformat_html("<b>{}</b>", name)\n'),
        Example("python", 'mark_safe("<b>%s</b>" % escape(name))\nmark_safe(f"<td>{len(x)}</td>")\n'),
        Example("python", 'log.write(f"<b>{x}</b>")\nHttpResponse(f"{count} rows")\n'),
        Example("python", "import jinja2\njinja2.Environment(autoescape=select_autoescape())\n"),
        Example("python", 'Environment("local")\n'),
        Example("javascript", "el.innerHTML = ''; el.innerHTML = '<b>x</b>'; el.textContent = x; stream.write(x)"),
        Example("javascript", "el.innerHTML = DOMPurify.sanitize(x); el.innerHTML = `<b>${escapeHtml(x)}</b>`"),
        Example("javascript", "const a = <div dangerouslySetInnerHTML={{ __html: sanitize(x) }} />"),
        Example("elixir", 'import Phoenix.HTML\nraw("<b>x</b>")\n'),
        Example("elixir", "Repo.raw(x)\nraw(x)\n"),
    )
    bad = (
        Example("python", 'mark_safe("<b>%s</b>" % name)\n'),
        Example("python", 'def f(name):\n    html = f"<b>{name}</b>"\n    return Markup(html)\n'),
        Example("python", 'format_html("<b>" + name + "</b>{}", x)\n'),
        Example("python", 'return HttpResponse("<p>Hello " + request.GET["name"])\n'),
        Example("python", "import jinja2\nenv = jinja2.Environment(loader=x)\n"),
        Example("javascript", "el.innerHTML = `<b>${name}</b>`"),
        Example("javascript", "function show(text) { el.innerHTML = text }"),
        Example("javascript", "el.innerHTML += '<li>' + item.title + '</li>'"),
        Example("javascript", "document.write('<p>' + location.hash)"),
        Example("javascript", "el.innerHTML = location.hash"),
        Example("typescript", "el.insertAdjacentHTML('beforeend', `<li>${name}</li>`)"),
        Example("javascript", "const a = <div dangerouslySetInnerHTML={{ __html: props.text }} />"),
        Example("elixir", 'import Phoenix.HTML\ndef f(x), do: raw("<b>#{x}</b>")\n'),
        Example("elixir", "import Phoenix.HTML\ndef f(x), do: Phoenix.HTML.raw(x.text)\n"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Find the expression that becomes HTML, and what in it is not escaped."""
        found = _html(node, file)
        if found is None or is_test(file.path):
            return
        html, sink, needs_markup = found
        if html is node:
            message = f"`{sink}` does not escape what templates show: pass `autoescape=select_autoescape()`"
            yield Hit(html, message, confidence=Confidence.HIGH)
            return
        built = compose(_each_item(html, file), file)
        raw = [hole for hole in built.holes if not _is_harmless(hole, file)]
        is_outside = any(is_from_outside(hole, file) for hole in raw)
        if not raw or (sink == "HttpResponse" and not is_outside):
            return
        worst = next((hole for hole in raw if is_from_outside(hole, file)), raw[0])
        place, value = placed(worst, html, file)
        message = f"{value} becomes HTML through `{sink}`"
        if is_outside or not needs_markup or (built.is_built and "<" in built.text):
            confidence = Confidence.HIGH if is_outside else Confidence.MEDIUM
            yield Hit(place, f"{message} and is not escaped: {_wish(file)}", confidence=confidence)
        elif file.family == "ecmascript":
            wish = "as it is: set `textContent`, or make sure that it is escaped"
            yield Hit(place, f"{message} {wish}", confidence=Confidence.LOW)


def _is_harmless(hole: Node, file: SourceFile) -> bool:
    """Whether it is fixed, a number, escaped, or markup that the page or the module has already."""
    if is_constant(hole, file, harmless=_HARMLESS):
        return True
    if hole.type == "identifier":
        return is_of_module(file.text(hole), file)
    if hole.type == "call_expression":  # a template's tag decides what becomes of its values
        return children.of_kind(hole, "template_string") is not None or file.name_of_call(hole) in _TRANSLATING
    return hole.type == "member_expression" and file.text(hole).rpartition(".")[2] in _OWN


def _each_item(html: Node, file: SourceFile) -> Node:
    """What each item becomes in `list.map((item) => …).join("")`; any other expression itself."""
    if html.type != "call_expression" or file.name_of_call(html) != "join":
        return html
    callee = html.child_by_field_name("function")
    mapped = callee.child_by_field_name("object") if callee is not None else None
    if mapped is None or mapped.type != "call_expression" or file.name_of_call(mapped) != "map":
        return html
    function = children.first(mapped.child_by_field_name("arguments"))
    body = function.child_by_field_name("body") if function is not None else None
    if body is not None and body.type == "statement_block":
        body = children.first(children.of_kind(body, "return_statement"))
    return body or html


def _html(node: Node, file: SourceFile) -> tuple[Node, str, bool] | None:
    """The expression that becomes HTML, through what, and whether it must be seen to be put together from markup."""
    kind = node.type
    if kind == "jsx_attribute":
        return _html_of_attribute(node, file)
    if kind.endswith("assignment_expression"):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        place = left.child_by_field_name("property") if left is not None and left.type == "member_expression" else None
        if place is None or right is None or place.text not in _PROPERTIES:
            return None
        return right, file.text(place), True
    callee = file.callee(node)
    given = arguments(node, file)
    first = given.at(0)
    if file.family == "python":
        return _html_of_python(node, callee, given, file)
    if file.family == "elixir":
        is_phoenix = callee in {"raw", "Phoenix.HTML.raw", "HTML.raw"} and mentions(file, b"Phoenix")
        return (first, "raw", False) if is_phoenix and first is not None and len(given.positional) == 1 else None
    if callee in _WRITERS and first is not None:
        return first, callee, True
    second = given.at(1)
    return (
        (second, "insertAdjacentHTML", True) if callee.endswith(".insertAdjacentHTML") and second is not None else None
    )


def _html_of_python(node: Node, callee: str, given: Arguments, file: SourceFile) -> tuple[Node, str, bool] | None:
    if callee in {"Environment", "jinja2.Environment"}:
        if not mentions(file, b"jinja2") or given.is_open:
            return None
        escape = given.named.get("autoescape")
        return (node, callee, False) if escape is None or file.text(escape) == "False" else None
    first = given.at(0, "content")
    name = callee.rpartition(".")[2]
    if first is None or not (callee in _TRUSTING or name in _FORMATS or name == "HttpResponse"):
        return None
    return first, name, True


def _html_of_attribute(node: Node, file: SourceFile) -> tuple[Node, str, bool] | None:
    parts = node.named_children
    if len(parts) < 2 or parts[0].text != b"dangerouslySetInnerHTML":
        return None
    held = children.first(parts[1])
    pair = children.of_kind(held, "pair")
    value = pair.child_by_field_name("value") if pair is not None else None
    return (value, "dangerouslySetInnerHTML", False) if value is not None else None


def _wish(file: SourceFile) -> str:
    if file.family == "python":
        return 'escape it, or hand it over beside the text: `format_html("…{}…", value)`'
    if file.family == "elixir":
        return "let the template escape it, or sanitise it first"
    return "set `textContent`, or sanitise it first"
