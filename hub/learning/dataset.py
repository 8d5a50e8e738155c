"""Verdicts as a data set: confirmed alerts with their boxes, rejected ones as hard negatives; nobody's face leaves.

Only what a person judged is in it: the labels of the kinds that are exported. In a recipe the teacher fills in
what else is in the pictures (`labels:` of the set names only these).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from detectors.catalog import Catalog
from detectors.errors import DetectorError
from detectors.finding import Box
from detectors.kinds import Kind
from detectors.model import Model
from detectors.replay import read_bytes_as_picture

from ..domain.judged import Truth, truth_of
from ..domain.splits import TooFewCameras, split_by_camera
from ..errors import HubError, Invalid
from ..house import Actor, House
from ..jpeg import encode_jpeg
from ..store import alert_queries
from ..store import learning_queries as ask
from ..store.rows import AlertRow, AttachmentRow, EvidenceRow
from .redaction import PERSON, heads, pixelated, scaled
from .yolo_coco import Labelled, write

MOST = 5000
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """A judged picture: its file, its camera, and the boxes that are so (none: nothing of these labels is there)."""

    sha256: str
    camera: str
    boxes: tuple[tuple[str, Box], ...]
    alerts: tuple[str, ...]
    kinds: tuple[str, ...]


def judged_pictures(
    house: House, kinds: Sequence[str], days: float, most: int = MOST
) -> tuple[list[str], list[Picture], dict[str, int]]:
    """(labels, pictures, how many alerts were left out and why). Raises Invalid naming a kind that has no label."""
    named = _labels(house, kinds)
    names = list(dict.fromkeys(label for labels in named.values() for label in labels))
    left_out: dict[str, int] = {}
    taken: list[tuple[AlertRow, str, tuple[tuple[str, Box], ...]]] = []
    with house.db.read() as tx:
        since = house.now() - timedelta(days=days)
        rows = [row for kind in kinds for row in ask.judged(tx, kind, since, most=most)]
        attached = alert_queries.attachments(tx, [row.id for row in rows])
        wires = ask.wire_of_first_finding(tx, [row.id for row in rows])
    for row in rows:
        frame = next((file.sha256 for link, file in attached.get(row.id, ()) if _usable(link, file)), None)
        boxes = _boxes(row, wires.get(row.id, {}), named[row.kind])
        why = _why_not(row, frame, boxes)
        if why or frame is None or boxes is None:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            taken.append((row, frame, boxes))
    return names, _merged(taken), left_out


def _usable(link: AttachmentRow, file: EvidenceRow) -> bool:
    return link.role == "frame" and file.purged_at is None


def _labels(house: House, kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Kind to the labels it looks for; a kind without labels (whatever is new and stays) is a label itself."""
    found = {}
    for kind_id in kinds:
        kind: Kind | None = house.rules.kinds.get(kind_id)
        if kind is None or kind.rule is None:
            camera_kinds = sorted(k.id for k in house.rules.kinds.values() if k.rule)
            raise Invalid("kinds", kind_id, camera_kinds)
        labels = kind.look_for.labels if kind.look_for else frozenset[str]()
        found[kind_id] = tuple(sorted(labels)) or (kind_id,)
    return found


def _why_not(row: AlertRow, frame: str | None, boxes: tuple[tuple[str, Box], ...] | None) -> str:
    truth = truth_of(row.decision, row.reason)
    if truth in (Truth.UNWANTED, Truth.UNCLEAR):
        return "says nothing of the picture"
    if frame is None:
        return "no picture is kept"
    return "no boxes" if boxes is None else ""


def _boxes(row: AlertRow, wire: Mapping[str, Any], labels: tuple[str, ...]) -> tuple[tuple[str, Box], ...] | None:
    """What the picture holds; None where it cannot be told which label which box has."""
    if truth_of(row.decision, row.reason) is not Truth.RIGHT:
        return ()
    told = wire.get("labels") or (list(labels) * len(row.boxes) if len(labels) == 1 else None)
    if not row.boxes or not told or len(told) != len(row.boxes):
        return None
    return tuple((label, (b[0], b[1], b[2], b[3])) for label, b in zip(told, row.boxes, strict=True))


