"""Show what one was told while away, and choose how one is told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.scope import Right

if TYPE_CHECKING:
    from rubber_duck.notices.notice import Told, Way

KindName = Literal["finished", "failed", "approval", "budget"]
WayName = Literal["mail", "webhook"]


class ListNotices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="list"):
    """List what one has not seen yet, the oldest first."""

    all: Annotated[bool, Meta(description="Also what one has seen; the newest first.")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most so many.")] = 50


class SeeNotices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="seen"):
    """Say that one has seen all, or all up to a number."""

    number: Annotated[int, Meta(ge=0, description="The last that was seen; 0: all.", extra={"argument": True})] = 0


class ListWays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ways"):
    """List how one is told, and which webhooks there are."""


class ChooseWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="way"):
    """Be told by mail, or by a webhook that an administrator made."""

    by: Annotated[WayName, Meta(description="How one is told.", extra={"argument": True})]
    to: Annotated[str, Meta(max_length=300, description="A mail address, or a webhook.", extra={"argument": True})]
    kinds: Annotated[
        tuple[KindName, ...], Meta(max_length=4, description="Of what; none: of failures, approvals and budgets.")
    ] = ()


class DropWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drop"):
    """Be told by that way no more."""

    by: Annotated[WayName, Meta(description="How one is told.", extra={"argument": True})]


class TryWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="try"):
    """Send a notice by that way now."""

    by: Annotated[WayName, Meta(description="How one is told.", extra={"argument": True})]


NoticesRequest = ListNotices | SeeNotices | ListWays | ChooseWay | DropWay | TryWay


class NoticeView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something one was told."""

    number: int
    kind: str
    title: str
    at: datetime
    text: str = ""
    run: str = ""
    project: str = ""
    seen: bool = False


class WayView(msgspec.Struct, frozen=True):
    """How one is told, and of what."""

    by: str
    to: str
    kinds: tuple[str, ...]


class NoticesAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Notices, or ways. `lost` were never seen and are gone: too old, or too many came after them."""

    notices: tuple[NoticeView, ...] = ()
    lost: int = 0
    ways: tuple[WayView, ...] = ()
    webhooks: tuple[str, ...] = ()
    mail: bool = False


@engines.add
class NoticesEngine(Engine[NoticesRequest, NoticesAnswer]):
    """Show what one was told while away, and choose how one is told.

    Runs that were queued tell their owner when they finished or failed, or wait for their word.
    """

    name: ClassVar[str] = "notices"
    request: ClassVar[Any] = NoticesRequest  # Any: a union is no type
    answer = NoticesAnswer
    right = Right.CATALOG_READ
    needs = ("notices",)
    timeout_s = 60.0

    async def run(self, request: NoticesRequest, call: Call) -> NoticesAnswer:
        """Notices of whoever asks, or their ways after the request."""
        match request:
            case ListNotices():
                return await _listed(request, call)
            case SeeNotices():
                await call.parts.notices.see(call.scope, request.number or 2**62)
                return await _listed(ListNotices(), call)
            case ChooseWay():
                await _choose(request, call)
            case DropWay():
                from rubber_duck.notices.notice import By  # noqa: PLC0415  # as in `_choose`

                await call.parts.notices.drop(call.scope, By(request.by))
            case TryWay():
                from rubber_duck.notices.notice import By  # noqa: PLC0415  # as in `_choose`

                await call.parts.notices.probe(call.scope, By(request.by))
            case ListWays():
                pass
        return await _ways(call)


async def _listed(request: ListNotices, call: Call) -> NoticesAnswer:
    notices = call.parts.notices
    if request.all:
        return NoticesAnswer(tuple(map(view, await notices.newest(call.scope, request.limit))))
    waiting = await notices.waiting(call.scope)
    return NoticesAnswer(tuple(map(view, waiting.notices[: request.limit])), waiting.lost)


async def _choose(request: ChooseWay, call: Call) -> None:
    from rubber_duck.notices.notice import By, Kind, Way  # noqa: PLC0415  # only who chooses

    kinds = frozenset(map(Kind, request.kinds)) or frozenset(Kind) - {Kind.FINISHED}
    await call.parts.notices.choose(call.scope, Way(By(request.by), request.to, kinds))


async def _ways(call: Call) -> NoticesAnswer:
    ways = await call.parts.notices.ways(call.scope)
    settings = call.settings
    return NoticesAnswer(
        ways=tuple(map(_way_view, ways)), webhooks=tuple(settings.notices.webhooks), mail=bool(settings.mail.host)
    )


def view(told: Told) -> NoticeView:
    """A notice as it is answered."""
    return NoticeView(
        told.number, told.kind.value, told.title, told.at, told.text, told.run, told.project, told.is_seen
    )


def _way_view(way: Way) -> WayView:
    return WayView(way.by.value, way.to, tuple(sorted(kind.value for kind in way.kinds)))
