"""Send a notice by one of the ways that its member chose."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from rubber_duck.jobs.hands import hands_of
from rubber_duck.notices.notice import By
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows

_FACTOR: Final = 3.0


class DeliverNotice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which notice, and how it travels."""

    key: Annotated[str, Meta(max_length=1000, description="The key under which the notice is kept.")]
    by: Annotated[Literal["mail", "webhook"], Meta(description="How it travels.")]


class Delivered(msgspec.Struct, frozen=True):
    """What became of it: sent, or why it was not."""

    outcome: str


@workflows.add
class NoticeDelivery(Workflow[DeliverNotice, Delivered]):
    """Send a notice as mail or to a webhook, and try again while the other side does not take it."""

    name = "deliver-notice"
    version = 1
    request = DeliverNotice
    answer = Delivered
    right = Right.CATALOG_READ
    queue = "notification"

    async def run(self, request: DeliverNotice, run: Run) -> Delivered:
        """One step, tried as often as is set."""
        notices = hands_of(run).parts.settings.notices
        retries = Retries(notices.tries, notices.first_retry_s, _FACTOR)
        return Delivered(await run.step(Step("send", lambda: _sent(request, run), str, retries=retries)))


async def _sent(request: DeliverNotice, run: Run) -> str:
    return await hands_of(run).parts.notices.deliver(run.scope, request.key, By(request.by))
