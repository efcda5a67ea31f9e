"""Elixir: its file names and its grammar."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.code.language import Language, languages
from rubber_duck.code.languages.elixir.syntax import ElixirSyntax
from rubber_duck.code.syntax import Syntax


@languages.add
class Elixir(Language):
    """Elixir modules and scripts."""

    name = "elixir"
    title = "Elixir"
    family = "elixir"
    suffixes = (".ex", ".exs")
    filenames = ("mix.lock",)
    interpreters = ("elixir", "iex")
    grammars: ClassVar = {"elixir": "tree_sitter_elixir:language"}
    leaves = frozenset(
        {
            "identifier",
            "alias",
            "atom",
            "integer",
            "float",
            "char",
            "boolean",
            "nil",
            "comment",
            "quoted_content",
            "escape_sequence",
            "sigil_name",
            "sigil_modifiers",
            "operator_identifier",
        }
    )
    literals: ClassVar = dict.fromkeys(("string", "charlist"), ("quoted_content", "escape_sequence"))
    extraction = "rubber_duck.code.languages.elixir.extraction:ElixirExtractor"
    prose: ClassVar = {"comment": b"", "unary_operator": rb"@(?:module|type|short)?doc\b"}
    line_comment = "#"

    def syntax(self) -> Syntax:
        """Calls and strings of Elixir."""
        return ElixirSyntax()
