"""What every table of duck.toml is."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import fields

from rubber_duck.settings.secrets import is_secret, shown


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of duck.toml. A subclass's docstring and its fields' descriptions are the reference."""

    def __repr__(self) -> str:
        written = []
        for each in fields(self):
            value = getattr(self, each.name)
            written.append(f"{each.name}={shown(each.type, value) if is_secret(each.type) else value!r}")
        return f"{type(self).__name__}({', '.join(written)})"
