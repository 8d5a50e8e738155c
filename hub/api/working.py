"""The workers' routes: assignment, status, findings, readings, re-check looks, evidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import ValidationError

from detectors.finding import Finding

from .. import album, alerts, assignments, device_states, letters, readings, rechecks, whistles
from ..casework.seeing import sees_evidence
from ..domain.role import Right, may
from ..errors import Forbidden, Invalid, NotFound, Purged, TooLarge
from ..evidence import MEDIA_TYPES
from ..store import alert_queries
from .access import TheActor, TheHouse, Worker, needs
from .bodies import Looks, LookTaken, NewReadings, PackedReadings, Status
from .plain import a_router
from .uploads import Upload, parsed, read_upload

router = a_router("working")
SeesPictures = Annotated[Any, Depends(needs(Right.SEE_LIVE))]
"""A look shows the street as a live view does: a program that reads sensors has no business with it."""
_PACKED_BYTES_MAX = 32 << 20


async def _finding_upload(request: Request, _actor: Worker) -> Upload:
    return await read_upload(request, "finding")


async def _look_upload(request: Request, _actor: Worker) -> Upload:
    return await read_upload(request, "look")


async def _packed(request: Request, _actor: Worker) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _PACKED_BYTES_MAX:
            raise TooLarge("body", _PACKED_BYTES_MAX)
    return bytes(content)


async def _picture(request: Request, _actor: Worker) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > assignments.LOOK_BYTES_MAX:
            raise TooLarge("look", assignments.LOOK_BYTES_MAX)
    return bytes(content)


@router.get("/api/worker/assignment")
def assignment(
    house: TheHouse,
    _actor: Worker,
    response: Response,
    shard: str = "0/1",
    if_none_match: Annotated[str, Header()] = "",
) -> Any:
    """What a shard has to do; 304 while it has not changed."""
    assignments.shard_of(shard)
    if if_none_match.strip('"') == assignments.version(house, shard):
        return Response(status_code=304, headers={"ETag": if_none_match})
    made = assignments.assignment(house, shard)
    response.headers["ETag"] = f'"{made["version"]}"'
    return made


@router.post("/api/worker/status")
def status(house: TheHouse, _actor: Worker, body: Status) -> dict[str, bool]:
    """States of cameras and sensors, and the worker's counters: all of them, or what changed since the last report.

    The answer's `full` asks for all of them in the next report.
    """
    looks = [] if body.looks is None else _looks(body.looks)
    report = device_states.Report(
        worker=f"{body.worker} {body.shard}".strip(),
        session=body.session,
        full=body.full,
        first=body.first,
        cameras=[c.model_dump() for c in body.cameras],
        sensors=[s.model_dump() for s in body.sensors],
        looks=looks,
    )
    house.tally.report(body.worker, body.counters, house.now())
    return {"ok": True, "full": device_states.take(house, report)}


def _looks(said: Looks) -> list[dict[str, Any]]:
    return [
        {"id": id_, "last_look_at": said.at - timedelta(milliseconds=ago_ms), "attained_s": attained_s}
        for id_, ago_ms, attained_s in zip(said.ids, said.ago_ms, said.attained_s, strict=True)
    ]


@router.put("/api/cameras/{camera_id}/look")
def put_look(
    camera_id: str,
    house: TheHouse,
    picture: Annotated[bytes, Depends(_picture)],
    x_captured_at: Annotated[str, Header()],
) -> dict[str, bool]:
    """The newest look of a camera, for the screens."""
    try:
        captured_at = datetime.fromisoformat(x_captured_at)
    except ValueError:
        raise Invalid("X-Captured-At", x_captured_at, "an RFC 3339 time with offset") from None
    if captured_at.tzinfo is None:
        raise Invalid("X-Captured-At", x_captured_at, "an RFC 3339 time with offset")
    assignments.keep_look(house, camera_id, captured_at, picture)
    return {"ok": True}


@router.post("/api/findings")
def findings(
    house: TheHouse, upload: Annotated[Upload, Depends(_finding_upload)], response: Response
) -> dict[str, Any]:
    """Take a finding in (idempotent by its id): JSON, or multipart with `finding` and files named by their SHA-256."""
    finding = Finding.from_wire(parsed(_field(upload, "finding"), "finding"))
    _check_sizes(finding)
    taken = alerts.take_finding(house, finding, upload.by_name())
    response.status_code = 201 if taken["outcome"] == "opened" else 200
    return taken


@router.post("/api/readings")
def take_readings(house: TheHouse, _actor: Worker, body: NewReadings) -> dict[str, int]:
    """Store readings (idempotent by key, device and property)."""
    return readings.store_readings(house, [r.model_dump() for r in body.readings])


@router.post("/api/worker/readings")
def take_packed_readings(house: TheHouse, body: Annotated[bytes, Depends(_packed)]) -> dict[str, int]:
    """Store a worker's readings (idempotent by series, time and key): `columns` and `rows`, see `hub.batch`."""
    try:
        packed = PackedReadings.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None
    return readings.store_rows(house, packed.rows)