def _merged(taken: Sequence[tuple[AlertRow, str, tuple[tuple[str, Box], ...]]]) -> list[Picture]:
    """One entry a picture; what stands there by another verdict at the time is in it too."""
    right = [(row, boxes) for row, _frame, boxes in taken if boxes]
    by_file: dict[str, Picture] = {}
    for row, frame, boxes in taken:
        others = tuple(
            box
            for other, theirs in right
            if other.id != row.id
            and (other.camera_id, other.preset) == (row.camera_id, row.preset)
            and other.since <= row.opened_at <= other.last_seen_at
            for box in theirs
        )
        before = by_file.get(frame)
        known = before.boxes if before else ()
        alerts = (*(before.alerts if before else ()), row.id)
        kinds = tuple(dict.fromkeys((*(before.kinds if before else ()), row.kind)))
        by_file[frame] = Picture(
            frame, row.camera_id or "", tuple(dict.fromkeys((*known, *boxes, *others))), alerts, kinds
        )
    return list(by_file.values())


def export(
    house: House, actor: Actor, out: Path, kinds: Sequence[str], days: float, reason: str, model: Model | None = None
) -> dict[str, Any]:
    """Write the data set into `out` (new or empty) and note who took what and why; what is in it.

    `model`: one that knows persons, to make them nobody; default: the first of the catalogue that does. Raises
    Invalid, HubError (nothing to export, one camera only, nobody could be redacted).
    """
    if not reason.strip():
        raise Invalid("reason", reason, "why the pictures are taken out; it is kept in the audit")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Invalid("out", str(out), "a new or empty folder")
    names, pictures, left_out = judged_pictures(house, kinds, days)
    try:
        sides = split_by_camera({picture.camera for picture in pictures})
    except TooFewCameras as error:
        raise Invalid("kinds", ", ".join(kinds), str(error)) from None
    redacts = model or _knows_persons(house)
    labelled: list[Labelled] = []
    for start in range(0, len(pictures), _BATCH):
        labelled += _redacted(house, redacts, pictures[start : start + _BATCH], sides, left_out)
    positives = sum(1 for p in labelled if p.boxes)
    counts = {
        "pictures": len(labelled),
        "confirmed": positives,
        "hard_negatives": len(labelled) - positives,
        "boxes": sum(len(p.boxes) for p in labelled),
        "cameras": {side: sum(1 for s in sides.values() if s == side) for side in ("train", "val")},
        "split": {side: sum(1 for p in labelled if p.split == side) for side in ("train", "val")},
        "left_out": left_out,
    }
    about = {
        "what": f"verdicts of {', '.join(kinds)}",
        "made_at": house.now().isoformat(),
        "by": actor.id,
        "reason": reason,
        "kinds": list(kinds),
        "labels": names,
        "redaction": f"heads pixelated ({redacts.name} {redacts.version}), at most 640 px wide; for training only",
        **counts,
    }
    write(out, names, labelled, about)
    digest = hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()
    with house.db.write() as tx:
        told = {"kinds": list(kinds), "days": days, "reason": reason, "pictures": len(labelled), "manifest": digest}
        tx.audit(house.now(), actor.id, "dataset-exported", "dataset", **told)
    return {**about, "manifest_sha256": digest, "data": str(out / "data.yaml")}


def _knows_persons(house: House) -> Model:
    catalog = Catalog(house.settings.models_dir)
    for card in catalog.cards():
        if PERSON in card.labels:
            return catalog.open(card.name)
    raise HubError("no model here knows persons, so no picture can be made free of them: nothing was exported")


def _redacted(
    house: House, model: Model, pictures: Sequence[Picture], sides: Mapping[str, str], left_out: dict[str, int]
) -> list[Labelled]:
    """Pictures as they may leave; one that cannot be read or redacted stays here."""
    images, kept = [], []
    for picture in pictures:
        try:
            images.append(scaled(read_bytes_as_picture(house.evidence.read(picture.sha256), picture.sha256)))
            kept.append(picture)
        except (HubError, DetectorError):
            left_out["picture cannot be read"] = left_out.get("picture cannot be read", 0) + 1
    if not images:
        return []
    made = []
    for picture, image, seen in zip(kept, images, model.detect(images, 0.1), strict=True):
        jpeg = encode_jpeg(pixelated(image, heads(seen)), 92)
        origin = {"camera": picture.camera, "alerts": list(picture.alerts), "sha256": picture.sha256}
        name = f"{_safe(picture.camera)}-{picture.sha256[:12]}"
        height, width = image.shape[:2]
        made.append(Labelled(name, sides[picture.camera], jpeg, width, height, picture.boxes, origin))
    return made


def _safe(camera: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in camera)[:40]
