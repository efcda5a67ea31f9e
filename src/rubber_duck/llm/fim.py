"""How each family of models is asked to fill a gap: the marks around prefix and suffix, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rubber_duck.llm.messages import Gap


@dataclass(frozen=True, slots=True)
class Template:
    """The text that asks: `before` prefix `between` suffix `after`, or the suffix first; `stop` ends a filling.

    `file` is the mark before the path of each file of a repository, `repository` the one before all of them; a family
    without them is told of other files in comments.
    """

    before: str
    between: str
    after: str
    stop: tuple[str, ...]
    suffix_first: bool = False
    file: str = ""
    repository: str = ""

    def ask(self, gap: Gap) -> str:
        """What the model is to continue. Marks in the code itself are broken up, so that they are read as text."""
        others = ""
        if gap.beside and self.file:
            told = (f"{self.file}{self._plain(each.path)}\n{self._plain(each.text)}\n" for each in gap.beside)
            own = f"{self.file}{self._plain(gap.path)}\n" if gap.path else self.file
            others = f"{self.repository}{''.join(told)}{own}"
        prefix = gap.prefix if others else prefixed(gap)
        first, second = (gap.suffix, prefix) if self.suffix_first else (prefix, gap.suffix)
        return f"{others}{self.before}{self._plain(first)}{self.between}{self._plain(second)}{self.after}"

    def _plain(self, text: str) -> str:
        own = (self.before, self.between, self.after, self.file, self.repository.split("\n", 1)[0], *self.stop)
        marks = (mark.strip() for mark in own)
        for mark in marks:
            if len(mark) > 1 and mark in text:
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text


TEMPLATES: Final[dict[str, Template]] = {
    "starcoder": Template(
        "<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<|endoftext|>", "<file_sep>"), file="<file_sep>"
    ),
    "codellama": Template("<PRE> ", " <SUF>", " <MID>", (" <EOT>", "<EOT>")),
    "deepseek": Template("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", ("<｜end▁of▁sentence｜>", "<|EOT|>")),
    "qwen": Template(
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|im_start|>", "<|im_end|>"),
        file="<|file_sep|>",
        repository="<|repo_name|>project\n",
    ),
    "codestral": Template("[SUFFIX]", "[PREFIX]", "", ("</s>", "[PREFIX]", "[SUFFIX]"), suffix_first=True),
    "codegemma": Template(
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|file_separator|>", "<end_of_turn>", "<eos>"),
        file="<|file_separator|>",
    ),
}
"""Family → template.

Sources: the model cards of StarCoder 2, Code Llama, DeepSeek-Coder, Qwen2.5-Coder and CodeGemma, and Mistral's
documentation of Codestral; no spaces stand beside a mark except Code Llama's. Of files beside that of the gap: the
repository-level examples of StarCoder 2 and Qwen2.5-Coder, and CodeGemma's technical report.
"""

_FAMILIES: Final = (
    ("starcoder", ("starcoder", "stable-code", "granite")),
    ("codellama", ("codellama", "code-llama")),
    ("deepseek", ("deepseek",)),
    ("qwen", ("qwen",)),
    ("codestral", ("codestral", "mistral", "devstral")),
    ("codegemma", ("codegemma", "code-gemma")),
)


def prefixed(gap: Gap) -> str:
    """The prefix behind what is told of other files, in comments; the prefix alone where there is no mark for them."""
    if not gap.comment or not gap.beside:
        return gap.prefix
    lines = [line for each in gap.beside for line in (each.path, *each.text.split("\n"))]
    return "".join(f"{gap.comment} {line}".rstrip() + "\n" for line in lines) + "\n" + gap.prefix


def template_for(model: str) -> Template | None:
    """The template of the family that the model's name tells; None for a model of no family that fills gaps."""
    lowered = model.lower()
    return next((TEMPLATES[family] for family, parts in _FAMILIES if any(part in lowered for part in parts)), None)
