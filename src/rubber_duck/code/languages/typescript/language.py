"""TypeScript and TSX: their file names and their grammars."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.code.ecmascript.syntax import LEAVES, LITERALS, EcmascriptSyntax
from rubber_duck.code.language import Language, languages
from rubber_duck.code.syntax import Syntax


@languages.add
class TypeScript(Language):
    """TypeScript, and TSX, which is a grammar of its own: `<T>x` is a cast in one and an element in the other."""

    name = "typescript"
    title = "TypeScript"
    family = "ecmascript"
    suffixes = (".ts", ".tsx", ".mts", ".cts")
    grammars: ClassVar = {
        "typescript": "tree_sitter_typescript:language_typescript",
        "tsx": "tree_sitter_typescript:language_tsx",
    }
    leaves = LEAVES
    literals = LITERALS
    extraction = "rubber_duck.code.ecmascript.extraction:EcmascriptExtractor"
    line_comment = "//"

    def dialect(self, path: str) -> str:
        """`"tsx"` for .tsx, else `"typescript"`."""
        return "tsx" if path.lower().endswith(".tsx") else "typescript"

    def syntax(self) -> Syntax:
        """Calls and strings of TypeScript."""
        return EcmascriptSyntax()
