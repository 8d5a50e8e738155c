"""What each worker has to do, and the newest picture of each camera."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from detectors.sensing import CLOCKS_DIFFER_S

from . import album, mappings, rebirths, sights
from .config import Settings
from .domain.recheck import looks_most
from .errors import Invalid, NotFound, TooLarge
from .evidence import media_type_of, replace_file
from .house import House
from .learning import models, shadows, tuning
from .registry import camera_json, task_json
from .store import alert_queries, case_queries
from .store import device_queries as ask
from .store.case_rows import CaseRow, RecheckRow
from .store.counting import locked_counter
from .store.database import ASSIGNMENT
from .store.rows import AttachmentRow, CameraRow, SensorRow, ZoneRow
from .wire import Names, time_text

LOOK_BYTES_MAX = 1024 * 1024
_CLOCKS_DIFFER = timedelta(seconds=CLOCKS_DIFFER_S)
_SHARD = re.compile(r"(\d{1,4})/(\d{1,4})")


def shard_of(text: str) -> tuple[int, int]:
    """(index, count) of "I/N". Raises Invalid."""
    match = _SHARD.fullmatch(text)
    if not match or not int(match[1]) < int(match[2]):
        raise Invalid("shard", text, "I/N with 0 <= I < N")
    return int(match[1]), int(match[2])


def version(house: House, shard: str) -> str:
    """Changes whenever the assignment does; one row is read for it, so workers may ask often."""
    with house.db.read() as tx:
        moved = locked_counter(tx, ASSIGNMENT, lock=False).value
    settings = house.settings
    parts = [moved, shard, dict(house.rules.versions), dict(house.rules.profiles)]
    parts += [settings.broker.to_wire(settings.broker_topics), _looking(settings, house.tally.live_sessions)]
    parts.append(_sensing(settings))
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def assignment(house: House, shard: str) -> dict[str, Any]:
    """Everything a worker of `shard` ("0/2") needs; camera URLs with their credentials."""
    index, count = shard_of(shard)

    def mine(device_id: str | None) -> bool:
        return zlib.crc32((device_id or "").encode()) % count == index

    now_version = version(house, shard)
    with house.db.read() as tx:
        zones, least = ask.zones_by_camera(tx), tuning.at_cameras(tx)
        cameras = [_camera(row, zones.get(row.id, {}), least) for row in ask.cameras(tx) if mine(row.id)]
        kinds = tuning.stanzas(tx, house)
        works, beside = models.wanted(tx), shadows.wanted(tx)
        rows = ask.sensors(tx)
        device_of = {row.id: row.device for row in rows}
        # By its device, so that each worker knows whose a message is, also of a device that nobody registered.
        sensors = [_sensor(row) for row in rows if mine(row.device)]
        topics = mappings.topics(tx, house, {row.id: row.topics for row in rows if row.topics})
        wanted = [sight for sight in sights.wanted(tx, house) if mine(sight["camera"])]
        reborn = [node for node in rebirths.wanted(tx, house) if mine(node)]
        todo = [
            (recheck, case)
            for recheck, case in case_queries.rechecks_to_do(tx)
            if case.alert is not None and mine(case.camera_id or device_of.get(case.sensor_id or "", ""))
        ]
        attached = alert_queries.attachments(tx, [case.alert_id or "" for _recheck, case in todo])
        rechecks = [_recheck(r, c, [a for a, _file in attached.get(c.alert_id or "", ())]) for r, c in todo]
    return {
        "version": now_version,
        "kinds": kinds,
        "models": works,
        "shadows": beside,
        "profiles": {key: dict(stanza) for key, stanza in house.rules.profiles.items()},
        "broker": house.settings.broker.to_wire(topics),
        "sensing": _sensing(house.settings),
        "looking": _looking(house.settings, house.tally.live_sessions),
        "reading": _reading(house.settings),
        "inference": {"threads": house.settings.model_threads},
        "decoding": {"skip_loop_filter": house.settings.skip_loop_filter, "hardware": house.settings.hardware},
        "cameras": cameras,
        "sensors": sensors,
        "rechecks": rechecks,
        "sights": wanted,
        "rebirths": reborn,
    }


def _sensing(settings: Settings) -> dict[str, Any]:
    return {"readings_per_s": settings.device_readings_per_s}


def _looking(settings: Settings, live: Mapping[str, int]) -> dict[str, Any]:
    return {
        "platforms": {name: max(1, most - live.get(name, 0)) for name, most in settings.platforms.items()},
        "per_host": settings.per_host,
        "visits_at_once": settings.visits_at_once,
        "decode_threads": settings.decode_threads,
    }


def _reading(settings: Settings) -> dict[str, Any]:
    return {
        "preroll_s": settings.preroll_s,
        "preroll_mb": settings.preroll_mb,
        "udp_ports": list(settings.udp_ports),
    }


def _camera(row: CameraRow, zones: Mapping[str, ZoneRow], least: Mapping[tuple[str, str], float]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "watch": row.watch,
        "every_s": row.every_s,
        "priority": row.priority,
        "preset": row.preset,
        "place": _place(row),
        "clip": row.clip,
        "platform": row.platform,
        "goto": row.goto,
        "settle_s": row.settle_s,
        "view": time_text(row.view_at),
        "tasks": [task_json(task, zones) | {"min_score": least.get((row.id, task.kind))} for task in row.tasks],
    }


def _sensor(row: SensorRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "device": row.device,
        "profile": row.profile,
        "every_s": row.every_s,
        "place": _place(row),
        "settings": row.settings,
        "gateway": row.gateway,
    }


def _place(row: CameraRow | SensorRow) -> dict[str, Any] | None:
    if row.lon is None or row.lat is None:
        return None
    return {"lon": row.lon, "lat": row.lat, "address": row.address, "grid": row.grid_id or ""}


def _recheck(row: RecheckRow, case: CaseRow, pieces: Sequence[AttachmentRow]) -> dict[str, Any]:
    boxes = case.alert.boxes if case.alert is not None else []
    first = {piece.role: piece.sha256 for piece in reversed(pieces)}
    zone = {"name": case.zone, "points": case.zone_points} if case.zone and case.zone_points else None
    return {
        "id": row.id,
        "case": case.id,
        "camera": case.camera_id,
        "sensor": case.sensor_id,
        "preset": case.preset,
        "kind": case.kind,
        "zone": zone,
        "boxes": boxes,
        "not_before": row.not_before.isoformat(),
        "looks": looks_most(row.wanted),
        "every_s": row.every_s,
        "frame": first.get("frame"),
        "before": first.get("before"),
    }


# --- newest pictures --------------------------------------------------------------------------------------------------


def keep_look(house: House, camera_id: str, captured_at: datetime, content: bytes) -> None:
    """The newest picture of a camera, for the screens; it replaces the one before and is no evidence.

    Raises NotFound, TooLarge, Invalid (not a JPEG).
    """
    if len(content) > LOOK_BYTES_MAX:
        raise TooLarge("look", LOOK_BYTES_MAX)
    if media_type_of(content) != "image/jpeg":
        raise Invalid("body", f"{len(content)} bytes", "a JPEG picture")
    with house.db.read() as tx:
        row = ask.camera(tx, camera_id)
        if row is None:
            raise NotFound("camera", camera_id)
        # A picture from the future (the worker's clock was wrong for a while) must not hide those that come after it.
        if row.picture_at is not None and captured_at <= row.picture_at <= house.now() + _CLOCKS_DIFFER:
            return
        before = row.picture_at
    path = look_path(house, camera_id)
    if before is not None:
        album.set_aside(path, before, house.now())
    replace_file(path, content)
    with house.db.write() as tx:
        row = ask.camera(tx, camera_id)
        if row is None:
            return
        row.picture_at = captured_at
        looked = row.last_look_at
        row.last_look_at = looked if looked and captured_at < looked <= house.now() + _CLOCKS_DIFFER else captured_at
        zones = {z.name: z for z in ask.zones(tx, camera_id)}
        shown = camera_json(row, Names.of(tx), zones)
        tx.after(lambda: house.feed.publish("camera", shown, remember=False))


def last_look(house: House, camera_id: str) -> bytes:
    """The newest picture (JPEG). Raises NotFound."""
    known_camera(house, camera_id)
    try:
        return look_path(house, camera_id).read_bytes()
    except FileNotFoundError:
        raise NotFound("look of camera", camera_id) from None


def known_camera(house: House, camera_id: str) -> None:
    """Raises NotFound where there is no such camera, or none within the scope of who asks."""
    with house.db.read() as tx:
        if ask.camera(tx, camera_id) is None:
            raise NotFound("camera", camera_id)


def look_path(house: House, camera_id: str) -> Path:
    """Where the newest picture lies; the name is a hash, because ids may hold characters that file names may not."""
    name = hashlib.sha256(camera_id.encode()).hexdigest()[:32]
    return house.settings.data_dir / "looks" / f"{name}.jpg"
