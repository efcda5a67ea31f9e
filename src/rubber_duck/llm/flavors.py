"""How servers that speak the OpenAI protocol differ, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.errors import UnknownName


class Filling(StrEnum):
    """How a server fills a gap: a `suffix` parameter, the marks of the model's family, llama.cpp's way, not at all."""

    SUFFIX = "suffix"
    MARKS = "marks"
    INFILL = "infill"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Flavor:
    """One server's ways.

    - `kind`: the provider that speaks to it. `url`: where it usually is. `needs_key`: it answers nobody without one.
    - `is_local`: it runs at the user's, so its tokens cost nothing.
    - `limit_field`: what the most tokens of an answer are called.
    - `counts_streams`: usage at a stream's end has to be asked for. `schemas`: `form` is enforced.
    - `filling_path`: where gaps are filled; with two slashes in front it is not below `url`'s path.
    """

    kind: str
    url: str
    needs_key: bool = True
    is_local: bool = False
    limit_field: str = "max_tokens"
    counts_streams: bool = True
    schemas: bool = True
    filling: Filling = Filling.MARKS
    filling_path: str = "/completions"


FLAVORS: Final[dict[str, Flavor]] = {
    "openai": Flavor(
        "openai", "https://api.openai.com/v1", limit_field="max_completion_tokens", filling=Filling.SUFFIX
    ),
    "openrouter": Flavor("openai", "https://openrouter.ai/api/v1"),
    "mistral": Flavor(
        "openai",
        "https://api.mistral.ai/v1",
        counts_streams=False,
        filling=Filling.SUFFIX,
        filling_path="/fim/completions",
    ),
    "deepseek": Flavor("openai", "https://api.deepseek.com/beta", schemas=False, filling=Filling.SUFFIX),
    "vllm": Flavor("openai", "http://127.0.0.1:8000/v1", needs_key=False, is_local=True),
    "llamacpp": Flavor(
        "openai",
        "http://127.0.0.1:8080/v1",
        needs_key=False,
        is_local=True,
        filling=Filling.INFILL,
        filling_path="//infill",
    ),
    "ollama": Flavor("openai", "http://127.0.0.1:11434/v1", needs_key=False, is_local=True, filling=Filling.SUFFIX),
    "lmstudio": Flavor("openai", "http://127.0.0.1:1234/v1", needs_key=False, is_local=True),
    "compatible": Flavor("openai", "", needs_key=False),
    "anthropic": Flavor("anthropic", "https://api.anthropic.com/v1", filling=Filling.NONE),
}
"""Every flavor by name. `compatible` is any other server that speaks the OpenAI protocol."""


def flavor_named(name: str) -> Flavor:
    """The flavor of that name; raises UnknownName."""
    if name not in FLAVORS:
        raise UnknownName.among("kind of provider", name, FLAVORS, hint=f"there are {', '.join(FLAVORS)}")
    return FLAVORS[name]
