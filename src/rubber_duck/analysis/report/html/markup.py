"""Markup that cannot be forgotten to escape: text is escaped, only `Html` is taken as it is."""

from __future__ import annotations

import html
from collections.abc import Iterable

from rubber_duck.analysis.visible import visible

_EMPTY = frozenset({"meta", "rect", "input", "path", "circle"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | int | None) -> Html:
    """`<name …>…</name>`. Text children and attributes are made visible and escaped, None is left out.

    An attribute's trailing `_` is dropped and other `_` become `-` (`class_`, `data_kind`); an empty string
    makes an attribute without a value.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _EMPTY:
        return Html(f"<{name}{written}>" if name in ("meta", "input") else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[str | None], between: str = "") -> Html:
    """Children one after the other, text escaped."""
    return Html(
        between.join(
            child if isinstance(child, Html) else html.escape(visible(child), quote=False)
            for child in children
            if child is not None
        )
    )


def _attribute(key: str, value: str | int) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f' {name}="{html.escape(visible(str(value)))}"' if value != "" else f" {name}"
