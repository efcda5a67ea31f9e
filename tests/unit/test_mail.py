"""Mail goes to a real server, encrypted where it leaves this machine, and says nothing it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.errors import Denied, InvalidInput, InvalidSettings, Unavailable
from rubber_duck.mail import Mail, MailServer, checked_address, send
from rubber_duck.redaction import Redactor
from tests.mailbox import certificate, mailbox

MAIL = Mail("ann@example.org", "done\r\nBcc: eve@example.org", "it is done\nkey=whatever-secret-1", "0a1b")
NOTHING = Redactor(["whatever-secret-1"])


async def test_a_mail_arrives_with_its_own_id_and_without_secrets_or_smuggled_headers() -> None:
    async with mailbox() as box:
        await send(MailServer("127.0.0.1", box.port, "duck@example.org", "none"), MAIL, NOTHING)
    (message,) = box.received
    assert box.recipients == ["ann@example.org"]
    assert message["Subject"] == "done Bcc: eve@example.org"
    assert message["Bcc"] is None
    assert (message["Message-ID"], message["Auto-Submitted"]) == ("<0a1b@rubber-duck.invalid>", "auto-generated")
    assert message.get_content().splitlines() == ["it is done", "key=[REDACTED:known]"]


async def test_a_password_travels_only_over_tls_to_a_server_that_is_trusted(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    async with mailbox(tls=context) as box:
        trusted = MailServer(
            "127.0.0.1", box.port, "duck@example.org", "starttls", "duck", "quack-quack-1", str(authority)
        )
        await send(trusted, MAIL, NOTHING)
        unknown = MailServer("127.0.0.1", box.port, "duck@example.org", "starttls", "duck", "quack-quack-1")
        with pytest.raises(Denied, match="not who it says"):
            await send(unknown, MAIL, NOTHING)
    assert (len(box.received), box.signed_in) == (1, [b"duck"])
    async with mailbox() as plain:
        downgraded = MailServer("127.0.0.1", plain.port, "duck@example.org", "starttls", "duck", "quack-quack-1")
        with pytest.raises(Denied, match=r"mail\.security"):
            await send(downgraded, MAIL, NOTHING)
    assert (plain.received, plain.signed_in) == ([], [])


async def test_what_the_server_says_decides_whether_it_is_worth_trying_again() -> None:
    async with mailbox() as box:
        server = MailServer("127.0.0.1", box.port, "duck@example.org", "none")
        box.refusals = ["451 later", "554 never"]
        with pytest.raises(Unavailable, match="451: later"):
            await send(server, MAIL, NOTHING)
        with pytest.raises(Denied, match="554: never"):
            await send(server, MAIL, NOTHING)
        with pytest.raises(Denied, match="550: no such person"):
            await send(server, Mail("nobody@example.org", "x", "x", "1"), NOTHING)
        wrong = MailServer("127.0.0.1", box.port, "duck@example.org", "none", "duck", "a wrong word")
        with pytest.raises(Denied, match="535"):
            await send(wrong, MAIL, NOTHING)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await send(server, MAIL, NOTHING)


def test_mail_to_another_machine_is_never_unencrypted_and_the_password_is_not_shown() -> None:
    with pytest.raises(InvalidSettings, match="unencrypted"):
        MailServer("mail.example.org", 25, "duck@example.org", "none")
    shown = repr(MailServer("mail.example.org", 25, "duck@example.org", password="quack-quack-1"))
    assert "quack" not in shown


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@nowhere",
        "a@b@c.org",
        "a b@c.org",
        "a@c.org,e@c.org",
        "a\n@c.org",
        "ä@c.org",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput):
        checked_address(address)
