"""What other tools read: layers as GeoJSON, readings as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from fastapi.responses import JSONResponse, StreamingResponse

from .. import geojson, readings
from ..domain.role import Right, may
from ..errors import Forbidden
from ..house import Actor
from .access import TheActor, TheHouse, needs
from .bodies import Time
from .plain import a_router

router = a_router("exports")

Sees = Annotated[Actor, Depends(needs(Right.SEE_DEVICES))]
_ROWS_AT_ONCE = 500


@router.get("/api/geojson/{layer}")
def layer(layer: str, house: TheHouse, actor: TheActor) -> JSONResponse:
    """sensors, cameras, cases (open ones, of a department its own) or grids as a FeatureCollection (RFC 7946)."""
    rights = {"cases": (Right.SEE_CASES, Right.SEE_OWN_CASES)}.get(layer, (Right.SEE_DEVICES,))
    if not any(may(actor.role, right) for right in rights):
        raise Forbidden(f"{layer} are not for {actor.role}")
    made: Any = geojson.collection(house, actor, layer)
    return JSONResponse(made, media_type="application/geo+json")


@router.get("/api/readings.csv")
def readings_csv(
    house: TheHouse, _actor: Sees, since: Time, until: Time, sensor: str | None = None
) -> StreamingResponse:
    """Readings of one sensor, or of all, oldest first; UTF-8 with a byte order mark, so that spreadsheets read it."""
    rows = readings.rows(house, sensor, since, until)
    headers = {"Content-Disposition": f'attachment; filename="readings-{sensor or "all"}.csv"'}
    return StreamingResponse(_lines(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    text = io.StringIO()
    write = csv.writer(text)
    text.write("\ufeff")
    write.writerow(readings.CSV_COLUMNS)
    for number, row in enumerate(rows, 1):
        write.writerow([value.isoformat() if isinstance(value, datetime) else value for value in row])
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
