"""`/sta/v1.1`: the read side of OGC SensorThings, for programs with a token and for people who are signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from ..domain.role import Right
from ..house import Actor
from ..sensorthings.answering import NoSuch, answer
from ..sensorthings.query import BadQuery
from .access import TheHouse, needs
from .plain import a_router

router = a_router("sensorthings")

ROOT = "/sta/v1.1"
Sees = Annotated[Actor, Depends(needs(Right.SEE_DEVICES))]


@router.get(ROOT)
@router.get(ROOT + "/{path:path}")
def read(request: Request, house: TheHouse, _actor: Sees, path: str = "") -> Response:
    """Things, Locations, HistoricalLocations, Datastreams, Sensors, ObservedProperties, Observations,
    FeaturesOfInterest; with $top, $skip, $count, $orderby, $select, $expand and $filter.
    """
    base = f"{str(request.base_url).rstrip('/')}{ROOT}"
    try:
        made: Any = answer(house, base, path, dict(request.query_params))
    except NoSuch as error:
        return _error(404, str(error))
    except BadQuery as error:
        return _error(400, str(error))
    if path.endswith("/$value"):
        return PlainTextResponse(str(made))
    return JSONResponse(made)


@router.api_route(ROOT + "/{path:path}", methods=["POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def write(path: str, _actor: Sees) -> Response:
    """Readings come in by MQTT, `POST /api/readings` or a worker, not here."""
    return _error(501, f"{path}: this is the read side; nothing is written through it")


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"code": status, "type": "error", "message": message}, status_code=status)
