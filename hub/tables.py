"""Tables of cameras and sensors (YAML, CSV, XLSX): looked at, every error by row and column, then taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.device import Camera, Sensor
from ingest.errors import InventoryError, without_credentials
from ingest.inventory import CAMERA_KEYS, SENSOR_KEYS, RowError, cameras_by_row, sensors_by_row

from .errors import HubError, Invalid
from .house import Actor, House
from .registry import Registry

PROBLEMS_MOST = 1000
_Row = Camera | Sensor


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Path], tuple[dict[int, Any], list[RowError]]]
    keys: tuple[str, ...]
    bring: Callable[[Registry, list[Any], Actor, bool], Mapping[str, Any]]


def cameras(house: House, actor: Actor, name: str, content: bytes, apply: bool) -> dict[str, Any]:
    """A table of cameras, as `sensors`. A camera that is there keeps its zones and what it looks for."""
    return _table(house, actor, _Kind(cameras_by_row, CAMERA_KEYS, Registry.bring_cameras), name, content, apply)


def sensors(house: House, actor: Actor, name: str, content: bytes, apply: bool) -> dict[str, Any]:
    """{applied, good, refused, added, changed, same, problems: [{row, column, value, allowed}], …}; good rows go in.

    Without `apply` nothing changes. Raises Invalid where the file itself cannot be read.
    """
    return _table(house, actor, _Kind(sensors_by_row, SENSOR_KEYS, Registry.bring_sensors), name, content, apply)


def _table(house: House, actor: Actor, kind: _Kind, name: str, content: bytes, apply: bool) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"table{Path(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            rows, problems = kind.read(path)
        except InventoryError as error:
            raise Invalid("file", name, str(error).replace(str(path), name)) from None
    done = kind.bring(Registry(house), list(rows.values()), actor, apply)
    refused: list[tuple[str, HubError]] = list(done["refused"])
    bad = {problem.row for problem in problems}
    row_of = {row.id: number for number, row in rows.items()}
    good = done["added"] + done["changed"] + done["same"]
    shown = [_problem(problem.row, problem.key, problem.value, problem.allowed) for problem in problems]
    shown += [_refusal(row_of[id_], id_, error) for id_, error in refused]
    errors = [str(replace(problem, file=name)) for problem in problems] + [f"{name}: {i}: {e}" for i, e in refused]
    return {
        "applied": apply,
        "good": good,
        "refused": len(bad) + len(refused),
        "added": done["added"],
        "changed": done["changed"],
        "same": done["same"],
        "problems": sorted(shown, key=lambda problem: int(problem["row"]))[:PROBLEMS_MOST],
        "imported": good if apply else 0,
        "errors": errors[:PROBLEMS_MOST],
    }


def _problem(row: int, column: str, value: str, allowed: str) -> dict[str, Any]:
    return {"row": row, "column": column, "value": without_credentials(value), "allowed": without_credentials(allowed)}


def _refusal(row: int, id_: str, error: HubError) -> dict[str, Any]:
    """What the hub itself has against a row that reads well."""
    extra = error.extra
    return _problem(row, str(extra.get("field", "id")), str(extra.get("value", id_)), str(extra.get("allowed", error)))
