"""What a field of a request says of itself: whether it names a file or folder of a project.

That is known by its name, and by the marks `extra={"path": True}` and `extra={"place": True}` (a file that may be
followed by lines). A field that speaks of files and names none says `"place": False`.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

FOLDERS: Final = ("project", "directory")
PATHS: Final = ("path", "paths", "place", "root")

_SPEAKS: Final = re.compile(r"\b(FILE|[Ff]iles?|[Ff]olders?|[Pp]aths?)\b(?!')")
_NAMED: Final = re.compile(r"(?:^|_)(?:at|file|files|folder|folders|path|paths|place|places|root|filename)(?:$|_)")


def says_where(field: msgspec.inspect.Field) -> bool:
    """Whether its values name files or folders."""
    if field.encode_name in (*FOLDERS, *PATHS):
        return True
    return bool(_extra(field).get("path") or _extra(field).get("place"))


def silent_fields(struct: type[msgspec.Struct]) -> list[str]:
    """The fields of a request that speak of files and do not say whether they name one."""
    declared = msgspec.inspect.type_info(struct)
    assert isinstance(declared, msgspec.inspect.StructType)  # checked when the engine's class was made
    return [
        each.encode_name
        for each in declared.fields
        if not says_where(each)
        and _is_text(each.type)
        and "place" not in _extra(each)
        and (_NAMED.search(each.encode_name) or _SPEAKS.search(_description(each)))
    ]


def _extra(field: msgspec.inspect.Field) -> dict[str, Any]:  # Any: whatever an engine says
    return field.type.extra or {} if isinstance(field.type, msgspec.inspect.Metadata) else {}


def _description(field: msgspec.inspect.Field) -> str:
    schema = field.type.extra_json_schema or {} if isinstance(field.type, msgspec.inspect.Metadata) else {}
    return str(schema.get("description", ""))


def _is_text(kind: msgspec.inspect.Type) -> bool:
    """Whether a value, or one in a list of them, is any text."""
    match kind:
        case msgspec.inspect.Metadata():
            return _is_text(kind.type)
        case msgspec.inspect.UnionType():
            return any(map(_is_text, kind.types))
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType() | msgspec.inspect.SetType():
            return _is_text(kind.item_type)
        case _:
            return isinstance(kind, msgspec.inspect.StrType)
