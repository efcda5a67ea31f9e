"""Rule documentation, written in Markdown, as HTML without images, raw HTML or dangerous links."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rubber_duck.analysis.report.html.markup import Html
from rubber_duck.analysis.visible import visible_block

_LONGEST: Final = 6_000
_HEADING: Final = "h4"


def prose(markdown: str) -> Html:
    """At most 6,000 characters of `markdown`; headings become h4, as they stand below a rule's name."""
    text = visible_block(markdown)
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition("\n")[0] + "\n\n…"
    reader = _reader()
    tokens = reader.parse(text)
    _adapt(tokens)
    return Html(reader.renderer.render(tokens, reader.options, {}))


@cache
def _reader() -> MarkdownIt:
    # `html: False` escapes raw HTML; markdown-it itself refuses javascript:, data: and file: links.
    return MarkdownIt("commonmark", {"html": False}).disable("image")


def _adapt(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADING
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noreferrer noopener")
