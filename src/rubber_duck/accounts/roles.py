"""Which role holds which rights: the one table, of the server, of projects and of single things in them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from rubber_duck.scope import Right


class Role(StrEnum):
    """What a person is on the server: `administrator` or `person`; in a project: one of the others."""

    ADMINISTRATOR = "administrator"
    PERSON = "person"
    OWNER = "owner"
    MAINTAINER = "maintainer"
    MEMBER = "member"
    VIEWER = "viewer"


_VIEWER: Final = frozenset({Right.PROJECT_READ, Right.FILE_READ, Right.CATALOG_READ})
_MEMBER: Final = _VIEWER | {Right.ANALYSIS_RUN, Right.FILE_WRITE, Right.WORKFLOW_RUN}
_MAINTAINER: Final = _MEMBER | {Right.PROJECT_WRITE}

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.ADMINISTRATOR: frozenset({Right.ADMINISTER, Right.CATALOG_READ, Right.ACCOUNT_OWN}),
    Role.PERSON: frozenset({Right.CATALOG_READ, Right.ACCOUNT_OWN}),
    Role.OWNER: _MAINTAINER | {Right.PROJECT_PURGE, Right.FILE_PURGE},
    Role.MAINTAINER: _MAINTAINER,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
}
"""Role → rights. An administrator has none in a project unless they have a role there."""

_RUNNING: Final = frozenset({Right.COMMAND_RUN})
_WHO_RUNS: Final = frozenset({Role.OWNER, Role.MAINTAINER, Role.MEMBER})


def rights_in_project(role: Role, *, runs_commands: bool) -> frozenset[Right]:
    """What a role may do in a project; where `runs_commands` whoever may change its files may run them, too."""
    return RIGHTS[role] | _RUNNING if runs_commands and role in _WHO_RUNS else RIGHTS[role]


ON_A_CONVERSATION: Final[Mapping[Role, frozenset[Right]]] = {
    Role.OWNER: frozenset({Right.CONVERSATION_READ, Right.CONVERSATION_WRITE}),
    Role.VIEWER: frozenset({Right.CONVERSATION_READ}),
}
"""What a role on a single conversation adds to that in its project, without which it is worth nothing."""

ON_THE_SERVER: Final = (Role.ADMINISTRATOR, Role.PERSON)
IN_A_PROJECT: Final = (Role.OWNER, Role.MAINTAINER, Role.MEMBER, Role.VIEWER)
