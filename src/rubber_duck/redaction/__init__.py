"""Takes secrets out of what leaves: marked by their makers, announced by a name, encoded, known, or spread."""

from rubber_duck.redaction.redactor import DEPTH, JsonValue, Redactor

__all__ = ["DEPTH", "JsonValue", "Redactor"]
