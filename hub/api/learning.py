"""What verdicts teach: precision, threshold advice, "what would change"; settings of kinds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import FileResponse

from detectors.finding import Finding

from ..domain.role import Right
from ..house import Actor
from ..learning import drift, models, shadows, shelf, tuning, verdicts
from .access import TheHouse, Worker, needs
from .learning_bodies import DatasetWanted, Judgement, KindChange, ScoresTold, ShadowWanted, WhatIf
from .plain import a_router
from .uploads import Upload, parsed, read_upload

router = a_router("learning")

Sees = Annotated[Actor, Depends(needs(Right.SEE_ALERTS))]
Edits = Annotated[Actor, Depends(needs(Right.EDIT_DEVICES))]
Days = Annotated[float, Query(gt=0, le=3660)]


@router.get("/api/learning/precision")
def precision(
    house: TheHouse,
    _actor: Sees,
    by: str = "kind,camera",
    days: Days = 90,
    kind: str | None = None,
    camera: str | None = None,
) -> dict[str, Any]:
    """How often alerts were right, by any of kind, camera, hour: counts, shares with 95 % intervals, volume.

    By kind alone: also how many of the problems that people reported where a camera watches had been found.
    """
    return verdicts.precision(house, [part for part in by.split(",") if part], days, kind=kind, camera=camera)


@router.get("/api/learning/kinds/{kind}/advice")
def advice(house: TheHouse, _actor: Sees, kind: str, days: Days = 90, camera: str | None = None) -> dict[str, Any]:
    """What each least score would have kept and removed of the judged alerts, and which one is advised."""
    return verdicts.advice(house, kind, days, camera)


@router.post("/api/learning/kinds/{kind}/what-if")
def what_if(house: TheHouse, _actor: Sees, kind: str, body: WhatIf) -> dict[str, Any]:
    """What another score, dwell, schedule, zone or calendar of permits would have done to the judged alerts.

    Nothing is changed.
    """
    change = body.model_dump(exclude={"days", "camera"}, exclude_none=True, mode="json")
    return verdicts.judge_change(house, kind, change, body.days, body.camera)


@router.patch("/api/kinds/{kind}")
def change_kind(house: TheHouse, actor: Edits, kind: str, body: KindChange) -> dict[str, Any]:
    """Set score, dwell, schedule or whether it is looked for, everywhere or at one camera; null: as the file says."""
    changes = body.model_dump(exclude_unset=True, exclude={"camera", "note"})
    return tuning.change(house, actor, kind, changes, body.camera, body.note)


@router.post("/api/learning/datasets", status_code=201)
def make_dataset(house: TheHouse, actor: Edits, body: DatasetWanted) -> dict[str, Any]:
    """Verdicts as a data set (YOLO and COCO, split by camera, heads pixelated), ready at `url` for a week."""
    return shelf.make(house, actor, body.kinds, body.days, body.reason)


@router.get("/api/learning/datasets/{dataset}.zip")
def take_dataset(house: TheHouse, actor: Edits, dataset: str) -> FileResponse:
    """The data set; that it was taken out is noted."""
    path = shelf.take(house, actor, dataset)
    return FileResponse(path, media_type="application/zip", filename=f"gridhub-verdicts-{dataset[:8]}.zip")


# --- models -----------------------------------------------------------------------------------------------------------


@router.get("/api/models")
def model_list(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Every model with its card, what it works as, the shadows, and the history of promotions."""
    return models.listed(house)


@router.post("/api/models/{model}/shadow", status_code=201)
def start_shadow(house: TheHouse, actor: Edits, model: str, body: ShadowWanted) -> dict[str, Any]:
    """Let it run beside the working model on the same looks; what it finds opens no alert."""
    return shadows.start(house, actor, model, body.base)


@router.delete("/api/models/{model}/shadow")
def stop_shadow(house: TheHouse, actor: Edits, model: str) -> dict[str, Any]:
    """End it."""
    return shadows.stop(house, actor, model)


@router.post("/api/models/{model}/promote")
def promote(house: TheHouse, actor: Edits, model: str) -> dict[str, Any]:
    """Let the shadow work; refused, with the reasons in numbers, where the evidence is worse or too thin."""
    return models.promote(house, actor, model)


@router.post("/api/models/{model}/rollback")
def rollback(house: TheHouse, actor: Edits, model: str) -> dict[str, Any]:
    """Back to what worked before."""
    return models.rollback(house, actor, model)


@router.get("/api/shadows/{shadow}")
def shadow_score(house: TheHouse, _actor: Sees, shadow: str) -> dict[str, Any]:
    """What a shadow came to on the same looks, by the same verdicts, and what it found alone."""
    return shadows.score(house, shadow)


@router.post("/api/sightings/{sighting}/judge")
def judge_sighting(house: TheHouse, actor: Edits, sighting: str, body: Judgement) -> dict[str, Any]:
    """Whether what a shadow found alone is so."""
    return shadows.judge(house, actor, sighting, body.decision, body.reason)


@router.get("/api/learning/drift")
def drifted(house: TheHouse, _actor: Sees) -> dict[str, Any]:
    """Cameras whose scores of last week differ from those of the four weeks before."""
    items = drift.listed(house)
    return {"items": items, "next_cursor": None, "total": len(items)}


# --- workers ----------------------------------------------------------------------------------------------------------


async def _sighting_upload(request: Request, _actor: Worker) -> Upload:
    return await read_upload(request, "finding")


@router.post("/api/shadows/{shadow}/sightings")
def take_sighting(house: TheHouse, shadow: str, upload: Annotated[Upload, Depends(_sighting_upload)]) -> dict[str, Any]:
    """What a shadow found (idempotent by the finding's id): JSON, or multipart with `finding` and its picture."""
    finding = Finding.from_wire(parsed(upload.fields.get("finding", ""), "finding"))
    return shadows.take(house, shadow, finding, upload.by_name())


@router.post("/api/worker/scores")
def take_scores(house: TheHouse, _actor: Worker, body: ScoresTold) -> dict[str, int]:
    """How scores were spread since the last time: counts of 20 steps from 0 to 1 by camera, model and label."""
    return {"rows": drift.take(house, [row.model_dump() for row in body.rows])}


@router.get("/api/worker/models/{model}/{what}")
def model_file(house: TheHouse, _actor: Worker, model: str, what: str) -> FileResponse:
    """The card or the weights of a model, for a worker whose machine lacks it."""
    return FileResponse(models.file_of(house, model, what), media_type="application/octet-stream")
