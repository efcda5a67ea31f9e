"""Finds handlers that make every exception disappear without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_BROAD: Final = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})


@rules.add
class SwallowedException(Rule):
    """A handler catches every exception and does nothing with it.

    Faults that nobody thought of, a misspelt name, a full disk, vanish with the one that was expected, and are found
    much later and elsewhere.

    Mend it by catching the exception that is expected (`except KeyError:`), or by logging what was caught. Where
    everything may really be ignored, say why in a comment in the handler, above it or above the `try` statement: then
    it is not reported.

    Reported are a bare `except:`, `except Exception:` and `except BaseException:` whose body is only `pass`, `...` or
    `continue`; empty `catch` blocks in JavaScript, but for `catch (_error) {}`, which says that it is meant; and
    `rescue _ -> nil` (or `:ok`) in Elixir. Tests are not looked at. Of a bare
    `except:` that does something ruff's E722 speaks.
    """

    name = "swallowed-exception"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {"python": ("except_clause",), "ecmascript": ("catch_clause",), "elixir": ("rescue_block",)}
    replaces = ("ruff/BLE001", "ruff/S110", "ruff/S112", "bandit/B110", "bandit/B112", "eslint/no-empty")
    overlaps = ("ruff/E722",)
    good = (
        Example("python", "try:\n    f()\nexcept KeyError:\n    pass\n"),
        Example("python", "try:\n    f()\nexcept Exception:\n    pass  # the cache is only a hint\n"),
        Example("python", "try:\n    f()\n# Python 2 has none\nexcept Exception:\n    log()\n"),
        Example("python", "try:\n    f()\nexcept Exception:\n    # any will do\n    pass\n"),
        Example("python", "# Not every object can be shown.\ntry:\n    f()\nexcept Exception:\n    pass\n"),
        Example("python", "try:\n    f()\nexcept:\n    x = None\n"),
        Example("javascript", "try { f() } catch (e) { /* not there */ }"),
        Example("javascript", "// Old browsers throw here.\ntry { f() } catch {}"),
        Example("javascript", "try { f() } catch { g() }"),
        Example("javascript", "try { f() } catch (_error) {}"),
        Example("elixir", "try do\n  f()\nrescue\n  KeyError -> nil\n  _ -> :error\nend\n"),
    )
    bad = (
        Example("python", "try:\n    f()\nexcept:\n    pass\n"),
        Example("python", "try:\n    f()\nexcept Exception as e:\n    ...\n"),
        Example("python", "for x in y:\n    try:\n        f()\n    except (KeyError, Exception):\n        continue\n"),
        Example("javascript", "try { f() } catch (e) {}"),
        Example("typescript", "try { f() } catch { }"),
        Example("elixir", "try do\n  f()\nrescue\n  _ -> nil\nend\n"),
        Example("elixir", "def f do\n  g()\nrescue\n  _e -> :ok\nend\n"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at one handler."""
        if is_test(file.path):
            return
        if node.type == "except_clause":
            yield from _check_python(node, file)
        elif node.type == "catch_clause":
            body = node.child_by_field_name("body")
            error = node.child_by_field_name("parameter")
            is_named_unused = error is not None and file.text(error).startswith("_")
            if (
                body is not None
                and body.named_child_count == 0
                and not is_named_unused
                and not _is_explained(node, file)
            ):
                message = "This `catch` drops every error without a trace: handle or log it, or say why in a comment"
                yield Hit(children.keyword(node), message, confidence=Confidence.MEDIUM, severity=Severity.LOW)
        else:
            yield from _check_elixir(node, file)


def _is_explained(handler: Node, file: SourceFile) -> bool:
    """Whether a comment stands on the line above the handler or above its `try`."""
    statement = file.parent
    rows = [handler.start_point.row, *([statement.start_point.row] if statement is not None else ())]
    return any(file.line(row).strip().startswith(("//", "*", "/*", "#")) for row in rows)


def _check_python(node: Node, file: SourceFile) -> Iterator[Hit]:
    body = children.last(node)
    if body is None or body.type != "block" or not _does_nothing(body, file):
        return
    caught = node.child_by_field_name("value")
    if caught is not None and caught.type == "as_pattern":
        caught = children.first(caught)
    if caught is not None and not _is_broad(caught, file):
        return
    row = body.end_point.row
    if any(child.type == "comment" for child in (*node.children, *body.children)):
        return
    if "#" in "".join(file.line(line + 1) for line in range(node.start_point.row, row + 1)) or _is_explained(
        node, file
    ):
        return
    what = "except" if caught is None else f"except {file.text(caught)}"
    done = file.text(body).strip()
    message = (
        f"`{what}: {done}` drops every error without a trace: catch the one you expect, log it, or say why in a comment"
    )
    yield Hit(caught or children.keyword(node), message)


def _check_elixir(node: Node, file: SourceFile) -> Iterator[Hit]:
    clauses = node.named_children
    if len(clauses) != 1 or clauses[0].type != "stab_clause":
        return
    left, right = clauses[0].child_by_field_name("left"), clauses[0].child_by_field_name("right")
    if left is None or right is None or right.named_child_count != 1:
        return
    pattern, value = file.text(left).strip(), file.text(right).strip()
    if pattern.startswith("_") and pattern.isidentifier() and value in {"nil", ":ok"}:
        message = f"`rescue {pattern} -> {value}` drops every error without a trace"
        yield Hit(clauses[0], f"{message}: rescue the one you expect, or log it", confidence=Confidence.MEDIUM)


def _does_nothing(body: Node, file: SourceFile) -> bool:
    parts = [part for part in body.named_children if part.type != "comment"]
    if len(parts) != 1:
        return False
    only = parts[0]
    return only.type in {"pass_statement", "continue_statement"} or file.text(only) == "..."


def _is_broad(caught: Node, file: SourceFile) -> bool:
    each = caught.named_children if caught.type == "tuple" else [caught]
    return any(file.text(one) in _BROAD for one in each)
