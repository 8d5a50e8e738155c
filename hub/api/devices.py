"""Sensors beyond their registry: quarantine, mapping profiles, links to cameras, maintenance, notices; ThingsBoard."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from ingest.device import Sensor
from ingest.errors import PayloadError

from .. import (
    first_look,
    links,
    maintenance,
    mappings,
    quarantine,
    rebirths,
    sensing,
    sensor_notices,
    sights,
    tables,
    workers,
)
from ..domain.role import Right
from ..errors import Invalid, TooLarge
from ..house import Actor
from .access import TheHouse, Worker, address_of, needs
from .bodies import Adopted, CameraTried, Heard, LinkDecided, Maintenance, MappingTried, MappingWritten, SightTaken
from .inventory import place_of
from .plain import a_router
from .shown import LookTried, TableTaken, Workers, shows
from .uploads import Upload, parsed, read_upload

router = a_router("devices")

Sees = Annotated[Actor, Depends(needs(Right.SEE_DEVICES))]
Edits = Annotated[Actor, Depends(needs(Right.EDIT_DEVICES))]
Most = Annotated[int, Query(ge=1, le=2000)]
_TELEMETRY_BYTES_MAX = 1 << 20


@router.get("/api/workers", **shows(Workers))
def worker_health(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """What each worker last said of itself, and how often cameras are looked at."""
    return workers.health(house)


# --- quarantine -------------------------------------------------------------------------------------------------------


@router.get("/api/quarantine")
def strangers(house: TheHouse, _actor: Sees, ignored: bool = False, limit: Most = 200) -> dict[str, Any]:
    """Devices that speak and that nobody has registered; those that spoke last come first."""
    return {**quarantine.listed(house, ignored, limit), "next_cursor": None}


@router.get("/api/quarantine/{device:path}")
def stranger(device: str, house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """One of them, with its newest message."""
    return quarantine.read(house, device)


@router.post("/api/quarantine/{device:path}/adopt", status_code=201)
def adopt(device: str, house: TheHouse, actor: Edits, body: Adopted) -> dict[str, Any]:
    """Register it as a sensor: its next readings count."""
    made = Sensor(
        body.id, body.name, device, body.profile, body.every_s, place_of(body.lon, body.lat, body.address),
        tuple(sorted(body.settings.items())), body.gateway, body.asset, body.installed_on,
    )  # fmt: skip
    return quarantine.adopt(house, actor, made)


@router.post("/api/quarantine/{device:path}/ignore")
def ignore(device: str, house: TheHouse, actor: Edits) -> dict[str, Any]:
    """Show it no more."""
    return quarantine.ignore(house, actor, device, True)


@router.post("/api/quarantine/{device:path}/show")
def show(device: str, house: TheHouse, actor: Edits) -> dict[str, Any]:
    """Show it again."""
    return quarantine.ignore(house, actor, device, False)


@router.post("/api/worker/heard")
def heard(house: TheHouse, _actor: Worker, body: Heard) -> dict[str, list[str]]:
    """What a worker heard besides readings of its sensors; the answer names those that are registered after all."""
    strangers, troubles = [s.model_dump() for s in body.strangers], [t.model_dump() for t in body.troubles]
    if body.reborn:
        rebirths.sent(house, body.reborn)
    return {"registered": quarantine.hear(house, strangers, troubles)}


async def _table(request: Request, _actor: Edits) -> Upload:
    return await read_upload(request)


@router.post("/api/sensors/import", response_model=None, responses={200: {"model": TableTaken}})
def import_sensors(
    house: TheHouse, actor: Edits, upload: Annotated[Upload, Depends(_table)], apply: bool = True
) -> dict[str, Any]:
    """A table of sensors (multipart, one part, named FILE.csv, .xlsx or .yaml); good rows go in, with `apply`."""
    name, content = _one_file(upload)
    return tables.sensors(house, actor, name, content, apply)


@router.post("/api/cameras/import", response_model=None, responses={200: {"model": TableTaken}})
def import_cameras(
    house: TheHouse, actor: Edits, upload: Annotated[Upload, Depends(_table)], apply: bool = True
) -> dict[str, Any]:
    """The same of cameras."""
    name, content = _one_file(upload)
    return tables.cameras(house, actor, name, content, apply)


def _one_file(upload: Upload) -> tuple[str, bytes]:
    if len(upload.files) != 1:
        raise Invalid("file", len(upload.files), "one file, in a part named as the file: sensors.csv, .xlsx or .yaml")
    ((name, content),) = upload.files
    return upload.fields.get("name", name), content


@router.post("/api/cameras/try", response_model=None, responses={200: {"model": LookTried}})
def try_camera(house: TheHouse, actor: Edits, body: CameraTried) -> dict[str, Any]:
    """One look at a camera that need not be registered; nothing is kept."""
    return first_look.take(house, actor, body.url, body.camera)


# --- mapping profiles -------------------------------------------------------------------------------------------------


@router.get("/api/mappings")
def mapping_list(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Those written in the screen, and those of hub.yaml (`own` false), which only that file can change."""
    items = mappings.listed(house)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.post("/api/mappings/try")
def try_mapping(house: TheHouse, _actor: Edits, body: MappingTried) -> dict[str, Any]:
    """What a sample says: {readings, problems}; nothing is stored."""
    return mappings.try_out(house, body.text, body.topic, body.sample, body.form)


