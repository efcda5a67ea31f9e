"""How a model names the file that it edits: bare, in bold or backticks, as a heading, on a fence, in a comment."""

from __future__ import annotations

import re
from typing import Final

_FENCE: Final = re.compile(r"\s*(?:>\s*)?(`{3,}|~{3,})\s*(.*?)\s*$")
_LEAD: Final = re.compile(r"(?:[#>*+-]+|\d+[.)])\s+")
_LABEL: Final = re.compile(r"(?:file(?: ?name| ?path)?|path|title|filename)\s*[:=]\s*", re.IGNORECASE)
_QUOTED: Final = re.compile(r"(`+|\*\*|['\"])(\S(?:.*?\S)?)\1")
_COMMENT: Final = re.compile(r"(?:#|//|--|;|<!--|/\*)\s*(\S.*?)\s*(?:-->|\*/)?$")
_EXTENSION: Final = re.compile(r"[^\s/\\]\.[A-Za-z][A-Za-z0-9_+-]{0,11}$|^\.[A-Za-z][\w.-]+$")
_KNOWN: Final = re.compile(
    r"(?:Makefile|Dockerfile|Containerfile|Procfile|Gemfile|Rakefile|Jenkinsfile|Vagrantfile|LICENSE|NOTICE|README"
    r"|CHANGELOG|CODEOWNERS|BUILD|WORKSPACE)$"
)
_SURE: Final = re.compile(
    r"[^\s/\\]\.(?:py[iwx]?|ipynb|[cm]?[jt]sx?|vue|svelte|exs?|h?eex|erl|hrl|rb|erb|go|rs|java|kts?|scala|groovy|gradle|cs|fs|vb|"
    r"c|h|cc|cpp|cxx|hh|hpp|m|mm|swift|php|pl|pm|lua|r|jl|dart|zig|nim|hs|mli?|clj[sc]?|el|lisp|sh|bash|zsh|fish|ps1|bat|"
    r"sql|graphql|proto|tf|hcl|nix|cmake|mk|html?|xml|svg|css|s[ac]ss|less|json[c5]?|ya?ml|toml|ini|cfg|conf|env|"
    r"properties|lock|md|mdx|rst|adoc|txt|tex|csv|tsv)$",
    re.IGNORECASE,
)
"""Endings that files have, where `os.path` may be a file or not."""

_WORD: Final = re.compile(r"[^\s`'\"*()\[\]{}<>,;]+")
_PRODUCT: Final = re.compile(r"[A-Z][A-Za-z0-9]*\.js$")
_NEVER: Final = re.compile(r"[<>|\"?*`\0]|://|^[({\[]|[),;]$|\s{2}")
_MOST_CHARACTERS: Final = 400
_MARKS: Final = ("**", "__", "`", "'", '"')


def fence(line: str) -> tuple[str, str] | None:
    """(the fence's characters, what stands behind them) for a line that opens or closes a code block."""
    found = _FENCE.match(line)
    return (found[1], found[2]) if found else None


def looks_like_path(text: str) -> bool:
    """Whether `text`, as it stands, names a file: an extension or a well-known name, and nothing no name has."""
    if not text or len(text) > _MOST_CHARACTERS or _NEVER.search(text) or text.startswith("--"):
        return False
    name = re.split(r"[/\\]", text)[-1]
    return bool(_EXTENSION.search(name) or _KNOWN.match(name) or (("/" in text or "\\" in text) and " " not in text))


def path_in(line: str) -> str:
    """The file that a line names and says nothing else, decoration aside; "" when it does not."""
    text = line.strip()
    opened = fence(text)
    if opened:
        return _on_fence(opened[1])
    lead = _LEAD.match(text)
    while lead:
        text = text[lead.end() :].strip()
        lead = _LEAD.match(text)
    text = _bare(_LABEL.sub("", _bare(text), count=1))
    if " " in text and text in line and not any(f"{mark}{text}{mark}" in line for mark in _MARKS):
        return ""  # a sentence that ends like a name
    return text if looks_like_path(text) else ""


def paths_within(line: str) -> frozenset[str]:
    """The files that a sentence names: in backticks, in bold, or bare with an ending that only files have."""
    whole = path_in(line)
    if whole:
        return frozenset({whole})
    found = {each[1].strip("`*:") for each in _QUOTED.findall(line)}
    quoted = {each for each in found if looks_like_path(each) and " " not in each}
    words = {word.rstrip(".:!?").rstrip("'") for word in _WORD.findall(line)} - quoted
    bare = {word for word in words if not _PRODUCT.match(word) and looks_like_path(word)}
    sure = {each for each in quoted | bare if _SURE.search(each)}
    named = sure or (quoted if len(quoted) == 1 else set())
    shorter = {one for one in named for other in named if len(one) < len(other) and is_same_file(one, other)}
    return frozenset(named - shorter)


def is_same_file(one: str, other: str) -> bool:
    """Whether one name ends as the other, which may say fewer of the folders."""
    short, long = sorted((name.replace("\\", "/").removeprefix("./") for name in (one, other)), key=len)
    return f"/{long}".endswith(f"/{short}")


def path_in_comment(line: str) -> str:
    """The file that a comment names and says nothing else; "" when it does not."""
    found = _COMMENT.match(line.strip())
    return path_in(found[1]) if found else ""


def _on_fence(said: str) -> str:
    """```` ```python:src/a.py ````, ```` ```src/a.py ````, ```` ```py title="a.py" ````, ```` ```python a.py ````."""
    text = said.strip("{}` ")
    labelled = re.search(r"(?:title|file(?:name)?|path)\s*=\s*[\"']?([^\"'\s}]+)", text)
    if labelled and looks_like_path(labelled[1]):
        return labelled[1]
    language, _, rest = text.partition(":")
    if rest and re.fullmatch(r"[\w+#-]*", language) and looks_like_path(rest.strip()):
        return rest.strip()
    if looks_like_path(text) and " " not in text:
        return text
    _, _, rest = text.partition(" ")
    return rest.strip() if looks_like_path(rest.strip()) and " " not in rest.strip() else ""


def _bare(text: str) -> str:
    """Without bold, backticks, quotes, and a colon behind."""
    while True:
        before = text
        text = text.strip().rstrip(":").strip()
        for mark in _MARKS:
            if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
                text = text[len(mark) : -len(mark)]
        if mark_in(text):
            text = text.strip("`*")
        if text == before:
            return text


def mark_in(text: str) -> bool:
    """Whether a mark of emphasis was left at one end only, as in `` `a.py``."""
    return text.startswith(("`", "**")) or text.endswith(("`", "**"))