@router.post("/api/rechecks/{recheck_id}/looks")
def looks(recheck_id: str, house: TheHouse, upload: Annotated[Upload, Depends(_look_upload)]) -> dict[str, Any]:
    """One look of a re-check: JSON, or multipart with `look` and a picture named by its SHA-256."""
    try:
        taken = LookTaken.model_validate(parsed(_field(upload, "look"), "look"))
    except ValidationError as error:
        raise _invalid(error, "look.") from None
    said = taken.said.model_dump() if taken.said else None
    look = rechecks.Look(taken.captured_at, taken.present, taken.score, taken.boxes, taken.why, taken.reading, said)
    return rechecks.add_look(house, recheck_id, look, upload.by_name())


@router.get("/api/evidence/{sha256}")
def evidence(sha256: str, house: TheHouse, actor: TheActor) -> Response:
    """A picture or clip (410: purged). It never changes; browsers keep it for a day: what is purged goes there."""
    if not may(actor.role, Right.SEE_EVIDENCE):
        raise Forbidden("evidence is not for this role")
    with house.db.read() as tx:
        row = alert_queries.evidence(tx, sha256)
        own = may(actor.role, Right.WORK) or sees_evidence(tx, actor, sha256)
        own = own or letters.shows(tx, actor, sha256) or whistles.shows(tx, actor, sha256)
    if row is None or not own:
        raise NotFound("evidence", sha256)
    if row.purged_at is not None:
        raise Purged(sha256, row.purged_at.isoformat())
    headers = {"Cache-Control": "private, max-age=86400, immutable", "ETag": f'"{sha256}"'}
    return Response(
        house.evidence.read(sha256),
        media_type=row.media_type if row.media_type in MEDIA_TYPES else "application/octet-stream",
        headers={**headers, "X-Content-Type-Options": "nosniff"},
    )


@router.get("/api/cameras/{camera_id}/look")
def get_look(camera_id: str, house: TheHouse, _actor: SeesPictures) -> Response:
    """The newest look of a camera (JPEG)."""
    return Response(
        assignments.last_look(house, camera_id),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=60"},
    )


@router.get("/api/cameras/{camera_id}/looks/{ms}")
def get_look_before(camera_id: str, ms: int, house: TheHouse, _actor: SeesPictures) -> Response:
    """One of the last looks of a camera (JPEG)."""
    assignments.known_camera(house, camera_id)
    return Response(
        album.look(assignments.look_path(house, camera_id), camera_id, ms),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=86400"},
    )


def _invalid(error: ValidationError, within: str = "") -> Invalid:
    """The first of what is wrong."""
    first = error.errors()[0]
    return Invalid(within + ".".join(map(str, first["loc"])) or "body", str(first.get("input"))[:100], first["msg"])


def _field(upload: Upload, name: str) -> str:
    if name not in upload.fields:
        raise Invalid(name, "", f"a form field {name} with a JSON object")
    return upload.fields[name]


def _check_sizes(finding: Finding) -> None:
    for name, value, most in (
        ("id", finding.id, 128),
        ("preset", finding.preset or "", 64),
        ("why", finding.why, 2000),
        ("why_en", finding.why_en, 2000),
    ):
        if len(value) > most:
            raise Invalid(name, value, f"at most {most} characters")
    if len(finding.boxes) > 200 or len(finding.readings) > 50 or len(finding.evidence) > 10:
        raise Invalid("finding", finding.id, "at most 200 boxes, 50 readings and 10 pieces of evidence")
