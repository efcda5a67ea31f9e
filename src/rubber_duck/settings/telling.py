"""The settings of telling people: mail, webhooks, and how long what they are told is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from rubber_duck.settings.section import Section


class MailSettings(Section, frozen=True):
    """The mail server through which people are told things; without one, nobody is told by mail."""

    host: Annotated[str, Meta(max_length=300, description="Its name; empty: there is none.")] = ""
    port: Annotated[int, Meta(ge=1, le=65_535, description="Its port.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the connection is encrypted; `none` only for this machine or a private address."),
    ] = "starttls"
    user: Annotated[str, Meta(max_length=300, description="Who signs in there; empty: nobody does.")] = ""
    password: Annotated[str, Meta(max_length=1000, description="The password.", extra={"secret": "value"})] = ""
    sender: Annotated[str, Meta(max_length=300, description="The address that mail comes from.")] = ""
    authorities: Annotated[
        str, Meta(max_length=1000, description="A file of authorities to trust; empty: the machine's own.")
    ] = ""
    domains: Annotated[
        tuple[str, ...], Meta(description="Only addresses in these domains are written to; empty: any.")
    ] = ()


class WebhookSettings(Section, frozen=True):
    """An address that is told things by signed requests."""

    url: Annotated[
        str,
        Meta(min_length=1, max_length=2000, description="`https://host/path`.", extra={"secret": "value"}),
    ]
    secret: Annotated[
        str,
        Meta(min_length=16, max_length=1000, description="What requests are signed with.", extra={"secret": "value"}),
    ]
    private: Annotated[bool, Meta(description="Whether its name may lead to a private address.")] = False


class NoticeSettings(Section, frozen=True):
    """How people are told what has happened while they were away. Each of them chooses with `duck notices way`."""

    kept_days: Annotated[int, Meta(ge=1, le=3650, description="Days that a notice is kept.")] = 30
    most_kept: Annotated[
        int, Meta(ge=1, le=100_000, description="Notices kept for one person; then the oldest go.")
    ] = 500
    tries: Annotated[int, Meta(ge=1, le=20, description="How often a mail or a webhook is tried.")] = 6
    first_retry_s: Annotated[
        float,
        Meta(gt=0, le=3600, description="Seconds until the second try; each further wait is three times as long."),
    ] = 2.0
    webhooks: Annotated[
        dict[str, WebhookSettings],
        Meta(description="Webhooks that people may choose: `[notices.webhooks.<name>]`."),
    ] = field(default_factory=dict)
