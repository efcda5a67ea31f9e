"""What ruff itself says of its rules: asked once for each installed ruff, then kept in the disposable cache."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from rubber_duck.analysis.known import Known
from rubber_duck.analysis.report.model import RuleDescription
from rubber_duck.analysis.ruff import ruff_identity, ruff_program, rule_meaning, rule_name
from rubber_duck.analysis.ruff_rules import is_selected
from rubber_duck.errors import DuckError
from rubber_duck.workspace.programs import run_program

_WHAT: Final = re.compile(r"## What it does\s+(?P<first>.+?)(?:\n\n|\Z)", re.DOTALL)
_PAGE: Final = "https://docs.astral.sh/ruff/rules/"


class RuffRule(msgspec.Struct, frozen=True):
    """One rule as `ruff rule --output-format json` describes it; `explanation` is Markdown, some have no code."""

    code: str | None
    name: str
    explanation: str

    def description(self) -> RuleDescription:
        """In our terms."""
        name = rule_name(self.code)
        meant = rule_meaning(name)
        match = _WHAT.search(self.explanation)
        summary = f"{self.name}: {' '.join(match['first'].split())}" if match else self.name
        return RuleDescription(
            name=name,
            kind=meant.kind,
            severity=meant.severity,
            confidence=meant.confidence,
            summary=summary,
            documentation=self.explanation,
            cwe=meant.cwe,
            url=f"{_PAGE}{self.name}",
        )


_decoder: Final = msgspec.json.Decoder(list[RuffRule])


async def ruff_catalog(known: Known) -> Mapping[str, RuleDescription]:
    """The descriptions of the rules that RubberDuck selects, by name (`ruff/F401`); empty when ruff does not tell."""
    identity = ruff_identity()
    kept = known.ruff_rules(identity)
    if kept is None:
        try:
            completed = await run_program(
                [str(ruff_program()), "rule", "--all", "--output-format=json"], cwd=Path("/"), timeout_s=30.0
            )
            rules = [rule for rule in _decoder.decode(completed.stdout) if rule.code and is_selected(rule.code)]
        except (DuckError, msgspec.MsgspecError):
            return {}  # a ruff that cannot describe its rules still finds what it finds
        kept = msgspec.json.encode(rules)
        known.keep_ruff_rules(identity, kept)
    return {rule_name(rule.code): rule.description() for rule in _decoder.decode(kept)}
