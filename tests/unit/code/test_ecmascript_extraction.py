"""The symbols, imports and exports of JavaScript, JSX, TypeScript and TSX."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.symbols import Export, FileSymbols, ImportEdge, ImportedName, ReferenceKind, Symbol


def found(source: str, path: str = "a.ts") -> FileSymbols:
    language = detect(path, None)
    assert language is not None
    return extract(open_source(path, source.encode(), language))


def heads(result: FileSymbols) -> list[tuple[str, str, str]]:
    return [(each.kind.value, each.qualified_name, each.signature) for each in result.symbols]


def symbol(result: FileSymbols, name: str) -> Symbol:
    return next(each for each in result.symbols if each.qualified_name == name)


def test_every_kind_of_class_member_is_a_symbol() -> None:
    source = """
class A extends B {
  static #count = 0;
  private name?: string;
  constructor(x, y = 1, ...z) { super(); }
  static async *each<T>(a: T, b?: T): AsyncGenerator<T> {}
  get size(): number { return 1; }
  set size(v) {}
  handler = async (e) => {};
  abstract draw(): void;
  'quoted'() {}
  [computed]() {}
}
"""
    assert heads(found(source)) == [
        ("class", "A", "class A extends B"),
        ("field", "A.#count", ""),
        ("field", "A.name", "name: string"),
        ("method", "A.constructor", "constructor(x, y = 1, ...z)"),
        ("method", "A.each", "static async *each<T>(a: T, b?: T): AsyncGenerator<T>"),
        ("property", "A.size", "get size(): number"),
        ("property", "A.size", "set size(v)"),
        ("method", "A.handler", "async handler(e)"),
        ("method", "A.draw", "abstract draw(): void"),
        ("method", "A.quoted", "'quoted'()"),
        ("method", "A.[computed]", "[computed]()"),
    ]


def test_modifiers_arity_and_types_are_known() -> None:
    each = symbol(found("class A { static async f<T>(a: T, b?: T, c = 1, ...d: T[]): Promise<T> {} #p() {} }"), "A.f")
    assert (each.arity, each.arity_least, each.type_hint) == (3, 1, "Promise<T>")
    assert (each.is_static, each.is_async, each.is_private) == (True, True, False)
    assert symbol(found("class A { #p() {} }"), "A.#p").is_private


@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.jsx", "a.tsx"])
def test_functions_bound_to_names_are_functions(path: str) -> None:
    source = """
const arrow = (a, b = 1) => a;
let expression = async function inner(a) {};
const one = a => a, two = 2;
const object = { method() {}, key: () => 1, other: 2 };
A.prototype.late = function (x) {};
function outer() { const local = () => 1; const value = 2; }
"""
    assert heads(found(source, path)) == [
        ("function", "arrow", "arrow(a, b = 1)"),
        ("function", "expression", "async expression(a)"),
        ("function", "one", "one(a)"),
        ("constant", "two", ""),
        ("constant", "object", ""),
        ("method", "object.method", "method()"),
        ("method", "object.key", "key()"),
        ("method", "late", "late(x)"),
        ("function", "outer", "function outer()"),
        ("function", "outer.local", "local()"),
    ]


def test_types_of_typescript_are_symbols() -> None:
    source = """
export interface I extends J { a?: string; b(x: number): void; readonly c: T }
type U<T> = { k: T; // said of k
};
enum E { A, B = 2 }
declare module "m" { export function g(): void; }
namespace N { export const inner = 1; }
function over(a: string): void;
function over(a: any) {}
export abstract class Abs<T extends B> implements I {}
"""
    assert heads(found(source)) == [
        ("interface", "I", "interface I extends J"),
        ("field", "I.a", "a: string"),
        ("method", "I.b", "b(x: number): void"),
        ("field", "I.c", "c: T"),
        ("type", "U", "type U<T> = { k: T; }"),
        ("field", "U.k", "k: T"),
        ("enum", "E", "enum E"),
        ("constant", "E.A", ""),
        ("constant", "E.B", ""),
        ("namespace", "m", 'module "m"'),
        ("function", "m.g", "function g(): void"),
        ("namespace", "N", "namespace N"),
        ("constant", "N.inner", ""),
        ("function", "over", "function over(a: string): void"),
        ("function", "over", "function over(a: any)"),
        ("class", "Abs", "abstract class Abs<T extends B> implements I"),
    ]


def test_decorators_and_doc_comments_belong_to_what_follows() -> None:
    source = """
/** Shows a list.
 *
 * @example x
 */
@Component({a: 1})
export class List {
  /** Opens it. */
  @HostListener('click') @log
  open() {}
  close() {}
}
"""
    result = found(source)
    assert [(each.name, each.doc, each.decorators, each.start_line) for each in result.symbols] == [
        ("List", "Shows a list.", ("Component({a: 1})",), 6),
        ("open", "Opens it.", ("HostListener('click')", "log"), 9),
        ("close", "", (), 11),
    ]


def test_imports_of_every_form() -> None:
    source = """import d, { a as b, c } from "./x";
