"""Python: its file names and its grammar."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.code.language import Language, languages
from rubber_duck.code.languages.python.syntax import PythonSyntax
from rubber_duck.code.syntax import Syntax


@languages.add
class Python(Language):
    """Python 3, and what its grammar still reads of Python 2."""

    name = "python"
    title = "Python"
    family = "python"
    suffixes = (".py", ".pyi", ".pyw")
    filenames = ("SConstruct", "SConscript", "wscript")
    interpreters = ("python", "pypy")
    grammars: ClassVar = {"python": "tree_sitter_python:language"}
    leaves = frozenset(
        {
            "identifier",
            "integer",
            "float",
            "comment",
            "none",
            "true",
            "false",
            "ellipsis",
            "string_start",
            "string_end",
            "escape_sequence",
            "escape_interpolation",
            "line_continuation",
            "pass_statement",
            "break_statement",
            "continue_statement",
            "import_prefix",
            "type_conversion",
        }
    )
    literals: ClassVar = {"string": ("string_start", "string_content", "string_end")}
    extraction = "rubber_duck.code.languages.python.extraction:PythonExtractor"
    prose: ClassVar = {"comment": b"", "expression_statement": rb"""[rRuU]?(\"{3}|'{3}|["'])[\s\S]*\1\Z"""}
    line_comment = "#"

    def syntax(self) -> Syntax:
        """Calls and strings of Python."""
        return PythonSyntax()
