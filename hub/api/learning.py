"""What verdicts teach: precision, threshold advice, "what would change"; settings of kinds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse

from ..domain.role import Right
from ..house import Actor
from ..learning import shelf, tuning, verdicts
from .access import TheHouse, needs
from .learning_bodies import DatasetWanted, KindChange, WhatIf

router = APIRouter(tags=["learning"])

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
    """What another score, dwell, schedule or zone would have done to the judged alerts. Nothing is changed."""
    change = body.model_dump(exclude={"days", "camera"}, exclude_none=True)
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
