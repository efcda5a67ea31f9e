"""Valid TypeScript and JavaScript that the grammars do not know is not called a mistake; mistakes are."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import open_source


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", "export interface Check<in T = never> { (x: T): void }\n"),
        ("a.ts", "export interface Type<out O = unknown, in out I = unknown> extends Other<O> { x: O }\n"),
        ("a.ts", "interface Shape<\n  /** the shape */\n  out Shape = 1,\n  Other = 2,\n> { x: Shape }\n"),
        ("a.ts", "function f<const T extends readonly unknown[]>(x: T): T { return x; }\n"),
        ("a.js", "export { _null as null, _void as void, _catch as catch };\n"),
        (
            "a.ts",
            "class A {\n  method?(): void\n  private other?<T>(x: T): Promise<void>;\n  static third?(): void {}\n}\n",
        ),
        ("a.tsx", "abstract class A<T> {\n  x: T\n  abstract m?(): void;\n  [key]?(): void;\n  'n'?(): void;\n}\n"),
        ("a.ts", "declare class A { abstract?(): void; get?(): void; delete?(x: A): void }\n"),
        ("a.ts", "class A {\n  method?\n  (x: number): void;\n}\n"),
        ("a.d.ts", "export default function (): {\n  locale: string;\n};\n"),
    ],
)
def test_newer_syntax_is_no_problem(path: str, text: str) -> None:
    assert open_source(path, text.encode(), "javascript" if path.endswith("js") else "typescript").problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "const x = ;\n",
        "function f( {\n",
        "export { a as };\n",
        "let y = as null;\n",
        "<in>\n",
        "class A { ?(): void }\n",
        "let y = a ? (b);\n",
    ],
)
def test_a_mistake_is_still_a_problem(text: str) -> None:
    assert open_source("a.ts", text.encode(), "typescript").problems != ()