import * as ns from "y";
import type { T } from "t";
import "side";
import fs = require("fs");
const { p, q: r } = require("./w");
if (z) { await import("late"); }
export { m as n } from "./v";
export * from "./z";
"""
    names = ImportedName
    assert found(source).imports == (
        ImportEdge("./x", 1, "import", (names("default", "d"), names("a", "b"), names("c"))),
        ImportEdge("y", 2, "import", alias="ns"),
        ImportEdge("t", 3, "import", (names("T"),), is_type=True),
        ImportEdge("side", 4, "import"),
        ImportEdge("fs", 5, "require", alias="fs"),
        ImportEdge("./w", 6, "require", (names("p"), names("q", "r"))),
        ImportEdge("late", 7, "dynamic", is_conditional=True),
        ImportEdge("./v", 8, "reexport", (names("m", "n"),)),
        ImportEdge("./z", 9, "reexport", (names("*"),)),
    )


def test_exports_of_every_form() -> None:
    source = """export const a = 1, b = () => 2;
export default class C {}
function d() {}
export { d, a as e };
export { f as g } from "./f";
export * as h from "./h";
export type T = string;
"""
    result = found(source)
    assert result.exports == (
        Export("a", 1, "a"),
        Export("b", 1, "b"),
        Export("default", 2, "C"),
        Export("d", 4, "d"),
        Export("e", 4, "a"),
        Export("g", 5, "f", "./f"),
        Export("h", 6, "*", "./h"),
        Export("T", 7, "T"),
    )
    assert {each.name for each in result.symbols if each.is_exported} == {"a", "b", "C", "d", "T"}


@pytest.mark.parametrize("path", ["a.js", "a.ts"])
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("export default function (a, b = 1) {}", [("function", "default", "default(a, b = 1)")]),
        ("export default async function () {}", [("function", "default", "async default()")]),
        ("export default function* (a) {}", [("function", "default", "default(a)")]),
        ("export default x => x", [("function", "default", "default(x)")]),
        ("export default class {}", [("class", "default", "class default")]),
        (
            "export default class extends B { m() {} }",
            [("class", "default", "class default extends B"), ("method", "default.m", "m()")],
        ),
        ("export default { m() {} }", [("constant", "default", ""), ("method", "default.m", "m()")]),
        ("export default wrap({ m() {} })", [("constant", "default", ""), ("method", "default.m", "m()")]),
        ("export default function f() {}", [("function", "f", "function f()")]),
        ("const a = 1; export default a", [("constant", "a", "")]),
        ("export default a.b", []),
        ("export default", []),
    ],
)
def test_a_default_export_without_a_name_is_called_default(
    source: str, expected: list[tuple[str, str, str]], path: str
) -> None:
    result = found(source, path)
    assert heads(result) == expected
    assert all(each.is_exported for each in result.symbols if each.parent is None)


def test_a_default_export_has_its_comment_and_its_decorators() -> None:
    each = symbol(found("/** Says it. */\n@loud\nexport default class {}\n"), "default")
    assert (each.doc, each.decorators, each.line, each.start_line, each.end_line) == ("Says it.", ("loud",), 3, 2, 3)


def test_a_class_in_a_constant_is_called_like_it() -> None:
    assert heads(found("const A = class extends B {};")) == [("class", "A", "class A extends B")]


def test_common_js_exports_are_exports() -> None:
    source = "function a() {}\nmodule.exports = { a, b: 1 };\nexports.c = function () {};\n"
    result = found(source, "a.js")
    assert result.exports == (Export("a", 2, "a"), Export("b", 2), Export("c", 3))
    assert symbol(result, "a").is_exported


def test_jsx_elements_are_named_once_and_referenced() -> None:
    result = found("const v = <List.Item a={x} {...r}><b>hi</b><b/></List.Item>;", "a.jsx")
    assert result.jsx_elements == ("Item", "b")
    assert [each.name for each in result.references.of_kind(ReferenceKind.READ)] == ["List", "x", "r"]


def test_references_say_how_a_name_is_mentioned() -> None:
    source = "const { a, b: c } = d.e(f as T);\nnew G<H>(a!);\nx.y = c++;\nfor (const i of [{ k: i }]) {}\n"
    assert [(each.name, each.kind.value) for each in found(source).references if each.line > 1] == [
        ("G", "call"),
        ("H", "type"),
        ("a", "read"),
        ("x", "read"),
        ("y", "write"),
        ("c", "write"),
        ("i", "write"),
        ("i", "read"),
    ]


def test_a_broken_file_gives_what_can_be_read_and_says_where_it_breaks() -> None:
    result = found("function good() {}\nclass { x = \nfunction also() {}\n")
    assert "good" in {each.name for each in result.symbols}
    assert result.problems
