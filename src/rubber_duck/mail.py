"""Mail to people, through the one server that an administrator named; never unencrypted to another machine."""

from __future__ import annotations

import asyncio
import ipaddress
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Literal

from rubber_duck.errors import Denied, InvalidInput, InvalidSettings, Unavailable
from rubber_duck.redaction import Redactor

_TRANSIENT: Final = range(400, 500)
_TEXT_CHARACTERS: Final = 20_000
_SPECIAL: Final = ' <>,;:"()[]\\'


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. `trust` is a file of authorities beside the machine's own; `timeout_s` is for each answer.

    Raises InvalidSettings for a connection without encryption to another machine.
    """

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    trust: str = ""
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        if self.security == "none" and not _is_near(self.host):
            raise InvalidSettings(f"mail to {self.host!r} would travel unencrypted; set mail.security to starttls")


@dataclass(frozen=True, slots=True)
class Mail:
    """What somebody is written. `id` is the same whenever the same mail is sent again."""

    to: str
    subject: str
    text: str
    id: str


def checked_address(address: str) -> str:
    """The address, if it is one; raises InvalidInput. Nothing that could become a second header or recipient passes."""
    name, _, domain = address.rpartition("@")
    is_plain = address.isascii() and address.isprintable() and not any(each in _SPECIAL for each in address)
    if not is_plain or not name or "@" in name or ("." not in domain.strip(".") and domain != "localhost"):
        raise InvalidInput(f"{address!r} is no mail address; write name@example.org")
    return address


async def send(server: MailServer, mail: Mail, redactor: Redactor) -> None:
    """Hand a mail to the server, without secrets.

    Raises Unavailable when the server cannot take it now, Denied when it will not take it at all.
    """
    message = _message(server, mail, redactor)
    await asyncio.to_thread(_send, server, message)  # ends by the time-outs of the connection


def _message(server: MailServer, mail: Mail, redactor: Redactor) -> EmailMessage:
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = checked_address(mail.to)
    message["Subject"] = " ".join(redactor.text(mail.subject).split())[:200]
    message["Message-ID"] = f"<{mail.id}@rubber-duck.invalid>"
    message["Date"] = formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
    message.set_content(redactor.text(mail.text)[:_TEXT_CHARACTERS])
    return message


def _send(server: MailServer, message: EmailMessage) -> None:
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(*next(iter(error.recipients.values()))) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Denied(f"the mail server does not do what mail.security and mail.user ask: {error}") from error
    except ssl.SSLCertVerificationError as error:
        raise Denied(f"the mail server {server.host!r} is not who it says: {error.verify_message}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(
            f"the mail server {server.host!r} cannot be reached: {error or type(error).__name__}"
        ) from error


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=_trust(server))
    connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    if server.security == "starttls":
        try:
            connection.starttls(context=_trust(server))  # without it nothing is sent: there is no falling back
        except BaseException:
            connection.close()
            raise
    return connection


def _trust(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.trust or None)


def _refused(code: int, said: bytes | str) -> Unavailable | Denied:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    kind = Unavailable if code in _TRANSIENT else Denied
    return kind(f"the mail server refused it with {code}: {' '.join(text.split())[:200]}")


def _is_near(host: str) -> bool:
    """Whether the host is this machine, or an address of a private network."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.lower() == "localhost"