@router.put("/api/mappings")
def save_mapping(house: TheHouse, actor: Edits, body: MappingWritten) -> dict[str, Any]:
    """Keep a profile under the id that stands in it, with the topics it reads."""
    return mappings.save(house, actor, body.text, body.topics, body.sample)


@router.delete("/api/mappings/{mapping_id:path}", status_code=204)
def remove_mapping(mapping_id: str, house: TheHouse, actor: Edits) -> None:
    """Read with it no more."""
    mappings.remove(house, actor, mapping_id)


# --- links and looks --------------------------------------------------------------------------------------------------


@router.get("/api/links")
def link_list(
    house: TheHouse,
    _actor: Sees,
    state: str | None = None,
    sensor: str | None = None,
    camera: str | None = None,
    limit: Most = 500,
) -> dict[str, Any]:
    """Which camera sees the place of which sensor; `counts` by state."""
    items, counts = links.listed(house, state, sensor, camera, limit)
    return {"items": items, "next_cursor": None, "total": len(items), "counts": counts}


@router.post("/api/links/propose")
def propose_links(house: TheHouse, actor: Edits) -> dict[str, int]:
    """Propose links from positions: {proposed, waiting}."""
    return links.propose(house, actor)


@router.post("/api/links/{action}")
def decide_link(action: str, house: TheHouse, actor: Edits, body: LinkDecided) -> dict[str, Any]:
    """Confirm or refuse a link; confirming one that nobody proposed makes it."""
    return links.decide(house, actor, body.sensor, body.camera, action)


async def _sight_upload(request: Request, _actor: Worker) -> Upload:
    return await read_upload(request, "sight")


@router.post("/api/sights/{sight_id}")
def take_sight(sight_id: str, house: TheHouse, upload: Annotated[Upload, Depends(_sight_upload)]) -> dict[str, Any]:
    """The look that a sensor's alarm asked of a camera: multipart with `sight` and the picture named by its SHA-256."""
    try:
        taken = SightTaken.model_validate(parsed(upload.fields.get("sight", ""), "sight"))
    except ValidationError as error:
        first = error.errors()[0]
        name = "sight." + ".".join(str(part) for part in first["loc"])
        raise Invalid(name, str(first.get("input"))[:100], first["msg"]) from None
    seen = [item.model_dump() for item in taken.seen]
    return sights.take(house, sight_id, sights.Sight(taken.captured_at, seen), upload.by_name())


# --- maintenance and health -------------------------------------------------------------------------------------------


@router.post("/api/sensors/{sensor_id}/maintenance")
def begin_maintenance(sensor_id: str, house: TheHouse, actor: Edits, body: Maintenance) -> dict[str, Any]:
    """Until then its alarms are set aside."""
    return maintenance.begin(house, actor, sensor_id, body.until, body.note)


@router.delete("/api/sensors/{sensor_id}/maintenance")
def end_maintenance(sensor_id: str, house: TheHouse, actor: Edits) -> dict[str, Any]:
    """Its alarms count again."""
    return maintenance.end(house, actor, sensor_id)


@router.get("/api/set-aside")
def set_aside(house: TheHouse, _actor: Sees, sensor: str | None = None, limit: Most = 100) -> dict[str, Any]:
    """Alarms that came during maintenance, the newest first."""
    items = maintenance.set_aside(house, sensor, limit)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/sensor-notices")
def notices(
    house: TheHouse, _actor: Sees, ended: bool = False, sensor: str | None = None, limit: Most = 500
) -> dict[str, Any]:
    """Silent sensors, lost gateways, low batteries, stuck values: open ones; with `ended`, those of thirty days."""
    items = sensor_notices.listed(house, ended, sensor, limit)
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/sensors/{sensor_id}/events")
def events(sensor_id: str, house: TheHouse, _actor: Sees, limit: Most = 50) -> dict[str, Any]:
    """What its device or network said of its health, the newest first."""
    said = quarantine.events(house, sensor_id, limit)
    return {**said, "next_cursor": None, "total": len(said["items"])}


@router.post("/api/sensors/{sensor_id}/rebirth", status_code=202)
def rebirth(sensor_id: str, house: TheHouse, actor: Edits) -> dict[str, Any]:
    """Ask its Sparkplug edge node, whose births are missing, to tell them again; a worker passes it on."""
    return rebirths.request(house, actor, sensor_id)


# --- sensors that speak HTTP ------------------------------------------------------------------------------------------


@router.post("/api/v1/{token}/telemetry")
async def telemetry(token: str, request: Request, house: TheHouse) -> dict[str, int]:
    """ThingsBoard's device API: the token in the path is the device's, and is all that signs it in."""
    payload = bytearray()
    async for chunk in request.stream():
        payload += chunk
        if len(payload) > _TELEMETRY_BYTES_MAX:
            raise TooLarge("telemetry", _TELEMETRY_BYTES_MAX)
    try:
        door: sensing.Door = request.app.state.door
        return await run_in_threadpool(sensing.take, house, door, token, bytes(payload), address_of(request))
    except PayloadError as error:
        raise Invalid("body", bytes(payload[:100]).decode("utf-8", "replace"), str(error)) from None
