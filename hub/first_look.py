"""One look at a camera before it is registered, or to see whether it still answers: nothing is kept."""

from __future__ import annotations

import base64
import time
from typing import Any

from ingest.cameras import open_source
from ingest.device import Camera, Watch
from ingest.errors import InventoryError, SourceError

from .errors import Invalid, NotFound
from .house import Actor, House
from .jpeg import encode_jpeg
from .store import device_queries

TIMEOUT_S = 12.0
MOST_WIDTH_PX = 1280


def take(house: House, actor: Actor, url: str | None, camera_id: str | None) -> dict[str, Any]:
    """{ok, error, why, width, height, codec, latency_ms, picture}. Raises Invalid, NotFound."""
    preset: str | None = None
    if camera_id is not None and url is None:
        with house.db.read() as tx:
            row = device_queries.camera(tx, camera_id)
            if row is None:
                raise NotFound("camera", camera_id)
            url, preset = row.url, row.preset
    if not url:
        raise Invalid("url", url, "the address of a camera, or `camera`: the id of one that is registered")
    watch = Watch.SNAPSHOT if url.startswith(("http://", "https://")) else Watch.PATROL
    camera = Camera(id=camera_id or "look", name="look", url=url, watch=watch, preset=preset)
    with house.db.write() as tx:
        tx.audit(house.now(), actor.id, "camera-tried", f"camera/{camera_id or ''}", url=camera.safe_url)
    started = time.monotonic()
    try:
        source = open_source(camera)
        try:
            frame = source.look(house.now(), TIMEOUT_S)
        finally:
            source.close()
    except InventoryError as error:
        raise Invalid("url", camera.safe_url, str(error)) from None
    except SourceError as error:
        why = error.said().coded()
        return {"ok": False, "error": f"{error.kind}: {error}", "why": why, "latency_ms": _ms_since(started)}
    image = frame.within(MOST_WIDTH_PX, frame.height) if frame.width > MOST_WIDTH_PX else frame.image
    return {
        "ok": True,
        "error": "",
        "width": frame.width,
        "height": frame.height,
        "codec": frame.codec,
        "latency_ms": _ms_since(started),
        "picture": "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image, 80)).decode(),
    }


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
