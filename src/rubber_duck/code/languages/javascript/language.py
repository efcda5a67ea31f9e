"""JavaScript with JSX: its file names and its grammar."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.code.ecmascript.syntax import LEAVES, LITERALS, EcmascriptSyntax
from rubber_duck.code.language import Language, languages
from rubber_duck.code.syntax import Syntax


@languages.add
class JavaScript(Language):
    """JavaScript as browsers and Node.js read it, and JSX."""

    name = "javascript"
    title = "JavaScript"
    family = "ecmascript"
    suffixes = (".js", ".jsx", ".mjs", ".cjs", ".es6")
    filenames = ("Jakefile",)
    interpreters = ("node", "nodejs", "deno", "bun")
    grammars: ClassVar = {"javascript": "tree_sitter_javascript:language"}
    leaves = LEAVES
    literals = LITERALS
    extraction = "rubber_duck.code.ecmascript.extraction:EcmascriptExtractor"
    line_comment = "//"

    def syntax(self) -> Syntax:
        """Calls and strings of JavaScript."""
        return EcmascriptSyntax()
