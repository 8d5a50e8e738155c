"""Live view: open a camera for a reason, connect a browser, look at pictures one by one, close."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Request, Response
from pydantic import Field

from ingest.errors import SourceError

from ..domain.call_up import NOTE_MOST, REASONS
from ..domain.role import Right
from ..errors import Away
from ..house import Actor
from ..live.views import Views
from .access import address_of, needs
from .bodies import Body, Id, Time
from .plain import a_router
from .shown import Names, Page, Shown, Why, shows

router = a_router("live")

Looks = Annotated[Actor, Depends(needs(Right.SEE_LIVE))]


def the_views(request: Request) -> Views:
    """All live views of this hub."""
    views: Views = request.app.state.live
    return views


TheViews = Annotated[Views, Depends(the_views)]


class LiveReason(Shown):
    """Why a camera may be called up."""

    id: str
    name: Names


class LiveView(Shown):
    """What one person sees of one camera; `why`: why it is no video."""

    id: str
    camera: str
    mode: Literal["video", "pictures", "last"]
    opening: bool
    message: str
    why: Why | None
    viewers: int
    opened_at: str


class LiveViews(Shown):
    """Views by id."""

    views: dict[str, LiveView]


class LiveAnswer(Shown):
    """Our SDP answer."""

    sdp: str


class CallUp(Body):
    """Which camera, and why (a code of `/api/live/reasons`); `case`: the case's id, where it is about one."""

    camera: Id
    reason: str = Field(max_length=40)
    note: str = Field("", max_length=NOTE_MOST)
    case: str | None = Field(None, max_length=64)


class Offer(Body):
    """A browser's SDP offer to receive one video."""

    sdp: str = Field(max_length=100_000)


class Beat(Body):
    """Views that are still shown."""

    ids: list[str] = Field(max_length=64)


@router.get("/api/live/reasons", **shows(Page[LiveReason]))
def reasons(_actor: Looks) -> dict[str, Any]:
    """Why a camera may be called up."""
    items = [{"id": code, "name": names} for code, names in REASONS.items()]
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.post("/api/live", **shows(LiveView, 201))
def call_up(views: TheViews, actor: Looks, body: CallUp) -> dict[str, Any]:
    """Begin to look; `mode` says how: `video` (make an offer), `pictures` (ask for looks), `last` (the worker's)."""
    return views.open(actor, body.camera, body.reason, body.note, body.case)


@router.post("/api/live/beat", **shows(LiveViews))
def beat(views: TheViews, actor: Looks, body: Beat) -> dict[str, Any]:
    """Still looking: at least every 20 s, or the views end. Those that have ended are missing in the answer."""
    return views.beat(actor, body.ids)


@router.post("/api/live/{view_id}/offer", **shows(LiveAnswer))
def offer(request: Request, view_id: str, views: TheViews, actor: Looks, body: Offer) -> dict[str, Any]:
    """{sdp}: the answer to the browser's offer; H.264, from the next keyframe on."""
    return views.offer(actor, view_id, body.sdp, address_of(request))


@router.get("/api/live/{view_id}/look", response_class=Response)
def look(view_id: str, views: TheViews, actor: Looks, after: Time | None = None) -> Response:
    """The newest picture (JPEG; `X-Captured-At` says of when); 204 where there is none newer than `after`."""
    try:
        shot = views.shot(actor, view_id, after)
    except SourceError as error:
        raise Away(str(error)) from None
    if shot is None:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Captured-At": shot.captured_at.isoformat()}
    return Response(shot.jpeg, media_type="image/jpeg", headers=headers)


@router.delete("/api/live/{view_id}", status_code=204)
def close(view_id: str, views: TheViews, actor: Looks) -> None:
    """Enough seen."""
    views.close(actor, view_id)
