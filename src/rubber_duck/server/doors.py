"""Which topics a server has, and how each is opened for one connection."""

from __future__ import annotations

from collections.abc import Mapping

from rubber_duck.channels.socket import Opener
from rubber_duck.server.channels.chat import Chat
from rubber_duck.server.channels.cli import Cli
from rubber_duck.server.channels.code import Code
from rubber_duck.server.channels.project import Project
from rubber_duck.server.channels.status import Status
from rubber_duck.server.channels.user import User
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.topic import Topic

CHANNELS: tuple[type[Topic], ...] = (Code, Chat, Cli, Project, Status, User)
"""Every topic there is."""


def doors(desk: Desk, member: Member) -> Mapping[str, Opener]:
    """The topics by name, for one connection."""
    return {
        Code.name: lambda seat, subject: Code(seat, subject, desk, member),
        Chat.name: lambda seat, subject: Chat(seat, subject, desk, member),
        Cli.name: lambda seat, subject: Cli(seat, subject, desk, member),
        Project.name: lambda seat, subject: Project(seat, subject, desk, member),
        User.name: lambda seat, subject: User(seat, subject, desk, member),
        Status.name: lambda seat, subject: Status(seat, subject, desk, member),
    }
