"""Sends a notice by a way: as mail through the server of the settings, or as a signed request to a webhook of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from rubber_duck import mail, telemetry
from rubber_duck.errors import NotConfigured, UnknownName
from rubber_duck.mail import Mail, MailServer
from rubber_duck.notices import webhook
from rubber_duck.notices.notice import By, Told, Way
from rubber_duck.redaction import JsonValue, Redactor
from rubber_duck.settings import Settings
from rubber_duck.settings.telling import MailSettings

_WHY = "You are told this because you asked for it; `duck notices drop mail` ends it."


async def send(settings: Settings, way: Way, told: Told, *, key: str, now_s: Callable[[], float]) -> None:
    """Send a notice. `key` is its own; `now_s` gives seconds since 1970.

    Raises Unavailable when it may be tried again, Denied when nobody will take it, NotConfigured, UnknownName.
    """
    delivery = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    match way.by:
        case By.MAIL:
            server = server_of(settings.mail)
            letter = Mail(way.to, f"[RubberDuck] {told.title}", _text(told), delivery)
            await mail.send(server, letter, Redactor([settings.mail.password]))
        case By.WEBHOOK:
            hooks = settings.notices.webhooks
            if way.to not in hooks:
                raise UnknownName.among("webhook", way.to, hooks)
            await webhook.post(hooks[way.to], body_of(told), delivery=delivery, now_s=now_s)
    telemetry.emit("notice.sent", by=way.by.value, kind=told.kind.value)


def server_of(settings: MailSettings) -> MailServer:
    """The mail server; raises NotConfigured when there is none, InvalidSettings when it is not safe."""
    if not settings.host:
        raise NotConfigured("nobody has set up a mail server; an administrator sets mail.host in duck.toml")
    sender = settings.sender or f"rubber-duck@{settings.host}"
    return MailServer(
        settings.host,
        settings.port,
        sender,
        settings.security,
        settings.user,
        settings.password,
        settings.authorities,
    )


def body_of(told: Told) -> JsonValue:
    """What a webhook is sent; `text` is what chat programs show."""
    return {
        "kind": told.kind.value,
        "title": told.title,
        "text": f"{told.title}\n{told.text}".strip(),
        "run": told.run,
        "project": told.project,
        "number": told.number,
        "at": told.at.isoformat(),
    }


def _text(told: Told) -> str:
    return "\n\n".join(part for part in (told.title, told.text, _WHY) if part) + "\n"
