"""The event stream (server-sent events): ends when the browser goes, the session ends, or the hub stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ..domain.role import UNIT_ROLES, Right, Role, may
from ..errors import Forbidden, Full, NotSignedIn
from ..feed import Change, Listener, as_data
from ..feed_scope import Within
from ..house import Actor, House
from ..store import device_queries, scope
from .access import TheActor, TheHouse, the_actor

router = APIRouter(tags=["feed"])

PING_S = 15.0
CHECK_SESSION_S = 60.0
LISTENERS_MOST = 500


@router.get("/api/feed", response_class=StreamingResponse)
async def feed(
    request: Request, house: TheHouse, actor: TheActor, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """Events `alert`, `handover`, `case`, `camera`, `sensor`, `notice`, `sensor_notice`, `quarantine`.

    `reset` comes when what was missed is no longer remembered.

    `cameras` {items} holds what changed of many cameras at once, `looks` {at, ids, ago_ms, attained_s} when cameras
    were last looked at. Who is limited to some grids gets what lies in them.
    """
    if actor.role is Role.WORKER:
        raise Forbidden("the feed is for people")
    if house.feed.listeners >= LISTENERS_MOST:
        raise Full(f"{LISTENERS_MOST} event streams are open already")
    within = await run_in_threadpool(_within, house, actor)
    stream = _events(request, house, actor, within, _number(last_event_id))
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _number(text: str) -> int | None:
    """The id of a change; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def visible_to(actor: Actor) -> Callable[[Change], bool]:
    """Which changes the actor may see: a department's people only cases that are or were their own."""
    if actor.role in UNIT_ROLES:
        return lambda change: change.departments is not None and actor.department in change.departments
    rights = {
        "alert": Right.SEE_ALERTS,
        "handover": Right.DECIDE_ALERTS,
        "case": Right.SEE_CASES,
        "camera": Right.SEE_DEVICES,
        "cameras": Right.SEE_DEVICES,
        "looks": Right.SEE_DEVICES,
        "notice": Right.SEE_DEVICES,
        "sensor": Right.SEE_DEVICES,
        "sensor_notice": Right.SEE_DEVICES,
        "quarantine": Right.SEE_DEVICES,
    }
    seen = {event for event, right in rights.items() if may(actor.role, right)}
    return lambda change: change.event in seen


def _within(house: House, actor: Actor) -> Within | None:
    """What stands in the grids that the actor is limited to; None: he sees the whole district."""
    if actor.grids is None:
        return None
    with house.db.read() as tx:
        cameras, sensors = (frozenset(ids) for ids in device_queries.ids(tx))
        return Within(actor.grids, cameras, sensors, scope.around(tx, actor.grids))


async def _events(
    request: Request, house: House, actor: Actor, within: Within | None, last_id: int | None
) -> AsyncIterator[str]:
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(news.set)

    listener = Listener(visible_to(actor), wake)
    complete = house.feed.listen(listener, last_id)
    checked_at = loop.time()
    try:
        yield ": connected\n\n"
        if not complete:
            yield "event: reset\ndata: {}\n\n"
        while not house.feed.closed:
            for change in house.feed.take(listener):
                data = change.data
                if within is not None:
                    part = within.part(change.event, change.body)
                    if part is None:
                        continue
                    data = data if part is change.body else as_data(part)
                yield f"id: {change.id}\nevent: {change.event}\ndata: {data}\n\n"
            try:
                await asyncio.wait_for(news.wait(), PING_S)
            except TimeoutError:
                yield ": ping\n\n"
            news.clear()
            if loop.time() - checked_at > CHECK_SESSION_S:
                checked_at = loop.time()
                if not await run_in_threadpool(_still, request):
                    return
                within = await run_in_threadpool(_within, house, actor)
    finally:
        house.feed.leave(listener)


def _still(request: Request) -> bool:
    try:
        the_actor(request)
    except (NotSignedIn, Forbidden):
        return False
    return True
